"""Who may speak for a part, and who may read: what may be sent to somebody may be read by them.

By the same table. A part that reads stands where its destination stands: a mock's part is a mock,
and a real authority's is real. Care reads with the kind of the unit's EHR. Whose destination is not
known is real in production and a mock elsewhere.

Source: the policy table of `guard/policy.py`.
"""

from collections.abc import Iterable
from typing import Final

from intyg.adapter.domain.destination import Destination, DestinationKind, DestinationRole
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.errors import AdapterError, TechnicalError, TestPatientError
from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.person import GuardDecision, PatientVerdict
from intyg.adapter.domain.texts import (
    CANNOT_TELL_NOT_SHOWN,
    PART_REFUSED,
    TEST_INTYG_NOT_SHOWN,
)
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.blocked import journal_block
from intyg.adapter.flows.shared.handelse import CONTRACT, MAJOR
from intyg.adapter.flows.shared.send_on import REGISTER, REGISTER_MAJOR
from intyg.adapter.flows.shared.validate import refuse
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.routing.recipients import RecipientRegister, may_speak_for
from intyg.adapter.routing.table import Routes
from intyg.adapter.store import Rows
from intyg.schemas.codes import Part
from intyg.schemas.finding import Finding

AS_CARE: Final = frozenset({Part.HSVARD})
"""Parts to whom a message is one to care."""


def refuse_part(inbound: Inbound, services: Services, part: str) -> None:
    """
    Let only somebody read as a part who may speak for it.

    Raises:
        RuleError: PART_NOT_KNOWN_ERROR or PART_CALLER_ERROR.
    """
    refuse(why_not_part(inbound, services, part), PART_REFUSED)


def why_not_part(inbound: Inbound, services: Services, part: str) -> list[Finding]:
    """What is wrong with a request's `part`: nobody knows it, or the caller may not be it."""
    where = f"/{inbound.contract.name}/part"
    if RecipientRegister(services.settings).get(part) is None:
        text = (
            "part must be a known recipient (recipients.<part> in the settings), HSVARD or INVANA"
        )
        return [Finding("PART_NOT_KNOWN_ERROR", text, where)]
    if not may_speak_for(services.settings, part, inbound.sender):
        text = (
            "the calling system may not speak for this part; recipients.<part>.callers in the "
            "settings lists the HSA-ids that may"
        )
        return [Finding("PART_CALLER_ERROR", text, where)]
    return []


def let_read(
    found: Iterable[StoredIntyg],
    inbound: Inbound,
    services: Services,
    unit: UnitOfWork,
    part: str = Part.HSVARD,
    as_care: frozenset[str] = AS_CARE,
) -> None:
    """
    Ask the guard about each certificate that is to be shown; one that is stopped stops them all.

    Args:
        part: Who reads.
        as_care: Parts that get back what is theirs.

    Raises:
        TestPatientError: The guard blocks it; journalled.
        TechnicalError: It cannot be told whether it may.
    """
    stopped = [stop for stored in found if (stop := _stop(stored, services, part, as_care))]
    blocks = [each for each in stopped if each[1] is GuardDecision.BLOCK]
    if not stopped:
        return
    if not blocks:
        raise TechnicalError(CANNOT_TELL_NOT_SHOWN)

    def note(rows: Rows) -> AdapterError:
        for stored, _, destination, verdict in blocks:
            journal_block(rows, stored, inbound.contract.key, destination.name, verdict)
        return TestPatientError(TEST_INTYG_NOT_SHOWN)

    unit.write(note)


def _stop(
    stored: StoredIntyg, services: Services, part: str, as_care: frozenset[str]
) -> tuple[StoredIntyg, GuardDecision, Destination, PatientVerdict] | None:
    place = reader(services.routes, services.settings.environment, part, as_care, stored)
    decision, verdict = services.guard.decision(stored.intyg.patient, place, flagged=stored.is_test)
    return None if decision is GuardDecision.SEND else (stored, decision, place, verdict)


def reader(
    routes: Routes,
    environment: Environment,
    part: str,
    as_care: frozenset[str],
    stored: StoredIntyg,
) -> Destination:
    """Where a part that reads a certificate stands."""
    if part in as_care:
        unit = stored.intyg.skapad_av.enhet.enhets_id
        found = routes.find(CONTRACT, MAJOR, unit) if part == Part.HSVARD else None
        return found or presumed(part, environment, DestinationRole.CARE)
    address = routes.recipient_address(part)
    there = routes.find(REGISTER, REGISTER_MAJOR, address) if address else None
    return there or presumed(part, environment, DestinationRole.AUTHORITY)


def presumed(part: str, environment: Environment, role: DestinationRole) -> Destination:
    """Who stands where no route leads: somebody real in production, a mock elsewhere."""
    production = environment is Environment.PRODUCTION
    kind = DestinationKind.REAL if production else DestinationKind.MOCK
    return Destination(part, "", kind, role, 0)
