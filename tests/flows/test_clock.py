"""Both clocks in one call: weeks of retries, each at its own time, in a second or so."""

import itertools
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from intyg.adapter.bootstrap.app import build_app
from intyg.adapter.cli.options import swedish_now
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.virtual_clock import VirtualClock
from intyg.adapter.settings.settings import SettingsError, load_settings
from intyg.mocks.clock.adapter_clock import AdapterClock
from intyg.mocks.clock.clock import ClockError
from intyg.mocks.rules.answers import Http
from intyg.sandbox.demo.stage import PATIENT, Stage
from intyg.sandbox.demo.story import issue


def clock_url(stage: Stage) -> str:
    return f"{stage.forsakringskassan.url}/control/clock"


def advance(stage: Stage, by: str) -> dict[str, Any]:
    response = requests.post(f"{clock_url(stage)}/advance", json={"by": by}, timeout=60)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def send(stage: Stage) -> str:
    """A certificate on its way to Försäkringskassan."""
    intygs_id = str(uuid.uuid4())
    assert stage.ehr.register(issue(stage, intygs_id)).code == "OK"
    now = swedish_now()
    assert stage.ehr.send(intygs_id, PATIENT, "FKASSA", now).code == "OK"
    return intygs_id


def test_an_outage_of_three_weeks_is_got_over_in_a_second_or_so(stage: Stage) -> None:
    stage.forsakringskassan.mock.rules.fail_next(Http(status=503), "RegisterCertificate", count=24)
    intygs_id = send(stage)
    stage.forsakringskassan.mock.journal.wait(1, timeout_seconds=15)
    began = time.monotonic()
    advance(stage, "30d")
    seconds = time.monotonic() - began
    calls = stage.forsakringskassan.mock.journal.entries("RegisterCertificate")
    assert [call.http_status for call in calls] == [503] * 24 + [200]
    waits = [b.received_at - a.received_at for a, b in itertools.pairwise(calls)]
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    schedule = [minute, 5 * minute, hour, 6 * hour, 12 * hour, *[24 * hour] * 19]
    slack = timedelta(seconds=2)  # the first attempt was made while the clocks ran
    assert abs(waits[0] - schedule[0]) < slack
    assert waits[1:] == schedule[1:]
    # The EHR was told in the same call, in the time of the clocks.
    [told] = stage.journal.handelser(intygs_id, "SKICKA")
    assert told.received_at == calls[-1].received_at
    assert seconds < 15, f"{seconds:.1f} s"


def test_both_clocks_stand_where_one_call_puts_them(stage: Stage) -> None:
    christmas = "2199-12-24T15:00:00+01:00"
    fields = {"now": christmas, "frozen": True}
    put = requests.put(clock_url(stage), json=fields, timeout=30).json()
    adapters = requests.get(f"{stage.adapter.url}/api/clock", timeout=10).json()
    ehrs = requests.get(f"{stage.journalsystem.url}/control/clock", timeout=10).json()
    expected = datetime.fromisoformat(christmas)
    for each in (put, adapters, ehrs):
        assert datetime.fromisoformat(each["now"]) == expected
        assert each["frozen"] is True
    back = requests.put(clock_url(stage), json={"now": "2026-01-01T00:00:00Z"}, timeout=10)
    assert back.status_code == 409
    assert "backwards must be meant" in back.json()["detail"]
    fields = {"now": "2026-01-01T00:00:00Z", "backwards": True, "frozen": False}
    assert requests.put(clock_url(stage), json=fields, timeout=30).status_code == 200
    adapters = requests.get(f"{stage.adapter.url}/api/clock", timeout=10).json()
    assert adapters["now"].startswith("2026-01-01T00:00:0")
    assert adapters["frozen"] is False


@pytest.mark.parametrize(
    ("method", "path", "fields", "status", "says"),
    [
        pytest.param("PUT", "", {"now": "soon"}, 400, "now: ", id="no moment"),
        pytest.param("PUT", "", {"now": "2027-01-01T00:00:00"}, 400, "now: ", id="zone"),
        pytest.param("PUT", "", {"nwo": ""}, 400, "nwo: unknown", id="misspelt"),
        pytest.param("POST", "/advance", {"by": "7"}, 400, "by: '7' is no duration", id="unit"),
        pytest.param("POST", "/advance", {}, 400, "by: missing", id="missing"),
    ],
)
def test_a_clock_that_cannot_be_moved_so_names_the_field(
    shared_stage: Stage, method: str, path: str, fields: dict[str, str], status: int, says: str
) -> None:
    response = requests.request(method, clock_url(shared_stage) + path, json=fields, timeout=10)
    assert (response.status_code, response.headers["Content-Type"]) == (
        status,
        "application/problem+json",
    )
    assert response.json()["detail"].startswith(says)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        pytest.param('{"now": "2027-01-01T00:00:00"}', 400, "now: ", id="no zone"),
        pytest.param('{"now": "9999-12-31T23:59:59-12:00"}', 400, "now: ", id="end of time"),
        pytest.param('{"frozen": "yes"}', 400, "frozen: ", id="no boolean"),
        pytest.param('{"nwo": null}', 400, "nwo: ", id="misspelt"),
        pytest.param("[", 400, "body: ", id="no JSON"),
        pytest.param('{"now": "2020-01-01T00:00:00Z"}', 409, "now: it is ", id="past"),
    ],
)
def test_the_adapters_clock_says_what_is_wrong(
    shared_stage: Stage, body: str, status: int, says: str
) -> None:
    url = f"{shared_stage.adapter.url}/api/clock"
    before = requests.get(url, timeout=10, allow_redirects=False).json()["now"]
    response = requests.put(url, data=body, timeout=10, allow_redirects=False)
    assert response.status_code == status
    assert response.json()["detail"].startswith(says)
    after = requests.get(url, timeout=10).json()["now"]
    passed = datetime.fromisoformat(after) - datetime.fromisoformat(before)
    assert timedelta() <= passed < timedelta(seconds=10)


def test_only_a_demonstration_with_such_a_clock_lets_it_be_moved(stage: Stage) -> None:
    toml = (stage.folder / "adapter.toml").read_text("utf-8")
    path = stage.folder / "other.toml"
    path.write_text(f'database_url = "sqlite://"\n{toml}', "utf-8")
    settings = load_settings(path)
    any_port = settings.server.model_copy(update={"port": 0})
    with build_app(settings.model_copy(update={"server": any_port})) as app:
        assert requests.get(f"{app.url}/api/clock", timeout=10).status_code == 404
    for environment in (Environment.TEST, Environment.PRODUCTION):
        with pytest.raises(SettingsError, match="clock"):
            build_app(settings.model_copy(update={"environment": environment}), VirtualClock())


def test_an_adapter_that_wants_a_token_is_led_by_who_has_it(stage: Stage) -> None:
    token = "a-token-for-tests-alone"
    path = stage.folder / "other.toml"
    toml = (stage.folder / "adapter.toml").read_text("utf-8")
    path.write_text(f'database_url = "sqlite://"\n{toml}\n[console]\ntoken = "{token}"\n', "utf-8")
    settings = load_settings(path)
    any_port = settings.server.model_copy(update={"port": 0})
    with build_app(settings.model_copy(update={"server": any_port}), VirtualClock()) as app:
        url = f"{app.url}/api/clock"
        told = AdapterClock(url, token).freeze()
        assert abs(told - datetime.now(UTC)) < timedelta(minutes=1)
        with pytest.raises(ClockError, match="console's token"):
            AdapterClock(url).freeze()
