"""The adapter under trial: flows, store, routes, guard and transport are real, time is not."""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from intyg.adapter.bootstrap.reload_routes import RoutesReloader
from intyg.adapter.deliver import Deliverer
from intyg.adapter.deliver.desk import Consequence
from intyg.adapter.deliver.lanes import FindDestination
from intyg.adapter.deliver.transport import AskGuard
from intyg.adapter.deliver.worker import Workers
from intyg.adapter.domain.delivery import Delivery, Outcome
from intyg.adapter.domain.destination import Destination
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.person import GuardDecision, PatientVerdict, PersonId
from intyg.adapter.flows import after_delivery
from intyg.adapter.flows.services import Services
from intyg.adapter.guard import Guard, TestPatients, build_test_patients
from intyg.adapter.routing.table import Routes
from intyg.adapter.settings.routing import RoutingSettings
from intyg.adapter.settings.settings import (
    DeliverySettings,
    RecipientSettings,
    RegisterSettings,
    Settings,
    SignaturePolicy,
    SignerRolePolicy,
    TestPatientSettings,
)
from intyg.adapter.signature import TrustStore
from intyg.adapter.store import Store, tables
from intyg.schemas.codes import PERSONNUMMER_ROOT
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders
from tests.adapter.flows.rig import (
    CONTRACTS,
    TYPES,
    ChangedTypes,
    Rig,
    VirtualClock,
)
from tests.flows.guard_proof.listeners import Listeners, listening
from tests.flows.guard_proof.spy import Spy, spying
from tests.flows.guard_proof.world import (
    AF,
    FK,
    NOBODY,
    Knowledge,
)

AUTHORITY: Final = "SE0000000000-AUTHORITY"
"""HSA-id of whoever speaks for the authorities."""

DELIVERY: Final = DeliverySettings(max_attempts=4)
SENT_ON_SIGNING: Final = ChangedTypes({"sent_on_signing": True})


class QuickClock(VirtualClock):
    """Moves a hundredth of a second on each look, so that a whole play stays within its day."""

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=10)
        return self.now


class Meter:
    """Seconds that only grow, by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _as_it_is(part: Any) -> Any:
    return part


@dataclass(frozen=True)
class Seams:
    """Where the adapter can be spoilt. Each is given the real part."""

    intake: Callable[[Guard], Guard] = _as_it_is
    transport: Callable[[Guard], AskGuard] = _as_it_is
    patients: Callable[[TestPatients], TestPatients] = _as_it_is
    find: Callable[[FindDestination], FindDestination] = _as_it_is
    meter: Callable[[Callable[[], float]], Callable[[], float]] = _as_it_is


WHOLE: Final = Seams()


class _CurrentGuard:
    """Lets one deliverer, which is slow to make, serve one adapter after the other."""

    guard: AskGuard

    def decision(
        self, person: PersonId, destination: Destination, *, flagged: bool | None = None
    ) -> tuple[GuardDecision, PatientVerdict]:
        return self.guard.decision(person, destination, flagged=flagged)


@dataclass
class Ground:
    """
    What plays have in common.

    Attributes:
        folder: For lists and routes.
        urls: Of an empty database for each environment.
        workers: How many work at once.
    """

    folder: Path
    listeners: Listeners
    spy: Spy
    urls: Mapping[Environment, str]
    workers: int
    clock: QuickClock = field(default_factory=QuickClock)
    guard: _CurrentGuard = field(default_factory=_CurrentGuard)
    deliverer: Deliverer = field(init=False)

    def __post_init__(self) -> None:
        self.deliverer = Deliverer(CONTRACTS, self.guard, DELIVERY, self.clock)
        self._stores: dict[Environment, Store] = {}
        self.pool = ThreadPoolExecutor(self.workers)

    def store(self, environment: Environment) -> Store:
        """The environment's database, open; it stays open from play to play."""
        if environment not in self._stores:
            store = Store(self.urls[environment], self.clock)
            store.migrate(environment)
            self._stores[environment] = store
        return self._stores[environment]

    def close(self, environment: Environment) -> None:
        """Let go of a database, as a process does that ends."""
        if environment in self._stores:
            self._stores.pop(environment).close()

    def reopen(self, environment: Environment) -> Store:
        """As the next process does; it knows that the schema is as it should be."""
        store = Store(self.urls[environment], self.clock)
        store.must_belong_to(environment)
        self._stores[environment] = store
        return store

    def empty(self, environment: Environment) -> None:
        """Delete every row but the environment's mark."""
        with self.store(environment)._engine.begin() as connection:
            for table in reversed(tables.metadata.sorted_tables):
                if table is not tables.environment:
                    connection.execute(table.delete())

    def end(self) -> None:
        self.pool.shutdown()
        for environment in Environment:
            self.close(environment)
        self.deliverer.close()


@contextmanager
def common_ground(
    folder: Path, urls: Mapping[Environment, str] | None = None, workers: int = 1
) -> Iterator[Ground]:
    """
    Ground for any number of plays.

    Args:
        folder: For files; also for SQLite databases, where `urls` names no others.
    """
    files = {one: f"sqlite:///{folder / one.value}.sqlite" for one in Environment}
    with listening() as listeners, spying() as spy:
        ground = Ground(folder, listeners, spy, urls or files, workers)
        try:
            yield ground
        finally:
            ground.end()


