"""
What programs of others hold on to: the calls as they are described, and the members of answers.

Where one of them changes on purpose, write them anew, and look at which changed:

    python -m tests.adapter.console.test_members
"""

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from flask.testing import FlaskClient

from intyg.adapter.console.app import build_console
from intyg.adapter.console.openapi import document
from tests import builders
from tests.adapter.console.pages import lively
from tests.adapter.console.pages.lively import lively_services
from tests.adapter.flows.draft_builders import Directory, Register
from tests.adapter.flows.rig import FK

CALLS: Final = Path(__file__).with_name("openapi.json")
MEMBERS: Final = Path(__file__).with_name("members.json")

READ: Final = (
    "/health",
    "/api",
    f"/api/intyg/{lively.SENT}",
    f"/api/intyg/{lively.WAITING}",
    "/api/blocked",
    f"/api/route?contract=RegisterCertificate:3&address={FK}",
    f"/api/arenden?unit={builders.UNIT}",
    f"/api/utkast?enhet={builders.UNIT}",
    f"/api/utkast/{lively.DRAFT}",
    "/api/deliveries",
    "/api/ways",
    "/api/statistics",
    "/api/statistics/overview",
    "/api/statistics/sjukfall?shape=months",
    "/api/deliveries/nowhere",
    "/api/arenden?turn=mine",
)


def members(folder: Path) -> dict[str, dict[str, list[str]]]:
    """By path and the place of each member in its answer: what kinds of JSON stand there."""
    with lively_services(folder, lively.play) as services:
        services = replace(services, people=Register(), staff=Directory())
        client = build_console(services).test_client()
        found = {path: _of(client, path) for path in READ}
        refused = client.get("/api/deliveries?state=refused").get_json()["deliveries"]
        return found | {"one delivery": _of(client, f"/api/deliveries/{refused[0]['id']}")}


def _of(client: FlaskClient, path: str) -> dict[str, list[str]]:
    found = defaultdict(set)
    for place, kind in _placed(client.get(path).get_json(), ""):
        found[place].add(kind)
    return {place: sorted(kinds) for place, kinds in sorted(found.items())}


def _placed(value: Any, place: str) -> Iterator[tuple[str, str]]:
    yield place, type(value).__name__
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _placed(each, f"{place}.{name}")
    if isinstance(value, list):
        for each in value:
            yield from _placed(each, f"{place}[]")


def _described() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(document()))
    return found


def test_calls_are_described_as_they_were() -> None:
    assert _described() == json.loads(CALLS.read_text("utf-8"))


def test_members_of_answers_are_what_they_were(tmp_path: Path) -> None:
    found, kept = members(tmp_path), json.loads(MEMBERS.read_text("utf-8"))
    assert found.keys() == kept.keys()
    for path, places in found.items():
        assert places == kept[path], path


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as own:
        for file, value in ((CALLS, _described()), (MEMBERS, members(Path(own)))):
            file.write_text(f"{json.dumps(value, indent=1, ensure_ascii=False)}\n", "utf-8")
