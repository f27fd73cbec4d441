"""SendMessageToRecipient 2: care asks or answers; the message goes to the authority.

An answer closes its question. An answer in text to a completion request says that care cannot
complete the certificate: it closes the open ones before it, too, that the same recipient sent.
"""

from dataclasses import dataclass

from intyg.adapter.domain.destination import Destination, DestinationRole
from intyg.adapter.domain.errors import (
    RuleError,
    TestPatientError,
    UnknownIntygError,
    UnknownRecipientError,
)
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.meddelande import FragaState, Meddelande, StoredMeddelande
from intyg.adapter.domain.person import GuardDecision, PatientVerdict
from intyg.adapter.domain.texts import (
    HELD,
    NO_ROUTE,
    RULES_BROKEN,
    STORED_WITH_REMARKS,
    UNKNOWN_INTYG,
)
from intyg.adapter.flows.services import Asked, Services
from intyg.adapter.flows.shared.blocked import answer_block, journal_block
from intyg.adapter.flows.shared.conversation import gather_facts, parts_at
from intyg.adapter.flows.shared.known_intyg import as_registered
from intyg.adapter.flows.shared.meddelande import (
    answer_repeated,
    ask_guard,
    came_before,
    close_question,
    forward,
)
from intyg.adapter.flows.shared.send_on import accepted_by
from intyg.adapter.flows.shared.staff import refuse_staff
from intyg.adapter.flows.shared.tell_care import tell_care
from intyg.adapter.flows.shared.validate import validate
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.intyg_reader import read_send_message_to_recipient
from intyg.adapter.formats.result_writer import with_remarks
from intyg.adapter.rules.meddelande_rules import check_meddelande, is_answer, refusing
from intyg.adapter.settings.guard_answers import BlockReply
from intyg.adapter.store import Rows
from intyg.schemas.codes import Handelse


@dataclass(frozen=True)
class _Way:
    """Where a message would go, and whether it may."""

    destination: Destination
    decision: GuardDecision
    verdict: PatientVerdict


def handle(inbound: Inbound, services: Services, unit: UnitOfWork) -> Result:
    """
    Take in a message from care and queue it for the authority as it arrived.

    Returns:
        OK; INFO when the same message was received before, when the guard
        blocks it (it is kept, not forwarded), when it waits for the guard, or
        when there are remarks.

    Raises:
        SchemaError: Not as the contract wants it.
        UnknownIntygError: No such certificate; nothing else is checked then.
        RuleError: Rules of questions and answers are broken; lists them all.
        TechnicalError: The staff directory does not answer.
        UnknownRecipientError: No route to `logiskAdressMottagare`.
        TestPatientError: The guard blocks it, and the settings want an error;
            nothing is kept but the block.
    """
    validate(inbound, services.contracts)
    m = read_send_message_to_recipient(inbound.element)
    _refuse_staff(inbound, services, unit, m)
    asked = services.ask(m.patient)
    return unit.write(lambda rows: _take_in(rows, asked, m, inbound))


def _refuse_staff(inbound: Inbound, services: Services, unit: UnitOfWork, m: Meddelande) -> None:
    """Those write who work at the unit."""
    assert m.skickat_av is not None  # the schema requires it
    by = m.skickat_av

    def find() -> StoredIntyg | None:
        return unit.read(lambda rows: rows.intyg.read_of(m.patient, m.intygs_id))

    where = f"/{inbound.contract.name}/skickatAv/personal-id"
    refuse_staff(services, by.personal_id, by.enhet.enhets_id, find, where)


def _take_in(
    rows: Rows, asked: Asked, m: Meddelande, inbound: Inbound
) -> Result | TestPatientError:
    stored = rows.intyg.lock_of(m.patient, m.intygs_id)
    m = as_registered(m, stored)
    earlier = rows.meddelanden.get(m.meddelande_id)
    if earlier is not None and came_before(m, earlier):
        return answer_repeated(rows, earlier, inbound)
    way = _way(m, stored, asked) if stored else None
    blocked = way is not None and way.decision is GuardDecision.BLOCK
    facts = gather_facts(rows, asked, m, stored, earlier, blocked=blocked, routed=way is not None)
    if facts.not_found:
        raise UnknownIntygError(UNKNOWN_INTYG)
    findings = check_meddelande(m, facts)
    if refusing(findings):
        raise RuleError(RULES_BROKEN, refusing(findings))
    assert stored is not None  # a rule of its own: it is the patient's
    if way is None:
        text = NO_ROUTE.format(part="logiskAdressMottagare", contract=inbound.contract.name)
        raise UnknownRecipientError(text)
    if blocked:
        journal_block(rows, stored, inbound.contract.key, way.destination.name, way.verdict)
    if not blocked or asked.guard.told(inbound.contract.name) is not BlockReply.VALIDATION_ERROR:
        rows.meddelanden.add(m, inbound, FragaState.OPEN_RECIPIENT if m.is_question else None)
        _move_fragor(rows, asked, m, stored, facts.fraga, inbound)
    if not blocked:
        forward(rows, m, inbound, _part(rows, asked, m))
    match way.decision:
        case GuardDecision.SEND:
            return with_remarks(STORED_WITH_REMARKS, findings)
        case GuardDecision.HOLD:
            held = HELD.format(part=way.destination.name)
            return with_remarks(STORED_WITH_REMARKS, findings, [held])
        case GuardDecision.BLOCK:
            return answer_block(asked, inbound.contract, way.destination.name)


def _way(m: Meddelande, stored: StoredIntyg, asked: Asked) -> _Way | None:
    """Ask for the route and, if there is one to an authority, the guard."""
    destination = asked.routes.find("SendMessageToRecipient", 2, m.logisk_adress_mottagare)
    if destination is None or destination.role is not DestinationRole.AUTHORITY:
        return None
    return _Way(destination, *ask_guard(asked, stored, destination))


def _part(rows: Rows, asked: Asked, m: Meddelande) -> str:
    """Whose address it is, of those that have the certificate."""
    there = parts_at(rows, asked, m.intygs_id, m.logisk_adress_mottagare)
    return min(there & accepted_by(rows, m.intygs_id))


def _move_fragor(
    rows: Rows,
    asked: Asked,
    m: Meddelande,
    stored: StoredIntyg,
    fraga: StoredMeddelande | None,
    inbound: Inbound,
) -> None:
    """What the message does to the questions, and the events of that. A reminder does nothing."""
    if m.is_question:
        assert m.skickat_av is not None  # the schema requires it
        by = m.skickat_av.personal_id
        tell_care(rows, asked, stored, Handelse.NYFRFV, inbound.correlation_id, hanterat_av=by)
    elif is_answer(m):
        assert fraga is not None  # a rule of its own
        close_question(rows, asked, stored, fraga, m, inbound)
