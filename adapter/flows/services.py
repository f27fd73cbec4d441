"""Everything a flow works with, built once and handed to each call."""

from dataclasses import dataclass
from datetime import date

from intyg.adapter.audit.log import AuditLog
from intyg.adapter.clients.diagnoses import Diagnoses
from intyg.adapter.clients.people import People
from intyg.adapter.clients.staff_directory import StaffDirectory
from intyg.adapter.domain.clock import Clock, swedish_day
from intyg.adapter.domain.person import PersonId
from intyg.adapter.guard import Guard
from intyg.adapter.routing.table import Routes
from intyg.adapter.settings.settings import Settings
from intyg.adapter.signature import SigningKey, TrustStore
from intyg.adapter.statistics.facts import FactMaker
from intyg.adapter.store import Store
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes


@dataclass(frozen=True)
class Asked:
    """
    What a function of rows works with: whatever takes a network or a clock has been asked.

    Attributes:
        guard: Knows one patient.
        routes: As they stood when it was asked.
        today: In Sweden, then.
    """

    settings: Settings
    types: IntygTypes
    guard: Guard
    routes: Routes
    today: date


@dataclass(frozen=True)
class Services:
    """
    The services.

    Attributes:
        trust: Whose signatures count.
        signing_key: The adapter's own, for `signature = "sign"`; None without.
        staff: Who may sign where; None: only message and signing certificate are asked.
        audit: Who did what; None, in tests of flows: nothing is recorded.
        people: Name, address, protection and death of patients, for drafts; None: no register.
        diagnoses: The list of diagnoses, for drafts; None: only their form is checked.
        facts: What certificates count for in statistics; None, in tests of flows: nothing is kept.
        clock: Now. Nothing in a flow asks the machine.
    """

    settings: Settings
    contracts: Contracts
    types: IntygTypes
    store: Store
    guard: Guard
    routes: Routes
    trust: TrustStore
    signing_key: SigningKey | None
    clock: Clock
    staff: StaffDirectory | None = None
    audit: AuditLog | None = None
    people: People | None = None
    diagnoses: Diagnoses | None = None
    facts: FactMaker | None = None

    def ask(self, patient: PersonId) -> Asked:
        """Ask all that a transaction about a patient's certificates may need to know."""
        now = self.clock()
        return Asked(
            settings=self.settings,
            types=self.types,
            guard=self.guard.knowing(patient),
            routes=self.routes.as_of(now),
            today=swedish_day(now),
        )
