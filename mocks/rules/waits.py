"""Waiting, in a way that ends at once when the mock stops or the caller goes away."""

import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

_GONE: Final = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR
"""The other side has closed. Without POLLRDHUP (not Linux) only a reset shows."""


class Ended(StrEnum):
    """Why a wait is over."""

    TIME = "time"
    GONE = "gone"  # the caller has closed its connection
    STOPPED = "stopped"  # the mock is about to stop


def is_gone(caller: socket.socket | None) -> bool:
    """Whether a caller has closed its connection; without one it cannot be told."""
    if caller is None or caller.fileno() < 0:
        return False
    poll = select.poll()
    poll.register(caller.fileno(), _GONE)
    return bool(poll.poll(0))


class _Bell:
    """Rings once, for everyone who waits: closing one end of a pipe wakes all at the other."""

    def __init__(self) -> None:
        self.reader, self._writer = os.pipe()
        self.users = 0
        self.rung: Ended | None = None

    def ring(self, why: Ended) -> None:
        self.rung = why
        os.close(self._writer)

    def close(self) -> None:
        if self.rung is None:
            os.close(self._writer)
        os.close(self.reader)


class Waits:
    """
    Every wait of one mock.

    A sleeping thread costs no time: it sits in one `poll` on its connection and on a bell. Those
    that are to last for ever have a bell of their own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bells: dict[bool, _Bell] = {}  # by whether the wait is to last for ever
        self._moves = 0

    def wait(self, seconds: float | None, caller: socket.socket | None = None) -> Ended:
        """
        Wait.

        Args:
            seconds: None waits for ever: until one of the other two, or a clock is moved, which
                takes longer than any caller is patient (GONE).
            caller: Its connection, when the wait is to end with it.
        """
        until = None if seconds is None else time.monotonic() + seconds
        with self._at_the_bell(for_ever=seconds is None) as bell:
            if bell is None:
                return Ended.GONE
            poll = select.poll()
            poll.register(bell.reader, select.POLLIN)
            if caller is not None and caller.fileno() >= 0:
                poll.register(caller.fileno(), _GONE)
            while True:
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    return Ended.TIME
                for fd, _ in poll.poll(None if left is None else left * 1000):
                    return bell.rung or Ended.STOPPED if fd == bell.reader else Ended.GONE

    @property
    def waiting(self) -> int:
        """How many wait now."""
        with self._lock:
            return sum(bell.users for bell in self._bells.values())

    def stop(self) -> None:
        """End every wait now; later ones wait again."""
        with self._lock:
            while self._bells:
                self._bells.popitem()[1].ring(Ended.STOPPED)

    @contextmanager
    def outlasted(self) -> Iterator[None]:
        """
        Within it nothing lasts for ever: a clock is moved, farther than any caller is patient.

        Otherwise whoever moves it, and waits until all that fell due is done, would wait for
        somebody who waits for an answer that never comes.
        """
        with self._lock:
            self._moves += 1
            bell = self._bells.pop(True, None)
            if bell is not None:
                bell.ring(Ended.GONE)
        try:
            yield
        finally:
            with self._lock:
                self._moves -= 1

    @contextmanager
    def _at_the_bell(self, for_ever: bool) -> Iterator[_Bell | None]:
        """
        The pipe exists while somebody waits, so that an idle mock holds no files open.

        Gives None when there is nothing to wait for.
        """
        with self._lock:
            if for_ever and self._moves:
                bell = None
            else:
                bell = self._bells.get(for_ever) or self._bells.setdefault(for_ever, _Bell())
                bell.users += 1
        try:
            yield bell
        finally:
            if bell is not None:
                self._leave(bell, for_ever)

    def _leave(self, bell: _Bell, for_ever: bool) -> None:
        with self._lock:
            bell.users -= 1
            if bell.users == 0:
                bell.close()
                if self._bells.get(for_ever) is bell:
                    del self._bells[for_ever]
