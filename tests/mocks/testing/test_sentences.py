"""The sentences of the plugin, on mocks alone: the EHR calls Försäkringskassan directly."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from intyg.mocks.rules.answers import Error
from intyg.mocks.rules.parse import RuleError
from intyg.mocks.testing import (
    ControlError,
    ExpectationError,
    Forsakringskassan,
    Journalsystem,
    NotAcceptedError,
)
from intyg.mocks.testing.clock import TestClock
from intyg.mocks.testing.expectation import call_words, wait_for
from intyg.mocks.testing.sentences import SentenceError
from intyg.schemas.codes import ErrorId


@pytest.fixture
def ehr(journalsystem: Journalsystem, forsakringskassan: Forsakringskassan) -> Journalsystem:
    """An EHR that calls Försäkringskassan directly."""
    journalsystem.connect(forsakringskassan.url, "FKASSA")
    return journalsystem


@pytest.fixture
def fk(forsakringskassan: Forsakringskassan) -> Forsakringskassan:
    return forsakringskassan


def codes(ehr: Journalsystem, count: int) -> list[str | None]:
    """What registering so many certificates is answered."""
    intyg = ehr.issue()
    told = [ehr.register(intyg, check=False).answer for _ in range(count)]
    return [None if each is None else each.error_id or each.code for each in told]


def test_a_certificate_is_signed_a_minute_ago_when_clocks_have_just_been_moved(
    ehr: Journalsystem, intyg_clock: TestClock
) -> None:
    """Half a minute after 02:00 became 03:00 it is no time that Sweden never had."""
    intyg_clock.freeze()
    intyg_clock.set(datetime(2100, 3, 28, 1, 0, 30, tzinfo=UTC))
    assert b"signeringstidpunkt>2100-03-28T01:59:30<" in ehr.issue().body


def test_an_answer_is_given_so_often_and_then_no_more(
    ehr: Journalsystem, fk: Forsakringskassan
) -> None:
    fk.expect("RegisterCertificate", typ="LISJP").answers("ERROR", "TECHNICAL_ERROR").times(2)
    assert codes(ehr, 4) == ["TECHNICAL_ERROR", "TECHNICAL_ERROR", "OK", "INFO"]


def test_answers_follow_each_other_and_the_last_stays(
    ehr: Journalsystem, fk: Forsakringskassan
) -> None:
    expected = fk.expect("RegisterCertificate:3")
    expected.answers("ERROR", "APPLICATION_ERROR", text="Nej").answers("INFO", "Ja").answers()
    assert codes(ehr, 4) == ["APPLICATION_ERROR", "INFO", "OK", "OK"]
    assert [call.result_text for call in expected.calls[:2]] == ["Nej", "Ja"]


def test_the_most_exact_acts_and_of_equals_the_first(
    ehr: Journalsystem, fk: Forsakringskassan
) -> None:
    fk.expect("RegisterCertificate").answers("ERROR", "REVOKED")
    fk.expect("RegisterCertificate", typ="LI*").answers("ERROR", "VALIDATION_ERROR").times(1)
    fk.expect("RegisterCertificate", typ="LISJP").answers("ERROR", "TECHNICAL_ERROR").times(1)
    assert codes(ehr, 3) == ["VALIDATION_ERROR", "TECHNICAL_ERROR", "REVOKED"]


def test_who_only_watches_changes_nothing(ehr: Journalsystem, fk: Forsakringskassan) -> None:
    watched = fk.expect("RegisterCertificate", logical_address="FK-VALIDATION-ERROR").times(2)
    other = fk.expect("RegisterCertificate").at_least(2)
    fk.expect("RevokeCertificate").never()
    ehr.connect(fk.url, "FK-VALIDATION-ERROR")
    assert codes(ehr, 2) == ["VALIDATION_ERROR", "VALIDATION_ERROR"]
    assert watched.calls == other.calls == fk.calls()


@pytest.mark.parametrize(
    ("name", "status"), [("VP007", 500), ("HTTP503", 503), ("STORED-THEN-FAULT", 500)]
)
def test_an_answer_has_the_name_of_an_address_that_misbehaves(
    ehr: Journalsystem, fk: Forsakringskassan, name: str, status: int
) -> None:
    bad = fk.expect("RegisterCertificate").answers(name).times(1)
    with pytest.raises(Exception, match=r"VP007|503|Ordered by a rule"):
        ehr.register()
    [call] = bad.verify()
    assert call.http_status == status
    assert len(fk.all_intyg()) == (name == "STORED-THEN-FAULT")


def test_a_connection_is_reset_after_the_call_was_taken(
    ehr: Journalsystem, fk: Forsakringskassan
) -> None:
    intyg = ehr.issue()
    fk.expect("RegisterCertificate").resets(stored=True).times(1)
    with pytest.raises(requests.ConnectionError):
        ehr.register(intyg)
    assert fk.intyg(intyg).signature == "valid"
    assert codes(ehr, 1) == ["OK"]


def test_a_fault_says_what_the_test_said(ehr: Journalsystem, fk: Forsakringskassan) -> None:
    fk.expect("RegisterCertificate").faults("Stängt", code="Client")
    with pytest.raises(Exception, match="Stängt"):
        ehr.register()
    [call] = fk.calls()
    assert b"<faultcode>soap:Client</faultcode>" in fk.reply(call).replace(b"SOAP-ENV", b"soap")


def test_an_answer_is_late(ehr: Journalsystem, fk: Forsakringskassan) -> None:
    late = fk.expect("RegisterCertificate").after("0.3s")
    started = time.monotonic()
    ehr.register()
    assert time.monotonic() - started >= 0.3
    assert [call.result_code for call in late.calls] == ["OK"]


def test_any_effect_can_be_had(ehr: Journalsystem, fk: Forsakringskassan) -> None:
    effect = Error(error_id=ErrorId.REVOKED, store=True)
    fk.expect("RegisterCertificate").answers_with(effect)
    with pytest.raises(NotAcceptedError) as refused:
        ehr.register()
    assert refused.value.answer.error_id == "REVOKED"
    assert len(fk.all_intyg()) == 1


# --- what did not come ----------------------------------------------------------------------------


def test_what_did_not_come_is_told_field_by_field(
    ehr: Journalsystem, fk: Forsakringskassan
) -> None:
    intyg = ehr.register()
    person = "189001029819"
    missing = fk.expect("RegisterCertificate", typ="LUSE", person=person).answers().times(2)
    other = ehr.register()
    with pytest.raises(ExpectationError) as told:
        missing.verify(timeout=0)
    assert str(told.value).splitlines() == [
        "forsakringskassan expected RegisterCertificate typ=LUSE person=…, answered ok, twice; "
        "came 0 times",
        f"  call 1: RegisterCertificate:3 to FKASSA about {intyg.intygs_id}: OK",
        "      came before the expectation was there",
        f"  call 2: RegisterCertificate:3 to FKASSA about {other.intygs_id}: OK",
        "      contract: is RegisterCertificate",
        "      typ: expected LUSE, was LISJP",
        "      person: expected …, was another",
    ]
    fk.expect("RegisterCertificate").at_least(1)
    ehr.register()
    missing.never()  # so that this test passes


def test_too_often_is_told_and_what_another_answered(
    ehr: Journalsystem, fk: Forsakringskassan
) -> None:
    once = fk.expect("RegisterCertificate").times(1)
    ehr.register()
    ehr.register()
    with pytest.raises(ExpectationError, match=r"RegisterCertificate, once; came twice"):
        once.verify()
    once.times(2)
    fk.expect("RegisterCertificate", typ="LISJP").answers()
    beaten = fk.expect("RegisterCertificate").answers("ERROR", "REVOKED")
    ehr.register()
    with pytest.raises(ExpectationError, match="matches, but the rule was outranked"):
        beaten.verify(timeout=0)
    beaten.never()
    once.at_least(1)


def test_a_call_that_no_rule_saw_says_where_it_ended(
    ehr: Journalsystem, fk: Forsakringskassan
) -> None:
    expected = fk.expect("RegisterCertificate")
    ehr.connect(fk.url, "ELSEWHERE")
    with pytest.raises(Exception, match="logical address"):
        ehr.register()
    with pytest.raises(ExpectationError, match="refused before any rule was asked: logical_addr"):
        expected.verify(timeout=0)
    expected.never()


def test_without_calls_it_says_so(fk: Forsakringskassan) -> None:
    with pytest.raises(ExpectationError, match="no call came at all"):
        fk.expect("RegisterCertificate").verify(timeout=0)
    fk.forget_expectations()


# --- certificates ---------------------------------------------------------------------------------


def test_a_certificate_of_ones_own_is_signed_and_known_by_what_it_says(
    ehr: Journalsystem, fk: Forsakringskassan
) -> None:
    made = ehr.issue("FK7804", signed=False)
    mine = ehr.sign(made.body.replace(b"TSTNMT2321000156-ENHET1", b"TSTNMT2321000156-MINE"))
    assert (mine.intygs_id, mine.typ, mine.person) == (made.intygs_id, "LISJP", made.person)
    ehr.register(mine)
    held = fk.await_intyg(mine)
    assert (held.signature, held.enhets_id) == ("valid", "TSTNMT2321000156-MINE")


@pytest.mark.parametrize(
    ("body", "says"),
    [(b"<a", "body: "), (b"<a><intyg/></a>", "no intyg with id, typ and person-id")],
)
def test_what_is_no_certificate_is_not_signed(ehr: Journalsystem, body: bytes, says: str) -> None:
    with pytest.raises(SentenceError, match=says):
        ehr.sign(body)


def test_the_bytes_that_brought_a_certificate_can_be_looked_at(
    ehr: Journalsystem, fk: Forsakringskassan
) -> None:
    ehr.register()
    intyg = ehr.register()
    assert intyg.body in fk.message_with(intyg)
    with pytest.raises(ControlError, match="is not known here"):
        fk.message_with("another")


def test_care_s_message_that_is_refused_fails_unless_it_is_to_be_seen(
    ehr: Journalsystem, fk: Forsakringskassan
) -> None:
    intyg = ehr.register()
    fk.expect("SendMessageToRecipient").answers("ERROR", "APPLICATION_ERROR").times(2)
    with pytest.raises(NotAcceptedError, match="SendMessageToRecipient"):
        ehr.ask("KONTKT", intyg)
    message = ehr.ask("KONTKT", intyg, check=False)
    assert message.answer is not None
    assert message.answer.error_id == "APPLICATION_ERROR"


def test_time_goes_on_from_where_it_was_frozen(intyg_clock: TestClock) -> None:
    frozen = intyg_clock.freeze()
    assert intyg_clock.now == frozen
    assert intyg_clock.run() >= frozen
    while intyg_clock.now <= frozen:  # until the time-out of the test, if it stands still
        time.sleep(0.01)


def test_an_expectation_reads_as_it_was_said(ehr: Journalsystem, fk: Forsakringskassan) -> None:
    expected = fk.expect("RegisterCertificate", typ="LISJP").answers("VP009").answers("OK")
    assert str(expected) == (
        "RegisterCertificate typ=LISJP, answered vp VP009, then ok, at least twice"
    )
    fk.forget_expectations()


def test_what_is_looked_for_is_looked_for_until_the_time_is_over() -> None:
    looks: list[float] = []
    began = time.monotonic()
    wait_for(lambda: looks.append(time.monotonic()), 0.2)
    assert len(looks) > 1
    assert looks[-1] - began >= 0.1


def test_a_call_in_words(ehr: Journalsystem, fk: Forsakringskassan) -> None:
    intyg = ehr.register()
    [call] = fk.calls()
    about = f"call {call.number}: RegisterCertificate:3 to FKASSA about {intyg.intygs_id}"
    assert call_words(call) == f"{about}: OK"
    other = call.model_copy(update={"result_code": None, "error_id": None, "http_status": 500})
    assert call_words(other) == f"{about}: HTTP 500"
    bare = {"contract": None, "logical_address": None, "intygs_id": None, "http_status": None}
    none = other.model_copy(update=bare)
    assert call_words(none) == f"call {call.number}: no contract: no HTTP answer"


def test_a_revocation_is_waited_for(ehr: Journalsystem, fk: Forsakringskassan) -> None:
    intyg = ehr.register()
    for one in (intyg, "another"):
        with pytest.raises(ExpectationError, match=r"was not told within 0 s that .* is revoked"):
            fk.await_revoked(one, timeout=0)
    ehr.revoke(intyg)
    assert fk.await_revoked(intyg, timeout=0).revoked_at is not None


def test_an_answer_is_waited_for(ehr: Journalsystem, fk: Forsakringskassan) -> None:
    question = ehr.ask("KONTKT", ehr.register())
    for one in (question, "another"):
        with pytest.raises(ExpectationError, match=r"has no answer to .* within 0 s"):
            fk.await_answer(one, timeout=0)


# --- words that there are not ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("say", "error", "says"),
    [
        (lambda m: m.expect("RegisterCertficate"), RuleError, "nearest is RegisterCertificate"),
        (lambda m: m.expect("RegisterCertificate", tpy="DB"), RuleError, "nearest is typ"),
        (lambda m: m.expect("SendMessageToCare"), ControlError, "takes RegisterCertificate"),
        (
            lambda m: m.expect("RegisterCertificate").answers("VP07"),
            SentenceError,
            "nearest is VP007",
        ),
        (
            lambda m: m.expect("RegisterCertificate").answers("ERROR", "TECHNICAL"),
            SentenceError,
            "nearest is TECHNICAL_ERROR",
        ),
        (lambda m: m.calls(result_cod="OK"), SentenceError, "result_code"),
        (lambda m: m.calls("result_code<OK"), SentenceError, "result_code<OK"),
        (lambda m: m.ask("KOMPLETT", "x"), SentenceError, "nearest is KOMPLT"),
        (lambda m: m.clock.advance("7 days"), ValueError, "7d"),
    ],
)
def test_a_word_that_there_is_not_fails_where_it_is_said(
    fk: Forsakringskassan, say: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        say(fk)
    fk.forget_expectations()


def test_events_and_types_too(journalsystem: Journalsystem) -> None:
    with pytest.raises(SentenceError, match="nearest is SKICKA"):
        journalsystem.await_event("SKICKAD")
    with pytest.raises(LookupError, match="LISJP"):
        journalsystem.issue("LISJPP")
    with pytest.raises(RuntimeError, match="fixture `adapter`"):
        journalsystem.register()
    with pytest.raises(ExpectationError, match=r"told SKICKA 0 of 1 times .* told: nothing"):
        journalsystem.await_event("SKICKA", timeout=0)


def test_each_test_finds_the_mock_empty(ehr: Journalsystem, fk: Forsakringskassan) -> None:
    assert fk.calls() == ()
    assert fk.all_intyg() == ()
    ehr.register()
    assert len(fk.await_calls("RegisterCertificate", result_code="OK")) == 1
    with pytest.raises(ExpectationError, match="1 of 2 calls came"):
        fk.await_calls(count=2, timeout=0)
