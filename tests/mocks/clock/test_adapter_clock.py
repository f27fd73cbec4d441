"""What an adapter's clock is told, and what it does not do."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pytest_httpserver import HTTPServer

from intyg.mocks.clock.adapter_clock import AdapterClock
from intyg.mocks.clock.clock import ClockError

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.fixture
def adapter() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", port=0) as running:
        yield running


def test_it_is_stopped_led_and_let_go(adapter: HTTPServer) -> None:
    answers = adapter.expect_request("/api/clock", method="PUT")
    answers.respond_with_json({"now": NOON.isoformat(), "next_due": None})
    clock = AdapterClock(adapter.url_for("/api/clock"), "a-token")
    assert clock.freeze() == NOON
    assert clock.lead(NOON, backwards=True) is None
    answers.respond_with_json({"next_due": "2026-11-26T12:05:00+00:00"})
    assert clock.lead(NOON) == NOON.replace(minute=5)
    clock.run()
    requests = [request for request, _ in adapter.log]
    now = NOON.isoformat()
    assert [json.loads(request.data) for request in requests] == [
        {"frozen": True},
        {"now": now, "frozen": True, "backwards": True},
        {"now": now, "frozen": True, "backwards": False},
        {"frozen": False},
    ]
    assert {request.headers["Authorization"] for request in requests} == {"Bearer a-token"}


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, "<html>", "does not answer: JSONDecodeError"),
        (409, '{"detail": "it goes on"}', ": it goes on"),
        (500, "{}", ": 500"),
    ],
)
def test_what_it_does_not_do_is_told(
    adapter: HTTPServer, status: int, body: str, told: str
) -> None:
    adapter.expect_request("/api/clock").respond_with_data(body, status)
    with pytest.raises(ClockError, match=f"^the adapter's clock ?{told}$"):
        AdapterClock(adapter.url_for("/api/clock")).run()
    [(request, _)] = adapter.log
    assert "Authorization" not in request.headers
