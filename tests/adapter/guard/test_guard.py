import time
from itertools import product
from pathlib import Path

import pytest

from intyg.adapter.domain.destination import Destination, DestinationKind, DestinationRole
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.person import GuardDecision, PatientKind, PatientVerdict, PersonId
from intyg.adapter.guard import (
    NO_SIGNAL,
    POLICY,
    REGISTERED_AS,
    DamagedListError,
    Guard,
    ListSignal,
    TestPatients,
    build_test_patients,
    parse_list,
    read_list,
)
from intyg.adapter.settings.settings import Settings, TestPatientSettings
from tests.builders import OTHER_PATIENT, PATIENT, UNLISTED_PATIENT

LISTED = PersonId("1.2.752.129.2.1.3.1", PATIENT)
UNLISTED = PersonId("1.2.752.129.2.1.3.1", UNLISTED_PATIENT)


def destination(kind: DestinationKind, role: DestinationRole) -> Destination:
    return Destination("fk", "http://127.0.0.1/", kind, role, 1.0)


def guard(environment: Environment, signals: list[ListSignal] | None = None) -> Guard:
    listed = [ListSignal("list", frozenset({PATIENT}))]
    return Guard(TestPatients(listed if signals is None else signals), environment)


# --- the table ----------------------------------------------------------------------------------


def test_the_table_decides_every_case_there_is() -> None:
    assert set(POLICY) == set(product(DestinationRole, DestinationKind, Environment, PatientKind))


@pytest.mark.parametrize("environment", Environment)
@pytest.mark.parametrize("patient", PatientKind)
def test_no_environment_lets_a_test_patient_reach_a_real_authority(
    environment: Environment, patient: PatientKind
) -> None:
    decision = POLICY[DestinationRole.AUTHORITY, DestinationKind.REAL, environment, patient]
    sent = decision is GuardDecision.SEND
    assert sent == (environment is Environment.PRODUCTION and patient is PatientKind.NOT_TEST)


@pytest.mark.parametrize(
    ("role", "kind", "environment"),
    list(product(DestinationRole, (DestinationKind.TEST, DestinationKind.MOCK), Environment)),
)
def test_nobody_but_test_patients_reaches_a_test_system(
    role: DestinationRole, kind: DestinationKind, environment: Environment
) -> None:
    decisions = {patient: POLICY[role, kind, environment, patient] for patient in PatientKind}
    assert decisions == {
        PatientKind.TEST: GuardDecision.SEND,
        PatientKind.NOT_TEST: GuardDecision.BLOCK,
        PatientKind.CANNOT_TELL: GuardDecision.BLOCK,
    }


@pytest.mark.parametrize("role", DestinationRole)
def test_in_production_it_holds_what_it_cannot_tell(role: DestinationRole) -> None:
    case = (role, DestinationKind.REAL, Environment.PRODUCTION, PatientKind.CANNOT_TELL)
    assert POLICY[case] is GuardDecision.HOLD


def test_care_gets_its_own_test_patients_back_from_production() -> None:
    real_ehr = destination(DestinationKind.REAL, DestinationRole.CARE)
    assert guard(Environment.PRODUCTION).decision(LISTED, real_ehr)[0] is GuardDecision.SEND


# --- signals ------------------------------------------------------------------------------------


def test_verdict_names_the_signal_and_not_the_number() -> None:
    verdict = guard(Environment.DEMO).verdict(LISTED)
    assert (verdict.kind, verdict.signal) == (PatientKind.TEST, "list")
    assert guard(Environment.DEMO).verdict(UNLISTED).kind is PatientKind.NOT_TEST


def test_one_signal_that_says_test_is_enough_whatever_the_others_say() -> None:
    signals = [
        ListSignal("damaged", frozenset(), damage="no such file"),
        ListSignal("other", frozenset({OTHER_PATIENT})),
        ListSignal("EHR's", frozenset({PATIENT})),
    ]
    verdict = guard(Environment.PRODUCTION, signals).verdict(LISTED)
    assert (verdict.kind, verdict.signal) == (PatientKind.TEST, "EHR's")


def test_a_damaged_list_cannot_tell_when_no_other_says_test() -> None:
    signals = [
        ListSignal("whole", frozenset({OTHER_PATIENT})),
        ListSignal("damaged", frozenset(), damage="no such file"),
    ]
    verdict = guard(Environment.PRODUCTION, signals).verdict(LISTED)
    assert (verdict.kind, verdict.signal) == (PatientKind.CANNOT_TELL, "damaged")


def test_without_any_signal_it_cannot_tell() -> None:
    verdict = guard(Environment.PRODUCTION, []).verdict(LISTED)
    assert (verdict.kind, verdict.signal) == (PatientKind.CANNOT_TELL, NO_SIGNAL)


def test_a_mark_from_registration_still_blocks_when_the_list_has_changed() -> None:
    real = destination(DestinationKind.REAL, DestinationRole.AUTHORITY)
    decision, verdict = guard(Environment.PRODUCTION).decision(UNLISTED, real, flagged=True)
    assert (decision, verdict.signal) == (GuardDecision.BLOCK, REGISTERED_AS[True].signal)


def test_who_was_no_test_patient_does_not_reach_a_test_system_when_the_list_has_changed() -> None:
    mock = destination(DestinationKind.MOCK, DestinationRole.AUTHORITY)
    decision, verdict = guard(Environment.DEMO).decision(LISTED, mock, flagged=False)
    assert (decision, verdict.signal) == (GuardDecision.BLOCK, REGISTERED_AS[False].signal)


