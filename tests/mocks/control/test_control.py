import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from intyg.mocks.server.serving import MockServer
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
    assert get(server, "/journal").json() == {
        "count": 0,
        "dropped": 0,
        "dropped_by": {"calls": 0, "bytes": 0, "age": 0},
        "next": None,
        "calls": [],
        "nearest": None,
    }
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


# --- looking through the journal ------------------------------------------------------------------


@pytest.fixture
def played(server: MockServer) -> MockServer:
    """Calls 1 to 4: taken, taken, taken before, of no known certificate."""
    for intygs_id in ("a", "b", "a"):
        post(server, builders.register_certificate(intygs_id))
    post(server, builders.revoke_certificate("nobody"))
    return server


def test_every_operator_works_in_a_url(played: MockServer) -> None:
    def found(query: str) -> list[int]:
        listing = requests.get(f"{played.url}/control/journal?{query}", timeout=5).json()
        return [each["number"] for each in listing["calls"]]

    assert found("result_code!=OK") == [3, 4]
    assert found("result_code=OK&result_code=INFO") == [1, 2, 3]
    assert found("result_text~=no%20such") == [4]
    assert found("number>=2&number<=3&contract=RegisterCertificate") == [2, 3]
    assert found("step.duplicate=noted&header.content-type~=XML") == [3]
    assert found("request~=%3Cversion%3E1.3") == [1, 2, 3]


def test_calls_are_had_page_by_page(played: MockServer) -> None:
    pages, after = [], 0
    while True:
        page = get(played, "/journal", contract="RegisterCertificate", limit=2, after=after).json()
        pages.append([each["number"] for each in page["calls"]])
        assert page["count"] == 3
        if page["next"] is None:
            break
        after = page["next"]
    assert pages == [[1, 2], [3]]


def test_calls_are_counted(played: MockServer) -> None:
    assert get(played, "/journal/count", result_code="OK").json()["count"] == 2


def verify(server: MockServer, **expected: Any) -> requests.Response:
    return requests.post(f"{server.url}/control/journal/verify", json=expected, timeout=10)


def test_what_was_expected_and_came_is_verified(played: MockServer) -> None:
    verified = verify(played, filter="RegisterCertificate&result_code=OK", count=2)
    assert verified.status_code == 200
    assert verified.json()["numbers"] == [1, 2]
    in_order = verify(played, in_order=["intygs_id=b", "result_code=INFO", "RevokeCertificate"])
    assert in_order.json()["numbers"] == [2, 3, 4]


def test_what_did_not_come_is_a_problem_that_shows_the_nearest_call(played: MockServer) -> None:
    missing = verify(played, filter="RevokeCertificate&result_code=OK")
    assert missing.status_code == 409
    assert missing.headers["Content-Type"] == "application/problem+json"
    problem = missing.json()
    assert problem["nearest"] == {
        "number": 4,
        "fields": [
            {
                "field": "contract",
                "expected": "=RevokeCertificate",
                "actual": "RevokeCertificate:2",
                "met": True,
            },
            {"field": "result_code", "expected": "=OK", "actual": "ERROR", "met": False},
        ],
    }
    assert "result_code: expected =OK, was ERROR" in problem["detail"]
    assert verify(played, in_order=["RevokeCertificate", "intygs_id=a"]).status_code == 409


def test_what_is_missing_is_waited_for(server: MockServer) -> None:
    with ThreadPoolExecutor() as pool:
        verified = pool.submit(verify, server, filter="RegisterCertificate", count=2, timeout=10)
        for intygs_id in ("a", "b"):
            post(server, builders.register_certificate(intygs_id))
        assert verified.result().json()["numbers"] == [1, 2]


def test_an_order_is_waited_for_to_its_end(server: MockServer) -> None:
    """What is last in the order has come before; only the whole of it ends the wait."""
    post(server, builders.register_certificate("b"))
    with ThreadPoolExecutor() as pool:
        in_order = ["intygs_id=a", "RegisterCertificate&intygs_id=b"]
        verified = pool.submit(verify, server, in_order=in_order, timeout=10)
        for intygs_id in ("a", "b"):
            post(server, builders.register_certificate(intygs_id))
        assert verified.result().json()["numbers"] == [2, 3]
    assert verify(server, in_order=["intygs_id=b", "intygs_id=c"], timeout=0.05).status_code == 409


def test_many_can_wait_at_once(server: MockServer) -> None:
    def wait(number: int) -> int:
        found = get(server, "/journal/wait", intygs_id=f"id-{number}", timeout=20).json()
        return int(found["count"])

    with ThreadPoolExecutor(max_workers=20) as pool:
        waits = [pool.submit(wait, number) for number in range(20)]
        for number in range(20):
            post(server, builders.register_certificate(f"id-{number}"))
        assert [each.result() for each in waits] == [1] * 20