@dataclass
class Attempt:
    """What a worker was at, and what came of it."""

    delivery: Delivery
    destination: Destination | None = None
    outcome: Outcome | None = None


class Trial:
    """
    One adapter, from its first start to its last.

    Attributes:
        rig: Calls its flows.
        attempts: What the workers were at last.
    """

    rig: Rig
    workers: Workers

    def __init__(
        self,
        ground: Ground,
        environment: Environment,
        knowledge: Knowledge,
        seams: Seams,
        *,
        sent_on_signing: bool,
    ) -> None:
        self.ground = ground
        self.environment = environment
        self.knowledge = knowledge
        self.meter = Meter()
        self.attempts: list[Attempt] = []
        self._seams = seams
        self._types: IntygTypes = SENT_ON_SIGNING if sent_on_signing else TYPES
        ground.empty(environment)
        self._routing = RoutingSettings()

    def start(self) -> None:
        """Read settings, lists and routes."""
        settings = self._settings()
        clock = self.ground.clock
        store = self.ground.store(self.environment)
        patients = build_test_patients(settings.test_patients, self._seams.meter(self.meter))
        guard = Guard(self._seams.patients(patients), self.environment)
        self.ground.guard.guard = self._seams.transport(guard)
        self.routes = Routes(settings, clock)
        self.routes.replace(self._routing)
        services = Services(
            settings=settings,
            contracts=CONTRACTS,
            types=self._types,
            store=store,
            guard=self._seams.intake(guard),
            routes=self.routes,
            trust=TrustStore(),
            signing_key=None,
            clock=clock,
        )
        self.rig = Rig(services, clock, sender=AUTHORITY)
        self.workers = Workers(
            store, self, self._seams.find(self._find), self._after, DELIVERY, clock
        )
        self.workers.recover()

    def stop(self) -> None:
        """End, as a process does that is killed: what is under way stays as it is."""
        self.ground.deliverer.close()
        self.ground.close(self.environment)

    def start_again(self) -> None:
        self.ground.reopen(self.environment)
        self.start()

    def read_routes(self, toml: str) -> bool:
        """A new file of routes; whether its rows count from now on."""
        path = self.ground.folder / "routes.toml"
        (path.parent / "hook.secret").write_text("c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IQ==")
        path.write_text(toml, encoding="utf-8")
        names = {contract.name for contract in CONTRACTS.all()}
        taken = RoutesReloader(path, self.environment, self.routes, names).reload()
        self._routing = self.routes.table.routing
        return taken

    def _settings(self) -> Settings:
        lists = self.knowledge.lists
        url = self.ground.listeners.url("register") + "/ask"
        register = RegisterSettings(url=url if self.knowledge.has_register else None)
        settings = Settings(
            environment=self.environment,
            data_dir=self.ground.folder,
            test_patients=TestPatientSettings(
                list_files=tuple(one.path for name, one in lists.items() if name[:4] == "list"),
                ehr_list_files=tuple(one.path for name, one in lists.items() if name[:4] != "list"),
                population_register=register,
            ),
            recipients={
                "FKASSA": RecipientSettings(
                    name="Försäkringskassan", logical_address=FK, callers=(AUTHORITY,)
                ),
                "AF": RecipientSettings(
                    name="Arbetsförmedlingen",
                    logical_address=AF,
                    types=("FK7804",),
                    callers=(AUTHORITY,),
                ),
            },
        )
        # Unsigned certificates, also in production: signatures are proven elsewhere, and are slow.
        return settings.model_copy(
            update={
                "signature": SignaturePolicy.ACCEPT,
                "signer_role": SignerRolePolicy.ACCEPT,
            }
        )

    # --- what the worker is given ---

    def _find(self, contract: str, major: int, address: str) -> Destination | None:
        return self.routes.find(contract, major, address)

    def work_at_once(self) -> bool:
        """Each worker takes a delivery that is due, all at the same time; whether any found one."""
        self.attempts = []
        if self.ground.workers == 1:
            return self.workers.run_once()
        # Whoever looks at a file that changed, or asks a register that was down, is not waited for
        # by the others. So that there is one truth for all, this is done before.
        self.rig.services.guard.verdict(PersonId(PERSONNUMMER_ROOT, NOBODY))
        start = threading.Barrier(self.ground.workers)

        def work(number: int) -> bool:
            start.wait()
            return self.workers.run_once(f"worker-{number}")

        return any(list(self.ground.pool.map(work, range(self.ground.workers))))

    def deliver(self, delivery: Delivery, destination: Destination) -> Outcome:
        self.attempts.append(Attempt(delivery, destination))
        return self.ground.deliverer.deliver(delivery, destination)

    def longest_attempt_seconds(self, destination: Destination) -> float:
        return self.ground.deliverer.longest_attempt_seconds(destination)

    def _after(self, delivery: Delivery, outcome: Outcome) -> Consequence:
        mine = [one for one in self.attempts if one.delivery.id == delivery.id]
        if not mine:  # it came to no attempt
            mine = [Attempt(delivery)]
            self.attempts += mine
        mine[-1].outcome = outcome
        return after_delivery.handle(delivery, outcome, self.rig.services)

    def begin(self, at: datetime = builders.NOW) -> None:
        self.ground.clock.now = at
        self.start()
