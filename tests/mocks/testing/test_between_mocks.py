"""Sentences about messages, events and rules; Försäkringskassan calls the EHR itself."""

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import requests

from intyg.mocks.rules.parse import parse_rule
from intyg.mocks.testing import (
    ControlError,
    ExpectationError,
    Forsakringskassan,
    Journalsystem,
    NotAcceptedError,
)
from intyg.mocks.testing.ehr import Intyg
from intyg.mocks.testing.sentences import SentenceError
from intyg.mocks.testing.stage import Stage
from tests import builders
from tests.mocks.calls import PATHS, envelope
from tests.mocks.journalsystem.test_persona import status_update


@pytest.fixture
def ehr(intyg_stage: Stage) -> Journalsystem:
    """An EHR that calls Försäkringskassan, and is called by it."""
    ehr, kassan = intyg_stage.journalsystem, intyg_stage.forsakringskassan
    intyg_stage.connect(ehr.url)
    ehr.connect(kassan.url, "FKASSA")
    return ehr


@pytest.fixture
def fk(intyg_stage: Stage) -> Forsakringskassan:
    return intyg_stage.forsakringskassan


@pytest.fixture
def intyg(ehr: Journalsystem) -> Intyg:
    """A certificate that Försäkringskassan has."""
    return ehr.register()


def tell(ehr: Journalsystem, kod: str, intygs_id: str = builders.INTYGS_ID) -> None:
    """Tell the EHR an event, as an adapter does."""
    answer = requests.post(
        ehr.url + PATHS["CertificateStatusUpdateForCare"],
        data=envelope(status_update(kod, intygs_id=intygs_id), builders.UNIT),
        headers={"Content-Type": "text/xml; charset=UTF-8"},
        timeout=10,
    )
    assert b"<" in answer.content
    assert b">OK<" in answer.content


# --- what an authority says -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frage", "rows"),
    [
        ("35", [("35", "Mer")]),
        (["35", "17"], [("35", "Mer"), ("17", "Mer")]),
        ({"35": "Hur länge?", "17": "Var?"}, [("35", "Hur länge?"), ("17", "Var?")]),
    ],
    ids=["one", "several", "each with its own text"],
)
def test_a_completion_request_holds_its_questions(
    ehr: Journalsystem, fk: Forsakringskassan, intyg: Intyg, frage: Any, rows: list[tuple[str, str]]
) -> None:
    sent = fk.ask("KOMPLT", intyg, text="Mer", frage=frage, sista_datum=date(2026, 12, 24))
    assert (sent.accepted, sent.http_status, sent.result_code) == (True, 200, "OK")
    [known] = fk.messages(intyg)
    assert [(row.frage_id, row.text) for row in known.komplettering] == rows
    assert (known.amne, known.text, known.state) == ("KOMPLT", "Mer", "open")
    assert known.sista_datum_for_svar == date(2026, 12, 24)
    came = ehr.await_message(intyg, meddelande_id=sent.meddelande_id)
    assert (came.frage_ids, came.unit) == (tuple(number for number, _ in rows), "INTYGSADAPTER")


def test_a_question_without_more_says_what_is_invented(
    ehr: Journalsystem, fk: Forsakringskassan, intyg: Intyg
) -> None:
    fk.ask("OVRIGT", intyg.intygs_id, rubrik="Om arbetet", referens_id="FK-1")
    [known] = fk.messages(intyg.intygs_id)
    assert (known.text, known.rubrik, known.referens_id) == ("Påhittad fråga", "Om arbetet", "FK-1")
    assert (known.komplettering, known.sista_datum_for_svar) == ((), None)
    [came] = ehr.messages()
    assert (came.text, came.amne, came.frage_ids) == ("Påhittad fråga", "OVRIGT", ())


@pytest.mark.parametrize(("amne", "frage"), [("KOMPLT", ()), ("OVRIGT", "35")])
def test_questions_to_complete_go_with_komplt_alone(
    fk: Forsakringskassan, intyg: Intyg, amne: str, frage: str
) -> None:
    with pytest.raises(SentenceError, match="frage: goes with KOMPLT, and only with it"):
        fk.ask(amne, intyg, frage=frage)
    assert fk.messages() == ()


def test_nothing_is_asked_about_what_did_not_come(fk: Forsakringskassan) -> None:
    with pytest.raises(ExpectationError, match=r"(?s)did not get no-such within 0 s.*no call came"):
        fk.ask("OVRIGT", "no-such", timeout=0)