@pytest.mark.parametrize(
    ("path", "field", "words"),
    [
        pytest.param("/journal?contarct=X", "contarct", "nearest: contract", id="field"),
        pytest.param("/journal?http_status=OK", "http_status", "a number", id="no number"),
        pytest.param("/journal?limit=1001", "limit", "1000", id="too much"),
        pytest.param("/journal/wait?timeuot=1", "timeuot", "nearest: timeout", id="parameter"),
        pytest.param("/intyg?limit=1", "limit", "unknown", id="nothing to be asked"),
    ],
)
def test_a_query_that_cannot_be_names_the_field(
    server: MockServer, path: str, field: str, words: str
) -> None:
    response = requests.get(f"{server.url}/control{path}", timeout=5)
    assert response.status_code == 400
    problem = response.json()
    assert [each["field"] for each in problem["errors"]] == [field]
    assert words in problem["detail"]


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        pytest.param({}, "either filter or in_order", id="nothing"),
        pytest.param({"filter": "contarct=X"}, "filter: contarct: no such field", id="misspelt"),
        pytest.param({"in_order": ["A", "b=1"]}, "in_order.1: b:", id="the second"),
        pytest.param({"in_order": []}, "in_order", id="none"),
        pytest.param({"in_order": ["A"], "count": 1}, "in_order goes without", id="both"),
        pytest.param({"filter": "A", "count": "1"}, "count: ", id="a number in a text"),
    ],
)
def test_an_expectation_that_cannot_be_names_the_field(
    server: MockServer, expected: dict[str, Any], words: str
) -> None:
    response = verify(server, **expected)
    assert response.status_code == 400
    assert words in response.json()["detail"]


def test_a_look_up_that_finds_nothing_says_what_is_nearest(played: MockServer) -> None:
    post(played, builders.register_certificate("7c9c0a52-fk7804"))
    known = get(played, "/intyg/7c9c0a52-fk7840").json()["detail"]
    assert known == "intyg '7c9c0a52-fk7840' is not known here; nearest: 7c9c0a52-fk7804"
    assert get(played, "/journal/9").json()["detail"] == (
        "the journal has no call 9; it has 1 to 5"
    )


def test_a_path_that_is_nearly_right_is_told(server: MockServer) -> None:
    problem = get(server, "/journals").json()
    assert problem["status"] == 404
    assert "/control/journal" in problem["detail"]


def test_calls_are_downloaded_with_their_bytes(played: MockServer) -> None:
    got = get(played, "/journal/download", result_code="OK")
    assert got.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(got.content)) as archive:
        assert archive.namelist() == [
            "000001-request.xml",
            "000001-reply.xml",
            "000002-request.xml",
            "000002-reply.xml",
            "calls.json",
        ]
        assert archive.read("000002-request.xml") == envelope(builders.register_certificate("b"))
        assert [each["intygs_id"] for each in json.loads(archive.read("calls.json"))] == ["a", "b"]


def test_a_query_that_nothing_matches_shows_what_is_nearest(played: MockServer) -> None:
    found = get(played, "/journal", contract="RevokeCertificate", result_code="OK").json()
    assert (found["count"], found["nearest"]["number"]) == (0, 4)
    unmet = [each for each in found["nearest"]["fields"] if not each["met"]]
    assert [(each["field"], each["actual"]) for each in unmet] == [("result_code", "ERROR")]
    assert get(played, "/journal", contract="RevokeCertificate").json()["nearest"] is None


def test_calls_are_found_by_what_they_are_about(played: MockServer) -> None:
    def count(**criteria: str) -> int:
        return int(get(played, "/journal/count", **criteria).json()["count"])

    post(played, builders.revoke_certificate("b"))
    assert count(typ="LISJP", version="1.3") == 4  # a revocation is about the type that it revokes
    assert count(unit=builders.UNIT) == 5
    assert count(xpath=f"//types:extension[.='{builders.DOCTOR}']") == 5
    assert count(xpath="self::tns:RegisterCertificate") == 3


def test_a_used_up_order_is_listed_nowhere(server: MockServer) -> None:
    order = {"contract": "RegisterCertificate", "how": "http", "count": 2}
    requests.post(f"{server.url}/control/fail-next", json=order, timeout=5)
    [rule] = get(server, "/rules").json()["rules"]
    answers = [post(server, builders.register_certificate()).status_code for _ in range(3)]
    assert answers == [503, 503, 200]
    assert get(server, "/rules").json() == {"rules": []}
    [first, second, third] = get(server, "/journal").json()["calls"]
    assert [each["rules"][0]["rule_id"] for each in (first, second)] == [rule["id"]] * 2
    assert third["rules"] == []


def test_the_state_counts_what_there_is(server: MockServer) -> None:
    requests.post(f"{server.url}/control/rules", json={"answers": {"kind": "normal"}}, timeout=5)
    post(server, builders.register_certificate("a"))
    post(server, builders.register_certificate("b"))
    post(server, builders.revoke_certificate("b"))
    post(server, builders.send_message_to_recipient(intygs_id="a", mottagare="FKASSA"))
    requests.get(f"{server.url}/run/one/control", timeout=5)
    assert get(server, "/state").json() == {
        "calls": 4,
        "dropped": 0,
        "rules": 1,
        "runs": 1,
        "intyg": 2,
        "revoked": 1,
        "handelser": None,
        "meddelanden": 1,
        "open_questions": 1,
        "conversations": 0,
    }


@pytest.mark.parametrize("path", ["/meddelanden", "/conversations"])
def test_an_empty_list_says_which_certificate_may_be_meant(played: MockServer, path: str) -> None:
    told = get(played, path, intygs_id="noboby").json()
    assert told == {path[1:]: [], "nearest": "nearest: nobody"}
    assert get(played, path, intygs_id="b").json()["nearest"] is None
