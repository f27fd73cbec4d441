"""`/api/route`: where a message would go, over REST."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from intyg.adapter.console.app import build_console
from intyg.adapter.store import Store
from tests import builders
from tests.adapter.flows.rig import (
    FK,
    VirtualClock,
    make_services,
    make_settings,
)

ASKED = {"contract": "RegisterCertificate", "address": FK}


@pytest.fixture
def console(tmp_path: Path) -> Iterator[FlaskClient]:
    clock = VirtualClock()
    store = Store(f"sqlite:///{tmp_path / 'adapter.sqlite'}", clock)
    yield build_console(make_services(make_settings(data_dir=tmp_path), store, clock)).test_client()
    store.close()


def test_it_says_what_the_command_says(console: FlaskClient) -> None:
    told = console.get("/api/route", query_string=ASKED).get_json()
    assert told["goes"] is True
    names = ["sender", "route", "permission", "guard", "address", "certificate"]
    assert [step["step"] for step in told["steps"]] == names
    assert {step["state"] for step in told["steps"]} <= {"ok", "note"}


def test_a_person_comes_in_the_body_of_a_post(console: FlaskClient) -> None:
    guarded = console.post("/api/route", data={**ASKED, "patient": builders.PATIENT})
    text = {step["step"]: step["text"] for step in guarded.get_json()["steps"]}["guard"]
    assert text.startswith("patient: test (list")
    assert builders.PATIENT not in guarded.get_data(as_text=True)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"contract": "RegisterCertificate"}, "address"),
        ({"contract": "X", "address": "FK"}, "contract"),
        ({**ASKED, "patient": builders.PATIENT}, "POST"),
    ],
)
def test_what_it_cannot_answer_is_refused(
    console: FlaskClient, asked: dict[str, str], says: str
) -> None:
    answer = console.get("/api/route", query_string=asked)
    assert answer.status_code == 400
    assert says in answer.get_json()["detail"]
    assert builders.PATIENT not in answer.get_data(as_text=True)


def test_a_number_that_is_none_is_not_repeated(console: FlaskClient) -> None:
    answer = console.post("/api/route", data={**ASKED, "patient": "189001019803"})
    assert answer.status_code == 400
    assert "189001019803" not in answer.get_data(as_text=True)
