"""A quarter of one care provider whose figures were worked out by hand.

Four people, two units, eight certificates; each report's figures, women first.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from intyg.adapter.domain.clock import system_clock
from intyg.adapter.statistics.diagnoses import Icd10
from intyg.adapter.store import Store
from tests.adapter.statistics.history import (
    ANNA,
    BO,
    CIA,
    NORTH,
    SOUTH,
    Asked,
    Cert,
    figures,
    keep,
    leave,
    report,
)

D1, D2, D3 = "SE0-DOC1", "SE0-DOC2", "SE0-DOC3"

CERTS = (
    Cert(ANNA, (leave("01-05", "01-18"),), signed=date(2026, 1, 5), sent=True),
    Cert(
        ANNA,
        (leave("01-24", "02-20", 50),),
        doctor=D2,
        diagnosis="F43.8",
        signed=date(2026, 1, 23),
        sent=True,
    ),
    Cert(
        BO,
        (leave("01-10", "01-31"), leave("02-01", "02-14", 50)),
        signed=date(2026, 1, 10),
        sent=True,
    ),
    Cert(BO, (leave("02-21", "03-01"),), diagnosis="S82.6", signed=date(2026, 2, 20), sent=True),
    Cert(
        CIA,
        (leave("02-03", "02-20", 25),),
        unit=SOUTH,
        doctor=D3,
        diagnosis="Z73.3",
        signed=date(2026, 2, 3),
        sent=True,
    ),
    Cert(
        ANNA,
        (leave("02-01", "02-05"),),
        unit=SOUTH,
        doctor=D3,
        diagnosis="F32.9",
        signed=date(2026, 2, 1),
        revoked=True,
    ),
    Cert(BO, typ="TS8071", diagnosis=None, signed=date(2026, 2, 12)),
)
MESSAGES = (
    Asked(1, fragor=("35",)),
    Asked(2, fragor=("6", "32")),
    Asked(2, fragor=("17",), sent=date(2026, 2, 2)),
    Asked(2, "PAMINN", sent=date(2026, 2, 20)),
)
QUARTER: dict[str, Any] = {"first": "2026-01", "to": "2026-03"}


@pytest.fixture(scope="module")
def quarter() -> Iterator[Store]:
    store = Store("sqlite://", system_clock)
    store.migrate()
    with store.begin() as rows:
        keep(rows, CERTS, MESSAGES)
    yield store
    store.close()


def figures_of(store: Store, name: str, **said: Any) -> dict[tuple[str, str], tuple[Any, ...]]:
    return figures(report(store, name, **{**QUARTER, **said}))


def period(groups: dict[str, tuple[int, int]]) -> dict[tuple[str, str], tuple[int, int]]:
    return {("", group): numbers for group, numbers in groups.items()}


def test_cases_by_month(quarter: Store) -> None:
    assert figures_of(quarter, "sjukfall") == {
        ("01", ""): (1, 1),
        ("02", ""): (2, 2),
        ("03", ""): (0, 1),
    }
    totals = [row.values[2] for row in report(quarter, "sjukfall", **QUARTER).table.rows]
    assert totals == [2, 4, 1]


def test_cases_in_the_quarter(quarter: Store) -> None:
    assert figures_of(quarter, "sjukfall", shape="period") == {("", ""): (2, 2)}


def test_lengths_by_month(quarter: Store) -> None:
    assert figures_of(quarter, "sjukfall-length") == {
        ("01", "15-30"): (0, 1),  # 22 days: his second period begins after the month
        ("01", "31-60"): (1, 0),  # 14 + 28 days, the second certificate whole
        ("02", "0-14"): (0, 1),  # 9
        ("02", "15-30"): (1, 0),  # 18
        ("02", "31-60"): (1, 1),  # 42, the first certificate found backwards; 22 + 14
        ("03", "0-14"): (0, 1),
    }


def test_lengths_in_the_quarter(quarter: Store) -> None:
    lengths = figures_of(quarter, "sjukfall-length", shape="period")
    assert lengths == period({"0-14": (0, 1), "15-30": (1, 0), "31-60": (1, 1)})
    assert figures_of(quarter, "sjukfall-long") == {}


def test_ages_in_the_quarter(quarter: Store) -> None:
    ages = figures_of(quarter, "sjukfall-age", shape="period")
    # she became 46 between her two certificates, and the higher age counts
    assert ages == period({"26-30": (1, 0), "46-50": (1, 0), "61-65": (0, 2)})


def test_levels(quarter: Store) -> None:
    levels = figures_of(quarter, "sjukfall-level", shape="period")
    assert levels == period({"25": (1, 0), "50": (1, 1), "100": (1, 2)})
    of_february = figures_of(quarter, "sjukfall-level", first="2026-02", to="2026-02")
    assert of_february == {("02", "25"): (1, 0), ("02", "50"): (1, 1), ("02", "100"): (0, 1)}


def test_chapters(quarter: Store) -> None:
    chapters = figures_of(quarter, "sjukfall-chapter", shape="period")
    assert chapters == period(
        {"F00-F99": (1, 0), "M00-M99": (1, 1), "S00-T98": (0, 1), "Z00-Z99": (1, 0)}
    )
    assert figures_of(quarter, "sjukfall-chapter") == {
        ("01", "F00-F99"): (1, 0),
        ("01", "M00-M99"): (0, 1),
        ("02", "F00-F99"): (1, 0),
        ("02", "M00-M99"): (0, 1),
        ("02", "S00-T98"): (0, 1),
        ("02", "Z00-Z99"): (1, 0),
        ("03", "S00-T98"): (0, 1),
    }


def test_diagnosis_groups(quarter: Store) -> None:
    assert figures_of(quarter, "sjukfall-diagnosis", shape="period") == period(
        {"mental": (1, 0), "musculoskeletal": (1, 1), "other": (0, 1), "factors": (1, 0)}
    )


def test_parts_of_a_chapter_a_section_and_a_category(quarter: Store) -> None:
    def within(name: str, icd10: Icd10 | None = None) -> dict[tuple[str, str], tuple[Any, ...]]:
        made = report(
            quarter, "sjukfall-diagnosis", icd10=icd10, shape="period", within=name, **QUARTER
        )
        return figures(made)

    assert within("M00-M99") == period({"M50-M54": (1, 1)})
    assert within("M50-M54") == period({"M54": (1, 1)})
    codes = Icd10({"M54": "Ryggvärk", "M545": "Lumbago", "F438": "Reaktion", "S826": "Fraktur"})
    assert within("M54", codes) == period({"M545": (1, 1)})


def test_chosen_diagnoses_are_compared_among_all_cases(quarter: Store) -> None:
    compared = figures_of(quarter, "sjukfall-compare", shape="period", diagnosis=["M54", "F43"])
    assert compared == period({"F43": (1, 0), "M54": (1, 1)})
    by_month = figures_of(quarter, "sjukfall-compare", diagnosis=["M54", "F43"])
    assert by_month == {
        ("01", "F43"): (1, 0),  # her last diagnosis
        ("01", "M54"): (0, 1),
        ("02", "F43"): (1, 0),
        ("02", "M54"): (0, 1),
    }


def test_certificates_in_a_case(quarter: Store) -> None:
    counts = figures_of(quarter, "sjukfall-intyg", shape="period")
    assert counts == period({"1": (1, 2), "2": (1, 0)})


def test_doctors_and_units(quarter: Store) -> None:
    doctors = figures_of(quarter, "sjukfall-doctor", shape="period")
    assert doctors == period({D1: (1, 2), D2: (1, 0), D3: (1, 0)})
    of_february = figures_of(quarter, "sjukfall-doctor", first="2026-02", to="2026-02")
    assert of_february == {("02", D1): (0, 2), ("02", D2): (1, 0), ("02", D3): (1, 0)}
    units = figures_of(quarter, "sjukfall-unit", shape="period")
    assert units == period({NORTH: (1, 2), SOUTH: (1, 0)})


@pytest.mark.parametrize(
    ("months", "shares"),
    [
        # of the women's three one was asked about, of the men's two one
        ({"first": "2026-01", "to": "2026-02"}, (1, 3, 33, 1, 2, 50, 2, 5, 40)),
        ({"first": "2026-01", "to": "2026-01"}, (1, 2, 50, 1, 1, 100, 2, 3, 66)),
        ({"first": "2026-02", "to": "2026-02"}, (0, 1, 0, 0, 1, 0, 0, 2, 0)),
    ],
)
def test_share_that_is_asked_about(
    quarter: Store, months: dict[str, Any], shares: tuple[int, ...]
) -> None:
    made = report(quarter, "completion-share", shape="period", **months)
    assert [(row.group, row.values) for row in made.table.rows] == [("LISJP", shares)]


def test_questions_of_completion_requests(quarter: Store) -> None:
    assert figures_of(quarter, "completion-fraga") == {
        ("01", "6"): (0, 1),
        ("01", "17"): (0, 1),
        ("01", "32"): (0, 1),
        ("01", "35"): (1, 0),
    }


def test_certificates_by_month_and_type(quarter: Store) -> None:
    assert figures_of(quarter, "intyg") == {("01", ""): (2, 1), ("02", ""): (1, 1)}
    assert figures_of(quarter, "intyg-type") == {
        ("01", "LISJP"): (2, 1),
        ("02", "LISJP"): (1, 1),
        ("02", "TS8071"): (0, 1),
    }


def test_messages_by_subject_count_by_when_the_certificate_was_signed(quarter: Store) -> None:
    assert figures_of(quarter, "meddelanden-amne") == {
        ("01", "KOMPLT"): (1, 2),
        ("01", "PAMINN"): (0, 1),
    }
    assert figures_of(quarter, "meddelanden-unit", shape="period") == period(
        {f"{NORTH} KOMPLT": (1, 2), f"{NORTH} PAMINN": (0, 1)}
    )
    assert figures_of(quarter, "meddelanden-doctor", shape="period") == period(
        {f"{D1} KOMPLT": (0, 2), f"{D1} PAMINN": (0, 1), f"{D2} KOMPLT": (1, 0)}
    )


def test_messages_count_by_when_they_were_sent(quarter: Store) -> None:
    assert figures_of(quarter, "meddelanden") == {("01", ""): (1, 1), ("02", ""): (0, 2)}


@pytest.mark.parametrize("cutoff", [5, 3])
def test_the_nation_sees_nothing_of_so_few(quarter: Store, cutoff: int) -> None:
    for name in ("sjukfall", "sjukfall-age", "sjukfall-length", "intyg-type", "completion-share"):
        made = report(quarter, name, cutoff=cutoff, level="nation", first="2026-01", to="2026-02")
        assert figures(made) == {}


def test_the_nation_without_a_cutoff_sees_the_same(quarter: Store) -> None:
    made = report(quarter, "sjukfall", cutoff=0, level="nation", first="2026-01", to="2026-02")
    assert figures(made) == {("01", ""): (1, 1), ("02", ""): (2, 2)}


@pytest.mark.parametrize(("unit", "cases"), [(SOUTH, (1, 0)), (NORTH, (1, 2))])
def test_cases_of_one_unit(quarter: Store, unit: str, cases: tuple[int, int]) -> None:
    made = figures_of(quarter, "sjukfall", first="2026-02", to="2026-02", unit=unit)
    assert made == {("02", ""): cases}


def test_the_overview_of_a_month_beside_the_month_before(quarter: Store) -> None:
    made = report(quarter, "overview", first="2026-02", to="2026-02")
    told = {row.group: row.values for row in made.table.rows if any(row.values)}
    assert told == {
        "all": (2, 2, 4, 2, 2, 100),
        "diagnosis mental": (1, 0, 1, 1, 0, None),
        "diagnosis musculoskeletal": (0, 1, 1, 2, -1, None),  # in January one case had two
        "diagnosis other": (0, 1, 1, 0, 1, None),
        "diagnosis factors": (1, 0, 1, 0, 1, None),
        "age 21-30": (1, 0, 1, 0, 1, None),
        "age 41-50": (1, 0, 1, 1, 0, None),
        "age 61-": (0, 2, 2, 1, 1, None),
        "level 25": (1, 0, 1, 0, 1, None),
        "level 50": (1, 1, 2, 1, 1, None),
        "level 100": (0, 1, 1, 2, -1, None),
        "length 0-14": (0, 1, 1, 0, 1, None),
        "length 15-30": (1, 0, 1, 1, 0, None),
        "length 31-60": (1, 1, 2, 1, 1, None),
        # Of two that were signed in February and accepted, none; of three in January, two.
        "completed": (0, 0, 0, 66, -66, None),
    }
