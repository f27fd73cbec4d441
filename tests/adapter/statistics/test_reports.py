"""Filters, small numbers, bad input, registers, and the reports of our own."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from intyg.adapter.clients.diagnoses import read_diagnoses
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.errors import TechnicalError
from intyg.adapter.domain.intyg import Yrken
from intyg.adapter.rules.signer_roles import StaffMember
from intyg.adapter.statistics.catalogue import REPORTS, make_report
from intyg.adapter.statistics.diagnoses import CHAPTERS, SECTIONS, Icd10
from intyg.adapter.statistics.formats import as_csv, as_json
from intyg.adapter.statistics.own_reports import quantile
from intyg.adapter.statistics.plots import draw
from intyg.adapter.statistics.report import Level, MissingRegisterError, ReportError
from intyg.adapter.statistics.sjukfall_reports import Registers
from intyg.adapter.store import Store
from tests.adapter.statistics.history import (
    ANNA,
    BO,
    DAN,
    NORTH,
    OTHER,
    SOUTH,
    TODAY,
    Asked,
    Cert,
    figures,
    keep,
    leave,
    report,
)

JANUARY: dict[str, Any] = {"first": "2026-01", "to": "2026-01"}


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store("sqlite://", system_clock)
    store.migrate()
    yield store
    store.close()


def with_certs(store: Store, *certs: Cert, messages: tuple[Asked, ...] = ()) -> Store:
    with store.begin() as rows:
        keep(rows, certs, messages)
    return store


def cases(count: int, unit: str = NORTH, person: str = ANNA) -> list[Cert]:
    """So many cases of one person, six days apart, all of them in January to March."""
    first = date(2026, 1, 1).toordinal()
    days = [date.fromordinal(first + 7 * n) for n in range(count)]
    return [
        Cert(person, (replace(leave("01-01", "01-01"), first=day, last=day),), unit) for day in days
    ]


@pytest.mark.parametrize(
    ("cutoff", "shown"),
    [(5, (0, 0)), (4, (4, 0)), (3, (4, 3)), (0, (4, 3))],
)
def test_a_region_is_not_shown_small_numbers(
    store: Store, cutoff: int, shown: tuple[int, int]
) -> None:
    with_certs(store, *cases(4), *cases(3, SOUTH, BO))
    made = report(store, "sjukfall", cutoff=cutoff, level="region", **JANUARY, shape="period")
    [row] = made.table.rows
    assert row.values == (*shown, sum(shown))
    hidden = {name for name, n in zip(("female", "male"), shown, strict=True) if not n}
    assert row.hidden == hidden
    assert bool(made.notes) is (cutoff > 0)


def test_the_nation_hides_each_care_providers_before_it_adds(store: Store) -> None:
    with_certs(store, *cases(5), *cases(4, OTHER))
    months: dict[str, Any] = {"first": "2026-01", "to": "2026-02", "shape": "period"}
    assert figures(report(store, "sjukfall", level="nation", **months)) == {("", ""): (5, 0)}
    of_region = report(store, "sjukfall", level="region", **months)
    assert figures(of_region) == {("", ""): (9, 0)}


def test_a_small_part_hides_its_whole_in_a_region(store: Store) -> None:
    certs = [replace(one, sent=True) for one in cases(5)]
    with_certs(store, *certs, messages=(Asked(0), Asked(1), Asked(2), Asked(3)))
    for count, shown in ((5, (0, 0)), (4, (4, 5))):
        made = report(
            store, "completion-share", cutoff=count, level="region", shape="period", **JANUARY
        )
        assert [row.values[:2] for row in made.table.rows] == ([shown] if any(shown) else [])


def test_one_who_hides_says_so_and_never_draws_a_zero(store: Store) -> None:
    with_certs(store, *cases(4))
    made = report(store, "sjukfall", level="region", **JANUARY, shape="period")
    assert "färre än 5" in as_csv(made, 5)
    rows: Any = as_json(made)["rows"]
    assert rows[0]["hidden"] == ["female"]
    assert "–" in draw(made)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"first": "2026-03", "to": "2026-01"}, "ends before it begins"),
        ({"first": "2012-01", "to": "2012-05"}, "nothing before 2013-10"),
        ({"first": "2026-04", "to": "2026-05"}, "the last month that can be shown is 2026-03"),
        ({"first": "2026-13"}, "give a month"),
        ({"first": "2026-01-05"}, "give a month"),
        ({"first": ["2026-01", "2026-02"]}, "from: give one"),
        ({"unit": "SE0-NOWHERE"}, "no certificate of SE0-NOWHERE"),
        ({"diagnosis": "X"}, "no code begins with X"),
        ({"diagnosis": "M55"}, "no code begins with M55"),
        ({"diagnosis": "M00-M55"}, "no code begins with M00-M55"),
        ({"age": "20-29"}, "age: give one of 0-15"),
        ({"length": "1-3"}, "length: give one of 0-14"),
        ({"shape": "weeks"}, "shape: give one of months, period"),
        ({"level": "world"}, "level: give one of verksamhet"),
        ({"level": "nation", "unit": NORTH}, "no filter unit"),
        ({"colour": "red"}, "colour: no such parameter"),
        ({"type": "LISJP"}, "sjukfall has no such filter"),
        ({"within": "M00-M99"}, "sjukfall-diagnosis alone"),
    ],
)
def test_what_cannot_be_is_refused_with_a_text_that_says_so(
    store: Store, said: dict[str, Any], text: str
) -> None:
    with_certs(store, *cases(1))
    with pytest.raises(ReportError, match=text):
        report(store, "sjukfall", **said)


def test_no_such_report(store: Store) -> None:
    with pytest.raises(ReportError, match=r"nothing: no such report; there are overview, "):
        report(store, "nothing")
    with pytest.raises(ReportError, match="is made for verksamhet alone"):
        report(store, "intyg", level="nation")


@pytest.mark.parametrize(
    ("said", "period"),
    [
        ({}, ("2024-10", "2026-03")),  # 18 months, this one among them
        ({"shape": "period"}, ("2025-04", "2026-03")),
        ({"level": "nation"}, ("2024-09", "2026-02")),  # not this one
        ({"first": "2026-01", "to": "2026-08"}, ("2026-01", "2026-03")),
        ({"first": "2013-01", "to": "2014-01"}, ("2013-10", "2014-01")),
    ],
)
def test_periods_and_what_becomes_of_them(
    store: Store, said: dict[str, Any], period: tuple[str, str]
) -> None:
    made = report(store, "sjukfall", **said)
    told = as_json(made)
    assert (told["from"], told["to"]) == period
    cut = any("avkortad" in note for note in made.notes)
    assert cut is (said.get("to") not in (None, told["to"]) or said.get("first") == "2013-01")


# --- registers ------------------------------------------------------------------------------------


class Staff:
    def __init__(self, down: bool = False) -> None:
        self.down = down

    def find(self, hsa_id: str) -> StaffMember | None:
        if self.down:
            raise TechnicalError("the staff directory is down")
        titles = {"SE0-DOC1": {"201010", "999999"}, "SE0-DOC2": {"999999"}}
        found = titles.get(hsa_id)
        return None if found is None else StaffMember(Yrken(befattningar=frozenset(found)), ())


def by_title(store: Store, staff: Staff | None) -> dict[tuple[str, str], tuple[Any, ...]]:
    said = {"from": ["2026-01"], "to": ["2026-03"], "shape": ["period"]}
    with store.read() as rows:
        return figures(make_report(rows, "sjukfall-title", said, Registers(Icd10(), staff), TODAY))


def test_titles_come_from_the_staff_directory(store: Store) -> None:
    doctors = ("SE0-DOC1", "SE0-DOC2", "SE0-DOC3")
    days = ("01-01", "01-20", "02-10")
    with_certs(
        store,
        *(
            Cert(ANNA, (leave(day, day),), doctor=doctor)
            for doctor, day in zip(doctors, days, strict=True)
        ),
    )
    assert by_title(store, Staff()) == {
        ("", "201010"): (1, 0),
        ("", "other"): (1, 0),
        ("", "unknown"): (1, 0),
    }


@pytest.mark.parametrize(
    ("staff", "text"), [(None, "no staff directory is set up"), (Staff(down=True), "is down")]
)
def test_without_the_directory_no_zeros_are_shown(
    store: Store, staff: Staff | None, text: str
) -> None:
    with_certs(store, *cases(1))
    with pytest.raises(MissingRegisterError, match=text):
        by_title(store, staff)


@pytest.mark.parametrize(
    ("name", "said", "text"),
    [
        ("sjukfall-county", {"level": "nation"}, "counties"),
        ("sjukfall-doctor-age", {}, "age and sex"),
        ("sjukfall-diagnosis", {"within": "M54"}, "codes.icd10_file"),
    ],
)
def test_a_report_names_the_register_that_it_misses(
    store: Store, name: str, said: dict[str, Any], text: str
) -> None:
    with pytest.raises(MissingRegisterError, match=text):
        report(store, name, **said)


def test_a_list_of_codes_names_them_and_decides_which_there_are(tmp_path: Path) -> None:
    path = tmp_path / "icd.csv"
    path.write_text("M54;Ryggvärk\nM54.5;Lumbago\n", "utf-8")
    icd10 = Icd10(read_diagnoses(path))
    assert icd10.find("M5459").code == "M545"
    assert icd10.find("M549").code == "M54"
    assert icd10.find("F32").chapter == "Ö00-Ö00"  # not in the list
    assert icd10.label("M545") == "M545 Lumbago"


def test_sections_lie_in_chapters_and_do_not_overlap() -> None:
    for before, after in pairwise(SECTIONS):
        assert before[4:] < after[:3] or before[0] > after[0], (before, after)
    for section in SECTIONS:
        around = [one for one in CHAPTERS if one[:3] <= section[:3] and section[4:] <= one[4:]]
        assert len(around) == 1, section


def test_doctors_of_one_name_are_told_apart(store: Store) -> None:
    with_certs(
        store,
        Cert(ANNA, (leave("01-01", "01-02"),), doctor="SE0-DOC1"),
        Cert(BO, (leave("01-01", "01-02"),), doctor="SE0-DOC2"),
    )
    rows = report(store, "sjukfall-doctor", shape="period").table.rows
    labels = [row.label for row in rows]
    assert all(label.endswith(("(SE0-DOC1)", "(SE0-DOC2)")) for label in labels)


# --- as it is given -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shape"),
    [(name, shape.value) for name, kind in REPORTS.items() for shape in kind.shapes],
)
def test_every_report_of_nothing_is_given_in_every_way(store: Store, name: str, shape: str) -> None:
    said: dict[str, Any] = {"shape": shape}
    if Level.VERKSAMHET not in REPORTS[name].levels:
        said["level"] = "nation"
    if name == "sjukfall-compare":
        said["diagnosis"] = "M54"
    try:
        made = report(store, name, **said)
    except MissingRegisterError:
        return
    assert draw(made).startswith("<svg ")
    assert as_json(made)["report"] == name
    assert all(len(row.values) == len(made.table.columns) for row in made.table.rows)
    assert as_csv(made, 5).startswith("\ufeffMånad;Grupp;")


def test_csv_can_be_read_and_holds_no_formula(store: Store) -> None:
    with_certs(store, *cases(2))
    made = report(store, "sjukfall-unit", **JANUARY, shape="period")
    row = made.table.rows[0]._replace(label='=HYPERLINK("x";1)')
    text = as_csv(replace(made, table=replace(made.table, rows=(row,))), 5)
    [_, line] = csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";")
    assert line == ["Hela perioden", '\'=HYPERLINK("x";1)', "2", "0", "2"]


# --- our own --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "median", "nine_of_ten"),
    [([7], 7, 7), ([1, 2], 1, 2), (range(1, 11), 5, 9), (range(1, 12), 6, 10)],
)
def test_quantiles(numbers: list[float], median: float, nine_of_ten: float) -> None:
    assert (quantile(numbers, 0.5), quantile(numbers, 0.9)) == (median, nine_of_ten)


def test_filters_by_type_are_for_messages(store: Store) -> None:
    certs = (Cert(ANNA), Cert(DAN, typ="LUSE"))
    with_certs(store, *certs, messages=(Asked(0), Asked(1), Asked(1, "PAMINN")))
    made = report(store, "meddelanden-amne", **JANUARY, shape="period", type="luse")
    assert figures(made) == {("", "KOMPLT"): (0, 1), ("", "PAMINN"): (0, 1)}


def test_reminders_on_questions(store: Store) -> None:
    with_certs(store, Cert(ANNA), messages=(Asked(0), Asked(0, "KONTKT"), Asked(0, "PAMINN")))
    made = report(store, "reminders", first="2026-03", to="2026-03", shape="period")
    assert [(row.group, row.values) for row in made.table.rows] == [("FKASSA", (2, 1, 50.0))]


def test_questions_named_by_type(store: Store) -> None:
    with_certs(
        store,
        Cert(ANNA),
        Cert(BO, typ="LUSE"),
        messages=(Asked(0, fragor=("6", "32")), Asked(1, fragor=("37",))),
    )
    made = report(store, "completion-type", **JANUARY, shape="period")
    assert [(row.group, row.values) for row in made.table.rows] == [
        ("LISJP 32", (1,)),
        ("LISJP 6", (1,)),
        ("LUSE 32", (1,)),
    ]
