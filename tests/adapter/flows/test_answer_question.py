"""Care answers in the console, as its EHR would."""

from dataclasses import replace

import pytest

from intyg.adapter.domain.errors import ApplicationError, RuleError
from intyg.adapter.domain.inbound import Result
from intyg.adapter.domain.meddelande import FragaState
from intyg.adapter.flows import answer_question
from intyg.adapter.flows.answer_question import Answering
from intyg.adapter.formats.intyg_reader import read_send_message_to_recipient
from intyg.schemas.codes import Handelse
from tests import builders
from tests.adapter.flows.rig import FK, Rig

ANSWER = Answering("Ett påhittat svar <&>", builders.DOCTOR, "Påhittad Läkare")


def answer(rig: Rig, meddelande_id: str) -> Result:
    return answer_question.handle(meddelande_id, ANSWER, rig.services, rig.unit(), "c-answer")


def test_an_answer_goes_out_as_an_ehr_sends_it(sent: Rig) -> None:
    sent.ok(builders.send_message_to_care("q-1", "AVSTMN"))
    assert answer(sent, "q-1").code == "OK"
    sent_on = [one for one in sent.deliver() if one.new.contract == "SendMessageToRecipient:2"]
    written = read_send_message_to_recipient(sent.inbound(sent_on[0].new.body).element)
    theirs = builders.send_message_to_recipient(
        written.meddelande_id, "AVSTMN", svar_pa="q-1", text=ANSWER.text
    )
    expected = read_send_message_to_recipient(sent.inbound(theirs).element)
    assert written.skickat_tidpunkt != expected.skickat_tidpunkt
    assert written == replace(expected, skickat_tidpunkt=written.skickat_tidpunkt)
    assert sent_on[0].new.logical_address == FK
    assert sent.handelser()[-1].handelsekod is Handelse.HANFRFM
    assert sent.handelser()[-1].hanterat_av == builders.DOCTOR


def test_who_cannot_complete_closes_the_older_requests_too(sent: Rig) -> None:
    sent.ok(
        builders.send_message_to_care("k-1", "KOMPLT"),
        builders.send_message_to_care("k-2", "KOMPLT"),
    )
    answer(sent, "k-2")
    with sent.services.store.read() as rows:
        states = {m.state for m in rows.meddelanden.of_intyg(builders.INTYGS_ID)}
    assert states == {FragaState.HANDLED, None}


def test_what_is_no_open_question_to_care_is_not_answered(sent: Rig) -> None:
    sent.ok(builders.send_message_to_recipient("own"), builders.send_message_to_care("q-1"))
    answer(sent, "q-1")
    with pytest.raises(RuleError):
        answer(sent, "q-1")
    for meddelande_id in ("own", "never"):
        with pytest.raises(ApplicationError):
            answer(sent, meddelande_id)
