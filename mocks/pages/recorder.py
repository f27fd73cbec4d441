"""What was clicked on the pages, in order; kept for as long as the mocks run."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

MOST: Final = 1000
"""So many clicks are kept of a run; the oldest are forgotten."""


@dataclass(frozen=True)
class Click:
    """
    One thing that somebody had a mock do.

    Attributes:
        number: From 1, in a run of its own.
        at: By the mocks' clock.
        seen: By mock, the number of the newest call in its journal just before.
        mock: Name of its fixture.
        what: `ask`, `remind`, `misbehave`, …
        values: What was filled in, and what came of it: ids of messages and certificates.
        accepted: Whether whoever was spoken to took it.
        said: What they answered, in a line.
    """

    number: int
    at: datetime
    seen: Mapping[str, int]
    mock: str
    what: str
    values: Mapping[str, Any] = field(repr=False)
    accepted: bool
    said: str = field(repr=False)


class Recorder:
    """Clicks by run; safe under concurrent requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clicks: dict[str | None, list[Click]] = {}

    def add(self, run: str | None, click: Click) -> Click:
        """Keep a click under a number of its own, with which it is returned."""
        with self._lock:
            clicks = self._clicks.setdefault(run, [])
            made = replace(click, number=clicks[-1].number + 1 if clicks else 1)
            self._clicks[run] = [*clicks, made][-MOST:]
            return made

    def clicks(self, run: str | None) -> tuple[Click, ...]:
        """What was clicked in a run, or outside of runs."""
        with self._lock:
            return tuple(self._clicks.get(run, ()))

    def find(self, run: str | None, number: int) -> Click | None:
        """One click."""
        return next((each for each in self.clicks(run) if each.number == number), None)

    def clear(self, run: str | None) -> None:
        """Begin anew."""
        with self._lock:
            self._clicks.pop(run, None)
