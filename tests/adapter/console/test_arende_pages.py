"""`/api/arenden`."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from intyg.adapter.console.app import build_console
from intyg.adapter.settings.settings import ConsoleSettings
from intyg.adapter.store import file_of
from tests import builders
from tests.adapter.databases import SQLITE
from tests.adapter.flows.rig import Rig, copied_rig, make_settings

CLINIC = "SE0000000000-CLINIC"
OF_UNIT = f"/api/arenden?unit={builders.UNIT}"


@pytest.fixture
def rig(migrated_urls: dict[str, str], tmp_path: Path) -> Iterator[Rig]:
    """A certificate was sent; Försäkringskassan has asked and reminded, and care has asked."""
    empty = Path(str(file_of(migrated_urls[SQLITE])))
    with copied_rig(empty.parent, tmp_path) as rig:
        rig.ok(builders.register_certificate(), builders.send_certificate_to_recipient())
        rig.deliver()
        ask(rig)
        yield rig


def ask(rig: Rig) -> None:
    rig.ok(
        builders.send_message_to_care("q-1", "KOMPLT", sista_datum="2026-12-01"),
        builders.send_message_to_recipient("q-2"),
        builders.send_message_to_care("r-1", "PAMINN", paminner="q-1"),
    )


@pytest.fixture
def console(rig: Rig) -> FlaskClient:
    return build_console(rig.services).test_client()


def get(console: FlaskClient, path: str) -> dict[str, Any]:
    answer = console.get(path)
    assert answer.status_code == 200, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


def test_a_units_questions_and_how_many_there_are(console: FlaskClient) -> None:
    found = get(console, OF_UNIT)
    asked, care = found["arenden"]
    assert (asked["meddelandeId"], care["meddelandeId"]) == ("q-1", "q-2")
    assert asked.items() >= {
        "atgard": "complement", "turn": "care", "asker": "authority", "part": "FKASSA",
        "sistaDatumForSvar": "2026-12-01", "overdue": False, "reminders": 1, "forwarded": False,
    }.items()  # fmt: skip
    assert (asked["told"]["handelsekod"], care["told"]["handelsekod"]) == ("NYFRFM", "NYFRFV")
    assert found["counts"] == {"care": 1, "authority": 1, "nobody": 0, "overdue": 0}
    assert found["units"] == {builders.UNIT: 2}
    assert builders.PATIENT not in str(found)


def test_filters_and_the_next_page_are_in_the_address(console: FlaskClient) -> None:
    first = get(console, f"{OF_UNIT}&limit=1")
    rest = get(console, f"{OF_UNIT}&limit=1&before={first['next']}")
    assert [one["meddelandeId"] for one in (*first["arenden"], *rest["arenden"])] == ["q-1", "q-2"]
    assert rest["next"] is None
    only = get(console, f"{OF_UNIT}&asker=care")
    assert (only["found"], [one["meddelandeId"] for one in only["arenden"]]) == (1, ["q-2"])


@pytest.mark.parametrize(
    "wrong", ["turn=mine", "before=yesterday", "atgard=x", "overdue=perhaps", "patient=1&x=1"]
)
def test_what_is_wrong_is_said(console: FlaskClient, wrong: str) -> None:
    answer = console.get(f"{OF_UNIT}&{wrong}")
    assert answer.status_code == 400
    assert answer.get_json()["detail"].partition(":")[0] in wrong


def test_a_patients_are_asked_for_by_a_form_alone(console: FlaskClient) -> None:
    for number, expected in (
        (f"{builders.PATIENT[:8]}-{builders.PATIENT[8:]}", 2),
        (builders.OTHER_PATIENT, 0),
        ("nobody", 0),
    ):
        answer = console.post("/api/arenden", data={"patient": number})
        assert (answer.status_code, answer.get_json()["found"]) == (200, expected)
    in_address = console.post(f"/api/arenden?patient={builders.PATIENT}")
    assert in_address.status_code == 400
    assert console.get("/api/arenden").status_code == 400


def test_units_under_one_are_listed_with_it(rig: Rig) -> None:
    units = {"SE0000000000-ABOVE": {"sub_units": [CLINIC, builders.UNIT.lower()]}}
    settings = make_settings(console=ConsoleSettings.model_validate({"units": units}))
    console = build_console(replace(rig.services, settings=settings)).test_client()
    assert get(console, "/api/arenden?unit=se0000000000-above")["found"] == 2
    assert get(console, f"/api/arenden?unit={CLINIC}")["found"] == 0
