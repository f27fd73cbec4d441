"""Borders of sick-leave cases: what joins, what counts, and whose."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from intyg.adapter.domain.clock import system_clock
from intyg.adapter.statistics.sjukfall import Case, cases_in
from intyg.adapter.store import Line, Store
from tests.adapter.statistics.history import (
    ANNA,
    BO,
    NORTH,
    OTHER,
    SOUTH,
    Cert,
    Leave,
    figures,
    keep,
    leave,
    report,
)

FAR = (0, 10**6)


def line(intyg: int, first: int, last: int, unit: str = NORTH, level: int = 100) -> Line:
    return Line(intyg, "p", "VG", unit, f"doctor at {unit}", "F", 40, "M54", level, first, last)


def at_north(one: Line) -> bool:
    return one.enhets_id == NORTH


def seen(cases: list[Case]) -> list[tuple[int, int, int]]:
    """Lines, length, certificates."""
    return [(len(case.lines), case.length, case.intyg) for case in cases]


@pytest.mark.parametrize(
    ("lines", "cases"),
    [
        pytest.param([(1, 10), (16, 20)], [(2, 15, 2)], id="five days between"),
        pytest.param([(1, 10), (17, 20)], [(1, 10, 1), (1, 4, 1)], id="six days between"),
        pytest.param([(1, 10), (1, 10)], [(2, 10, 2)], id="the same days twice"),
        pytest.param([(1, 10), (5, 15)], [(2, 15, 2)], id="overlapping"),
        pytest.param([(1, 30), (2, 3), (36, 40)], [(3, 35, 3)], id="the end is the furthest"),
    ],
)
def test_what_joins(lines: list[tuple[int, int]], cases: list[tuple[int, int, int]]) -> None:
    every = [line(number, *days) for number, days in enumerate(lines)]
    assert seen(cases_in(every, FAR)) == cases


def test_a_certificate_with_two_periods_is_one() -> None:
    assert seen(cases_in([line(1, 1, 10), line(1, 11, 20, level=50)], FAR)) == [(2, 20, 1)]


def test_two_cases_in_two_months_may_be_one_in_the_year() -> None:
    lines = [line(1, 1, 10), line(2, 15, 16), line(3, 22, 30)]
    assert seen(cases_in(lines, (1, 30))) == [(3, 21, 3)]
    assert seen(cases_in(lines, (1, 12))) == [(1, 10, 1)]
    # in the second month what lies before it counts for the length, and not for certificates
    assert seen(cases_in(lines, (13, 30))) == [(2, 21, 2)]
    assert seen(cases_in(lines, (20, 30))) == [(1, 21, 1)]


def test_lines_that_begin_after_the_period_do_not_count() -> None:
    assert seen(cases_in([line(1, 1, 10), line(2, 11, 30)], (1, 10))) == [(1, 10, 1)]
    assert seen(cases_in([line(1, 1, 30)], (1, 10))) == [(1, 30, 1)]  # but these days do


def test_the_last_line_is_the_last_by_start_certificate_and_level() -> None:
    (case,) = cases_in([line(1, 1, 90), line(2, 5, 6), line(2, 5, 6, level=50)][:2], FAR)
    assert case.last == line(2, 5, 6)


# --- lines that are not looked at -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("hidden", "cases"),
    [
        pytest.param([], [(1, 10, 1), (1, 11, 1)], id="none"),
        pytest.param([(35, 38)], [(2, 25, 3)], id="between, joins them"),
        pytest.param([(28, 45)], [(2, 31, 3)], id="overlaps both"),
        pytest.param([(15, 18)], [(1, 14, 2), (1, 11, 1)], id="before, moves the start"),
        pytest.param([(14, 18), (8, 10)], [(1, 18, 3), (1, 11, 1)], id="moves it twice"),
        pytest.param([(10, 14), (1, 3)], [(1, 15, 2), (1, 11, 1)], id="and not a third time"),
        pytest.param([(5, 13)], [(1, 10, 1), (1, 11, 1)], id="too early"),
        pytest.param([(56, 60)], [(1, 10, 1), (1, 11, 1)], id="after"),
        pytest.param([(48, 60)], [(1, 10, 1), (1, 11, 1)], id="sticks out at the end"),
        pytest.param([(22, 25)], [(1, 10, 2), (1, 11, 1)], id="inside"),
        pytest.param([(20, 29)], [(1, 10, 1), (1, 11, 1)], id="the same days: not strictly inside"),
        pytest.param([(15, 32)], [(1, 10, 1), (1, 11, 1)], id="sticks out at both ends"),
    ],
)
def test_a_persons_other_lines_extend_the_case(
    hidden: list[tuple[int, int]], cases: list[tuple[int, int, int]]
) -> None:
    """At North days 20 to 29 and 40 to 50; the others are at South."""
    every = [line(1, 20, 29), line(2, 40, 50)]
    every += [line(10 + number, *days, unit=SOUTH) for number, days in enumerate(hidden)]
    found = cases_in(sorted(every, key=lambda one: one.first), FAR, at_north)
    assert seen(found) == cases
    assert {one.personal_id for case in found for one in case.lines} == {"doctor at SE0-NORTH"}


def test_a_certificate_counts_when_all_of_it_lies_inside() -> None:
    every = [line(1, 1, 30), line(5, 10, 12, SOUTH), line(5, 28, 40, SOUTH, 50)]
    assert seen(cases_in(every, FAR, at_north)) == [(1, 30, 1)]


# --- in a database --------------------------------------------------------------------------------


@pytest.fixture
def empty() -> Iterator[Store]:
    store = Store("sqlite://", system_clock)
    store.migrate()
    yield store
    store.close()


def with_certs(store: Store, *certs: Cert) -> Store:
    with store.begin() as rows:
        keep(rows, certs)
    return store


def of_quarter(store: Store, name: str, **said: Any) -> dict[tuple[str, str], tuple[Any, ...]]:
    return figures(report(store, name, shape="period", first="2026-01", to="2026-03", **said))


def test_another_care_providers_certificate_does_not_join(empty: Store) -> None:
    store = with_certs(
        empty,
        Cert(ANNA, (leave("01-01", "01-10"),)),
        Cert(ANNA, (leave("01-11", "01-19"),), unit=OTHER),
        Cert(ANNA, (leave("01-20", "01-25"),)),
    )
    assert of_quarter(store, "sjukfall") == {("", ""): (3, 0)}


@pytest.mark.parametrize(
    ("days", "group"),
    [
        (14, "0-14"), (15, "15-30"), (30, "15-30"), (31, "31-60"), (60, "31-60"), (61, "61-90"),
        (90, "61-90"), (91, "91-180"), (180, "91-180"), (181, "181-364"), (364, "181-364"),
        (365, "365-730"), (730, "365-730"), (731, "731-"),
    ],
)  # fmt: skip
def test_borders_of_lengths(empty: Store, days: int, group: str) -> None:
    first = date(2026, 1, 1).toordinal()
    period = Leave(date(2026, 1, 1), date.fromordinal(first + days - 1))
    store = with_certs(empty, Cert(BO, (period,)))
    assert of_quarter(store, "sjukfall-length") == {("", group): (0, 1)}
    assert bool(of_quarter(store, "sjukfall-long")) is (days > 90)


@pytest.mark.parametrize(
    ("person", "last", "group"),
    [
        ("201001022399", "01-01", "0-15"),  # born 2 January 2010
        ("201001022399", "01-02", "16-20"),
        ("200501142384", "01-13", "16-20"),
        ("200501142384", "01-14", "21-25"),
        ("196001209136", "01-20", "66-"),
        ("196001209136", "01-19", "61-65"),
    ],
)
def test_borders_of_ages(empty: Store, person: str, last: str, group: str) -> None:
    store = with_certs(empty, Cert(person, (leave("01-01", last),)))
    assert [found for _, found in of_quarter(store, "sjukfall-age")] == [group]


@pytest.mark.parametrize(
    ("written", "section"),
    [("m54.59-", "M50-M54"), ("X", "Ö00-Ö00"), ("Q9Z", "Ö00-Ö00"), (None, "Ö00-Ö00")],
)
def test_a_diagnosis_is_found_or_without_valid_code(
    empty: Store, written: str | None, section: str
) -> None:
    store = with_certs(empty, Cert(ANNA, (leave("01-02", "01-05"),), diagnosis=written))
    chapter = "Ö00-Ö00" if section.startswith("Ö") else "M00-M99"
    assert of_quarter(store, "sjukfall-diagnosis", within=chapter) == {("", section): (1, 0)}


def test_a_case_of_more_than_ten_certificates(empty: Store) -> None:
    certs = [Cert(ANNA, (leave("01-01", "01-30", level),)) for level in (25, 50) for _ in range(6)]
    store = with_certs(empty, *certs[:10])
    assert of_quarter(store, "sjukfall-intyg") == {("", "10"): (1, 0)}


def test_length_is_filtered_on_the_finished_case(empty: Store) -> None:
    store = with_certs(
        empty,
        Cert(ANNA, (leave("01-01", "01-14"),)),
        Cert(ANNA, (leave("01-15", "01-20"),)),
        Cert(BO, (leave("01-01", "01-14"),)),
    )
    assert of_quarter(store, "sjukfall", length="0-14") == {("", ""): (0, 1)}
    assert of_quarter(store, "sjukfall", length="15-30") == {("", ""): (1, 0)}
    assert of_quarter(store, "sjukfall", length=["15-30", "0-14"]) == {("", ""): (1, 1)}
