from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

import pytest

from intyg.adapter.domain.destination import DestinationKind
from intyg.adapter.domain.errors import RuleError, UnknownIntygError
from intyg.adapter.domain.inbound import Result
from intyg.adapter.domain.meddelande import Direction, FragaState
from intyg.adapter.rules.meddelande_rules import RULES
from intyg.schemas.codes import ErrorId, ResultCode
from tests import builders
from tests.adapter.flows.conftest import MakeFolder
from tests.adapter.flows.contracts.refusals import assert_refused
from tests.adapter.flows.rig import FK, OTHER_AUTHORITY, Rig, copied_rig

ask = builders.send_message_to_care
write = builders.send_message_to_recipient
ELSEWHERE, REVOKED = "0b8f7b1c-elsewhere", "0b8f7b1c-revoked"


@pytest.fixture(scope="session")
def talk_folder(sent_folder: Path, made: MakeFolder) -> Path:
    def talk(rig: Rig) -> None:
        rig.ok(
            ask("from-fk", "KONTKT"),
            ask("answered", "KONTKT"),
            write("the-answer", "KONTKT", svar_pa="answered"),
            ask("closed", "KONTKT"),
            write("from-care", "KONTKT"),
            builders.register_certificate(ELSEWHERE),
            ask("elsewhere", "KONTKT", intygs_id=ELSEWHERE),
            builders.register_certificate(REVOKED),
            builders.send_certificate_to_recipient(REVOKED),
        )
        rig.deliver()
        rig.ok(builders.revoke_certificate(REVOKED))
        rig.mark("closed", handled=True)

    return made(sent_folder, talk)


@pytest.fixture
def talk(talk_folder: Path, tmp_path: Path) -> Iterator[Rig]:
    """Messages of every kind to refer to, and certificates in other states."""
    with copied_rig(talk_folder, tmp_path) as rig:
        yield rig


# --- taken --------------------------------------------------------------------------------------


def test_a_question_is_open_forwarded_and_told(sent: Rig) -> None:
    assert sent.call(write("q-1")) == Result(ResultCode.OK)
    assert sent.fraga("q-1").state is FragaState.OPEN_RECIPIENT
    told = sent.handelser()[-1]
    assert (told.handelsekod, told.amne) == ("NYFRFV", None)
    assert told.hanterat_av == builders.DOCTOR
    assert astuple(told.skickade_fragor) == (1, 1, 0, 0)
    forwarded = next(d for d in sent.deliveries() if d.new.meddelande_id == "q-1")
    assert forwarded.new.contract == "SendMessageToRecipient:2"
    assert (forwarded.new.logical_address, forwarded.new.part) == (FK, "FKASSA")
    assert forwarded.new.body == write("q-1")


def test_an_answer_closes_its_question(sent: Rig) -> None:
    sent.ok(ask("q-1"), ask("q-2"), write("a-1", "OVRIGT", svar_pa="q-1"))
    fraga = sent.fraga("q-1")
    assert (fraga.state, fraga.answered_by) == (FragaState.HANDLED, "a-1")
    assert sent.fraga("q-2").state is FragaState.OPEN_CARE
    told = sent.handelser()[-1]
    assert (told.handelsekod, told.hanterat_av) == ("HANFRFM", builders.DOCTOR)
    assert astuple(told.mottagna_fragor) == (2, 1, 0, 1)


def test_cannot_complete_closes_every_completion_request(sent: Rig) -> None:
    sent.ok(
        ask("k-1", "KOMPLT"),
        ask("k-2", "KOMPLT"),
        ask("q-1", "OVRIGT"),
        write("a-1", "KOMPLT", svar_pa="k-2"),
    )
    for one in ("k-1", "k-2"):
        fraga = sent.fraga(one)
        assert (fraga.state, fraga.answered_by) == (FragaState.HANDLED, "a-1")
    assert sent.fraga("q-1").state is FragaState.OPEN_CARE
    assert sent.events()[-2:] == ["NYFRFM", "HANFRFM"]
    forwarded = [d.new.meddelande_id for d in sent.deliveries() if d.new.part == "FKASSA"]
    assert forwarded == [None, "a-1"]  # the certificate, then one answer


