from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from intyg.mocks import journalsystem
from intyg.mocks.control.token import brings, new_token
from intyg.mocks.journalsystem import SETTINGS
from intyg.mocks.server.serving import MockServer, serve
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders
from tests.mocks.calls import post, result

TOKEN = new_token()
NOTHING: dict[str, list[str] | None] = {"handelser": [], "nearest": None}


@pytest.fixture
def guarded(contracts: Contracts, types: IntygTypes) -> Iterator[MockServer]:
    with serve(
        journalsystem.PERSONA.make(contracts, types, replace(SETTINGS, control_token=TOKEN))
    ) as running:
        yield running


def get(server: MockServer, path: str, authorization: str | None) -> requests.Response:
    headers = {} if authorization is None else {"Authorization": authorization}
    return requests.get(f"{server.url}/control{path}", headers=headers, timeout=5)


def test_the_token_opens_the_control_interface(guarded: MockServer) -> None:
    assert get(guarded, "/handelser", f"Bearer {TOKEN}").json() == NOTHING
    assert get(guarded, "", f"bearer  {TOKEN}").status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param(None, id="nothing"),
        pytest.param(TOKEN, id="no scheme"),
        pytest.param(f"Basic {TOKEN}", id="another scheme"),
        pytest.param(f"Bearer {TOKEN[:-1]}", id="too short"),
        pytest.param(f"Bearer {TOKEN}x", id="too long"),
        pytest.param("Bearer å".encode().decode("latin-1"), id="not ASCII"),
    ],
)
def test_without_it_nothing_is_told_or_done(guarded: MockServer, authorization: str | None) -> None:
    refused = get(guarded, "/journal", authorization)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert TOKEN not in refused.text
    forgotten = requests.delete(f"{guarded.url}/control/journal", timeout=5)
    assert forgotten.status_code == 401
    # what there is and what not is no answer either
    assert get(guarded, "/journal/1", authorization).status_code == 401


def test_who_has_no_token_begins_no_run(guarded: MockServer) -> None:
    for number in range(3):
        refused = requests.get(f"{guarded.url}/run/r{number}/control/journal", timeout=5)
        assert refused.status_code == 401
    assert requests.get(f"{guarded.url}/run/r/control/docs", timeout=5).status_code == 200
    assert get(guarded, "/runs", f"Bearer {TOKEN}").json() == {"runs": []}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    requests.get(f"{guarded.url}/run/mine/control/journal", headers=headers, timeout=5)
    [run] = get(guarded, "/runs", f"Bearer {TOKEN}").json()["runs"]
    assert run["run_id"] == "mine"


def test_how_to_ask_is_told_to_everybody(guarded: MockServer) -> None:
    document = get(guarded, "/openapi.json", None)
    assert document.json()["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert get(guarded, "/docs", None).status_code == 200
    assert TOKEN not in document.text


def test_the_contracts_want_no_token(guarded: MockServer) -> None:
    message = builders.send_message_to_care()
    assert result(post(guarded, message, logical_address=builders.UNIT))[0] == "OK"


def test_a_token_is_long_and_compared_whole() -> None:
    assert len(TOKEN) >= 32
    assert new_token() != TOKEN
    assert brings(f"Bearer {TOKEN}", TOKEN)
    assert not brings("Bearer ", TOKEN)
