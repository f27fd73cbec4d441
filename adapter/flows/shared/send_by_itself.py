"""Send a new certificate where it goes without being asked for."""

from intyg.adapter.domain.errors import UnknownRecipientError
from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.person import GuardDecision
from intyg.adapter.domain.texts import NOT_FORWARDED, REGISTERED_HELD, REGISTERED_NOT_SENT
from intyg.adapter.flows.services import Asked
from intyg.adapter.flows.shared.known_intyg import relation_of
from intyg.adapter.flows.shared.send_on import send_on, who_has
from intyg.adapter.settings.guard_answers import BlockReply
from intyg.adapter.store import Rows
from intyg.schemas.codes import TypAvRelation
from intyg.schemas.intyg_model import IntygType


def send_by_itself(
    rows: Rows,
    asked: Asked,
    stored: StoredIntyg,
    parent: StoredIntyg | None,
    intyg_type: IntygType,
    inbound: Inbound,
) -> list[str]:
    """
    Queue a certificate for each part that it goes to; whatever stops that, it stays registered.

    Args:
        parent: The certificate that its relation points at.

    Returns:
        Remarks for the caller.
    """
    parts = _goes_to(rows, stored, parent, intyg_type)
    remarks = (_send(rows, asked, stored, part, intyg_type, inbound) for part in parts)
    return [remark for remark in remarks if remark is not None]


def _goes_to(
    rows: Rows, stored: StoredIntyg, parent: StoredIntyg | None, intyg_type: IntygType
) -> list[str]:
    """The parts that a certificate is sent to without being asked for, in order of their codes."""
    goes_to: set[str] = set()
    relation = relation_of(stored.intyg)
    if relation is not None and relation.typ == TypAvRelation.KOMPLT:
        if parent is not None:
            goes_to |= who_has(rows, parent)
        if not goes_to and intyg_type.recipient:
            goes_to.add(intyg_type.recipient)
    if intyg_type.sent_on_signing and intyg_type.recipient:
        goes_to.add(intyg_type.recipient)
    return sorted(goes_to)


def _send(
    rows: Rows,
    asked: Asked,
    stored: StoredIntyg,
    part: str,
    intyg_type: IntygType,
    inbound: Inbound,
) -> str | None:
    """
    Queue it for a part.

    Returns:
        A remark for the caller, where there is one: a block is journalled and,
        as nationally, told to nobody, unless the settings want that.
    """
    try:
        recipient = asked.routes.recipient(part, intyg_type)
        signer = stored.intyg.skapad_av.personal_id
        sending = send_on(rows, asked, stored, recipient, inbound, requested_by=signer)
    except UnknownRecipientError as exc:
        return REGISTERED_NOT_SENT.format(reason=exc.text)
    if sending.decision is GuardDecision.HOLD:
        return REGISTERED_HELD.format(part=part)
    told = asked.guard.told(inbound.contract.name)
    if sending.decision is GuardDecision.BLOCK and told is BlockReply.NOT_FORWARDED:
        return NOT_FORWARDED.format(destination=sending.destination.name)
    return None