@pytest.mark.parametrize("flagged", [None, True, False])
@pytest.mark.parametrize("signals", [[], None])
@pytest.mark.parametrize(("role", "kind"), list(product(DestinationRole, DestinationKind)))
def test_a_mark_never_lets_through_what_the_signals_stop(
    flagged: bool | None,
    signals: list[ListSignal] | None,
    role: DestinationRole,
    kind: DestinationKind,
) -> None:
    asked = guard(Environment.PRODUCTION, signals)
    there = destination(kind, role)
    for person in (LISTED, UNLISTED):
        alone, _ = asked.decision(person, there)
        both, _ = asked.decision(person, there, flagged=flagged)
        if both is GuardDecision.SEND:
            assert alone is GuardDecision.SEND


def test_a_mark_alone_opens_no_test_system() -> None:
    mock = destination(DestinationKind.MOCK, DestinationRole.AUTHORITY)
    decision, _ = guard(Environment.DEMO).decision(UNLISTED, mock, flagged=True)
    assert decision is GuardDecision.BLOCK


# --- lists --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["testpersonnummer", PATIENT], id="Skatteverket's CSV"),
        pytest.param(["testpersonnummer;kommentar", f"{PATIENT};x"], id="more columns"),
        pytest.param([f'"{PATIENT}","x"'], id="quoted"),
        pytest.param([PATIENT], id="plain, no header"),
        pytest.param(["# ours", "", f"  {PATIENT}  ", ""], id="comments, blank lines, spaces"),
        pytest.param([f"{PATIENT[:8]}-{PATIENT[8:]}"], id="dash"),
        pytest.param(["# ours", "", "personnummer", PATIENT], id="header after comments"),
    ],
)
def test_lists_are_read_in_every_form(lines: list[str]) -> None:
    assert parse_list("list", lines) == {PATIENT}


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        pytest.param([PATIENT, "18900101980"], 2, id="cut off in the last line"),
        pytest.param([PATIENT, "189001019803"], 2, id="a digit has changed"),
        pytest.param(["header", "another header", PATIENT], 2, id="two headers"),
        pytest.param([PATIENT, "header"], 2, id="text in the middle"),
        pytest.param(["9001019802"], 1, id="ten digits"),
        pytest.param(["testpersonnummer 2026"], 1, id="header with digits"),
    ],
)
def test_a_damaged_list_is_refused_with_its_line(lines: list[str], line: int) -> None:
    with pytest.raises(DamagedListError, match=f"line {line}") as caught:
        parse_list("list", lines)
    assert not any(cell in str(caught.value) for cell in lines if cell[0].isdigit())


@pytest.mark.parametrize("lines", [[], ["testpersonnummer"], ["# nothing yet"]])
def test_an_empty_list_is_damaged(lines: list[str]) -> None:
    with pytest.raises(DamagedListError, match="no number"):
        parse_list("list", lines)


def test_a_file_with_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"\xef\xbb\xbftestpersonnummer\r\n" + PATIENT.encode() + b"\r\n")
    assert read_list(path) == {PATIENT}


def test_a_file_that_is_no_text_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"\xff\xfe\x31\x00")
    with pytest.raises(DamagedListError, match="not UTF-8"):
        read_list(path)


def test_a_missing_configured_file_cannot_tell(tmp_path: Path) -> None:
    whole = tmp_path / "ehr.txt"
    whole.write_text(PATIENT)
    settings = Settings(
        environment=Environment.PRODUCTION,
        test_patients=TestPatientSettings(
            list_files=(tmp_path / "gone.csv",), ehr_list_files=(whole,)
        ),
    )
    patients = build_test_patients(settings.test_patients)
    assert patients.verdict(LISTED).kind is PatientKind.TEST
    assert patients.verdict(LISTED).signal == "EHR's list ehr.txt"
    assert patients.verdict(UNLISTED).kind is PatientKind.CANNOT_TELL
    assert patients.verdict(UNLISTED).signal == "list gone.csv"


def test_the_ehrs_own_list_never_says_who_is_no_test_patient(tmp_path: Path) -> None:
    (tmp_path / "ehr.txt").write_text(PATIENT)
    patients = build_test_patients(TestPatientSettings(ehr_list_files=(tmp_path / "ehr.txt",)))
    assert patients.verdict(LISTED).kind is PatientKind.TEST
    assert patients.verdict(UNLISTED).kind is PatientKind.CANNOT_TELL
    assert not patients.can_clear()


def test_24000_numbers_load_in_a_fifth_of_a_second(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("testpersonnummer\n" + f"{PATIENT}\n" * 24_000)
    fastest = min(_seconds_to_read(path) for _ in range(3))  # the machine may be busy elsewhere
    assert fastest < 0.2


def _seconds_to_read(path: Path) -> float:
    start = time.perf_counter()
    read_list(path)
    return time.perf_counter() - start


def test_a_guard_that_has_asked_keeps_its_answer_and_knows_nobody_else() -> None:
    asked: list[PersonId] = []

    class Once(TestPatients):
        def verdict(self, person: PersonId) -> PatientVerdict:
            asked.append(person)
            return super().verdict(person)

    mock = destination(DestinationKind.MOCK, DestinationRole.AUTHORITY)
    signals = [ListSignal("list", frozenset({PATIENT}))]
    knowing = Guard(Once(signals), Environment.DEMO).knowing(LISTED)
    for _ in range(2):
        assert knowing.decision(LISTED, mock)[0] is GuardDecision.SEND
    assert knowing.verdict(PersonId("", PATIENT)).kind is PatientKind.TEST  # the number decides
    assert asked == [LISTED]
    with pytest.raises(ValueError, match="nobody has asked"):
        knowing.verdict(UNLISTED)
