import re
from collections.abc import Iterator
from dataclasses import astuple
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from intyg.adapter.domain.destination import DestinationKind
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.errors import RuleError, TestPatientError, UnknownIntygError
from intyg.adapter.domain.inbound import Result
from intyg.adapter.domain.meddelande import Direction, FragaState
from intyg.adapter.domain.texts import NO_CARE_THERE
from intyg.adapter.rules.meddelande_rules import RULES
from intyg.adapter.settings.settings import RecipientSettings, RouteSettings
from intyg.schemas.codes import ResultCode
from tests import builders
from tests.adapter.flows.conftest import MakeFolder
from tests.adapter.flows.contracts.refusals import assert_refused
from tests.adapter.flows.rig import Rig, copied_rig

ask = builders.send_message_to_care
REVOKED, ELSEWHERE = "0b8f7b1c-revoked", "0b8f7b1c-elsewhere"


@pytest.fixture(scope="session")
def talk_folder(sent_folder: Path, made: MakeFolder) -> Path:
    def talk(rig: Rig) -> None:
        rig.ok(
            ask("from-fk"),
            builders.send_message_to_recipient("from-care", "KONTKT"),
            builders.send_message_to_recipient("answered", "KONTKT"),
            ask("the-answer", "KONTKT", svar_pa="answered"),
            builders.register_certificate(ELSEWHERE),
            ask("elsewhere", intygs_id=ELSEWHERE),
            builders.register_certificate(REVOKED),
            builders.revoke_certificate(REVOKED),
        )

    return made(sent_folder, talk)


@pytest.fixture
def talk(talk_folder: Path, tmp_path: Path) -> Iterator[Rig]:
    """Messages of every kind to refer to, here and about another certificate, and a revoked one."""
    with copied_rig(talk_folder, tmp_path) as rig:
        yield rig


# --- taken --------------------------------------------------------------------------------------


def test_a_question_is_open_and_care_is_told_its_subject_and_last_day(sent: Rig) -> None:
    assert sent.call(ask("q-1", "AVSTMN", sista_datum="2026-12-01")) == Result(ResultCode.OK)
    assert sent.fraga("q-1").state is FragaState.OPEN_CARE
    told = sent.handelser()[-1]
    assert told.handelsekod == "NYFRFM"
    assert (told.amne, told.sista_datum_for_svar) == ("AVSTMN", date(2026, 12, 1))
    assert astuple(told.mottagna_fragor) == (1, 1, 0, 0)
    assert told.hanterat_av is None


@pytest.mark.parametrize("mottagare", ["NO-ROUTE", "FK-ADDRESS"])
def test_to_a_unit_that_is_not_known_it_is_kept_and_care_told_and_the_sender_hears_of_it(
    sent: Rig, mottagare: str
) -> None:
    result = sent.call(ask("q-1", mottagare=mottagare))
    assert (result.code, result.text) == (ResultCode.INFO, NO_CARE_THERE)
    assert sent.events()[-1] == "NYFRFM"
    assert not any("SendMessage" in d.new.contract for d in sent.deliveries())


def test_a_unit_whose_ehr_takes_events_alone_is_known(sent: Rig) -> None:
    events = RouteSettings(
        contract="CertificateStatusUpdateForCare",
        logical_address=builders.UNIT,
        destination="ehr",
    )
    rig = sent.with_settings(routes=(events,))
    assert rig.call(ask("q-1")) == Result(ResultCode.OK)
    assert rig.call(ask("q-2", mottagare="ANOTHER-UNIT")).code is ResultCode.INFO
    assert sent.with_settings(routes=()).call(ask("q-3")).code is ResultCode.INFO


def test_an_answer_answers_cares_question(sent: Rig) -> None:
    sent.ok(
        builders.send_message_to_recipient("q-1", "KONTKT"),
        ask("a-1", "KONTKT", svar_pa="q-1"),
    )
    fraga = sent.fraga("q-1")
    assert (fraga.state, fraga.answered_by) == (FragaState.ANSWERED, "a-1")
    assert sent.fraga("a-1").state is None
    told = sent.handelser()[-1]
    assert (told.handelsekod, told.amne, told.hanterat_av) == ("NYSVFM", None, None)
    assert astuple(told.skickade_fragor) == (1, 0, 1, 0)


