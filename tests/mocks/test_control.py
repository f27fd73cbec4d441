from typing import Any

import pytest
import requests

from mocks.serving import MockServer
from tests import builders
from tests.mocks.calls import envelope, post, result


def get(server: MockServer, path: str, **query: Any) -> requests.Response:
    return requests.get(f"{server.url}/control{path}", params=query, timeout=10)


def test_a_mock_says_who_it_is(server: MockServer) -> None:
    described = get(server, "").json()
    assert (described["name"], described["part"]) == ("Försäkringskassan", "FKASSA")
    assert described["logical_address"] == "FKASSA"
    assert sorted(described["contracts"]) == [
        "RegisterCertificate:3",
        "RevokeCertificate:2",
        "SendMessageToRecipient:2",
    ]


def test_the_journal_is_queried_by_contract_and_intyg(server: MockServer) -> None:
    post(server, builders.register_certificate("a"))
    post(server, builders.register_certificate("b"))
    post(server, builders.revoke_certificate("a"))
    post(server, builders.revoke_certificate("nobody"))
    found = get(server, "/journal", contract="RegisterCertificate", intygs_id="a").json()
    assert (found["count"], found["dropped"]) == (1, 0)
    call = found["calls"][0]
    assert (call["number"], call["contract"], call["http_status"]) == (
        1,
        "RegisterCertificate:3",
        200,
    )
    assert {"name": "xsd", "verdict": "ok", "detail": ""} in call["steps"]
    errors = get(server, "/journal", result_code="ERROR").json()["calls"]
    assert [(each["number"], each["error_id"]) for each in errors] == [(4, "APPLICATION_ERROR")]
    limited = get(server, "/journal", limit=2).json()
    assert (limited["count"], len(limited["calls"])) == (4, 2)


def test_raw_bytes_are_downloaded_as_they_went(server: MockServer) -> None:
    response = post(server, builders.register_certificate())
    request = get(server, "/journal/1/request")
    assert request.content == envelope(builders.register_certificate())
    assert request.headers["Content-Type"] == "application/octet-stream"
    assert get(server, "/journal/1/reply").content == response.content
    assert get(server, "/journal/1").json()["request_bytes"] == len(request.content)


def test_waiting_ends_with_the_call_or_with_the_time(server: MockServer) -> None:
    post(server, builders.register_certificate())
    assert get(server, "/journal/wait", count=1, timeout=5).json()["count"] == 1
    assert get(server, "/journal/wait", count=2, timeout=0.01).json()["count"] == 1


def test_the_journal_can_be_emptied(server: MockServer) -> None:
    post(server, builders.register_certificate())
    assert requests.delete(f"{server.url}/control/journal", timeout=5).status_code == 200
    assert get(server, "/journal").json() == {"dropped": 0, "count": 0, "calls": []}
    assert result(post(server, builders.register_certificate()))[0] == "INFO"  # state stays


def test_failures_are_ordered_listed_and_taken_back(server: MockServer) -> None:
    url = f"{server.url}/control/fail-next"
    order = {"contract": "RegisterCertificate", "how": "error", "error_id": "TECHNICAL_ERROR"}
    ordered = requests.post(url, json={**order, "count": 2}, timeout=5)
    assert [each["count"] for each in ordered.json()["failures"]] == [2]
    assert result(post(server, builders.register_certificate()))[:2] == ["ERROR", "TECHNICAL_ERROR"]
    assert [each["count"] for each in get(server, "/fail-next").json()["failures"]] == [1]
    assert requests.delete(url, timeout=5).json() == {"failures": []}
    assert result(post(server, builders.register_certificate()))[0] == "OK"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param(b"{", "not JSON", id="broken JSON"),
        pytest.param(b"[]", "JSON object", id="a list"),
        pytest.param(b'{"how": "fault"}', "contract: missing", id="no contract"),
        pytest.param(
            b'{"contract": "GetCertificate", "how": "fault"}', "contract:", id="not taken"
        ),
        pytest.param(
            b'{"contract": "*", "how": "error", "error_id": "OOPS"}', "error_id:", id="errorId"
        ),
        pytest.param(b'{"contract": "*", "how": "error"}', "error_id:", id="no errorId"),
        pytest.param(b'{"contract": "*", "how": "fault", "count": true}', "count:", id="boolean"),
        pytest.param(
            b'{"contract": "*", "how": "fault", "coutn": 1}', "coutn: unknown", id="misspelt"
        ),
    ],
)
def test_an_order_that_cannot_act_is_refused_with_its_field(
    server: MockServer, body: bytes, field: str
) -> None:
    response = requests.post(f"{server.url}/control/fail-next", data=body, timeout=5)
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    assert field in response.json()["detail"]
    assert get(server, "/fail-next").json() == {"failures": []}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/nothing", 404, id="unknown path"),
        pytest.param("GET", "/journal/99", 404, id="no such call"),
        pytest.param("GET", "/journal/99/request", 404, id="no such bytes"),
        pytest.param("PUT", "/journal", 405, id="wrong method"),
        pytest.param("GET", "/journal?limit=some", 400, id="no number"),
        pytest.param("GET", "/journal/wait?timeout=-1", 400, id="negative"),
        pytest.param("GET", "/journal/wait?count=nan", 400, id="not a number"),
    ],
)
def test_wrong_requests_are_problems(
    server: MockServer, method: str, path: str, status: int
) -> None:
    response = requests.request(method, f"{server.url}/control{path}", timeout=5)
    assert response.status_code == status
    assert response.json()["status"] == status
    if status == 405:
        assert set(response.headers["Allow"].split(", ")) == {"DELETE", "GET", "HEAD"}
