"""SendCertificateToRecipient 2: a registered certificate is sent to an authority.

It is answered when the sending is queued; SKICKA and the status SENTTO come when the authority has
accepted it.
"""

from intyg.adapter.domain.errors import TestPatientError
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.domain.intyg import SendRequest, StoredIntyg
from intyg.adapter.domain.person import GuardDecision
from intyg.adapter.domain.texts import (
    ALREADY_QUEUED,
    ALREADY_SENT,
    HELD,
    REPLACED,
    REVOKED_NOT_SENT,
    SENT_ANEW,
)
from intyg.adapter.flows.services import Asked, Services
from intyg.adapter.flows.shared.blocked import answer_block
from intyg.adapter.flows.shared.known_intyg import known_intyg, related_intyg
from intyg.adapter.flows.shared.send_anew import ENDED
from intyg.adapter.flows.shared.send_on import (
    UNDER_WAY,
    accepted_by,
    send_on,
    sent_towards,
)
from intyg.adapter.flows.shared.validate import find_type, refuse, validate
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.intyg_reader import read_send_certificate_to_recipient
from intyg.adapter.store import Rows
from intyg.schemas.codes import TypAvRelation
from intyg.schemas.finding import Finding


def handle(inbound: Inbound, services: Services, unit: UnitOfWork) -> Result:
    """
    Queue a certificate for the recipient named.

    Returns:
        OK when it is queued; INFO when nothing was to be done (revoked, sent
        before, on its way), when it is sent once more, or when it waits for the guard.

    Raises:
        SchemaError: Not as the contract wants it.
        UnknownIntygError: No such certificate for this patient.
        UnknownRecipientError: No such recipient, not for this type, or no
            route to it.
        RuleError: The certificate has been replaced.
        TestPatientError: The guard blocks it, and the settings do not say INFO; journalled.
    """
    validate(inbound, services.contracts)
    request = read_send_certificate_to_recipient(inbound.element)
    asked = services.ask(request.patient)
    return unit.write(lambda rows: _send(rows, asked, request, inbound))


def _send(
    rows: Rows, asked: Asked, request: SendRequest, inbound: Inbound
) -> Result | TestPatientError:
    stored = known_intyg(rows, request.intygs_id, request.patient)
    done = _nothing_to_do(rows, stored, request.mottagare)
    if done is not None:
        return done
    _refuse_replaced(rows, stored)
    recipient = asked.routes.recipient(request.mottagare, find_type(stored.intyg, asked.types))
    by = request.skickat_av.personal_id if request.skickat_av else None
    ended = recipient.part in {
        one.part for one in sent_towards(rows, stored.intyg.intygs_id, ENDED)
    }
    sending = send_on(rows, asked, stored, recipient, inbound, requested_by=by)
    match sending.decision:
        case GuardDecision.SEND:
            return Result.info(SENT_ANEW.format(parts=recipient.part)) if ended else Result.ok()
        case GuardDecision.HOLD:
            return Result.info(HELD.format(part=recipient.part))
        case GuardDecision.BLOCK:
            return answer_block(asked, inbound.contract, sending.destination.name)


def _nothing_to_do(rows: Rows, stored: StoredIntyg, part: str) -> Result | None:
    if stored.revoked_at is not None:
        return Result.info(REVOKED_NOT_SENT)
    intygs_id = stored.intyg.intygs_id
    if part in accepted_by(rows, intygs_id):
        return Result.info(ALREADY_SENT.format(part=part))
    towards = sent_towards(rows, intygs_id, UNDER_WAY)
    if part in {recipient.part for recipient in towards}:
        return Result.info(ALREADY_QUEUED.format(part=part))
    return None


def _refuse_replaced(rows: Rows, stored: StoredIntyg) -> None:
    """A replacement that is revoked has replaced nothing."""
    replacements = related_intyg(rows, stored, TypAvRelation.ERSATT)
    if any(newer.revoked_at is None for newer in replacements):
        where = "/SendCertificateToRecipient/intygs-id"
        refuse([Finding("INTYG_REPLACED", REPLACED, where)], "The certificate cannot be sent:")
