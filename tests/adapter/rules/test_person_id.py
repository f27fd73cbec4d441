from datetime import date

import pytest

from intyg.adapter.domain.person import PersonId
from intyg.adapter.rules.person_id import (
    check_person,
    luhn_holds,
    root_of,
    same_person,
)
from intyg.schemas.codes import PERSONNUMMER_ROOT, SAMORDNINGSNUMMER_ROOT
from tests import builders

TODAY = date(2026, 11, 23)


def rules(number: str, root: str | None = None) -> list[str]:
    """The ids of the rules that a number breaks."""
    person = PersonId(root or PERSONNUMMER_ROOT, number)
    return [finding.rule for finding in check_person(person, "/p", TODAY)]


@pytest.mark.parametrize(
    "number",
    [
        builders.PATIENT,
        builders.UNLISTED_PATIENT,
        builders.SAMORDNINGSNUMMER,
        builders.SAMORDNINGSNUMMER_WITHOUT_MONTH,
        builders.SAMORDNINGSNUMMER_WITHOUT_DAY,
    ],
)
def test_published_test_numbers_break_no_rule(number: str) -> None:
    assert rules(number, root_of(number)) == []


@pytest.mark.parametrize(
    ("number", "root", "broken"),
    [
        pytest.param("189001019803", None, ["PERSON_ID_LUHN"], id="last digit one too high"),
        pytest.param("189013019802", None, ["PERSON_ID_DATE"], id="month 13"),
        pytest.param("189002309802", None, ["PERSON_ID_DATE"], id="30 February"),
        pytest.param("183912319802", None, ["PERSON_ID_DATE"], id="born 1839"),
        pytest.param("202611249802", None, ["PERSON_ID_DATE"], id="born tomorrow"),
        pytest.param("189000009802", None, ["PERSON_ID_DATE"], id="month 00 of a personnummer"),
        pytest.param("202701019802", None, ["RESERVE_NUMBER"], id="a year that has not come"),
        pytest.param("992026110001", None, ["RESERVE_NUMBER"], id="a region's own, begins with 99"),
        pytest.param(
            "189001019802",
            SAMORDNINGSNUMMER_ROOT,
            ["PERSON_ID_ROOT"],
            id="personnummer, wrong root",
        ),
        pytest.param(
            "191401682396",
            PERSONNUMMER_ROOT,
            ["PERSON_ID_ROOT"],
            id="samordningsnummer, wrong root",
        ),
        pytest.param(
            "189001019803",
            SAMORDNINGSNUMMER_ROOT,
            ["PERSON_ID_ROOT", "PERSON_ID_LUHN"],
            id="two faults are told together",
        ),
        pytest.param("18900101980", None, ["PERSON_ID_DATE"], id="11 digits"),
        pytest.param("18900101980²", None, ["PERSON_ID_DATE"], id="a digit that is not ASCII"),
    ],
)
def test_each_rule_is_told_by_its_id(number: str, root: str | None, broken: list[str]) -> None:
    assert rules(number, root) == broken


def test_findings_do_not_hold_the_number() -> None:
    for number in ("189001019803", "202701019802", "189013019802"):
        for finding in check_person(PersonId("x", number), "/p", TODAY):
            assert number not in str(finding)


def test_luhn_by_hand() -> None:
    # 9001019802: 9·2=18→9, 0, 0·2=0, 1, 0·2=0, 1, 9·2=18→9, 8, 0·2=0, 2: sum 30
    assert luhn_holds("189001019802")
    # swapping two neighbours is what the check is for
    assert not luhn_holds("189001019820")


def test_persons_are_told_apart_by_number_alone() -> None:
    one = PersonId(PERSONNUMMER_ROOT, builders.PATIENT)
    assert same_person(one, PersonId(SAMORDNINGSNUMMER_ROOT, builders.PATIENT))
    assert not same_person(one, PersonId(PERSONNUMMER_ROOT, builders.OTHER_PATIENT))