def test_a_question_of_care_is_answered_and_reminded_of(
    ehr: Journalsystem, fk: Forsakringskassan, intyg: Intyg
) -> None:
    asked = ehr.ask("KONTKT", intyg, text="Kan vi ses?")
    assert (asked.intygs_id, asked.answer.code) == (intyg.intygs_id, "OK")
    question = fk.await_message(intyg, meddelande_id=asked.meddelande_id)
    assert (question.text, question.direction) == ("Kan vi ses?", "to_recipient")
    reply = fk.answer(asked, "Ja", referens_id="FK-2")
    assert fk.await_answer(asked).answered_by == reply.meddelande_id
    assert fk.await_message(intyg, svar_pa=asked.meddelande_id).referens_id == "FK-2"
    own = fk.ask("AVSTMN", intyg)
    reminder = fk.remind(own.meddelande_id, text="Hallå?")
    came = ehr.await_message(intyg, amne="PAMINN")
    assert (came.paminner, came.text) == (own.meddelande_id, "Hallå?")
    assert came.meddelande_id == reminder.meddelande_id
    assert [each.amne for each in ehr.messages(intyg)] == ["KONTKT", "AVSTMN", "PAMINN"]
    answered = ehr.ask("AVSTMN", intyg, svar_pa=own.meddelande_id, check=False).answer
    assert (answered.code, fk.await_answer(own).state) == ("OK", "answered")


def test_what_care_refuses_fails_unless_the_test_looks_itself(
    ehr: Journalsystem, fk: Forsakringskassan, intyg: Intyg
) -> None:
    asked = ehr.ask("KONTKT", intyg)
    ehr.expect("SendMessageToCare").answers("ERROR", "REVOKED", text="Makulerat")
    told = "SendMessageToCare was answered ERROR REVOKED: Makulerat"
    sentences: list[Callable[[], object]] = [
        lambda: fk.ask("OVRIGT", intyg),
        lambda: fk.answer(asked, "Ja"),
        lambda: fk.remind(fk.messages()[0].meddelande_id),
    ]
    for say in sentences:
        with pytest.raises(NotAcceptedError) as refused:
            say()
        assert str(refused.value) == told
        assert refused.value.answer.error_id == "REVOKED"
    for sent in (
        fk.ask("OVRIGT", intyg, check=False),
        fk.answer(asked, "Ja", check=False),
        fk.remind(asked, check=False),
    ):
        assert (sent.accepted, sent.error_id) == (False, "REVOKED")


def test_a_fault_is_told_as_one(ehr: Journalsystem, fk: Forsakringskassan, intyg: Intyg) -> None:
    ehr.expect("SendMessageToCare").faults("Stängt")
    with pytest.raises(NotAcceptedError, match=r"^SendMessageToCare was answered Stängt$"):
        fk.ask("OVRIGT", intyg)


def test_a_message_that_did_not_come_is_told_with_those_that_did(
    ehr: Journalsystem, fk: Forsakringskassan, intyg: Intyg
) -> None:
    with pytest.raises(ExpectationError, match=r"no message with anything in it; it knows none$"):
        fk.await_message(intyg, timeout=0)
    with pytest.raises(ExpectationError, match=r"^no message with amne=KOMPLT came; .*came: none$"):
        ehr.await_message(intyg, amne="KOMPLT", timeout=0)
    fk.ask("OVRIGT", intyg)
    ehr.ask("KONTKT", intyg)
    known = r"^forsakringskassan knows no message with amne=KOMPLT svar_pa=x; it knows "
    with pytest.raises(ExpectationError, match=known + "to_care OVRIGT, to_recipient KONTKT$"):
        fk.await_message(intyg, timeout=0, amne="KOMPLT", svar_pa="x")
    with pytest.raises(ExpectationError, match=r"amne=KOMPLT came; what came: OVRIGT$"):
        ehr.await_message(intyg, amne="KOMPLT", timeout=0)


# --- what an EHR is told --------------------------------------------------------------------------


def test_events_are_told_about_one_certificate_or_any(ehr: Journalsystem) -> None:
    tell(ehr, "SKAPAT")
    tell(ehr, "SIGNAT")
    tell(ehr, "SIGNAT", "another")
    assert [each.kod for each in ehr.events()] == ["SKAPAT", "SIGNAT", "SIGNAT"]
    assert [each.kod for each in ehr.events("another")] == ["SIGNAT"]
    assert [each.intygs_id for each in ehr.events(kod="SIGNAT")] == [builders.INTYGS_ID, "another"]
    assert ehr.await_event("SIGNAT").intygs_id == "another"
    assert ehr.await_event("SIGNAT", builders.INTYGS_ID).intygs_id == builders.INTYGS_ID
    assert ehr.await_event("SIGNAT", count=2).intygs_id == "another"
    with pytest.raises(ExpectationError) as missing:
        ehr.await_event("SIGNAT", builders.INTYGS_ID, count=2, timeout=0)
    assert str(missing.value) == (
        "journalsystem was told SIGNAT 1 of 2 times within 0 s; what it was told: SKAPAT, SIGNAT"
    )


# --- calls ----------------------------------------------------------------------------------------


