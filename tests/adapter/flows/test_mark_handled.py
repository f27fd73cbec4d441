from dataclasses import astuple

import pytest

from intyg.adapter.domain.errors import ApplicationError, RuleError
from intyg.adapter.domain.meddelande import FragaState
from tests import builders
from tests.adapter.flows.rig import Rig

ask = builders.send_message_to_care
write = builders.send_message_to_recipient


def test_a_question_from_the_authority_is_handled_and_opened_again(sent: Rig) -> None:
    sent.ok(ask("q-1"))
    assert sent.mark("q-1", handled=True) is FragaState.HANDLED
    assert sent.mark("q-1", handled=False) is FragaState.OPEN_CARE
    handled, opened = sent.handelser()[-2:]
    assert [handled.handelsekod, opened.handelsekod] == ["HANFRFM", "HANFRFM"]
    assert astuple(handled.mottagna_fragor) == (1, 0, 0, 1)
    assert astuple(opened.mottagna_fragor) == (1, 1, 0, 0)
    assert handled.hanterat_av == "EHR"


def test_a_question_from_care_goes_back_to_where_it_was(sent: Rig) -> None:
    sent.ok(write("q-1", "KONTKT"), write("q-2", "KONTKT"), ask("a-1", "KONTKT", svar_pa="q-1"))
    for question in ("q-1", "q-2"):
        sent.mark(question, handled=True)
    assert sent.mark("q-1", handled=False) is FragaState.ANSWERED
    assert sent.mark("q-2", handled=False) is FragaState.OPEN_RECIPIENT
    assert sent.events()[-4:] == ["HANFRFV"] * 4


def test_an_answer_to_a_question_that_care_had_closed_shows_it_again(sent: Rig) -> None:
    sent.ok(write("q-1", "KONTKT"))
    sent.mark("q-1", handled=True)
    sent.ok(ask("a-1", "KONTKT", svar_pa="q-1"))
    assert sent.fraga("q-1").state is FragaState.ANSWERED


QUESTION = "9f1c2e3a-5b6d-4c7e-8f90-a1b2c3d4e5f6"


def test_a_uuid_in_large_letters_is_the_same_question(sent: Rig) -> None:
    """An answer, a repeat and a mark find it; what is kept and shown is what was written."""
    sent.ok(write(QUESTION, "KONTKT"), ask("a-1", "KONTKT", svar_pa=QUESTION.upper()))
    assert sent.fraga(QUESTION).answered_by == "a-1"
    assert sent.fraga(QUESTION.upper()).meddelande.meddelande_id == QUESTION
    assert sent.mark(QUESTION.upper(), handled=True) is FragaState.HANDLED
    sent.ok(ask(QUESTION.replace("9f", "AF").upper()))
    assert sent.mark(QUESTION.replace("9f", "af"), handled=True) is FragaState.HANDLED


@pytest.mark.parametrize("handled", [True, False])
def test_a_mark_that_is_there_already_is_left_alone(sent: Rig, handled: bool) -> None:
    sent.ok(ask("q-1"))
    sent.mark("q-1", handled=handled)
    events = sent.events()
    sent.mark("q-1", handled=handled)
    assert sent.events() == events


@pytest.mark.parametrize("handled", [True, False])
@pytest.mark.parametrize("meddelande_id", ["a-1", "p-1"])
def test_answers_and_reminders_are_not_marked(sent: Rig, meddelande_id: str, handled: bool) -> None:
    sent.ok(
        ask("q-1"),
        write("a-1", "OVRIGT", svar_pa="q-1"),
        ask("p-1", "PAMINN", paminner="q-1"),
    )
    with pytest.raises(RuleError):
        sent.mark(meddelande_id, handled=handled)


def test_what_care_has_answered_is_not_opened_again(sent: Rig) -> None:
    sent.ok(ask("q-1"), write("a-1", "OVRIGT", svar_pa="q-1"))
    with pytest.raises(RuleError, match="has its answer"):
        sent.mark("q-1", handled=False)


def test_nothing_is_opened_again_on_a_revoked_certificate(sent: Rig) -> None:
    sent.ok(ask("q-1"), builders.revoke_certificate())
    with pytest.raises(RuleError, match="revoked"):
        sent.mark("q-1", handled=False)


def test_an_unknown_message_is_told(sent: Rig) -> None:
    with pytest.raises(ApplicationError, match="no such message"):
        sent.mark("never", handled=True)
