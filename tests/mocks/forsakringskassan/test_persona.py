"""Försäkringskassan talking; the mock EHR takes its calls in the adapter's place."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
import requests
from lxml import etree

from intyg.mocks import forsakringskassan
from intyg.mocks.forsakringskassan import (
    Direction,
    Komplettering,
    State,
)
from intyg.mocks.forsakringskassan.meddelanden import Overrides
from intyg.mocks.rules.answers import Error, Fault, Http
from intyg.mocks.server.authority import PersonId
from intyg.mocks.server.serving import MockServer, serve
from intyg.mocks.wire import envelope
from intyg.schemas.codes import ErrorId
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders
from tests.mocks.calls import post, result
from tests.mocks.kinds import Ehr, Kassan

INTYGS_ID = builders.INTYGS_ID
NOW = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)  # 2 July 00:30 in Sweden: summer time


@pytest.fixture
def kassan(contracts: Contracts, types: IntygTypes, ehr_server: MockServer) -> Kassan:
    """Has one certificate once `server` runs, and sends to the EHR."""
    settings = replace(forsakringskassan.SETTINGS, adapter_url=ehr_server.url, timeout_seconds=5)
    return forsakringskassan.PERSONA.make(contracts, types, settings, lambda: NOW)


@pytest.fixture
def server(kassan: Kassan) -> Iterator[MockServer]:
    with serve(kassan) as running:
        assert result(post(running, builders.register_certificate()))[0] == "OK"
        yield running


def from_care(server: MockServer, meddelande_id: str, amne: str = "KONTKT", **rest: Any) -> Any:
    """Send a message from care; resultCode, errorId and resultText."""
    rest = {"mottagare": "FKASSA", **rest}
    return result(post(server, builders.send_message_to_recipient(meddelande_id, amne, **rest)))


# --- what it says ---------------------------------------------------------------------------------


@pytest.mark.parametrize("amne", ["AVSTMN", "KONTKT", "OVRIGT"])
def test_a_question_reaches_the_unit_that_issued_the_intyg(
    server: MockServer, kassan: Kassan, ehr: Ehr, amne: str
) -> None:
    sent = kassan.persona.ask(
        INTYGS_ID, amne, "Hur går det?", sista_datum_for_svar=date(2026, 8, 1)
    )
    assert sent.accepted
    assert (sent.http_status, sent.result_code) == (200, "OK")
    (got,) = ehr.persona.meddelanden(INTYGS_ID)
    assert (got.meddelande_id, got.amne, got.text) == (sent.meddelande_id, amne, "Hur går det?")
    assert got.unit == "INTYGSADAPTER"
    assert b"<m:logiskAdressMottagare>SE0000000000-UNIT1<" in sent.request
    assert b"2026-07-02T00:30:00<" in sent.request
    assert kassan.persona.meddelande(sent.meddelande_id).state is State.OPEN


def test_every_kind_of_message_is_schema_valid(
    server: MockServer, kassan: Kassan, ehr: Ehr, contracts: Contracts
) -> None:
    from_care(server, "care-1", "KONTKT")
    question = kassan.persona.ask(
        INTYGS_ID,
        "OVRIGT",
        "a < b & c",
        rubrik="Rubrik",
        referens_id="ref-1",
        sista_datum_for_svar=date(2026, 8, 1),
    )
    sent = [
        question,
        kassan.persona.ask_komplt(
            INTYGS_ID, [Komplettering("35", "Mer om funktion", 1), Komplettering("17", "Mer")]
        ),
        kassan.persona.answer("care-1", "Svar"),
        kassan.persona.remind(question.meddelande_id, sista_datum_for_svar=date(2026, 8, 9)),
    ]
    contract = contracts.get("SendMessageToCare", 2)
    for each in sent:
        assert each.accepted, each
        assert contracts.check(contract, envelope.read(each.request).element) == []
    assert [each.amne for each in ehr.persona.meddelanden()] == [
        "OVRIGT",
        "KOMPLT",
        "KONTKT",
        "PAMINN",
    ]


def test_a_completion_request_names_its_questions(
    server: MockServer, kassan: Kassan, ehr: Ehr
) -> None:
    sent = kassan.persona.ask_komplt(INTYGS_ID, [Komplettering("35", "Mer", instans=2)])
    (got,) = ehr.persona.meddelanden()
    assert got.frage_ids == ("35",)
    element = envelope.read(sent.request).element
    row = element.find("{*}komplettering")
    assert row is not None
    assert [(etree.QName(child).localname, child.text) for child in row] == [
        ("frage-id", "35"),
        ("instans", "2"),
        ("text", "Mer"),
    ]


def test_an_answer_refers_to_cares_question_and_closes_it(
    server: MockServer, kassan: Kassan, ehr: Ehr
) -> None:
    assert from_care(server, "care-1", "AVSTMN")[0] == "OK"
    assert kassan.persona.meddelande("care-1").state is State.OPEN
    sent = kassan.persona.answer("care-1", "Ja, på torsdag")
    (got,) = ehr.persona.meddelanden()
    assert (got.svar_pa, got.amne) == ("care-1", "AVSTMN")
    question = kassan.persona.meddelande("care-1")
    assert (question.state, question.answered_by) == (State.ANSWERED, sent.meddelande_id)


def test_a_reminder_refers_to_what_it_reminds_of_and_leaves_it_open(
    server: MockServer, kassan: Kassan, ehr: Ehr
) -> None:
    question = kassan.persona.ask(INTYGS_ID, "KONTKT", "Fråga")
    kassan.persona.remind(question.meddelande_id)
    assert ehr.persona.meddelanden()[-1].paminner == question.meddelande_id
    assert kassan.persona.meddelande(question.meddelande_id).state is State.OPEN


def test_a_question_that_is_not_taken_is_kept_as_refused(
    server: MockServer, kassan: Kassan, ehr: Ehr
) -> None:
    ehr.rules.fail_next(Error(error_id=ErrorId.VALIDATION_ERROR, text="no such intyg"))
    sent = kassan.persona.ask(INTYGS_ID, "KONTKT", "Fråga")
    assert (sent.accepted, sent.result_code, sent.error_id, sent.result_text) == (
        False,
        "ERROR",
        "VALIDATION_ERROR",
        "no such intyg",
    )
    assert kassan.persona.meddelande(sent.meddelande_id).state is State.REFUSED


def test_an_answer_that_is_not_taken_leaves_the_question_open(
    server: MockServer, kassan: Kassan, ehr: Ehr
) -> None:
    from_care(server, "care-1")
    ehr.rules.fail_next(Fault(text="VP009"))
    sent = kassan.persona.answer("care-1", "Svar")
    assert (sent.accepted, sent.http_status, sent.fault) == (False, 500, "VP009")
    assert kassan.persona.meddelande("care-1").state is State.OPEN


def test_a_page_instead_of_an_envelope_is_told_as_failure(
    server: MockServer, kassan: Kassan, ehr: Ehr
) -> None:
    ehr.rules.fail_next(Http(status=503, page="<html>"))
    sent = kassan.persona.ask(INTYGS_ID, "KONTKT", "Fråga")
    assert (sent.http_status, sent.result_code) == (503, None)
    assert sent.failure is not None


def test_an_adapter_that_is_not_there_is_told_as_failure(
    server: MockServer, kassan: Kassan, ehr_server: MockServer
) -> None:
    ehr_server.stop()
    sent = kassan.persona.ask(INTYGS_ID, "KONTKT", "Fråga")
    assert (sent.http_status, sent.failure) == (None, "ConnectionError")
    assert kassan.persona.meddelande(sent.meddelande_id).state is State.REFUSED


def test_messages_can_be_wrong_on_purpose(server: MockServer, kassan: Kassan, ehr: Ehr) -> None:
    first = kassan.persona.ask(INTYGS_ID, "KONTKT", "Fråga")
    again = kassan.persona.ask(
        INTYGS_ID, "OVRIGT", "Annat", overrides=Overrides(meddelande_id=first.meddelande_id)
    )
    assert again.result_code == "INFO"  # the EHR has that id
    assert kassan.persona.meddelande(first.meddelande_id).amne == "KONTKT"
    elsewhere = kassan.persona.ask(
        INTYGS_ID,
        "KONTKT",
        "Fråga",
        overrides=Overrides(
            logisk_adress_mottagare="SE-OTHER",
            person=PersonId(builders.PERSONNUMMER, builders.OTHER_PATIENT),
        ),
    )
    assert b"SE-OTHER" in elsewhere.request
    assert builders.OTHER_PATIENT.encode() in elsewhere.request
    from_care(server, "care-1", "AVSTMN")
    kassan.persona.answer("care-1", "Svar", overrides=Overrides(amne="OVRIGT"))
    assert ehr.persona.meddelanden()[-1].amne == "OVRIGT"


def test_a_message_can_say_what_the_authority_itself_does_not_think(
    server: MockServer, kassan: Kassan, ehr: Ehr
) -> None:
    wrong = Overrides(
        amne="XYZ",
        intygs_id="no-such-id",
        part="SKV",
        svar_pa="q-1",
        paminner="q-2",
        sista_datum_for_svar=date(2026, 8, 1),
    )
    sent = kassan.persona.ask(INTYGS_ID, "KONTKT", "Fråga", overrides=wrong)
    reminder = kassan.persona.remind(sent.meddelande_id, overrides=Overrides(amne="KONTKT"))
    said, reminded = ehr.persona.meddelanden()
    assert (said.intygs_id, said.amne) == ("no-such-id", "XYZ")
    assert (said.svar_pa, said.paminner) == ("q-1", "q-2")
    assert b"<t:code>SKV<" in sent.request
    assert b"sistaDatumForSvar>2026-08-01<" in sent.request
    kept = kassan.persona.meddelande(sent.meddelande_id)
    assert (kept.intygs_id, kept.svar_pa, kept.state) == (INTYGS_ID, None, State.OPEN)
    assert (reminded.amne, reminded.paminner) == ("KONTKT", sent.meddelande_id)
    assert kassan.persona.meddelande(reminder.meddelande_id).intygs_id == INTYGS_ID


def test_it_says_nothing_about_what_it_does_not_have(server: MockServer, kassan: Kassan) -> None:
    with pytest.raises(KeyError):
        kassan.persona.ask("no-such-id", "KONTKT", "?")
    with pytest.raises(KeyError):
        kassan.persona.answer("no-such-id", "!")
    with pytest.raises(KeyError):
        kassan.persona.remind("no-such-id")


def test_without_an_adapter_it_cannot_speak(
    server: MockServer, kassan: Kassan, contracts: Contracts, types: IntygTypes
) -> None:
    alone = forsakringskassan.PERSONA.make(contracts, types)
    with serve(alone) as silent:
        post(silent, builders.register_certificate())
        with pytest.raises(ValueError, match="adapter_url"):
            alone.persona.ask(INTYGS_ID, "KONTKT", "?")
    assert alone.persona.meddelanden() == ()


# --- what it is told ------------------------------------------------------------------------------


def test_a_question_from_care_is_kept_as_open(server: MockServer, kassan: Kassan) -> None:
    assert from_care(server, "care-1", text="Kan vi ses?") == ["OK", None, None]
    kept = kassan.persona.meddelande("care-1")
    assert (kept.direction, kept.amne, kept.text, kept.state) == (
        Direction.TO_RECIPIENT,
        "KONTKT",
        "Kan vi ses?",
        State.OPEN,
    )


def test_a_uuid_in_large_letters_is_the_same_question(server: MockServer, kassan: Kassan) -> None:
    question = kassan.persona.ask(INTYGS_ID, "OVRIGT", "Fråga").meddelande_id
    assert from_care(server, "care-2", "OVRIGT", svar_pa=question.upper())[0] == "OK"
    kept = kassan.persona.meddelande(question.upper())
    assert (kept.meddelande_id, kept.state) == (question, State.ANSWERED)


def test_cares_answer_closes_the_question(server: MockServer, kassan: Kassan) -> None:
    question = kassan.persona.ask(INTYGS_ID, "OVRIGT", "Fråga").meddelande_id
    assert from_care(server, "care-2", "OVRIGT", svar_pa=question)[0] == "OK"
    kept = kassan.persona.meddelande(question)
    assert (kept.state, kept.answered_by) == (State.ANSWERED, "care-2")
    assert kassan.persona.meddelande("care-2").state is None


def test_the_same_message_again_is_info_and_another_under_its_id_is_not(
    server: MockServer,
) -> None:
    assert from_care(server, "care-1")[0] == "OK"
    assert from_care(server, "care-1")[0] == "INFO"
    assert from_care(server, "care-1", text="Något annat")[:2] == ["ERROR", "VALIDATION_ERROR"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"amne": "KOMPLT"}, "Care may ask", id="care asks KOMPLT"),
        pytest.param({"amne": "XXXX"}, "amne is not one of", id="unknown subject"),
        pytest.param({"mottagare": "SKV"}, "logiskAdressMottagare", id="meant for another"),
        pytest.param({"svar_pa": "nobody"}, "answered is unknown", id="answers what is not there"),
        pytest.param({"paminner": "nobody"}, "goes with PAMINN", id="reminds without PAMINN"),
        pytest.param({"amne": "PAMINN"}, "goes with PAMINN", id="PAMINN of nothing"),
        pytest.param(
            {"amne": "PAMINN", "paminner": "nobody"}, "reminded of is unknown", id="PAMINN of none"
        ),
        pytest.param(
            {"svar_pa": "nobody", "sista_datum": "2026-12-01"},
            "questions only",
            id="answer with a last date",
        ),
    ],
)
def test_messages_that_break_a_rule_are_refused_and_not_kept(
    server: MockServer, kassan: Kassan, fields: dict[str, str], words: str
) -> None:
    code, error_id, text = from_care(server, "care-1", **fields)
    assert (code, error_id) == ("ERROR", "VALIDATION_ERROR")
    assert words in text
    assert kassan.persona.meddelanden() == ()


def test_a_message_needs_an_id(server: MockServer, kassan: Kassan) -> None:
    assert from_care(server, " ")[2] == "meddelande-id is empty"
    assert kassan.persona.meddelanden() == ()


def test_an_answer_names_cares_own_reference(server: MockServer, kassan: Kassan, ehr: Ehr) -> None:
    asked = builders.send_message_to_recipient("care-1", "AVSTMN", mottagare="FKASSA").replace(
        b"</m:meddelande-id>", b"</m:meddelande-id><m:referens-id>EHR-1</m:referens-id>"
    )
    assert result(post(server, asked))[0] == "OK"
    sent = kassan.persona.answer("care-1", "Ja", referens_id="FK-1")
    element = envelope.read(sent.request).element
    assert element.findtext("{*}referens-id") == "FK-1"
    svar_pa = element.find("{*}svarPa")
    assert svar_pa is not None
    assert [each.text for each in svar_pa] == ["care-1", "EHR-1"]


def test_every_fault_of_a_message_is_told_at_once(server: MockServer) -> None:
    text = from_care(server, "care-1", "PAMINN", mottagare="SKV", sista_datum="2026-12-01")[2]
    assert len(text.splitlines()) == 3


def test_an_answer_with_another_subject_or_a_second_answer_is_refused(
    server: MockServer, kassan: Kassan
) -> None:
    question = kassan.persona.ask(INTYGS_ID, "OVRIGT", "Fråga").meddelande_id
    assert "amne differs" in from_care(server, "care-1", "KONTKT", svar_pa=question)[2]
    assert from_care(server, "care-2", "OVRIGT", svar_pa=question)[0] == "OK"
    assert "answered already" in from_care(server, "care-3", "OVRIGT", svar_pa=question)[2]
    assert "no question" in from_care(server, "care-4", "OVRIGT", svar_pa="care-2")[2]


def test_a_message_about_an_unknown_intyg_is_an_application_error(server: MockServer) -> None:
    unknown = from_care(server, "care-1", intygs_id="no-such-id")
    other = from_care(server, "care-1", person=builders.OTHER_PATIENT)
    assert unknown[:2] == ["ERROR", "APPLICATION_ERROR"]
    assert other == unknown


def test_nothing_is_discussed_about_a_revoked_intyg(server: MockServer, kassan: Kassan) -> None:
    question = kassan.persona.ask(INTYGS_ID, "OVRIGT", "Fråga").meddelande_id
    post(server, builders.revoke_certificate())
    assert kassan.persona.meddelande(question).state is State.CLOSED
    code, error_id, text = from_care(server, "care-1")
    assert (code, error_id) == ("ERROR", "VALIDATION_ERROR")
    assert "revoked" in text


def test_a_completing_intyg_answers_every_open_completion_request(
    server: MockServer, kassan: Kassan
) -> None:
    rows = [Komplettering("35", "Mer")]
    first, second = (kassan.persona.ask_komplt(INTYGS_ID, rows).meddelande_id for _ in range(2))
    other = kassan.persona.ask(INTYGS_ID, "OVRIGT", "Fråga").meddelande_id
    new = builders.register_certificate("new-1", relation=("KOMPLT", INTYGS_ID), svar_pa=second)
    assert result(post(server, new))[0] == "OK"
    for meddelande_id in (first, second):
        kept = kassan.persona.meddelande(meddelande_id)
        assert (kept.state, kept.answered_by) == (State.ANSWERED, "new-1")
    assert kassan.persona.meddelande(other).state is State.OPEN


def test_a_replacing_intyg_answers_nothing(server: MockServer, kassan: Kassan) -> None:
    request = kassan.persona.ask_komplt(INTYGS_ID, [Komplettering("35", "Mer")]).meddelande_id
    post(server, builders.register_certificate("new-1", relation=("ERSATT", INTYGS_ID)))
    assert kassan.persona.meddelande(request).state is State.OPEN


# --- over HTTP ------------------------------------------------------------------------------------


def say(server: MockServer, what: str, **fields: Any) -> requests.Response:
    return requests.post(f"{server.url}/control/{what}", json=fields, timeout=10)


def test_all_that_it_can_say_can_be_ordered_over_http(server: MockServer, ehr: Ehr) -> None:
    from_care(server, "care-1", "AVSTMN")
    asked = say(
        server,
        "ask",
        intygs_id=INTYGS_ID,
        amne="OVRIGT",
        text="Fråga",
        sista_datum_for_svar="2026-08-01",
    ).json()
    assert (asked["accepted"], asked["result_code"]) == (True, "OK")
    rows = [{"frage_id": "35", "text": "Mer"}, {"frage_id": "17", "text": "Mer", "instans": 1}]
    say(server, "ask-komplt", intygs_id=INTYGS_ID, komplettering=rows)
    say(server, "answer", meddelande_id="care-1", text="Svar")
    say(server, "remind", meddelande_id=asked["meddelande_id"])
    assert [(each.amne, each.frage_ids) for each in ehr.persona.meddelanden()] == [
        ("OVRIGT", ()),
        ("KOMPLT", ("35", "17")),
        ("AVSTMN", ()),
        ("PAMINN", ()),
    ]
    url = f"{server.url}/control/meddelanden"
    listed = requests.get(url, params={"intygs_id": INTYGS_ID}, timeout=5).json()["meddelanden"]
    assert [each["state"] for each in listed] == ["answered", "open", "open", None, None]
    one = requests.get(f"{url}/{asked['meddelande_id']}", timeout=5).json()
    assert (one["amne"], one["sista_datum_for_svar"]) == ("OVRIGT", "2026-08-01")
    assert requests.get(f"{url}/nobody", timeout=5).status_code == 404


def test_overrides_go_over_http_too(server: MockServer, ehr: Ehr) -> None:
    person = {"root": builders.PERSONNUMMER, "extension": builders.OTHER_PATIENT}
    fields = {"intygs_id": INTYGS_ID, "amne": "KONTKT", "text": "?"}
    overrides = {"meddelande_id": "m-77", "person": person}
    assert say(server, "ask", **fields, overrides=overrides).json()["meddelande_id"] == "m-77"
    assert say(server, "ask", **fields, overrides={"amne": "XYZ"}).json()["accepted"]
    assert ehr.persona.meddelanden()[-1].amne == "XYZ"
    assert builders.OTHER_PATIENT.encode() in ehr.journal.entries()[0].request


@pytest.mark.parametrize(
    ("what", "fields", "status", "field"),
    [
        pytest.param("ask", {"intygs_id": "x", "amne": "KONTKT"}, 400, "text:", id="missing"),
        pytest.param(
            "ask",
            {"intygs_id": "x", "amne": "KONTKT", "text": "?", "colour": "red"},
            400,
            "colour: unknown",
            id="unknown field",
        ),
        pytest.param(
            "ask", {"intygs_id": 7, "amne": "KONTKT", "text": "?"}, 400, "intygs_id:", id="type"
        ),
        pytest.param(
            "ask",
            {"intygs_id": INTYGS_ID, "amne": "KONTKT", "text": "?", "sista_datum_for_svar": "soon"},
            400,
            "sista_datum_for_svar:",
            id="no date",
        ),
        pytest.param(
            "ask-komplt",
            {"intygs_id": INTYGS_ID, "komplettering": [{"question": "35"}]},
            400,
            "komplettering:",
            id="rows of another kind",
        ),
        pytest.param(
            "ask",
            {"intygs_id": INTYGS_ID, "amne": "KONTKT", "text": "?", "overrides": {"x": 1}},
            400,
            "overrides.x: unknown",
            id="unknown override",
        ),
        pytest.param(
            "ask",
            {"intygs_id": INTYGS_ID, "amne": "KONTAKT", "text": "?"},
            400,
            "amne: 'KONTAKT' is none of KOMPLT, AVSTMN, KONTKT, OVRIGT; overrides.amne sends any",
            id="unknown subject",
        ),
        pytest.param("answer", {"meddelande_id": "x", "text": "!"}, 404, "known", id="not there"),
        pytest.param(
            "ask", {"intygs_id": "x", "amne": "KONTKT", "text": "?"}, 404, "known", id="no intyg"
        ),
    ],
)
def test_orders_that_cannot_be_carried_out_name_the_field(
    server: MockServer, what: str, fields: dict[str, Any], status: int, field: str
) -> None:
    response = say(server, what, **fields)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert field in response.json()["detail"]


def test_certificates_are_shown_without_their_person(server: MockServer) -> None:
    post(server, builders.revoke_certificate())
    response = requests.get(f"{server.url}/control/intyg/{INTYGS_ID}", timeout=5)
    shown = response.json()
    assert (shown["typ"], shown["signature"], shown["call"]) == ("LISJP", "absent", 1)
    assert shown["revoked_at"] == "2026-07-01T22:30:00+00:00"
    assert builders.PATIENT not in response.text
    listed = requests.get(f"{server.url}/control/intyg", timeout=5).json()["intyg"]
    assert [each["intygs_id"] for each in listed] == [INTYGS_ID]
    assert requests.get(f"{server.url}/control/intyg/nobody", timeout=5).status_code == 404