def test_cannot_complete_leaves_what_was_asked_later_or_by_somebody_else(sent: Rig) -> None:
    """They would never be told."""
    sent.ok(
        ask("k-1", "KOMPLT"),
        ask("k-2", "KOMPLT", part="AF"),
        ask("k-3", "KOMPLT"),
        ask("k-4", "KOMPLT"),
        write("a-1", "KOMPLT", svar_pa="k-3"),
    )
    answered = {one: sent.fraga(one).answered_by for one in ("k-1", "k-2", "k-3", "k-4")}
    assert answered == {"k-1": "a-1", "k-2": None, "k-3": "a-1", "k-4": None}
    assert sent.fraga("k-4").state is sent.fraga("k-2").state is FragaState.OPEN_CARE
    sent.ok(write("a-2", "KOMPLT", svar_pa="k-4"))
    assert sent.fraga("k-4").answered_by == "a-2"
    assert sent.fraga("k-2").state is FragaState.OPEN_CARE


def test_a_reminder_is_forwarded_and_moves_nothing(sent: Rig) -> None:
    sent.ok(write("q-1"))
    events = sent.events()
    sent.ok(write("p-1", "PAMINN", paminner="q-1"))
    assert sent.events() == events
    assert sent.fraga("q-1").state is FragaState.OPEN_RECIPIENT
    assert sent.deliveries()[-1].new.meddelande_id == "p-1"


# --- refused ------------------------------------------------------------------------------------

REFUSALS = [
    pytest.param(write(amne="NEVER"), ["SUBJECT_NOT_SUPPORTED_ERROR"], id="unknown subject"),
    pytest.param(
        write(amne="KOMPLT"), ["SUBJECT_NOT_OFFERED_ERROR"], id="care asks for no completion"
    ),
    pytest.param(
        write(svar_pa="from-fk", sista_datum="2026-12-01"),
        ["MESSAGE_TYPE_CONSISTENCY_ERROR"],
        id="last day on an answer",
    ),
    pytest.param(
        write(amne="PAMINN", paminner="from-care", sista_datum="2026-12-01"),
        ["MESSAGE_TYPE_CONSISTENCY_ERROR"],
        id="last day on a reminder",
    ),
    pytest.param(write(sista_datum="2026-11-22"), ["LAST_DAY_PASSED_ERROR"], id="last day passed"),
    pytest.param(
        write("from-care", text="other"),
        ["MEDDELANDE_ID_NOT_UNIQUE_ERROR"],
        id="id of another message",
    ),
    pytest.param(write("from-fk"), ["MEDDELANDE_ID_NOT_UNIQUE_ERROR"], id="id of the authority's"),
    pytest.param(write("x" * 256), ["MEDDELANDE_ID_LENGTH_ERROR"], id="long id"),
    pytest.param(write(""), ["MEDDELANDE_ID_NOT_UNIQUE_ERROR"], id="empty id"),
    pytest.param(write(amne="PAMINN"), ["PAMINNELSE_ID_INCONSISTENCY_ERROR"], id="of nothing"),
    pytest.param(
        write(paminner="from-care"), ["PAMINNELSE_ID_INCONSISTENCY_ERROR"], id="question reminds"
    ),
    pytest.param(
        write(amne="PAMINN", paminner="never"),
        ["REFERENCED_MESSAGE_NOT_FOUND_ERROR"],
        id="reminder of an unknown message",
    ),
    pytest.param(
        write(svar_pa="never"), ["REFERENCED_MESSAGE_NOT_FOUND_ERROR"], id="answer to nothing"
    ),
    pytest.param(
        write(svar_pa="elsewhere"),
        ["REFERENCED_MESSAGE_NOT_FOUND_ERROR"],
        id="answer to a question about another certificate",
    ),
    pytest.param(
        write(svar_pa="from-care"),
        ["REFERENCED_MESSAGE_NOT_FOUND_ERROR"],
        id="answer to care's own question",
    ),
    pytest.param(
        write(svar_pa="the-answer"),
        ["REFERENCED_MESSAGE_NOT_FOUND_ERROR"],
        id="answer to an answer",
    ),
    pytest.param(
        write(amne="OVRIGT", svar_pa="from-fk"), ["SUBJECT_CONSISTENCY_ERROR"], id="other subject"
    ),
    pytest.param(
        write(person=builders.OTHER_PATIENT),
        ["CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR"],
        id="another person",
    ),
    *(
        pytest.param(
            write(person=builders.OTHER_PATIENT, intygs_id=intygs_id),
            ["CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR"],
            id=f"another person, and {what}",
        )
        for intygs_id, what in ((ELSEWHERE, "not sent"), (REVOKED, "revoked"))
    ),
    pytest.param(
        write(person=builders.OTHER_PATIENT, svar_pa="answered"),
        [
            "REFERENCED_MESSAGE_NOT_FOUND_ERROR",
            "CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR",
        ],
        id="another person, and a second answer",
    ),
    pytest.param(write(intygs_id=ELSEWHERE), ["CERTIFICATE_NOT_SENT_ERROR"], id="not sent"),
    pytest.param(
        write(mottagare=OTHER_AUTHORITY), ["CERTIFICATE_NOT_SENT_ERROR"], id="not sent to this one"
    ),
    pytest.param(
        write(svar_pa="from-fk", mottagare=OTHER_AUTHORITY),
        ["RECIPIENT_NOT_CONCERNED_ERROR", "CERTIFICATE_NOT_SENT_ERROR"],
        id="an answer to whom nobody asked",
    ),
    pytest.param(write(intygs_id=REVOKED), ["CERTIFICATE_REVOKED_ERROR"], id="revoked"),
    pytest.param(write(svar_pa="answered"), ["MESSAGE_ALREADY_ANSWERED_ERROR"], id="second answer"),
    pytest.param(write(svar_pa="closed"), ["QUESTION_NOT_OPEN_ERROR"], id="marked as handled"),
    pytest.param(
        write("from-care", "NEVER", person=builders.OTHER_PATIENT, paminner="x"),
        [
            "SUBJECT_NOT_SUPPORTED_ERROR",
            "MEDDELANDE_ID_NOT_UNIQUE_ERROR",
            "PAMINNELSE_ID_INCONSISTENCY_ERROR",
            "CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR",
        ],
        id="all at once",
    ),
]


