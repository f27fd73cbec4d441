"""An adapter without doors and without a network: the flows over a real store."""

import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from lxml import etree

from intyg.adapter.deliver.desk import Consequence
from intyg.adapter.domain.delivery import Delivery, DeliveryState, Outcome, OutcomeKind
from intyg.adapter.domain.destination import DestinationKind, DestinationRole
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.errors import AdapterError
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.domain.intyg import IntygsStatus
from intyg.adapter.domain.meddelande import FragaState, StoredHandelse, StoredMeddelande
from intyg.adapter.flows import after_delivery, mark_handled
from intyg.adapter.flows.contracts import HANDLERS
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.intyg_bytes import find_intyg_bytes
from intyg.adapter.formats.result_writer import error_result
from intyg.adapter.guard import Guard, ListSignal, TestPatients
from intyg.adapter.routing.table import Routes
from intyg.adapter.settings.settings import (
    DestinationSettings,
    RecipientSettings,
    RouteSettings,
    Settings,
    SignaturePolicy,
    SignerRolePolicy,
)
from intyg.adapter.signature import SigningKey, TrustStore
from intyg.adapter.statistics.facts import FactMaker
from intyg.adapter.store import Store
from intyg.schemas.codes import Status
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.finding import Finding
from intyg.schemas.intyg_model import IntygType, Messages
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders

FK = "FK-ADDRESS"
OTHER_AUTHORITY = "AF-ADDRESS"

CONTRACTS = Contracts()
TYPES = IntygTypes()


