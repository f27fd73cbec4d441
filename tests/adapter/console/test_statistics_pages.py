"""Statistics over REST."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from lxml import etree

from intyg.adapter.console.app import build_console
from intyg.adapter.settings.settings import CodesSettings, SettingsError
from intyg.adapter.statistics.catalogue import REPORTS
from intyg.adapter.store import Store
from tests import builders
from tests.adapter.conftest import VirtualClock
from tests.adapter.flows.rig import Rig, make_settings, new_rig

MONTH = "from=2026-11&to=2026-11&shape=period"


@pytest.fixture
def rig(tmp_path: Path, clock: VirtualClock) -> Iterator[Rig]:
    store = Store("sqlite://", clock)
    store.migrate()
    rig = new_rig(store)
    rig.ok(
        builders.register_certificate("one"),
        builders.register_certificate("two", builders.OTHER_PATIENT),
    )
    yield rig
    store.close()


@pytest.fixture
def console(rig: Rig) -> FlaskClient:
    return build_console(rig.services).test_client()


def test_the_reports_are_listed_with_what_they_take(console: FlaskClient) -> None:
    listed = console.get("/api/statistics").get_json()
    assert [one["report"] for one in listed] == [*REPORTS]
    assert listed[1] == {
        "report": "sjukfall",
        "title": "Antal sjukfall",
        "shapes": ["months", "period"],
        "levels": ["nation", "region", "verksamhet"],
        "filters": ["age", "diagnosis", "length", "unit"],
    }


def test_a_report_as_json(console: FlaskClient) -> None:
    report = console.get(f"/api/statistics/sjukfall?{MONTH}&unit={builders.UNIT}").get_json()
    assert report["rows"] == [
        {"month": None, "group": None, "label": "Alla", "female": 1, "male": 1, "total": 2}
    ]
    assert report["filters"] == {"unit": [builders.UNIT]}
    assert (report["from"], report["to"], report["unit"]) == ("2026-11", "2026-11", "sjukfall")


def test_the_same_as_csv_and_as_a_plot(console: FlaskClient) -> None:
    table = console.get(f"/api/statistics/sjukfall?{MONTH}&format=csv")
    assert table.text == ("\ufeffMånad;Grupp;Kvinnor;Män;Totalt\r\nHela perioden;Alla;1;1;2\r\n")
    assert "sjukfall.csv" in table.headers["Content-Disposition"]
    plot = console.get(f"/api/statistics/sjukfall?{MONTH}&format=svg")
    assert plot.mimetype == "image/svg+xml"
    assert etree.fromstring(plot.data).get("role") == "img"


def test_the_nation_sees_all_in_a_demonstration(console: FlaskClient) -> None:
    said = "from=2026-10&to=2026-10&level=nation"
    assert console.get(f"/api/statistics/sjukfall?{said}").status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("nothing", 404, "There is no such report; see /api/statistics."),
        ("sjukfall?unit=NOWHERE", 400, "no certificate of NOWHERE"),
        ("sjukfall?from=2026-02&to=2026-01", 400, "ends before it begins"),
        ("sjukfall?format=xlsx", 400, "format: give one of json, csv, svg"),
        ("sjukfall-title", 503, "no staff directory is set up"),
    ],
)
def test_what_is_wrong_is_said(console: FlaskClient, path: str, status: int, text: str) -> None:
    answer = console.get(f"/api/statistics/{path}")
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert text in answer.get_json()["detail"]


def test_facts_are_made_anew_beside_what_runs(rig: Rig, console: FlaskClient) -> None:
    with rig.services.store.begin() as rows:
        before = rows.statistics.all()
    first = console.post("/api/statistics/rebuild", data={"after": 0}).get_json()
    assert first == {"done": 2, "seq": 2, "lastSeq": 2, "whole": True}
    rest = console.post("/api/statistics/rebuild", data={"after": 2}).get_json()
    assert (rest["done"], rest["whole"]) == (0, True)
    with rig.services.store.begin() as rows:
        assert rows.statistics.all() == before


def test_no_number_of_a_person_is_shown(rig: Rig, console: FlaskClient) -> None:
    with rig.services.store.read() as rows:
        assert rows.statistics.all()
    for name in REPORTS:
        for form in ("json", "csv", "svg"):
            said = console.get(f"/api/statistics/{name}?format={form}").text
            assert builders.PATIENT not in said
            assert "hash of" not in said


def test_a_list_of_codes_that_cannot_be_read_is_refused_at_the_start(rig: Rig) -> None:
    settings = make_settings(codes=CodesSettings(icd10_file=Path("no-such-file.csv")))
    with pytest.raises(SettingsError, match=r"codes.icd10_file: no-such-file.csv"):
        build_console(replace(rig.services, settings=settings))
