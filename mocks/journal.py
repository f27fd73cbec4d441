"""
The journal: every call to a mock, also the refused and the broken ones, byte for byte.

Kept in memory, bounded, and safe under concurrent calls.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from mocks.rules.trace import RuleTrace


class Verdict(StrEnum):
    """What one step of the check of a call came to."""

    OK = "ok"
    FAILED = "failed"  # the call was refused here
    NOTED = "noted"  # something worth knowing that refuses nothing
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True)
class Step:
    """One step of the check of a call, e.g. `xsd`; `detail` holds no person data."""

    name: str
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True)
class Entry:
    """
    One call.

    Attributes:
        number: In order of arrival, from 1, without gaps; never used again,
            not even after the journal was emptied.
        received_at: Aware, UTC.
        duration_seconds: From the last byte read to the reply being ready.
        request, reply: Bytes as they arrived and as they were answered.
        contract: `RegisterCertificate:3`; None if the call never said.
        steps: What was checked, in order; the last may be the refusing one.
        result_code: `OK`, `INFO`, `ERROR`; None when a fault or a bare HTTP
            status was answered.
        sender: HSA-id of who called: of its client certificate, or what the
            national platform's header `x-vp-sender-id` says without TLS.
        tls_subject: Subject of the client certificate (RFC 4514).
        rules: Every rule that was asked, and why it acted or did not.
    """

    number: int
    received_at: datetime
    duration_seconds: float
    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    request: bytes = field(repr=False)
    reply: bytes = field(repr=False)
    http_status: int
    contract: str | None = None
    logical_address: str | None = None
    intygs_id: str | None = None
    meddelande_id: str | None = None
    steps: tuple[Step, ...] = ()
    result_code: str | None = None
    error_id: str | None = None
    result_text: str | None = None
    sender: str | None = None
    tls_subject: str | None = field(default=None, repr=False)
    rules: tuple[RuleTrace, ...] = ()

    def step(self, name: str) -> Step | None:
        """The step of that name, None if the call did not come so far."""
        return next((step for step in self.steps if step.name == name), None)

    @property
    def size(self) -> int:
        """Bytes that the journal counts it as."""
        return len(self.request) + len(self.reply)


class Journal:
    """
    The calls in order of arrival, the oldest dropped beyond the bounds.

    Args:
        max_calls: Keep at most so many.
        max_bytes: Keep at most so many bytes of requests and replies.
    """

    def __init__(self, max_calls: int, max_bytes: int) -> None:
        self._max_calls = max_calls
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._entries: dict[int, Entry] = {}
        self._bytes = 0
        self._next = 1
        self._dropped = 0
        self._wakes = 0

    def number(self) -> int:
        """Take the number of a call that has just arrived."""
        with self._changed:
            number = self._next
            self._next += 1
            return number

    def add(self, entry: Entry) -> None:
        """Keep a finished call."""
        with self._changed:
            self._entries[entry.number] = entry
            self._bytes += entry.size
            while len(self._entries) > self._max_calls or (
                self._bytes > self._max_bytes and len(self._entries) > 1
            ):
                self._bytes -= self._entries.pop(next(iter(self._entries))).size
                self._dropped += 1
            self._changed.notify_all()

    def get(self, number: int) -> Entry | None:
        """The call of that number, None if there is none or it was dropped."""
        with self._changed:
            return self._entries.get(number)

    def entries(
        self,
        contract: str | None = None,
        intygs_id: str | None = None,
        result_code: str | None = None,
    ) -> tuple[Entry, ...]:
        """
        Finished calls in order of arrival.

        Args:
            contract: With or without the version, `RegisterCertificate` or `RegisterCertificate:3`.
            intygs_id, result_code: Exact.
        """
        with self._changed:
            return self._matching(_matcher(contract, intygs_id, result_code))

    def wait(
        self,
        count: int = 1,
        *,
        timeout_seconds: float,
        contract: str | None = None,
        intygs_id: str | None = None,
        result_code: str | None = None,
    ) -> tuple[Entry, ...]:
        """
        Wait until at least `count` matching calls are finished.

        Returns:
            The matching calls; fewer than `count` when the time ran out or
            somebody called `wake`.
        """
        matches = _matcher(contract, intygs_id, result_code)
        with self._changed:
            wakes = self._wakes
            self._changed.wait_for(
                lambda: self._wakes > wakes or len(self._matching(matches)) >= count,
                timeout_seconds,
            )
            return self._matching(matches)

    def wake(self) -> None:
        """End every `wait` now."""
        with self._changed:
            self._wakes += 1
            self._changed.notify_all()

    @property
    def dropped(self) -> int:
        """How many calls the bounds have pushed out."""
        with self._changed:
            return self._dropped

    def clear(self) -> None:
        """Forget every call; numbers go on."""
        with self._changed:
            self._entries.clear()
            self._bytes = 0
            self._dropped = 0

    def _matching(self, matches: Callable[[Entry], bool]) -> tuple[Entry, ...]:
        # Calls finish in another order than they arrive.
        return tuple(self._entries[n] for n in sorted(self._entries) if matches(self._entries[n]))


def _matcher(
    contract: str | None, intygs_id: str | None, result_code: str | None
) -> Callable[[Entry], bool]:
    def matches(entry: Entry) -> bool:
        if contract is not None and contract not in (
            entry.contract,
            (entry.contract or "").partition(":")[0],
        ):
            return False
        if intygs_id is not None and entry.intygs_id != intygs_id:
            return False
        return result_code is None or entry.result_code == result_code

    return matches
