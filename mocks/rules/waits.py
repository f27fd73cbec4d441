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
        self.rung = False

    def ring(self) -> None:
        os.close(self._writer)
        self.rung = True

    def close(self) -> None:
        if not self.rung:
            os.close(self._writer)
        os.close(self.reader)


class Waits:
    """
    Every wait of one mock.

    A sleeping thread costs no time: it sits in one `poll` on its connection and on the bell.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bell: _Bell | None = None

    def wait(self, seconds: float | None, caller: socket.socket | None = None) -> Ended:
        """
        Wait.

        Args:
            seconds: None waits for the other two alone.
            caller: Its connection, when the wait is to end with it.
        """
        until = None if seconds is None else time.monotonic() + seconds
        with self._at_the_bell() as bell:
            poll = select.poll()
            poll.register(bell.reader, select.POLLIN)
            if caller is not None and caller.fileno() >= 0:
                poll.register(caller.fileno(), _GONE)
            while True:
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    return Ended.TIME
                for fd, _ in poll.poll(None if left is None else left * 1000):
                    return Ended.STOPPED if fd == bell.reader else Ended.GONE

    @property
    def waiting(self) -> int:
        """How many wait now."""
        with self._lock:
            return 0 if self._bell is None else self._bell.users

    def stop(self) -> None:
        """End every wait now; later ones wait again."""
        with self._lock:
            bell, self._bell = self._bell, None
            if bell is not None:
                bell.ring()

    @contextmanager
    def _at_the_bell(self) -> Iterator[_Bell]:
        """The pipe exists while somebody waits, so that an idle mock holds no files open."""
        with self._lock:
            bell = self._bell = self._bell or _Bell()
            bell.users += 1
        try:
            yield bell
        finally:
            with self._lock:
                bell.users -= 1
                if bell.users == 0:
                    bell.close()
                    if self._bell is bell:
                        self._bell = None