class VirtualClock:
    """A clock that moves a second on each look, so that things happen one after another."""

    def __init__(self, now: datetime = builders.NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def make_settings(**changes: Any) -> Settings:
    """
    Settings of a demonstration: one authority and one EHR, both mocks; no signatures asked for.

    A second authority, AF, takes the same certificates, so that there can be two recipients.
    """
    kind = changes.pop("kind", DestinationKind.MOCK)
    values: dict[str, Any] = {
        "environment": Environment.DEMO,
        "signature": SignaturePolicy.ACCEPT,
        "signer_role": SignerRolePolicy.ACCEPT,
        "recipients": {
            "FKASSA": RecipientSettings(name="Försäkringskassan", logical_address=FK),
            "AF": RecipientSettings(
                name="Arbetsförmedlingen", logical_address=OTHER_AUTHORITY, types=("FK7804",)
            ),
            "SKV": RecipientSettings(name="Skatteverket", logical_address="SKV", active=False),
        },
        "destinations": {
            "fk": DestinationSettings(url="http://fk.invalid", kind=kind, allow=True),
            "ehr": DestinationSettings(
                url="http://ehr.invalid", kind=kind, role=DestinationRole.CARE, allow=True
            ),
        },
        "routes": (
            RouteSettings(contract="*", logical_address=FK, destination="fk"),
            RouteSettings(contract="*", logical_address=OTHER_AUTHORITY, destination="fk"),
            RouteSettings(contract="*", logical_address=builders.UNIT, destination="ehr"),
        ),
    }
    return Settings(**(values | changes))


class ChangedTypes(IntygTypes):
    """The real types, with attributes of each changed; and findings that each check adds."""

    def __init__(self, changes: Mapping[str, Any], findings: Sequence[Finding] = ()) -> None:
        super().__init__()
        self._changes = changes
        self._findings = list(findings)

    def find(self, xml_code: str, version: str) -> IntygType:
        return replace(super().find(xml_code, version), **self._changes)

    def check(
        self,
        intyg_type: IntygType,
        intyg: etree._Element,
        *,
        today: date,
        at_signing: bool = True,
    ) -> list[Finding]:
        real = super().find(intyg_type.xml_code, intyg_type.xml_versions[0])
        return super().check(real, intyg, today=today, at_signing=at_signing) + self._findings


class NoRules(IntygTypes):
    """The real types, whatever their certificates say."""

    def check(self, *_: object, **__: object) -> list[Finding]:
        return []


@dataclass
class Rig:
    """The parts, and how a test plays everybody around them."""

    services: Services
    clock: VirtualClock
    correlation_ids: int = field(default=0)
    sender: str | None = None

    def call(self, body: bytes) -> Result:
        """Send a request; a refusal comes back as the answer the caller gets."""
        try:
            return self.call_raising(body)
        except AdapterError as error:
            return error_result(error)

    def call_raising(self, body: bytes) -> Result:
        inbound = self.inbound(body)
        return HANDLERS[inbound.contract.key](inbound, self.services, self.unit())

    def unit(self) -> UnitOfWork:
        """A call's own; nothing is recorded."""
        return UnitOfWork(self.services.store)

    def follow(self, delivery: Delivery, outcome: Outcome) -> Consequence:
        return after_delivery.handle(delivery, outcome, self.services)

    def inbound(self, body: bytes) -> Inbound:
        element = etree.fromstring(body)
        contract = CONTRACTS.by_request(str(element.tag))
        assert contract is not None
        self.correlation_ids += 1
        return Inbound(
            contract=contract,
            logical_address="INTYGSADAPTER",
            element=element,
            body=body,
            intyg=find_intyg_bytes(body),
            received_at=self.clock(),
            correlation_id=f"c{self.correlation_ids}",
            sender=self.sender,
        )

    def ok(self, *bodies: bytes) -> None:
        """Send requests that are all taken, perhaps with remarks."""
        for body in bodies:
            result = self.call_raising(body)
            assert result.code == "OK" or ", with " in (result.text or ""), result

    def deliver(
        self, outcome: Outcome | None = None, addresses: Mapping[str, Outcome] | None = None
    ) -> list[Delivery]:
        """
        Play the worker until nothing is due: every attempt comes to `outcome` (accepted).

        Args:
            addresses: Other outcomes, by logical address.
        """
        done: list[Delivery] = []
        while claimed := self.services.store.claim("test", 100, 60.0):
            for delivery in claimed:
                result = (addresses or {}).get(
                    delivery.new.logical_address, outcome or Outcome(OutcomeKind.DELIVERED)
                )
                follow = self.follow(delivery, result)
                with self.services.store.begin() as rows:
                    done.append(rows.deliveries.record_attempt(delivery, result))
                    follow(rows, done[-1])
        return done

    def accept(self, part: str = "FKASSA", intygs_id: str = builders.INTYGS_ID) -> None:
        """The part has accepted the certificate, however it got there."""
        with self.services.store.begin() as rows:
            rows.intyg.add_status(intygs_id, IntygsStatus(Status.SENTTO, part, self.clock()))

    def mark(self, meddelande_id: str, *, handled: bool) -> FragaState:
        """Mark a question, as the console does."""
        return mark_handled.handle(
            meddelande_id,
            self.services,
            self.unit(),
            "c-mark",
            handled=handled,
            by="EHR",
        )

    # --- what a test looks at ---

    def handelser(self, intygs_id: str = builders.INTYGS_ID) -> Sequence[StoredHandelse]:
        with self.services.store.read() as rows:
            return rows.events.of_intyg(intygs_id)

    def events(self, intygs_id: str = builders.INTYGS_ID) -> list[str]:
        return [handelse.handelsekod.value for handelse in self.handelser(intygs_id)]

    def fraga(self, meddelande_id: str) -> StoredMeddelande:
        with self.services.store.read() as rows:
            found = rows.meddelanden.get(meddelande_id)
        assert found is not None
        return found

    def to_authorities(
        self, intygs_id: str = builders.INTYGS_ID, state: DeliveryState | None = None
    ) -> list[tuple[str, str]]:
        """Contract and part of every delivery that does not go to care."""
        return [
            (delivery.new.contract, delivery.new.part)
            for delivery in self.deliveries(intygs_id)
            if delivery.new.part != "HSVARD" and state in (None, delivery.state)
        ]

    def deliveries(self, intygs_id: str | None = builders.INTYGS_ID) -> Sequence[Delivery]:
        with self.services.store.read() as rows:
            return rows.deliveries.find(intygs_id)

    def statuses(self, intygs_id: str = builders.INTYGS_ID) -> list[tuple[str, str]]:
        with self.services.store.read() as rows:
            return [(s.status.value, s.part) for s in rows.intyg.statuses(intygs_id)]

    def blocked(self) -> list[str]:
        """Contracts of what the guard stopped."""
        with self.services.store.read() as rows:
            return [block.contract for block in rows.blocks.find()]

    def row_count(self) -> int:
        """All rows of all tables of a SQLite store, bodies and blocks included."""
        path = self.services.settings.data_dir / "adapter.sqlite"
        with closing(sqlite3.connect(path)) as connection:
            tables = connection.execute(
                "select name from sqlite_master where type = 'table' and name != 'sqlite_sequence'"
            ).fetchall()
            return sum(
                connection.execute(f"select count(*) from {name}").fetchone()[0]
                for (name,) in tables
            )

    def with_settings(self, **changes: Any) -> "Rig":
        """The same store under other settings."""
        settings = make_settings(data_dir=self.services.settings.data_dir, **changes)
        return replace(self, services=make_services(settings, self.services.store, self.clock))

    def with_messages(self, incoming: tuple[str, ...], care: tuple[str, ...]) -> "Rig":
        """The same store; every type takes these subjects."""
        return self.with_types(messages=Messages(incoming, care))

    def with_types(self, **changes: Any) -> "Rig":
        """The same store, every certificate type changed."""
        return replace(self, services=replace(self.services, types=ChangedTypes(changes)))

    def without_rules(self) -> "Rig":
        """The same store; certificates of every type need keep none of its rules."""
        return replace(self, services=replace(self.services, types=NoRules()))

    def with_test_patients(self, *numbers: str, damage: str | None = None) -> "Rig":
        """The same store with another list of test patients."""
        signal = ListSignal("list", frozenset(numbers), damage)
        guard = Guard(TestPatients([signal]), self.services.settings.environment)
        return replace(self, services=replace(self.services, guard=guard))


def make_services(
    settings: Settings, store: Store, clock: VirtualClock, key: SigningKey | None = None
) -> Services:
    listed = ListSignal("list", frozenset({builders.PATIENT, builders.OTHER_PATIENT}))
    return Services(
        settings=settings,
        contracts=CONTRACTS,
        types=TYPES,
        store=store,
        guard=Guard(TestPatients([listed]), settings.environment, settings.guard.told),
        routes=Routes(settings, clock),
        trust=TrustStore(),
        signing_key=key,
        clock=clock,
        facts=FactMaker(lambda number: f"hash of {number}", settings.environment),
    )


@contextmanager
def copied_rig(before: Path, folder: Path) -> Iterator[Rig]:
    """A rig over a copy of another folder's database; its clock is later than anything in it."""
    shutil.copy(before / "adapter.sqlite", folder / "adapter.sqlite")
    clock = VirtualClock(_latest(folder / "adapter.sqlite"))
    store = Store(f"sqlite:///{folder / 'adapter.sqlite'}", clock)
    try:
        yield Rig(make_services(make_settings(data_dir=folder), store, clock), clock)
    finally:
        store.close()


def _latest(database: Path) -> datetime:
    """A minute after the last event, so that what is queued is due."""
    with closing(sqlite3.connect(database)) as connection:
        (last,) = connection.execute("select max(tidpunkt) from handelse").fetchone()
    after = datetime.fromisoformat(last).replace(tzinfo=UTC) if last else builders.NOW
    return after + timedelta(minutes=1)


def new_rig(store: Store) -> Rig:
    """A rig over a store of any kind."""
    clock = VirtualClock()
    return Rig(make_services(make_settings(), store, clock), clock)
