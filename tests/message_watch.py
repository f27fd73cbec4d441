"""A check at the doors: whatever adapter and mocks write during a test run is held to its contract.

Every answer of the adapter's doors, every call that the mocks get from the adapter, every answer of
theirs and every message that they write is collected, in whatever test it happens, and validated
when the test is over. What a test writes itself, and what a mock was told to break, is not.
"""

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from lxml import etree

from intyg.adapter.soap.app import _Doors
from intyg.adapter.soap.web import Response
from intyg.mocks.journal import Entry, Journal
from intyg.mocks.wire import envelope
from intyg.schemas.contract.contract import Contract, Contracts
from intyg.schemas.ns import SOAP11
from tests.counts import counter

WRITTEN_BY_TESTS: Final = ("tests/mocks/", "tests/docs/")
"""Where calls of the mocks are made by the tests themselves, right and wrong."""

WRONG_ON_PURPOSE: Final = "wrong_on_purpose"
"""Marks tests that switch off what keeps wrong answers in."""

TITLE: Final = "messages held to their contracts"
_contracts = Contracts()


class Watch:
    """
    Collects messages, from any thread.

    Attributes:
        checked: How many were, by who wrote them.
    """

    def __init__(self, checked: Counter[str]) -> None:
        self.checked = checked
        self._lock = threading.Lock()
        self._seen: list[tuple[str, str, bytes]] = []

    def saw(self, who: str, contract: str, data: bytes) -> None:
        with self._lock:
            self._seen.append((who, contract, data))

    def faults(self) -> list[str]:
        """What is wrong with what was seen since the last time."""
        with self._lock:
            seen, self._seen = self._seen, []
        self.checked.update(who for who, _, _ in seen)
        return [
            f"{who}, {contract}: {fault}"
            for who, contract, data in seen
            for fault in _faults(contract, data)
        ]


def _faults(contract: str, data: bytes) -> Iterator[str]:
    try:
        bodies = etree.fromstring(data).findall(f"{{{SOAP11}}}Body")
    except etree.XMLSyntaxError as exc:
        yield f"not XML: {exc}"
        return
    if len(bodies) != 1 or len(bodies[0]) != 1:
        yield "not one Body with one element"
        return
    element = bodies[0][0]
    if element.tag == f"{{{SOAP11}}}Fault":
        if not (element.findtext("faultcode") and element.findtext("faultstring")):
            yield "a fault without code or text"
        return
    name, _, major = contract.partition(":")
    for finding in _contracts.check(_contracts.get(name, int(major)), element):
        yield f"{finding.xpath}: {finding.message}"


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Look over the shoulders of everybody who writes."""
    log, add, write = _Doors._log, Journal.add, envelope.write_request

    def answered(
        self: _Doors,
        environ: Any,
        call: Any,
        contract: Contract | None,
        response: Response,
        seconds: float,
    ) -> None:
        log(self, environ, call, contract, response, seconds)
        is_message = environ["REQUEST_METHOD"] == "POST" and response.status in (200, 500)
        if is_message and contract is not None and response.content_type.startswith("text/xml"):
            watch.saw(
                "the adapter's answer", contract.key, b"".join([response.body, *response.more])
            )

    def added(self: Journal, entry: Entry) -> None:
        add(self, entry)
        if entry.contract is None:
            return
        if entry.step("rule") is None:
            watch.saw("a mock's answer", entry.contract, entry.reply)
        if not os.environ.get("PYTEST_CURRENT_TEST", "").startswith(WRITTEN_BY_TESTS):
            watch.saw("the adapter's call", entry.contract, entry.request)

    def written(element: etree._Element, logical_address: str) -> bytes:
        data = write(element, logical_address)
        contract = _contracts.by_request(str(element.tag))
        if contract is not None:
            watch.saw("a mock's call", contract.key, data)
        return data

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Doors, "_log", answered)
        patch.setattr(Journal, "add", added)
        patch.setattr(envelope, "write_request", written)
        yield


# --- pytest ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def message_watch(pytestconfig: pytest.Config) -> Iterator[Watch]:
    watch = Watch(counter(pytestconfig, TITLE))
    with watching(watch):
        yield watch


@pytest.fixture(autouse=True)
def every_message_is_valid(message_watch: Watch, request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails the test during which something wrong was written."""
    yield
    faults = message_watch.faults()
    if faults and request.node.get_closest_marker(WRONG_ON_PURPOSE) is None:
        pytest.fail("\n".join(faults), pytrace=False)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{WRONG_ON_PURPOSE}: writes messages that are not valid")
