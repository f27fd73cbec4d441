"""SendMessageToRecipient 2: care asks or answers; the message goes to the authority.

An answer closes its question. An answer in text to a completion request says that care cannot
complete the certificate: it closes the open ones before it, too, that the same recipient sent.
"""

from dataclasses import dataclass

from adapter.errors import RuleError, UnknownIntygError, UnknownRecipientError
from adapter.fraga_moves import Cause
from adapter.interactions.blocked import answer_block, journal_block
from adapter.interactions.conversation import gather_facts
from adapter.interactions.fragor import answered_with, move_fraga
from adapter.interactions.send_on import accepted_by
from adapter.interactions.tell_care import tell_care
from adapter.meddelande_rules import check_meddelande, is_answer
from adapter.model import (
    Destination,
    DestinationRole,
    FragaState,
    GuardDecision,
    Inbound,
    Meddelande,
    NewDelivery,
    PatientVerdict,
    Result,
    StoredIntyg,
    StoredMeddelande,
)
from adapter.parts import Parts
from adapter.readers import read_send_message_to_recipient
from adapter.store import Rows
from adapter.texts import (
    HELD,
    NO_ROUTE,
    REPEATED_MEDDELANDE,
    RULES_BROKEN,
    UNKNOWN_INTYG,
)
from adapter.told import Told
from adapter.validate import validate
from schemas.codes import Handelse


@dataclass(frozen=True)
class _Way:
    """Where a message would go, and whether it may."""

    destination: Destination
    decision: GuardDecision
    verdict: PatientVerdict


def handle(inbound: Inbound, parts: Parts) -> Result:
    """
    Take in a message from care and queue it for the authority as it arrived.

    Returns:
        OK; INFO when the same message was received before, when the guard
        blocks it (it is kept, not forwarded), or when it waits for the guard.

    Raises:
        SchemaError: Not as the contract wants it.
        UnknownIntygError: No such certificate; nothing else is checked then.
        RuleError: Rules of questions and answers are broken; lists them all.
        UnknownRecipientError: No route to `logiskAdressMottagare`.
        TestPatientError: The guard blocks it, and the settings want an error;
            nothing is kept but the block.
    """
    validate(inbound, parts.contracts)
    m = read_send_message_to_recipient(inbound.element)
    parts.guard.prepare(m.patient)
    with parts.store.begin() as rows:
        stored = rows.lock_intyg_of(m.patient, m.intygs_id)
        earlier = rows.get_meddelande(m.meddelande_id)
        if earlier is not None and earlier.meddelande == m:
            return Result.info(REPEATED_MEDDELANDE)
        way = _way(m, stored, parts) if stored else None
        blocked = way is not None and way.decision is GuardDecision.BLOCK
        facts = gather_facts(rows, parts, m, stored, earlier, blocked=blocked)
        if facts.not_found:
            raise UnknownIntygError(UNKNOWN_INTYG)
        findings = check_meddelande(m, facts)
        if findings:
            raise RuleError(RULES_BROKEN, findings)
        assert stored is not None  # a rule of its own: it is the patient's
        if way is None:
            text = NO_ROUTE.format(part="logiskAdressMottagare", contract=inbound.contract.name)
            raise UnknownRecipientError(text)
        if blocked:
            journal_block(
                rows, parts, stored, inbound.contract.key, way.destination.name, way.verdict
            )
        if not blocked or parts.guard.told(inbound.contract.name) is not Told.VALIDATION_ERROR:
            rows.add_meddelande(m, inbound, FragaState.OPEN_RECIPIENT if m.is_question else None)
            _move_fragor(rows, parts, m, stored, facts.fraga, inbound)
        if not blocked:
            _forward(rows, parts, m, inbound)
    match way.decision:
        case GuardDecision.SEND:
            return Result.ok()
        case GuardDecision.HOLD:
            return Result.info(HELD.format(part=way.destination.name))
        case GuardDecision.BLOCK:
            return answer_block(parts, inbound.contract, way.destination.name)


def _way(m: Meddelande, stored: StoredIntyg, parts: Parts) -> _Way | None:
    """Ask for the route and, if there is one to an authority, the guard."""
    address = m.logisk_adress_mottagare
    destination = parts.routes.find("SendMessageToRecipient", 2, address)
    if destination is None or destination.role is not DestinationRole.AUTHORITY:
        return None
    decision, verdict = parts.guard.decision(
        stored.intyg.patient, destination, flagged=stored.is_test
    )
    return _Way(destination, decision, verdict)


def _move_fragor(
    rows: Rows,
    parts: Parts,
    m: Meddelande,
    stored: StoredIntyg,
    fraga: StoredMeddelande | None,
    inbound: Inbound,
) -> None:
    """What the message does to the questions, and the events of that. A reminder does nothing."""
    assert m.skickat_av is not None  # the schema requires it
    by = m.skickat_av.personal_id
    if m.is_question:
        tell_care(rows, parts, stored, Handelse.NYFRFV, inbound.correlation_id, hanterat_av=by)
    elif is_answer(m):
        assert fraga is not None  # a rule of its own
        for one in answered_with(rows, stored, fraga):
            move_fraga(
                rows,
                parts,
                stored,
                one,
                Cause.ANSWERED,
                inbound.correlation_id,
                hanterat_av=by,
                answer_id=m.meddelande_id,
            )


def _forward(rows: Rows, parts: Parts, m: Meddelande, inbound: Inbound) -> None:
    address = m.logisk_adress_mottagare
    delivery = NewDelivery(
        contract=inbound.contract.key,
        logical_address=address,
        intygs_id=m.intygs_id,
        patient=m.patient,
        body=inbound.body,
        part=parts.routes.part_of(address) or next(iter(sorted(accepted_by(rows, m.intygs_id)))),
        due_at=parts.clock(),
        meddelande_id=m.meddelande_id,
    )
    rows.add_delivery(delivery, inbound.correlation_id)
