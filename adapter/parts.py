"""Everything a flow works with, built once and handed to each call."""

from dataclasses import dataclass

from adapter.audit import AuditLog
from adapter.guard import Guard
from adapter.model import Clock
from adapter.route import Routes
from adapter.settings import Settings
from adapter.signature import SigningKey, TrustStore
from adapter.staff_directory import StaffDirectory
from adapter.store import Store
from schemas.contract import Contracts
from schemas.intyg_type import IntygTypes


@dataclass(frozen=True)
class Parts:
    """
    The parts.

    Attributes:
        trust: Whose signatures count.
        signing_key: The adapter's own, for `signature = "sign"`; None without.
        staff: Who may sign where; None: only message and signing certificate are asked.
        audit: Who did what; None, in tests of flows: nothing is recorded.
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
