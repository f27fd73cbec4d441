"""An adapter's delivering half, to be killed. `test_worker` runs it: `kill_me DATABASE_URL URL`."""

import sys
import threading

from intyg.adapter.deliver import Deliverer
from intyg.adapter.deliver.desk import Consequence
from intyg.adapter.deliver.worker import Workers
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.delivery import Delivery, Outcome, OutcomeKind
from intyg.adapter.domain.destination import Destination, DestinationKind, DestinationRole
from intyg.adapter.domain.intyg import IntygsStatus
from intyg.adapter.domain.person import GuardDecision, PatientKind, PatientVerdict, PersonId
from intyg.adapter.settings.settings import DeliverySettings
from intyg.adapter.store import Rows, Store
from intyg.schemas.codes import Part, Status
from intyg.schemas.contract.contract import Contracts


class SendAll:
    """A guard that lets everything through."""

    def decision(
        self,
        person: PersonId,  # noqa: ARG002  the guard's signature
        destination: Destination,  # noqa: ARG002
        *,
        flagged: bool | None = None,  # noqa: ARG002
    ) -> tuple[GuardDecision, PatientVerdict]:
        return GuardDecision.SEND, PatientVerdict(PatientKind.TEST)


def sent_to(_delivery: Delivery, outcome: Outcome) -> Consequence:
    """Note on the certificate that the authority has it."""

    def note(rows: Rows, delivery: Delivery) -> None:
        if outcome.kind is OutcomeKind.DELIVERED:
            status = IntygsStatus(Status.SENTTO, Part.FKASSA, rows.now)
            rows.intyg.add_status(delivery.new.intygs_id, status)

    return note


def main(database_url: str, url: str) -> None:
    settings = DeliverySettings(workers=3, waits_seconds=(0.05,), poll_seconds=0.05)
    mock, role = DestinationKind.MOCK, DestinationRole.AUTHORITY
    there = Destination("fk", url, mock, role, timeout_seconds=5)
    deliverer = Deliverer(Contracts(), SendAll(), settings, system_clock)
    store = Store(database_url, system_clock)
    Workers(store, deliverer, lambda *_: there, sent_to, settings, system_clock).start()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
