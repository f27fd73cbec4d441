"""Statistics on pages: what is shown, to whom, and what is said where nothing can be."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

import pytest
from flask.testing import FlaskClient

from intyg.adapter.console.pages.statistics_label_texts import english
from intyg.adapter.settings.settings import Settings
from intyg.adapter.statistics import groups, intyg_reports, sjukfall_reports, texts
from intyg.adapter.statistics.catalogue import REPORTS
from intyg.adapter.statistics.diagnoses import CHAPTERS, GROUPS
from intyg.adapter.store import Store
from tests import builders
from tests.adapter.conftest import VirtualClock
from tests.adapter.console.pages.entering import enter
from tests.adapter.flows.rig import Rig, new_rig

PATH: Final = "/console/statistics"
MONTH: Final = "from=2026-11&to=2026-11"
OTHER_UNIT: Final = "SE0000000000-UNIT2"


@pytest.fixture
def rig(clock: VirtualClock) -> Iterator[Rig]:
    """Two certificates of one unit, and one of another."""
    store = Store("sqlite://", clock)
    store.migrate()
    rig = new_rig(store)
    rig.ok(
        builders.register_certificate("one"),
        builders.register_certificate("two", builders.OTHER_PATIENT),
        builders.register_certificate("three", builders.OTHER_PATIENT, unit=OTHER_UNIT),
    )
    yield rig
    store.close()


@pytest.fixture
def operator(rig: Rig, settings: Settings) -> FlaskClient:
    return enter(rig.services, settings, "operator")


def cells(page: str) -> list[list[str]]:
    """The first table of a page."""
    table = page[page.index("<tbody") : page.index("</table>")]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.S)
    return [re.findall(r"<t[dh][^>]*>([^<]*)<", row) for row in rows]


def test_the_overview_tells_figures_draws_them_and_has_them_as_tables(
    operator: FlaskClient,
) -> None:
    page = operator.get(f"{PATH}?{MONTH}").text
    assert re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", page) == [
        ("Sjukfall", "2"), ("Kvinnor", "1"), ("Män", "1"),
        ("Längre än 90 dagar", "0"), ("Begärs kompletterade", "–"),
    ]  # fmt: skip
    assert "Alla enheter, november 2026" in page
    assert page.count('role="img"') == 3 * 5  # each in three widths
    assert re.search(r"<desc>Kvinnor: 1 sjukfall \(nov\)", page)
    assert len(set(re.findall(r'id="([^"]+)"', page))) == len(re.findall(r' id="', page))
    assert cells(page) == [["nov 2026", "1", "1", "2"]]
    assert 'href="/console/statistics?report=sjukfall-age&amp;from=2026-11' in page


def test_the_table_and_the_file_have_the_figures_of_the_plot(operator: FlaskClient) -> None:
    address = f"report=sjukfall-unit&{MONTH}&shape=period"
    page = operator.get(f"{PATH}?{address}").text
    told = cells(page)
    assert [row[1:] for row in told] == [["1", "1", "2"], ["0", "1", "1"]]
    file = operator.get(f"{PATH}/csv?{address}")
    assert "sjukfall-unit_2026-11_2026-11.csv" in file.headers["Content-Disposition"]
    lines = [line.split(";")[1:] for line in file.text.splitlines()[1:]]
    assert lines == told
    assert re.findall(r'<text [^>]*font-weight="600">(\d+)</text>', page)[:4] == [
        "1",
        "1",
        "0",
        "1",
    ]


def test_a_unit_and_a_period_stand_in_the_address(operator: FlaskClient) -> None:
    page = operator.get(f"{PATH}?report=sjukfall&{MONTH}&unit={OTHER_UNIT.lower()}").text
    assert cells(page) == [["nov 2026", "0", "1", "1"]]
    assert f'<option value="{OTHER_UNIT}" selected>' in page
    assert 'value="2026-11"' in page


def test_every_report_has_a_page_or_says_which_register_is_missing(operator: FlaskClient) -> None:
    missing = {
        "sjukfall-title": "ingen personalkatalog är uppsatt",
        "sjukfall-doctor-age": "läkares ålder och kön",
        "sjukfall-county": "enheters län",
        "sjukfall-compare": None,
    }
    for name in REPORTS:
        answer = operator.get(f"{PATH}?report={name}")
        says = missing.get(name, "")
        assert answer.status_code == (200 if says is not None else 400), name
        assert (says or "") in answer.text, name
        assert builders.PATIENT not in answer.text
        if says:
            assert "<svg" not in answer.text.partition("Rapporten går inte")[2]
            assert "<table" not in answer.text
    assert operator.get(f"{PATH}?report=sjukfall-compare&diagnosis=S00-T98").status_code == 200


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("report=nothing", "ingen rapport som heter nothing"),
        ("from=2026-03&to=2026-01", "slutar innan den börjar"),
        ("from=2012-01&to=2012-05", "ingen statistik före 2013-10"),
        ("from=2027-01&to=2027-02", "sista månaden som kan visas är 2026-11"),
        ("from=mars", "Skriv månaden som 2026-01"),
        ("unit=NOWHERE", "Inget intyg från NOWHERE räknas här"),
        ("diagnosis=X", "Ingen diagnoskod börjar med X"),
        ("report=sjukfall-compare", "Skriv de diagnoser som ska jämföras"),
        ("report=sjukfall&level=nation&age=21-25", "kan inte filtreras"),
        ("report=sjukfall&age=1-2", "age: give one of"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_shown(
    operator: FlaskClient, query: str, text: str
) -> None:
    for path in (PATH, f"{PATH}/csv"):
        answer = operator.get(f"{path}?{query}")
        assert answer.status_code == 400
        assert text in unescape(answer.text)
        assert '<form class="filters"' in answer.text
        assert "<table" not in answer.text


def test_a_filter_that_a_report_lacks_is_said_to_do_nothing(operator: FlaskClient) -> None:
    page = operator.get(f"{PATH}?report=intyg-type&{MONTH}&length=0-14&shape=period").text
    assert "har inte filtret Sjukfallets längd" in page
    assert cells(page) == [["LISJP", "1", "2", "3"]]


def test_small_figures_of_a_region_are_neither_told_nor_drawn(operator: FlaskClient) -> None:
    page = operator.get(f"{PATH}?report=sjukfall&{MONTH}&shape=period&level=region").text
    assert cells(page) == [["Alla", "färre än 5", "färre än 5", "0"]]
    assert "Tal under 5 visas inte" in page
    assert re.findall(r'<text [^>]*font-weight="600">([^<]+)</text>', page)[:2] == ["–", "–"]


def test_care_sees_its_own_unit_alone(rig: Rig, settings: Settings) -> None:
    care = enter(rig.services, settings, "care")
    page = care.get(f"{PATH}?report=sjukfall&{MONTH}").text
    assert cells(page) == [["nov 2026", "1", "1", "2"]]
    assert 'name="unit"' not in page
    assert OTHER_UNIT not in page
    assert "Spärrade sändningar" not in page
    assert care.get(f"{PATH}/csv?report=sjukfall&{MONTH}").text.endswith("Alla;1;1;2\r\n")
    for beside in (f"unit={OTHER_UNIT}", "level=region", "level=nation", "report=blocked"):
        for path in (PATH, f"{PATH}/csv"):
            answer = care.get(f"{path}?{'' if 'report' in beside else 'report=sjukfall&'}{beside}")
            assert answer.status_code == 403
            assert "Du ser bara din egen enhets tal" in answer.text
            assert "<table" not in answer.text
    nobody = enter(rig.services, settings, "other").get(PATH)
    assert (nobody.status_code, "Inget att räkna ännu" in nobody.text) == (200, True)


@pytest.mark.parametrize("name", ["viewer", "auditor"])
def test_others_see_all(rig: Rig, settings: Settings, name: str) -> None:
    client = enter(rig.services, settings, name)
    page = client.get(f"{PATH}?report=intyg-type&{MONTH}&shape=period").text
    assert cells(page) == [["LISJP", "1", "2", "3"]]


def test_in_english_everything_but_names_is_english(operator: FlaskClient) -> None:
    operator.set_cookie("lang", "en", path="/console")
    page = operator.get(f"{PATH}?report=sjukfall-length&{MONTH}&shape=period").text
    assert "At most 14 days" in page
    assert "Sick-leave cases" in page
    assert re.search(r"<desc>Women: \d+ cases \(At most 14 days\)", page)
    assert set(re.findall(r"[^\s<>\"]*[åäöÅÄÖ][^\s<>\"]*", page)) <= {"Påhittade", "vårdcentralen"}


def test_every_word_of_reports_has_its_english() -> None:
    said = {
        *(kind.title for kind in REPORTS.values()), *texts.COLUMNS.values(), *GROUPS.values(),
        *CHAPTERS.values(), *groups.AGES.labels, *groups.WIDE_AGES.labels, *groups.LENGTHS.labels,
        *groups.TITLES.values(), *(label for *_, label in groups.FRAGOR),
        *intyg_reports.AMNEN.values(), *(sjukfall_reports.LONG.labels or {}).values(), "Fler än 10",
        *(f"LUSE, {label.lower()}" for *_, label in groups.FRAGOR), "Komplettering, vården svarar",
        sjukfall_reports.UNIT, "intyg", "meddelanden", "procent", "timmar", "påminnelser",
        "leveranser", "spärrade", "händelser", "kompletteringar",
        "Intyg med kompletteringsbegäran, %",
    }  # fmt: skip
    assert {word for word in said if english(word) == word} == set()
    assert not any(re.search(r"[åäöÅÄÖ]", english(word)) for word in said)
    assert english("Norra vårdcentralen") == "Norra vårdcentralen"