def test_a_reminder_is_told_and_moves_nothing(sent: Rig) -> None:
    sent.ok(ask("q-1"), ask("p-1", "PAMINN", paminner="q-1", sista_datum="2026-12-24"))
    assert sent.fraga("q-1").state is FragaState.OPEN_CARE
    assert sent.fraga("p-1").state is None
    told = sent.handelser()[-1]
    assert (told.handelsekod, told.amne) == ("NYFRFM", "PAMINN")
    assert told.sista_datum_for_svar == date(2026, 12, 24)
    assert astuple(told.mottagna_fragor) == (1, 1, 0, 0)  # reminders are not counted


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(("35", "Mer"), id="a question"),
        pytest.param(("26", "Mer"), id="one that is not answered"),
        pytest.param(("32", "Mer", 1), id="a repetition that is there"),
        pytest.param(("35", "Mer", 1), id="the only one, which has no number"),
        pytest.param(("9001", "Mer"), id="an additional question"),
        pytest.param(("035", "Mer"), id="with a zero before it"),
    ],
)
def test_a_completion_request_names_questions(
    sent: Rig, row: tuple[str, str] | tuple[str, str, int]
) -> None:
    sent.ok(ask("k-1", "KOMPLT", komplettering=[row]))


@pytest.mark.parametrize(
    ("rows", "remarks"),
    [
        pytest.param([("35", "x"), ("36", "x")], ["FRAGE_ID_NOT_KNOWN 2"], id="one is unknown"),
        pytest.param(
            [("36", "x"), ("35", "x"), ("99", "x", 4)],
            ["FRAGE_ID_NOT_KNOWN 1", "FRAGE_ID_NOT_KNOWN 3"],
            id="two are unknown",
        ),
        pytest.param([("32", "x", 2), ("35", "x")], ["INSTANS_NOT_KNOWN 1"], id="a repetition"),
        pytest.param(
            [("32", "x", 2), ("35", "x"), ("36", "x")],
            ["FRAGE_ID_NOT_KNOWN 3", "INSTANS_NOT_KNOWN 1"],
            id="one of each",
        ),
    ],
)
def test_a_completion_request_is_taken_with_one_row_that_can_be_completed(
    sent: Rig, rows: list[tuple[str, str] | tuple[str, str, int]], remarks: list[str]
) -> None:
    result = sent.call(ask("k-1", "KOMPLT", komplettering=rows))
    heading, *lines = (result.text or "").splitlines()
    count = f"{len(remarks)} remark{'s' if len(remarks) > 1 else ''}"
    assert (result.code, heading) == (ResultCode.INFO, f"Stored, with {count}:")
    found = re.findall(r"^(\w+) /SendMessageToCare/komplettering\[(\d)\]/", "\n".join(lines), re.M)
    assert [" ".join(one) for one in found] == remarks
    assert sent.fraga("k-1").state is FragaState.OPEN_CARE
    assert sent.events()[-1] == "NYFRFM"
    assert [d.new.contract for d in sent.deliveries()[-2:]] == [
        "CertificateStatusUpdateForCare:3",
        "SendMessageToCare:2",
    ]


def test_a_reminder_of_what_is_handled_is_taken_with_a_remark(talk: Rig) -> None:
    talk.mark("from-fk", handled=True)
    for reminder, paminner, told in (
        ("p-1", "from-fk", True),
        ("p-2", "answered", True),
        ("p-3", "from-care", False),
        ("p-4", "the-answer", False),
    ):
        result = talk.call(ask(reminder, "PAMINN", paminner=paminner))
        assert (result.code is ResultCode.INFO) == told
        where = "REMINDED_IS_HANDLED /SendMessageToCare/paminnelseMeddelande-id:"
        assert (where in (result.text or "")) == told
        assert talk.handelser()[-1].amne == "PAMINN"
    from_care = builders.send_message_to_recipient("p-5", "PAMINN", paminner="answered")
    assert "Stored, with 1 remark:" in (talk.call(from_care).text or "")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (ask(amne="PAMINN", paminner="never"), "paminnelseMeddelande-id"),
        (ask(amne="PAMINN"), ""),
        (ask(amne="PAMINN", paminner=""), "paminnelseMeddelande-id"),
        (ask(paminner="from-fk"), "paminnelseMeddelande-id"),
        (ask(svar_pa="never"), "svarPa"),
        (ask(amne="KOMPLT", komplettering=[]), ""),
        (ask(amne="KOMPLT", komplettering=[("36", "x")]), "komplettering/frage-id"),
        (ask(amne="KOMPLT", komplettering=[("32", "x", 2)]), "komplettering/instans"),
    ],
)
def test_a_fault_names_the_element_that_is_wrong_or_what_lacks_it(
    talk: Rig, body: bytes, path: str
) -> None:
    with pytest.raises(RuleError) as caught:
        talk.call_raising(body)
    (finding,) = caught.value.findings
    assert finding.xpath == "/SendMessageToCare" + (f"/{path}" if path else "")
    assert path == "" or etree.fromstring(body).find("{*}" + path.replace("/", "/{*}")) is not None