@pytest.mark.parametrize(("body", "rules"), REFUSALS)
def test_every_rule_that_is_broken_is_told(talk: Rig, body: bytes, rules: list[str]) -> None:
    assert_refused(talk, body, rules)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (write("p-1", "PAMINN", paminner="never"), "/paminnelseMeddelande-id"),
        (write("p-1", "PAMINN"), ""),
        (write("p-1", "KONTKT", paminner="from-care"), "/paminnelseMeddelande-id"),
        (write("p-1", "KONTKT", svar_pa="never"), "/svarPa"),
    ],
)
def test_a_fault_names_the_element_that_is_wrong_or_what_lacks_it(
    talk: Rig, body: bytes, path: str
) -> None:
    with pytest.raises(RuleError) as caught:
        talk.call_raising(body)
    assert {one.xpath for one in caught.value.findings} == {f"/SendMessageToRecipient{path}"}


def test_every_rule_of_the_table_is_tried_here() -> None:
    tried = {rule for case in REFUSALS for rule in case.values[1]}  # type: ignore[union-attr]
    assert tried | {"REMINDED_IS_HANDLED"} == {rule.id for rule in RULES[Direction.TO_RECIPIENT]}


def test_an_unknown_certificate_is_told_at_once_and_alone(rig: Rig) -> None:
    with pytest.raises(UnknownIntygError) as caught:
        rig.call_raising(write(amne="NEVER"))
    assert caught.value.findings == ()
    assert caught.value.error_id == ErrorId.APPLICATION_ERROR


@pytest.mark.parametrize("mottagare", ["NO-ROUTE", builders.UNIT])
def test_without_a_route_to_an_authority_nothing_is_kept(sent: Rig, mottagare: str) -> None:
    before = sent.row_count()
    result = sent.call(write(mottagare=mottagare))
    assert result.error_id == ErrorId.APPLICATION_ERROR
    assert sent.row_count() == before


def test_about_a_test_patient_it_is_kept_and_the_caller_told_that_it_went_no_further(
    registered: Rig,
) -> None:
    """Never sent, since it may not be: that is no fault of the message."""
    real = registered.with_settings(kind=DestinationKind.REAL)
    result = real.call(write("q-1"))
    assert result.code == ResultCode.INFO
    assert "not forwarded" in (result.text or "")
    assert real.fraga("q-1").state is FragaState.OPEN_RECIPIENT
    assert real.to_authorities() == []
    assert real.blocked() == ["SendMessageToRecipient:2"]
