"""The description tells no lies: what it says is what is served."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from intyg.mocks.server.serving import MockServer

HTTP = {"get", "put", "post", "delete"}


def document(server: MockServer) -> Any:
    response = requests.get(f"{server.url}/control/openapi.json", timeout=5)
    assert response.headers["Content-Type"] == "application/json"
    return response.json()


def described(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation


@pytest.fixture(params=["server", "ehr_server"])
def any_server(request: pytest.FixtureRequest) -> MockServer:
    server: MockServer = request.getfixturevalue(request.param)
    return server


def test_every_operation_is_described_once(any_server: MockServer) -> None:
    mock = any_server.mock
    found = list(described(document(any_server)))
    served = {
        (each.method, "/control" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", each.path))
        for each in mock.operations
    }
    assert {(method, path) for method, path, _ in found} == served
    names = [operation["operationId"] for _, _, operation in found]
    assert len(set(names)) == len(names) == len(mock.operations)
    assert all(operation["summary"] for _, _, operation in found)


def test_the_description_keeps_the_rules_of_openapi(any_server: MockServer) -> None:
    """What OpenAPI 3.1 asks beyond the JSON Schemas in it, which pydantic writes."""
    whole = document(any_server)
    assert whole["openapi"] == "3.1.0"
    tags = {each["name"] for each in whole["tags"]}
    for _, path, operation in described(whole):
        assert set(operation["tags"]) <= tags
        in_path = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path))
        assert all(p["required"] for p in operation["parameters"] if p["in"] == "path")
        keys = [(p["in"], p["name"]) for p in operation["parameters"]]
        assert len(set(keys)) == len(keys)
        assert all({"schema"} <= set(p) for p in operation["parameters"])
    for reference in references(whole):
        assert resolve(whole, reference), reference
    assert "$defs" not in str(whole)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for each in node.values():
            yield from references(each)
    elif isinstance(node, list):
        for each in node:
            yield from references(each)


def resolve(whole: Any, reference: str) -> Any:
    assert reference.startswith("#/")
    for name in reference[2:].split("/"):
        whole = whole[name]
    return whole


def test_the_page_lists_every_operation_and_fetches_nothing(any_server: MockServer) -> None:
    response = requests.get(f"{any_server.url}/control/docs", timeout=5)
    assert response.headers["Content-Type"].startswith("text/html")
    for method, path, _ in described(document(any_server)):
        assert f"<code>{method} {path}</code>" in response.text
    assert not re.findall(r"""(?:src|href)=["'](?!openapi\.json)""", response.text)
    assert "http" not in response.text.replace("http_status", "")


def test_the_page_and_the_root_say_how_to_begin(server: MockServer) -> None:
    page = requests.get(f"{server.url}/control/docs", timeout=5).text
    assert "<code>Authorization: Bearer</code>" in page
    assert "/control/docs" in requests.get(server.url, timeout=5).text


def test_the_page_says_what_a_field_is_and_which_must_be_there(server: MockServer) -> None:
    page = requests.get(f"{server.url}/control/docs", timeout=5).text
    assert re.search(r'<b><code title="[^"]+">answers</code></b>', page)
    assert '<code title="`next` of the page before">after</code>' in page
    assert "<small>If it did not, the answer is 409 " in page