def test_today_may_be_the_last_day_for_an_answer(sent: Rig) -> None:
    sent.ok(ask("q-1", sista_datum="2026-11-23"))


def test_a_certificate_that_was_never_sent_may_be_asked_about(registered: Rig) -> None:
    registered.ok(ask("q-1"))


def test_the_same_answer_again_is_no_second_answer(talk: Rig) -> None:
    assert talk.call(ask("the-answer", "KONTKT", svar_pa="answered")).code == ResultCode.INFO


# --- refused ------------------------------------------------------------------------------------

REFUSALS = [
    pytest.param(ask(part="NOBODY"), ["PART_NOT_KNOWN_ERROR"], id="unknown part"),
    pytest.param(ask(part="SKV"), ["PART_TYPE_ERROR"], id="a part that does not take the type"),
    pytest.param(
        ask(amne="PAMINN", paminner="from-care", part="SKV"),
        ["PART_TYPE_ERROR", "REMINDER_OF_OTHERS_ERROR"],
        id="a reminder from such a part",
    ),
    pytest.param(
        ask(amne="KONTKT", svar_pa="from-care", part="AF"),
        ["QUESTION_NOT_PUT_TO_PART_ERROR"],
        id="an answer from whom nobody asked",
    ),
    pytest.param(
        ask(amne="PAMINN", paminner="from-fk", part="AF"),
        ["REMINDER_OF_OTHERS_ERROR"],
        id="a reminder of another's question",
    ),
    pytest.param(ask(amne="NEVER"), ["SUBJECT_NOT_SUPPORTED_ERROR"], id="unknown subject"),
    pytest.param(
        ask(amne="KONTKT", svar_pa="from-care", sista_datum="2026-12-01"),
        ["MESSAGE_TYPE_CONSISTENCY_ERROR"],
        id="last day on an answer",
    ),
    pytest.param(
        ask(komplettering=[("35", "x")]), ["KOMPLETTERING_INCONSISTENCY_ERROR"], id="rows"
    ),
    pytest.param(
        ask(amne="KOMPLT", komplettering=[]), ["KOMPLETTERING_MISSING_ERROR"], id="no rows"
    ),
    pytest.param(
        ask(amne="KOMPLT", komplettering=[("99", "x"), ("36", "x")]),
        ["FRAGE_ID_NOT_FOUND_ERROR"] * 2,
        id="questions that the type does not have",
    ),
    pytest.param(
        ask(amne="KOMPLT", komplettering=[("32", "x", 2)]),
        ["INSTANS_NOT_FOUND_ERROR"],
        id="a repetition that the certificate does not have",
    ),
    pytest.param(
        ask(amne="KOMPLT", komplettering=[("26", "x", 1)]),
        ["INSTANS_NOT_FOUND_ERROR"],
        id="a repetition of a question that is not answered",
    ),
    pytest.param(
        ask(amne="KOMPLT", komplettering=[("36", "x", 7)]),
        ["FRAGE_ID_NOT_FOUND_ERROR"],
        id="a repetition of a question that the type does not have",
    ),
    pytest.param(ask(sista_datum="2026-11-22"), ["LAST_DAY_PASSED_ERROR"], id="last day passed"),
    pytest.param(
        ask("from-fk", text="other"), ["MEDDELANDE_ID_NOT_UNIQUE_ERROR"], id="id of another message"
    ),
    pytest.param(
        ask("from-care"), ["MEDDELANDE_ID_NOT_UNIQUE_ERROR"], id="id of a message from care"
    ),
    pytest.param(ask("x" * 256), ["MEDDELANDE_ID_LENGTH_ERROR"], id="long id"),
    pytest.param(ask(amne="ovrigt"), ["SUBJECT_NOT_SUPPORTED_ERROR"], id="subject in lower case"),
    pytest.param(ask(" "), ["MEDDELANDE_ID_NOT_UNIQUE_ERROR"], id="empty id"),
    pytest.param(
        ask(amne="PAMINN"), ["PAMINNELSE_ID_INCONSISTENCY_ERROR"], id="reminder of nothing"
    ),
    pytest.param(
        ask(paminner="from-fk"), ["PAMINNELSE_ID_INCONSISTENCY_ERROR"], id="question that reminds"
    ),
    pytest.param(
        ask(amne="PAMINN", paminner="never"),
        ["REFERENCED_MESSAGE_NOT_FOUND_ERROR"],
        id="reminder of an unknown message",
    ),
    pytest.param(
        ask(amne="PAMINN", paminner="elsewhere"),
        ["REFERENCED_MESSAGE_NOT_FOUND_ERROR"],
        id="reminder of a message about another certificate",
    ),
    pytest.param(
        ask(svar_pa="never"), ["REFERENCED_MESSAGE_NOT_FOUND_ERROR"], id="answer to nothing"
    ),
    pytest.param(
        ask(svar_pa="from-fk"),
        ["REFERENCED_MESSAGE_NOT_FOUND_ERROR"],
        id="answer to the authority's own question",
    ),
    pytest.param(
        ask(amne="OVRIGT", svar_pa="from-care"),
        ["SUBJECT_CONSISTENCY_ERROR"],
        id="answer with another subject",
    ),
    pytest.param(
        ask(person=builders.OTHER_PATIENT),
        ["CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR"],
        id="another person",
    ),
    pytest.param(ask(intygs_id=REVOKED), ["CERTIFICATE_REVOKED_ERROR"], id="revoked"),
    pytest.param(
        ask(amne="KONTKT", svar_pa="answered"),
        ["MESSAGE_ALREADY_ANSWERED_ERROR"],
        id="second answer",
    ),
    pytest.param(
        ask(
            "from-fk",
            amne="NEVER",
            part="NOBODY",
            person=builders.OTHER_PATIENT,
            paminner="x",
            komplettering=[("2", "x"), ("1", "x", 9)],
            sista_datum="2020-01-01",
        ),
        [
            "PART_NOT_KNOWN_ERROR",
            "SUBJECT_NOT_SUPPORTED_ERROR",
            "KOMPLETTERING_INCONSISTENCY_ERROR",
            "LAST_DAY_PASSED_ERROR",
            "MEDDELANDE_ID_NOT_UNIQUE_ERROR",
            "PAMINNELSE_ID_INCONSISTENCY_ERROR",
            "CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR",
        ],
        id="all at once, and nothing of another's certificate",
    ),
    pytest.param(
        ask(
            "from-fk",
            amne="NEVER",
            part="NOBODY",
            paminner="x",
            komplettering=[("2", "x"), ("1", "x", 9)],
            sista_datum="2020-01-01",
        ),
        [
            "PART_NOT_KNOWN_ERROR",
            "SUBJECT_NOT_SUPPORTED_ERROR",
            "KOMPLETTERING_INCONSISTENCY_ERROR",
            "FRAGE_ID_NOT_FOUND_ERROR",
            "INSTANS_NOT_FOUND_ERROR",
            "LAST_DAY_PASSED_ERROR",
            "MEDDELANDE_ID_NOT_UNIQUE_ERROR",
            "PAMINNELSE_ID_INCONSISTENCY_ERROR",
        ],
        id="all at once",
    ),
    pytest.param(
        ask(intygs_id=REVOKED, person=builders.OTHER_PATIENT),
        ["CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR"],
        id="another person, and revoked",
    ),
    pytest.param(
        ask(amne="KONTKT", svar_pa="answered", person=builders.OTHER_PATIENT),
        [
            "REFERENCED_MESSAGE_NOT_FOUND_ERROR",
            "CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR",
        ],
        id="another person, and a second answer",
    ),
]


