"""What may stand in an answer: the usual, and what some rule refuses."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from intyg.schemas.examples.draft import Code, PartialDate, Period, Quantity, Text, Twice, Value
from intyg.schemas.examples.values import choices, odd
from intyg.schemas.finding import Severity
from intyg.schemas.intyg_model import Count, Delsvar, Limit, Question, Ref
from tests.strategies import TYPES

TODAY = date(2026, 11, 23)
BORN = date(1989, 1, 1)
REF = Ref("R1", Severity.ERROR)
LAST: list[Value] = [
    Text(""),
    Text("kanske"),
    Text("10"),
    Code("X", "X"),
    Text("2026-02-30"),
]
"""What is odd anywhere."""


def part(kind: str, **facets: Any) -> Delsvar:
    return Delsvar("1.1", "term", kind, (REF, REF), Count(1, 1, REF, REF), **facets)


def question() -> Question:
    return replace(TYPES.lookup("FK7804", "1").questions[0], term="term")


def texts(*values: str) -> list[Value]:
    return [Text(value) for value in values]


NUMBERS = texts("0", "0.4", "0,4", "0.05", "0,05", "2.5", "2,5", "101", "-1", "100000")
DAYS = texts("2027-12-28", "2026-11-24", "2027-11-24", "2026-08-15", "2024-09-14", "1926-12-18")
BIRTH = texts("1989-01-11", "1987-11-28")
UNKNOWN = texts("2999-12-31", "0000-00-00", "2026-00-00")


@pytest.mark.parametrize(
    ("kind", "now", "wrong"),
    [
        ("integer", Text("7"), [*texts(" 7", "7Z"), *NUMBERS]),
        ("decimal_comma", Text("0,8"), [*texts(" 0,8", "0,8Z"), *NUMBERS]),
        (
            "date",
            Text("2026-11-23"),
            [*texts(" 2026-11-23", "2026-11-23Z"), *DAYS, *BIRTH, *UNKNOWN],
        ),
        ("text", Text("Ja"), texts(" Ja", "JaZ")),
        (
            "year",
            PartialDate("2025"),
            [
                *(PartialDate(year) for year in ("2999", "1001", "2026-05")),
                Twice(PartialDate("2025")),
            ],
        ),
        (
            "period",
            Period("2026-11-23", "2026-12-05"),
            [
                Period("2026-12-05", "2026-11-23"),
                Period("2026-12-07", "2026-12-21"),
                Period("2026-11-23", "2027-01-22"),
                Period("2026-10-24", "2026-11-03"),
                Period("2025-10-19", "2025-10-29"),
                Period("1926-12-18", "2026-11-23"),
                Period("2026-11-23", "2126-10-30"),
                Twice(Period("2026-11-23", "2026-12-05")),
            ],
        ),
        (
            "pq",
            Quantity("50.0", "%"),
            [
                *(Quantity(number, "%") for number in ("50", "150.0", "0.0")),
                Quantity("20.0", "kg"),
                Twice(Quantity("50.0", "%")),
            ],
        ),
    ],
)
def test_what_some_rule_refuses(kind: str, now: Value, wrong: list[Value]) -> None:
    assert odd(part(kind), now, 1, TODAY, BORN) == [*wrong, *LAST]


def test_a_text_is_odd_when_it_is_too_long() -> None:
    long, *_ = odd(part("text", length=Limit(40, REF)), Text("Ja"), 0, TODAY, None)
    assert isinstance(long, Text)
    assert len(long.text) > 40


@pytest.mark.parametrize(
    ("kind", "usual"),
    [
        ("yes_no", texts("true", "false")),
        (
            "date",
            texts(
                "2026-11-23", "2026-11-21", "2026-11-17", "2026-11-10", "2026-10-14", "2027-01-22"
            ),
        ),
        ("year", [PartialDate("2025"), PartialDate("2022"), PartialDate("2015")]),
        ("integer", texts("50", "3", "75", "12")),
        (
            "period",
            [
                Period("2026-12-07", "2026-12-19"),
                Period("2027-02-15", "2027-02-27"),
                Period("2026-12-02", "2026-12-14"),
            ],
        ),
        ("pq", [Quantity("50.0", "%"), Quantity("25.0", "%"), Quantity("100.0", "%")]),
    ],
)
def test_what_is_usual(kind: str, usual: list[Value]) -> None:
    assert list(choices(question(), part(kind), 1, TODAY)) == usual


def test_where_no_text_fits_it_is_the_shortest() -> None:
    assert choices(question(), part("text", length=Limit(3, REF)), 0, TODAY) == [Text("Ja")]
