from typing import Any

import pytest
import requests

from intyg.mocks.server.serving import MockServer
from tests import builders
from tests.mocks.calls import post, result

RULE = {
    "id": "twice",
    "match": {"contract": "RegisterCertificate"},
    "answers": {"kind": "error", "error_id": "TECHNICAL_ERROR", "text": "later"},
    "count": 2,
}


def ask(server: MockServer, method: str, path: str, body: Any = None) -> requests.Response:
    return requests.request(method, f"{server.url}/control{path}", json=body, timeout=10)


def luck(server: MockServer, calls: int = 12) -> list[str | None]:
    return [result(post(server, builders.revoke_certificate(f"{n}")))[1] for n in range(calls)]


def test_a_rule_is_added_looked_at_and_removed(server: MockServer) -> None:
    added = ask(server, "POST", "/rules", RULE)
    assert added.status_code == 201
    assert added.json()["acted"] == 0
    assert result(post(server, builders.register_certificate()))[1] == "TECHNICAL_ERROR"
    assert ask(server, "GET", "/rules/twice").json()["acted"] == 1
    assert [each["id"] for each in ask(server, "GET", "/rules").json()["rules"]] == ["twice"]
    assert ask(server, "DELETE", "/rules/twice").status_code == 200
    assert result(post(server, builders.register_certificate()))[0] == "OK"
    [first, _] = ask(server, "GET", "/journal").json()["calls"]
    assert [(each["rule_id"], each["why"]) for each in first["rules"]] == [("twice", "acted")]
    assert ask(server, "GET", "/journal/count?rule=twice").json()["count"] == 1


def test_what_is_shown_of_a_rule_can_be_sent_again(server: MockServer) -> None:
    shown = ask(server, "POST", "/rules", RULE).json()["rule"]
    assert ask(server, "PUT", "/rules/twice", {**shown, "count": 1}).json()["rule"]["count"] == 1
    assert ask(server, "PUT", "/rules/other", {"answers": {"kind": "fault"}}).status_code == 200
    assert ask(server, "DELETE", "/rules").status_code == 200
    assert ask(server, "GET", "/rules").json() == {"rules": []}


def test_an_id_is_taken_once_and_is_the_one_of_the_path(server: MockServer) -> None:
    ask(server, "POST", "/rules", RULE)
    again = ask(server, "POST", "/rules", RULE)
    assert (again.status_code, again.json()["detail"]) == (409, "id: there is a rule twice")
    other = ask(server, "PUT", "/rules/other", RULE)
    assert (other.status_code, other.json()["errors"][0]["field"]) == (400, "id")


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        pytest.param({"match": {"contract": "GetCertificate"}}, ["match.contract"], id="not taken"),
        pytest.param({"match": {"contract": "Regster"}}, ["match.contract"], id="misspelt"),
        pytest.param({"match": {"agency": "TRANSP"}}, ["match.agency"], id="another's"),
        pytest.param({"match": {"typ": ["LISJP", "FK7804"]}}, ["match.typ"], id="number of a form"),
        pytest.param({"answers": {"kind": "error"}}, ["answers.error_id"], id="no errorId"),
        pytest.param({"match": {"xpath": "//["}}, ["match.xpath"], id="XPath"),
        pytest.param({"answers": {"kind": "vp", "code": "VP099"}}, ["answers.code"], id="preset"),
        pytest.param({"count": 0, "probability": 2}, ["count", "probability"], id="two at once"),
        pytest.param(
            {"answers": {"kind": "pass", "url": "http://192.0.2.1"}}, None, id="passed elsewhere"
        ),
    ],
)
def test_a_rule_that_cannot_act_is_refused_with_every_field(
    server: MockServer, changes: dict[str, Any], fields: list[str] | None
) -> None:
    refused = ask(server, "POST", "/rules", {**RULE, **changes})
    assert refused.status_code == 400
    found = [each["field"] for each in refused.json()["errors"]]
    assert found if fields is None else sorted(found) == fields
    assert ask(server, "GET", "/rules").json() == {"rules": []}


@pytest.mark.parametrize("body", [b"{", b"[]", b"", b"null"])
def test_what_is_no_rule_is_refused(server: MockServer, body: bytes) -> None:
    refused = requests.post(f"{server.url}/control/rules", data=body, timeout=5)
    assert (refused.status_code, refused.headers["Content-Type"]) == (
        400,
        "application/problem+json",
    )


def test_a_rule_that_is_not_there_is_told_with_the_nearest(server: MockServer) -> None:
    ask(server, "POST", "/rules", RULE)
    for method in ("GET", "DELETE"):
        missing = ask(server, method, "/rules/twise")
        assert missing.status_code == 404
        assert missing.json()["detail"].endswith("nearest: twice")


def test_the_same_seed_gives_the_same_luck_again(server: MockServer) -> None:
    rule = {"answers": {"kind": "error", "error_id": "TECHNICAL_ERROR"}, "probability": 0.5}
    assert ask(server, "GET", "/seed").json() == {"seed": None}
    ask(server, "PUT", "/seed", {"seed": 7})
    ask(server, "POST", "/rules", rule)
    first = luck(server)
    assert set(first) == {"TECHNICAL_ERROR", "APPLICATION_ERROR"}
    ask(server, "PUT", "/seed", {"seed": 7})  # begins anew, for the rules that there are
    assert luck(server) == first
    ask(server, "POST", "/reset", {})
    ask(server, "POST", "/rules", rule)
    assert luck(server) == first
    ask(server, "PUT", "/seed", {"seed": 8})
    assert luck(server) != first


def test_a_rule_keeps_the_seed_that_it_brought(server: MockServer) -> None:
    ask(server, "POST", "/rules", {**RULE, "seed": 99})
    ask(server, "PUT", "/seed", {"seed": 7})
    assert ask(server, "GET", "/rules/twice").json()["rule"]["seed"] == 99