@pytest.mark.parametrize(("body", "rules"), REFUSALS)
def test_every_rule_that_is_broken_is_told(talk: Rig, body: bytes, rules: list[str]) -> None:
    assert_refused(talk, body, rules)


def test_every_rule_of_the_table_is_tried_here() -> None:
    tried = {rule for case in REFUSALS for rule in case.values[1]}  # type: ignore[union-attr]
    elsewhere = {
        "CERTIFICATE_NOT_FOUND_ERROR",
        "TEST_CERTIFICATE",
        "SUBJECT_NOT_OFFERED_ERROR",
        "PART_CALLER_ERROR",
    }
    remarks = {"FRAGE_ID_NOT_KNOWN", "INSTANS_NOT_KNOWN", "REMINDED_IS_HANDLED"}
    assert tried | elsewhere | remarks == {rule.id for rule in RULES[Direction.TO_CARE]}


def test_anothers_answer_bars_nobodys_own(talk: Rig) -> None:
    assert talk.call(ask("a-1", "KONTKT", svar_pa="from-care", part="AF")).code == "ERROR"
    assert talk.call(ask("a-2", "KONTKT", svar_pa="from-care")) == Result(ResultCode.OK)


def test_a_recipient_that_has_moved_still_answers(talk: Rig) -> None:
    recipients = dict(talk.services.settings.recipients)
    recipients["FKASSA"] = RecipientSettings(name="FK", logical_address="FK-NEW")
    moved = talk.with_settings(recipients=recipients)
    assert moved.call(ask("a-1", "KONTKT", svar_pa="from-care")) == Result(ResultCode.OK)


