"""
Runs: many tests share a mock on one port, and each sees its own state, rules and journal.

A request belongs to a run by the path prefix `/run/<id>/`, by the header `x-intyg-run`, or, where
the settings say so, by its client certificate; the first of these that it has decides. The first
request of a run makes a mock for it, like the shared one and with the rules that this has then.
What a run's mock sends bears the header, so that others can tell it apart as well.
"""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, Generic, Protocol, TypeVar
from wsgiref.types import WSGIEnvironment

from intyg.mocks.wire.identity import Identity

RUN_HEADER: Final = "x-intyg-run"

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PREFIX: Final = re.compile(r"/run/([^/]*)(/.*)?", re.DOTALL)

SHAPE: Final = "a run's id is 1 to 64 letters, digits, dots, hyphens and underscores"


class RunError(Exception):
    """There is no such run, and cannot be; says why."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


class Ended(Protocol):
    """A run's mock, as far as its end goes."""

    def end(self) -> None:
        """End every wait and forget everything."""


M = TypeVar("M", bound=Ended)


@dataclass(frozen=True)
class Run(Generic[M]):
    """
    A run and its mock.

    Attributes:
        idle_seconds: How long nobody has called.
    """

    id: str
    mock: M
    began_at: datetime
    idle_seconds: float


@dataclass
class _Kept(Generic[M]):
    mock: M
    began_at: datetime
    used_at: float


class Runs(Generic[M]):
    """
    The runs of a shared mock; safe under concurrent requests.

    Args:
        make: From a run's id to its mock.
        clock: Now, for people.
        max_runs: So many at once; more are refused.
        idle_seconds: A run that nobody calls for so long is forgotten.
        now: Seconds of a clock that never goes back.
    """

    def __init__(
        self,
        make: Callable[[str], M],
        clock: Callable[[], datetime],
        max_runs: int,
        idle_seconds: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._clock = clock
        self._max_runs = max_runs
        self._idle_seconds = idle_seconds
        self._now = now
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept[M]] = {}

    def get(self, run_id: str) -> M:
        """
        The mock of a run, made if it is the first request.

        Raises:
            RunError: The id is none, or there are too many runs.
        """
        if not _ID.fullmatch(run_id):
            raise RunError(SHAPE, 400)
        self.forget_idle()
        with self._lock:
            kept = self._kept.get(run_id)
            if kept is None:
                if len(self._kept) >= self._max_runs:
                    raise RunError(
                        f"there are {self._max_runs} runs already; "
                        "DELETE /control/runs/<run_id> ends one",
                        503,
                    )
                kept = _Kept(self._make(run_id), self._clock(), 0.0)
                self._kept[run_id] = kept
            kept.used_at = self._now()
            return kept.mock

    def find(self, run_id: str) -> M | None:
        """The mock of a run, None if there is no such run; asking is no call to it."""
        with self._lock:
            kept = self._kept.get(run_id)
            return None if kept is None else kept.mock

    def all(self) -> tuple[Run[M], ...]:
        """The runs that there are, the oldest first."""
        self.forget_idle()
        with self._lock:
            now = self._now()
            return tuple(
                Run(run_id, each.mock, each.began_at, now - each.used_at)
                for run_id, each in self._kept.items()
            )

    def end(self, run_id: str) -> None:
        """
        Forget a run.

        Raises:
            KeyError: There is none of this id.
        """
        with self._lock:
            kept = self._kept.pop(run_id)
        kept.mock.end()

    def end_all(self) -> None:
        """Forget every run."""
        with self._lock:
            ended, self._kept = self._kept, {}
        for each in ended.values():
            each.mock.end()

    def mocks(self) -> tuple[M, ...]:
        """The mocks of all runs."""
        with self._lock:
            return tuple(each.mock for each in self._kept.values())

    def forget_idle(self) -> None:
        """Forget the runs that nobody has called for too long."""
        with self._lock:
            before = self._now() - self._idle_seconds
            idle = [run_id for run_id, each in self._kept.items() if each.used_at < before]
            ended = [self._kept.pop(run_id) for run_id in idle]
        for each in ended:
            each.mock.end()


def run_of(
    environ: WSGIEnvironment, caller: Identity | None = None
) -> tuple[str | None, WSGIEnvironment]:
    """
    Which run a request belongs to.

    Args:
        caller: Who calls, where a client certificate makes a run.

    Returns:
        The run's id, None for none; and the request's environment without the path prefix.
    """
    prefix = _PREFIX.fullmatch(environ.get("PATH_INFO", ""))
    if prefix is not None:
        base = environ.get("SCRIPT_NAME", "")
        inner = {"SCRIPT_NAME": f"{base}/run/{prefix[1]}", "PATH_INFO": prefix[2] or "/"}
        return prefix[1], {**environ, **inner}
    header = environ.get("HTTP_X_INTYG_RUN")
    if header is not None:
        return header.strip(), environ
    return (None if caller is None else run_of_caller(caller)), environ


def run_of_caller(caller: Identity) -> str | None:
    """
    The run of a client certificate.

    Its HSA-id, or if it has none, a mark of its subject; None without a certificate.
    """
    if caller.tls_subject is None:
        return None
    if caller.sender is not None and _ID.fullmatch(caller.sender):
        return caller.sender
    return f"subject-{sha256(caller.tls_subject.encode()).hexdigest()[:16]}"
