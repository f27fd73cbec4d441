"""A look over everything that is logged in a test run: no number and no name of the test data.

Every line that structlog writes, in whatever test it happens and however it is configured, every
record of `logging` that reaches a handler, and every log file that a test leaves in its folder (of
processes that it started) is looked through when the test is over.
"""

import logging
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import structlog

from intyg.adapter.rules.person_id import luhn_holds
from tests.counts import counter

ROOT: Final = Path(__file__).parents[1]

SECRET_ON_PURPOSE: Final = "logs_on_purpose"
"""Marks tests of this very check."""

NAMES: Final = ("Hemligt Personnamn", "Åsa Ström", "Test Läkare TEST ONLY")
"""Names that stand in no XML: of signers' certificates, and of staff made in Python."""

_NUMBER: Final = re.compile(r"(?<!\d)(?:18|19|20)\d{10}(?!\d)", re.ASCII)
_NAME: Final = re.compile(r"<[^<>/]*(?:fullstandigtNamn|fornamn|efternamn)>([^<>{}]{4,})<")
TITLE: Final = "looked through for person numbers and names"


@cache
def secrets() -> Mapping[str, str]:
    """Each number (also as ten digits, and with a hyphen) and name of the test data: what it is."""
    found = dict.fromkeys(NAMES, "a name")
    for folder in ("tests", "mocks", "sandbox/demo"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix not in (".py", ".xml"):
                continue
            text = path.read_text("utf-8", "replace")
            for number in filter(luhn_holds, _NUMBER.findall(text)):
                for form in (number, number[2:], f"{number[:8]}-{number[8:]}"):
                    found[form] = "a person number"
            found |= dict.fromkeys(_NAME.findall(text), "a name")
    return found


@cache
def _any_secret() -> re.Pattern[str]:
    longest_first = sorted(secrets(), key=len, reverse=True)
    # Digits may stand in longer numbers: in times, durations and hashes.
    return re.compile(
        r"(?<![0-9a-f])(?:" + "|".join(map(re.escape, longest_first)) + r")(?![0-9a-f])"
    )


class LogWatch:
    """
    Collects lines, from any thread.

    Attributes:
        looked_at: How many were, by where they came from.
    """

    def __init__(self, looked_at: Counter[str]) -> None:
        self.looked_at = looked_at
        self._lock = threading.Lock()
        self._lines: list[str] = []

    def saw(self, where: str, text: str) -> None:
        with self._lock:
            self._lines.append(text)
            self.looked_at[where] += 1

    def faults(self) -> list[str]:
        """What should not have been logged since the last time; says what it is, and the line."""
        with self._lock:
            lines, self._lines = self._lines, []
        return list(leaks(lines))


def leaks(lines: Iterable[str]) -> Iterator[str]:
    """Lines that hold a secret."""
    for line in lines:
        found = _any_secret().search(line)
        if found is not None:
            yield f"{secrets()[found[0]]} was logged: {line[:300]}"


@contextmanager
def watching(watch: LogWatch) -> Iterator[None]:
    """Look over the shoulders of everybody who logs."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in (structlog.PrintLogger, structlog.WriteLogger):
            for name in (
                "msg",
                "log",
                "debug",
                "info",
                "warning",
                "error",
                "critical",
                "exception",
            ):
                if hasattr(kind, name):
                    patch.setattr(kind, name, _watched(watch, getattr(kind, name)))
        capture = structlog.testing.LogCapture.__call__

        def captured(self: Any, logger: Any, method_name: str, event_dict: Any) -> Any:
            watch.saw("structlog", repr(event_dict))
            return capture(self, logger, method_name, event_dict)

        patch.setattr(structlog.testing.LogCapture, "__call__", captured)
        handlers = logging.Logger.callHandlers

        def called(self: logging.Logger, record: logging.LogRecord) -> None:
            watch.saw("logging", _whole(record))
            handlers(self, record)

        patch.setattr(logging.Logger, "callHandlers", called)
        yield


def _watched(watch: LogWatch, write: Any) -> Any:
    def written(self: Any, message: str) -> Any:
        watch.saw("structlog", str(message))
        return write(self, message)

    return written


def _whole(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # a template that its arguments do not fit
        return repr((record.msg, record.args))


# --- pytest ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def log_watch(pytestconfig: pytest.Config) -> Iterator[LogWatch]:
    watch = LogWatch(counter(pytestconfig, TITLE))
    with watching(watch):
        yield watch


@pytest.fixture(autouse=True)
def nothing_private_is_logged(
    log_watch: LogWatch, request: pytest.FixtureRequest
) -> Iterator[None]:
    """Fails the test during which something private was logged."""
    folder: Path | None = None
    if "tmp_path" in request.fixturenames:
        folder = request.getfixturevalue("tmp_path")
    yield
    if folder is not None and folder.is_dir():
        for path in folder.rglob("*.log"):
            for line in path.read_text("utf-8", "replace").splitlines():
                log_watch.saw("log files", line)
    faults = log_watch.faults()
    if faults and request.node.get_closest_marker(SECRET_ON_PURPOSE) is None:
        pytest.fail("\n".join(faults), pytrace=False)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{SECRET_ON_PURPOSE}: logs what must not be logged")
