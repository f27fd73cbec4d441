"""One thread that waits for many connections at once."""

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

from intyg.adapter.domain.kept_thread import KeptThread
from intyg.adapter.httpd.answer import Face, refusal_bytes
from intyg.adapter.httpd.connection import Connection
from intyg.adapter.httpd.request import Refusal

LOOK_SECONDS: Final = 0.1
"""How often deadlines are looked at."""

LINGER_SECONDS: Final = 0.5
"""For a refused caller to take in why, while the rest of what it sends runs out."""

MAX_LEAVING: Final = 512

_log = structlog.get_logger("intyg.adapter.httpd.server")


class WaitingLoop:
    """
    Waits for connections, and goes on with those from which something has come.

    Args:
        name: Of the thread.
        failed: The event that is logged when a connection met what nobody foresaw.
        face: What refusals have in common with other answers.

    Attributes:
        thread: That waits.
        stopping: It takes no more.
    """

    def __init__(self, name: str, failed: str, face: Face) -> None:
        self._failed = failed
        self._face = face
        self._lock = threading.Lock()
        self._new: list[Connection] = []
        self._waiting: dict[int, Connection] = {}  # by file descriptor, the longest wait first
        self._leaving: dict[int, Connection] = {}
        self._next_look = 0.0
        self.stopping = False
        self.thread = KeptThread(name, self._run)

    def begin(self, connection: Connection, now: float) -> None:
        """A connection is new here; `go_on` follows."""
        raise NotImplementedError

    def go_on(self, connection: Connection) -> None:
        """
        Something may have come.

        Raises:
            Refusal: The caller is told, and the connection closed.
        """
        raise NotImplementedError

    def keep_bounds(self, now: float) -> None:
        """Let nobody wait for longer than it may, nor too many."""
        raise NotImplementedError

    def start(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wakes, self._woken = socket.socketpair()
        self._wakes.setblocking(False)
        self._woken.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self.thread.start()

    def stop(self) -> None:
        """Drop all that wait."""
        with self._lock:
            self.stopping = True
        self._wake()
        self.thread.join(timeout=10)
        for connection in [*self._new, *self._waiting.values(), *self._leaving.values()]:
            connection.close()
        self._selector.close()
        self._wakes.close()
        self._woken.close()

    def add(self, connection: Connection) -> None:
        """Wait for a connection; from any thread."""
        with self._lock:
            if not self.stopping:
                self._new.append(connection)
                self._wake()
                return
        connection.close()

    def let_leave(self, connection: Connection) -> None:
        """
        Close a connection when its caller has had the time to take in why; from any thread.

        At once, the caller's system would throw away the answer (RFC 9112 section 9.6).
        """
        connection.end_sending()
        connection.is_leaving = True
        self.add(connection)

    def forget(self, connection: Connection) -> None:
        """Wait for a connection no longer: from here on it is somebody else's."""
        descriptor = connection.socket.fileno()
        self._waiting.pop(descriptor, None)
        self._leaving.pop(descriptor, None)
        with contextlib.suppress(KeyError, ValueError):  # it is not waited for, or closed already
            self._selector.unregister(descriptor)

    def drop(self, connection: Connection) -> None:
        self.forget(connection)
        connection.close()

    def refuse(self, connection: Connection, refusal: Refusal) -> None:
        """Answer without a worker, and close."""
        self.forget(connection)
        connection.send_at_once(refusal_bytes(connection.request, refusal, self._face))
        self.let_leave(connection)

    def wait_for(self, connection: Connection, event: int) -> None:
        """Until it can be read (`EVENT_READ`), or written."""
        self._selector.modify(connection.socket, event, connection)

    def _run(self) -> None:
        while not self.stopping:
            for key, _ in self._selector.select(LOOK_SECONDS):
                if key.data is None:
                    self._take_new()
                else:
                    self._safely(self._look_at, key.data)
            now = time.monotonic()
            if now >= self._next_look:
                self._next_look = now + LOOK_SECONDS / 2
                self.keep_bounds(now)
                self._end_leaving(now)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full, so it wakes up anyway; or closed
            self._wakes.send(b"x")

    def _take_new(self) -> None:
        with contextlib.suppress(OSError):
            self._woken.recv(4096)
        with self._lock:
            new, self._new = self._new, []
        for connection in new:
            self._safely(self._take, connection)

    def _safely(self, step: Callable[[Connection], None], connection: Connection) -> None:
        try:
            step(connection)
        except Refusal as refusal:
            self.refuse(connection, refusal)
        except Exception as exc:  # noqa: BLE001  a door: one caller must not end it for all
            _log.error(self._failed, **{"error.type": type(exc).__name__})
            self.drop(connection)

    def _take(self, connection: Connection) -> None:
        now = time.monotonic()
        connection.socket.setblocking(False)
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        descriptor = connection.socket.fileno()
        if connection.is_leaving:
            connection.deadline = now + LINGER_SECONDS
            self._leaving[descriptor] = connection
        else:
            self._waiting[descriptor] = connection
            self.begin(connection, now)
            self.go_on(connection)

    def _look_at(self, connection: Connection) -> None:
        if not connection.is_leaving:
            self.go_on(connection)
        elif connection.throw_away():
            self.drop(connection)

    def _end_leaving(self, now: float) -> None:
        late = [one for one in self._leaving.values() if one.deadline <= now]
        excess = len(self._leaving) - MAX_LEAVING
        for connection in late or list(self._leaving.values())[: max(0, excess)]:
            self.drop(connection)
