"""Who may revoke, answer and mark, where there is a staff directory: as who may sign.

Source: the national editor's privileges: revoking has the roles of signing; questions are for
everybody in care, but for dentists where the type is none of theirs.
"""

from collections.abc import Callable
from typing import Final

from intyg.adapter.domain.clock import SWEDEN
from intyg.adapter.domain.intyg import Intyg, StoredIntyg
from intyg.adapter.domain.texts import STAFF_REFUSED
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.validate import find_type, refuse
from intyg.adapter.rules.signer_roles import check_actor
from intyg.schemas.finding import Finding
from intyg.schemas.intyg_model import Role

_QUESTIONS: Final[frozenset[Role | None]] = frozenset({*Role, None}) - {Role.TANDLAKARE}


def refuse_staff(
    services: Services,
    hsa_id: str | None,
    unit: str | None,
    find: Callable[[], StoredIntyg | None],
    where: str,
    *,
    revokes: bool = False,
) -> None:
    """
    Refuse somebody whom the staff directory does not know, or not for this; nothing without one.

    Asked outside of transactions: a directory may be slow.

    Args:
        hsa_id: Who does it; None: it is not said.
        unit: HSA-id of the unit where; None: the certificate's own.
        find: Reads the certificate; None: there is none, which is told later.
        where: XPath of who does it.
        revokes: It is a revocation; otherwise something about a question.

    Raises:
        RuleError: STAFF_UNKNOWN, STAFF_ROLE or STAFF_NOT_ASSIGNED.
        TechnicalError: The directory does not answer.
    """
    if services.staff is None:
        return
    stored = find()
    member = services.staff.find(hsa_id) if hsa_id else None
    place = unit or (stored.intyg.skapad_av.enhet.enhets_id if stored else "")
    roles = _roles(services, stored.intyg, revokes=revokes) if stored else None
    day = services.clock().astimezone(SWEDEN).date()
    findings: list[Finding] = check_actor(member, place, day, roles, where)
    refuse(findings, STAFF_REFUSED)


def _roles(services: Services, intyg: Intyg, *, revokes: bool) -> frozenset[Role | None] | None:
    """The roles that may; None: whoever works there."""
    signs: frozenset[Role | None] = frozenset(find_type(intyg, services.types).signs)
    if revokes:
        return signs
    return None if Role.TANDLAKARE in signs else _QUESTIONS