def test_calls_are_found_by_words_of_the_journal(
    ehr: Journalsystem, fk: Forsakringskassan, intyg: Intyg
) -> None:
    ehr.revoke(intyg)
    both = fk.calls()
    assert [each.contract for each in both] == ["RegisterCertificate:3", "RevokeCertificate:2"]
    assert fk.calls("RevokeCertificate") == fk.calls(contract="RevokeCertificate") == both[1:]
    assert fk.calls("contract!=RevokeCertificate") == both[:1]
    assert fk.calls("RegisterCertificate", result_code="ERROR") == ()
    assert fk.came().splitlines() == [
        f"  call 1: RegisterCertificate:3 to FKASSA about {intyg.intygs_id}: OK",
        f"  call 2: RevokeCertificate:2 to FKASSA about {intyg.intygs_id}: OK",
    ]
    with pytest.raises(ExpectationError) as missing:
        fk.await_calls("RevokeCertificate", count=2, timeout=0, result_code="OK")
    assert str(missing.value).splitlines()[0] == (
        "forsakringskassan: 1 of 2 calls came within 0 s: RevokeCertificate result_code=OK"
    )
    assert str(missing.value).splitlines()[1:] == fk.came().splitlines()


def test_the_bytes_of_a_call_are_those_that_went(
    ehr: Journalsystem, fk: Forsakringskassan, intyg: Intyg
) -> None:
    [call] = fk.await_calls()
    assert intyg.body in fk.request(call)
    assert fk.message_with(intyg) == fk.message_with(intyg.intygs_id) == fk.request(call)
    assert intyg.answer is not None
    assert fk.reply(call) == intyg.answer.raw
    with pytest.raises(ControlError) as unknown:
        fk.message_with("no-such")
    assert unknown.value.status == 404
    with pytest.raises(ControlError) as unknown:
        fk.reply(call.model_copy(update={"number": 99}))
    assert unknown.value.status == 404


# --- rules ----------------------------------------------------------------------------------------

RULE = {"id": "mine", "match": {}, "answers": {"kind": "error", "error_id": "REVOKED"}}


def test_a_rule_of_ones_own_acts_until_it_is_forgotten(
    ehr: Journalsystem, fk: Forsakringskassan
) -> None:
    fk.put_rule(parse_rule(RULE))
    refused = ehr.register(check=False).answer
    assert refused is not None
    assert refused.error_id == "REVOKED"
    fk.forget_rules()
    taken = ehr.register().answer
    assert taken is not None
    assert taken.code == "OK"
    assert fk.link.ask("GET", "/rules")["rules"] == []


def test_a_rule_that_somebody_else_took_back_is_forgotten(fk: Forsakringskassan) -> None:
    fk.put_rule(parse_rule(RULE))
    fk.link.ask("DELETE", "/rules/mine")
    fk.forget_rules()
    fk.put_rule(parse_rule(RULE))
    assert [each["id"] for each in fk.link.ask("GET", "/rules")["rules"]] == ["mine"]
    fk.forget_rules()


def test_an_expectation_is_a_rule_by_its_place(fk: Forsakringskassan) -> None:
    fk.expect("RegisterCertificate").never()
    fk.expect("RevokeCertificate").never()
    rules = {each["id"]: each for each in fk.link.ask("GET", "/rules")["rules"]}
    assert set(rules) == {"expectation-1", "expectation-2"}


def test_who_hangs_is_let_go_and_all_is_answered_again(
    intyg_stage: Stage, ehr: Journalsystem, fk: Forsakringskassan
) -> None:
    fk.expect("RegisterCertificate").hangs()
    ended: list[type[Exception]] = []

    def register() -> None:
        try:
            ehr.register()
        except requests.RequestException as exc:
            ended.append(type(exc))

    hanging = threading.Thread(target=register)
    hanging.start()
    fk.await_calls(answer="not_yet")
    intyg_stage.let_go()
    hanging.join(10)
    assert ended == [requests.ConnectionError]
    assert fk.link.ask("GET", "/rules")["rules"] == []
    taken = ehr.register().answer
    assert taken is not None
    assert taken.code == "OK"
    fk.forget_expectations()


def test_what_is_reset_knows_nothing(
    ehr: Journalsystem, fk: Forsakringskassan, intyg: Intyg
) -> None:
    fk.ask("OVRIGT", intyg)
    tell(ehr, "SIGNAT")
    for mock in (ehr, fk):
        mock.link.ask("POST", "/reset")
        assert (len(mock.messages()), len(mock.calls())) == (0, 0)
    assert (ehr.events(), fk.all_intyg()) == ((), ())


def test_what_was_expected_is_seen_on_demand(ehr: Journalsystem, fk: Forsakringskassan) -> None:
    fk.expect("RegisterCertificate")
    fk.expect("RevokeCertificate")
    with pytest.raises(ExpectationError) as both:
        fk.verify(timeout=0)
    first, second = str(both.value).split("\n\n")
    assert first.startswith("forsakringskassan expected RegisterCertificate, at least once; came 0")
    assert second.startswith("forsakringskassan expected RevokeCertificate, at least once; came 0")
    ehr.revoke(ehr.register())
    fk.verify(timeout=0)
    assert fk.missing(timeout=0) == []
