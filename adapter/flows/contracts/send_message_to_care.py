"""SendMessageToCare 2: an authority asks, answers or reminds; care is told.

The message is kept here. Where there is a route to an EHR for `logiskAdressMottagare` it is
forwarded as it arrived; the unit's EHR also gets the event.
"""

from intyg.adapter.domain.destination import Destination, DestinationRole
from intyg.adapter.domain.errors import (
    AdapterError,
    RuleError,
    TestPatientError,
    UnknownIntygError,
)
from intyg.adapter.domain.hsa_id import same_hsa_id
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.meddelande import FragaState, Meddelande, StoredMeddelande
from intyg.adapter.domain.person import GuardDecision, PatientVerdict
from intyg.adapter.domain.texts import (
    NO_CARE_THERE,
    RULES_BROKEN,
    STORED_WITH_REMARKS,
)
from intyg.adapter.flows.services import Asked, Services
from intyg.adapter.flows.shared.announce import announce_message
from intyg.adapter.flows.shared.blocked import is_blocked, journal_block
from intyg.adapter.flows.shared.conversation import gather_facts
from intyg.adapter.flows.shared.handelse import CONTRACT as EVENTS
from intyg.adapter.flows.shared.handelse import MAJOR as EVENTS_MAJOR
from intyg.adapter.flows.shared.known_intyg import as_registered
from intyg.adapter.flows.shared.meddelande import (
    answer_repeated,
    ask_guard,
    came_before,
    close_question,
    forward,
)
from intyg.adapter.flows.shared.readers import presumed
from intyg.adapter.flows.shared.send_on import REGISTER, REGISTER_MAJOR
from intyg.adapter.flows.shared.tell_care import tell_care
from intyg.adapter.flows.shared.validate import validate
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.intyg_reader import read_send_message_to_care
from intyg.adapter.formats.result_writer import with_remarks
from intyg.adapter.rules.meddelande_rules import (
    CERTIFICATE_NOT_FOUND,
    TEST_CERTIFICATE,
    check_meddelande,
    is_answer,
    refusing,
)
from intyg.adapter.settings.guard_answers import BlockReply
from intyg.adapter.store import Rows
from intyg.schemas.codes import Amne, Handelse, Part
from intyg.schemas.finding import Finding


def handle(inbound: Inbound, services: Services, unit: UnitOfWork) -> Result:
    """
    Take in a message for care.

    Returns:
        OK; INFO when the same message was received before, when no unit of
        care has its address, or when there are remarks. OK too, and nothing is
        kept but the block, where the settings want no error for one.

    Raises:
        SchemaError: Not as the contract wants it.
        RuleError: Rules of questions and answers are broken; lists them all.
        UnknownIntygError: The same, one of them being that there is no such
            certificate.
        TestPatientError: The same, the only one being that the guard lets
            nothing pass between this patient and the sender; journalled.
    """
    validate(inbound, services.contracts)
    m = read_send_message_to_care(inbound.element)
    asked = services.ask(m.patient)
    return unit.write(lambda rows: _receive(rows, asked, m, inbound))


def _receive(rows: Rows, asked: Asked, m: Meddelande, inbound: Inbound) -> Result | AdapterError:
    stored = rows.intyg.lock_of(m.patient, m.intygs_id)
    m = as_registered(m, stored)
    earlier = rows.meddelanden.get(m.meddelande_id)
    if earlier is not None and came_before(m, earlier):
        return answer_repeated(rows, earlier, inbound)
    blocked = _blocked(m, stored, asked)
    facts = gather_facts(
        rows, asked, m, stored, earlier, blocked=blocked is not None, sender=inbound.sender
    )
    findings = check_meddelande(m, facts)
    if refusing(findings):
        if stored is not None and blocked is not None:
            journal_block(rows, stored, inbound.contract.key, m.part or "", blocked)
        return _refused(refusing(findings), asked.guard.told(inbound.contract.name))
    assert stored is not None  # a rule of its own
    _take_in(rows, asked, m, stored, facts.fraga, inbound)
    remarks = [] if _reaches_care(m, stored, asked) else [NO_CARE_THERE]
    return with_remarks(STORED_WITH_REMARKS, findings, remarks)


def _refused(findings: list[Finding], told: BlockReply) -> Result | AdapterError:
    """Returned, not raised: a block is kept although the message is refused."""
    refusal = _refusal(findings)
    if isinstance(refusal, TestPatientError) and told is BlockReply.SKIPPED:
        return Result.ok()
    return refusal


def _take_in(
    rows: Rows,
    asked: Asked,
    m: Meddelande,
    stored: StoredIntyg,
    fraga: StoredMeddelande | None,
    inbound: Inbound,
) -> None:
    state = FragaState.OPEN_CARE if m.is_question else None
    rows.meddelanden.add(m, inbound, state)
    rows.statistics.add_meddelande(m)
    if is_answer(m):
        assert fraga is not None  # a rule of its own
        close_question(rows, asked, stored, fraga, m, inbound)
    else:
        tell_care(
            rows,
            asked,
            stored,
            Handelse.NYFRFM,
            inbound.correlation_id,
            amne=Amne(m.amne),
            sista_datum_for_svar=m.sista_datum_for_svar,
        )
    _forward(rows, asked, m, stored, inbound)
    announce_message(rows, m, stored, asked, inbound.correlation_id)


def _forward(
    rows: Rows, asked: Asked, m: Meddelande, stored: StoredIntyg, inbound: Inbound
) -> None:
    contract, address = inbound.contract, m.logisk_adress_mottagare
    destination = _care_at(asked, contract.name, contract.major, address)
    if destination is None:
        return  # kept here; the unit's EHR has its event
    if not is_blocked(rows, asked, stored, contract.key, destination):
        forward(rows, m, inbound, Part.HSVARD)


def _reaches_care(m: Meddelande, stored: StoredIntyg, asked: Asked) -> bool:
    """Whether its address is one of care: for messages, or for the events of its own unit."""
    address = m.logisk_adress_mottagare
    if _care_at(asked, "SendMessageToCare", 2, address) is not None:
        return True
    own = stored.intyg.skapad_av.enhet.enhets_id
    return same_hsa_id(address, own) and _care_at(asked, EVENTS, EVENTS_MAJOR, own) is not None


def _care_at(asked: Asked, contract: str, major: int, address: str) -> Destination | None:
    destination = asked.routes.find(contract, major, address)
    return destination if destination and destination.role is DestinationRole.CARE else None


def _blocked(m: Meddelande, stored: StoredIntyg | None, asked: Asked) -> PatientVerdict | None:
    """
    The guard's verdict, if the certificate could not have gone to the one who writes about it.

    A real authority that asks about a test patient has something it must not have, and so has a
    test system that asks about anybody else.
    """
    if stored is None or m.part is None:
        return None
    address = asked.routes.recipient_address(m.part)
    found = asked.routes.find(REGISTER, REGISTER_MAJOR, address) if address else None
    writer = found or presumed(m.part, asked.guard.environment, DestinationRole.AUTHORITY)
    decision, verdict = ask_guard(asked, stored, writer)
    return verdict if decision is GuardDecision.BLOCK else None


def _refusal(findings: list[Finding]) -> AdapterError:
    """One error for all findings; an unknown certificate is worth another answer."""
    rules = {finding.rule for finding in findings}
    if CERTIFICATE_NOT_FOUND in rules:
        return UnknownIntygError(RULES_BROKEN, findings)
    if rules == {TEST_CERTIFICATE}:
        return TestPatientError(RULES_BROKEN, findings)
    return RuleError(RULES_BROKEN, findings)