@pytest.mark.parametrize(
    ("environment", "callers", "sender", "taken"),
    [
        pytest.param("demo", (), None, True, id="demo, nobody is named"),
        pytest.param("demo", ("SE1",), None, False, id="demo, somebody is"),
        pytest.param("test", (), "SE1", False, id="nobody is named"),
        pytest.param("test", ("SE1", "SE2"), "SE2", True, id="named"),
        pytest.param("test", ("SE1",), "SE2", False, id="another"),
        pytest.param("test", ("SE1",), "se1", False, id="in other letters"),
    ],
)
def test_who_speaks_for_a_part_is_listed(
    sent: Rig, environment: str, callers: tuple[str, ...], sender: str | None, taken: bool
) -> None:
    fk = RecipientSettings(name="FK", logical_address="FK-ADDRESS", callers=callers)
    there = sent.with_settings(environment=Environment(environment), recipients={"FKASSA": fk})
    there.sender = sender
    before = there.row_count()
    answer = there.call(ask("q-1"))
    assert (answer.code == "OK") is taken, answer
    if not taken:
        assert "recipients.<part>.callers" in (answer.text or "")
        assert there.row_count() == before


def test_an_unknown_certificate_is_told_with_all_else_that_is_wrong(rig: Rig) -> None:
    with pytest.raises(UnknownIntygError) as caught:
        rig.call_raising(ask(part="NOBODY"))
    rules = [finding.rule for finding in caught.value.findings]
    assert rules == ["PART_NOT_KNOWN_ERROR", "CERTIFICATE_NOT_FOUND_ERROR"]
    assert rig.row_count() == 1  # the mark of the schema's version


def test_a_subject_that_the_type_does_not_take_is_refused(rig: Rig) -> None:
    taciturn = rig.with_messages(incoming=("KOMPLT", "PAMINN"), care=())
    taciturn.ok(builders.register_certificate(), ask("k-1", "KOMPLT"))
    with pytest.raises(RuleError) as caught:
        taciturn.call_raising(ask("q-1", "KONTKT"))
    assert [f.rule for f in caught.value.findings] == ["SUBJECT_NOT_OFFERED_ERROR"]


@pytest.mark.parametrize("amne", ["OVRIGT", "KOMPLT"])
def test_a_real_authority_may_not_ask_about_a_test_patient(sent: Rig, amne: str) -> None:
    real = sent.with_settings(kind=DestinationKind.REAL)
    with pytest.raises(TestPatientError) as caught:
        real.call_raising(ask("q-1", amne))
    assert [finding.rule for finding in caught.value.findings] == ["TEST_CERTIFICATE"]
    assert real.blocked() == ["SendMessageToCare:2"]
    assert "NYFRFM" not in real.events()


def test_a_mock_may_not_ask_about_anybody_else(rig: Rig) -> None:
    rig.ok(builders.register_certificate(person=builders.UNLISTED_PATIENT))
    result = rig.call(ask(person=builders.UNLISTED_PATIENT))
    assert "TEST_CERTIFICATE" in (result.text or "")
