"""Requests on their way in: a worker gets one when it is whole.

A caller that sends a byte now and then would hold a worker for as long as it likes to; some dozens
of them, all. Here one thread reads from all connections at once, and what is not whole costs some
memory and no worker. Bounded are: how long a request may take, how many connections wait for one,
and how many bytes they hold together; over the bounds the longest wait, or the most bytes, is cut.

Whether a request is right is not judged here, only where it ends (RFC 9112 section 6). What cannot
be told is handed over as it is, for the server to refuse.
"""

import contextlib
import re
import selectors
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from intyg.adapter.domain.kept_thread import KeptThread
from intyg.adapter.httpd.wake import LOOK_SECONDS, WakeUp

MAX_ARRIVING: Final = 384  # connections; a process commonly may open 1024 files
MAX_HELD_BYTES: Final = 128 * 1024 * 1024
PATIENCE_SECONDS: Final = 0.2
_BLOCK: Final = 256 * 1024
_CHUNK_LINE: Final = 1024

BEGINS: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz\r\n")
"""What a request can begin with; TLS, for one, does not."""

_LENGTH: Final = re.compile(rb"\r?\nContent-Length[ \t]*:[ \t]*(\d{1,15})[ \t]*(?=\r?\n)", re.I)
_CHUNKED: Final = re.compile(rb"\r?\nTransfer-Encoding[ \t]*:", re.I)
_EXPECT: Final = re.compile(rb"\r?\nExpect[ \t]*:[ \t]*100-continue", re.I)
_HEX: Final = re.compile(rb"[0-9A-Fa-f]{1,15}")

_log = structlog.get_logger("intyg.adapter.httpd.server")


@dataclass(frozen=True)
class Bounds:
    """
    Limits of a request that is not whole yet.

    Attributes:
        header_bytes: More without an end is the server's to refuse.
        body_bytes: A larger one is the application's to refuse, unread.
        arrive_seconds: From its first look to its end.
        idle_seconds: Without a byte.
    """

    header_bytes: int
    body_bytes: int
    arrive_seconds: float
    idle_seconds: float


class Framing:
    """
    Finds where a request ends, looking at each byte about once.

    Args:
        bounds: What is not looked for any further.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._seen = 0  # no end of the header before this
        self._need: int | None = None  # the length of the whole request
        self._chunk_at: int | None = None  # where the next chunk's line begins
        self.expects_continue = False

    def whole(self, data: bytearray) -> bool:
        """True when the request at the start of `data` is whole, or past telling."""
        if data and data[0] not in BEGINS:
            return True
        if self._need is None and self._chunk_at is None and not self._read_header(data):
            return len(data) > self._bounds.header_bytes
        if self._chunk_at is not None:
            return self._read_chunks(data)
        return len(data) >= (self._need or 0)

    @property
    def has_header(self) -> bool:
        """True when its header is here: it could be refused for that alone."""
        return self._need is not None

    def _read_header(self, data: bytearray) -> bool:
        # Empty lines before a request are skipped by servers (RFC 9112 section 2.2).
        start = len(data) - len(data.lstrip(b"\r\n"))
        end = data.find(b"\r\n\r\n", max(start, self._seen - 3))
        self._seen = len(data)
        if end < 0:
            return False
        header = bytes(data[start : end + 2])
        length = _LENGTH.findall(header)
        self._need = end + 4
        if _CHUNKED.search(header):
            self._chunk_at = None if length else end + 4  # both is the server's to refuse
        elif len(length) == 1 and int(length[0]) <= self._bounds.body_bytes:
            self._need += int(length[0])
        self.expects_continue = len(data) < self._need and bool(_EXPECT.search(header))
        return True

    def _read_chunks(self, data: bytearray) -> bool:
        """RFC 9112 section 7.1; anything odd is past telling."""
        assert self._chunk_at is not None
        while self._chunk_at < len(data):
            line_end = data.find(b"\n", self._chunk_at, self._chunk_at + _CHUNK_LINE)
            if line_end < 0:
                return len(data) - self._chunk_at > _CHUNK_LINE
            size = bytes(data[self._chunk_at : line_end]).partition(b";")[0].strip()
            if not _HEX.fullmatch(size):
                return True
            if int(size, 16) == 0:
                trailers = line_end + 1  # they end with an empty line, which may be the first
                ends = data.startswith(b"\r\n", trailers) or data.find(b"\r\n\r\n", trailers) > 0
                return ends or len(data) - trailers > self._bounds.header_bytes
            self._chunk_at = line_end + 1 + int(size, 16) + 2
            if self._chunk_at > self._bounds.body_bytes + self._bounds.header_bytes:
                return True
        return False


@dataclass
class _Incoming:
    connection: Any
    framing: Framing
    since: float
    late: float  # when the whole request must be here
    descriptor: int = -1  # while it waits
    idle: float = 0.0  # when the next byte must be here
    held: int = 0  # bytes, as counted in the sum


@dataclass
class _Waiting:
    """Connections by file descriptor, the longest wait first, and what they hold together."""

    by_fd: dict[int, _Incoming] = field(default_factory=dict)
    held: int = 0


class Intake:
    """
    Reads from connections until their next request is whole.

    A connection has `socket`, and `buffered`: a bytearray that its reader takes from first.

    Args:
        ready: Takes a connection whose request is whole, too large, or too late; quick.
        bounds: What a request may take.
        early: So many that are not whole may be with a worker all the same, after a moment, since
            some are refused for their header alone.
    """

    def __init__(self, ready: Callable[[Any], None], bounds: Bounds, early: int) -> None:
        self._ready = ready
        self._bounds = bounds
        self._early_left = early
        self._early: set[int] = set()  # connections, by identity
        self._selector = selectors.DefaultSelector()
        self._wake_up = WakeUp(self._selector)
        self._lock = threading.Lock()
        self._new: list[_Incoming] = []
        self._waiting = _Waiting()
        self._stopping = False
        self.thread = KeptThread("intake", self._run)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        """Drop every connection whose request is not whole."""
        self._stopping = True
        self._wake_up.wake()
        self.thread.join(timeout=10)
        self._take_new()
        for incoming in list(self._waiting.by_fd.values()):
            self._drop(incoming)
        self._selector.close()
        self._wake_up.close()

    def add(self, connection: Any) -> None:
        """Wait for a connection's next request; most are here already, and go on at once."""
        if self._stopping:
            connection.close()
            return
        self.left(connection)
        now = time.monotonic()
        late = now + self._bounds.arrive_seconds
        incoming = _Incoming(connection, Framing(self._bounds), now, late)
        connection.arrive_by = late
        connection.socket.setblocking(False)
        if self._read(incoming, now):
            return
        with self._lock:
            if not self._stopping:
                self._new.append(incoming)
                self._wake_up.wake()
                return
        connection.close()

    def left(self, connection: Any) -> None:
        """A worker is done with a connection."""
        with self._lock:
            if id(connection) in self._early:
                self._early.discard(id(connection))
                self._early_left += 1

    def _run(self) -> None:
        while not self._stopping:
            for key, _ in self._selector.select(LOOK_SECONDS):
                if key.data is None:
                    self._take_new()
                else:
                    self._look_at(key.data)
            self._keep_bounds(time.monotonic())

    def _take_new(self) -> None:
        self._wake_up.drain()
        with self._lock:
            new, self._new = self._new, []
        for incoming in new:
            descriptor = incoming.descriptor = incoming.connection.socket.fileno()
            self._selector.register(descriptor, selectors.EVENT_READ, incoming)
            self._waiting.by_fd[descriptor] = incoming
            self._count(incoming)

    def _look_at(self, incoming: _Incoming) -> None:
        try:
            if not self._read(incoming, time.monotonic()):
                self._count(incoming)
        except Exception as exc:  # noqa: BLE001  a door: one caller must not end it for all
            _log.error("server.intake_failed", **{"error.type": type(exc).__name__})
            self._drop(incoming)

    def _read(self, incoming: _Incoming, now: float) -> bool:
        """Take in what is there; True when the connection has left: handed over, or closed."""
        connection, buffered = incoming.connection, incoming.connection.buffered
        gone = False
        incoming.idle = now + self._bounds.idle_seconds
        try:
            while not incoming.framing.whole(buffered):
                block = connection.socket.recv(_BLOCK)
                if not block:
                    gone = True
                    break
                buffered += block
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            self._ask_to_go_on(incoming)
            return False
        except (OSError, ValueError):
            gone, buffered[:] = True, b""
        self._forget(incoming)  # first: from here on the connection is somebody else's
        if gone and not buffered:
            self._close(connection)
        else:
            self._hand_over(connection)
        return True

    def _ask_to_go_on(self, incoming: _Incoming) -> None:
        """The body comes when the caller has been told to go on (RFC 9110 section 10.1.1)."""
        if incoming.framing.expects_continue:
            incoming.framing.expects_continue = False
            with contextlib.suppress(OSError):
                incoming.connection.socket.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _hand_over(self, connection: Any) -> None:
        connection.socket.settimeout(self._bounds.idle_seconds)
        self._ready(connection)

    def _count(self, incoming: _Incoming) -> None:
        held = len(incoming.connection.buffered)
        self._waiting.held += held - incoming.held
        incoming.held = held

    def _keep_bounds(self, now: float) -> None:
        waiting = self._waiting.by_fd
        for incoming in [one for one in waiting.values() if now >= min(one.late, one.idle)]:
            self._too_late(incoming)
        patient = now - PATIENCE_SECONDS
        for incoming in [one for one in waiting.values() if one.since <= patient]:
            if self._early_left <= 0:
                break
            if incoming.framing.has_header:
                self._go_early(incoming)
        while len(waiting) > MAX_ARRIVING:
            self._drop(next(iter(waiting.values())))
        while self._waiting.held > MAX_HELD_BYTES:
            self._drop(max(waiting.values(), key=lambda one: one.held))

    def _too_late(self, incoming: _Incoming) -> None:
        if not incoming.held:
            self._drop(incoming)
            return
        self._forget(incoming)
        incoming.connection.arrive_by = 0.0  # whoever reads on is told that the time is up
        self._hand_over(incoming.connection)

    def _go_early(self, incoming: _Incoming) -> None:
        with self._lock:
            self._early_left -= 1
            self._early.add(id(incoming.connection))
        self._forget(incoming)
        self._hand_over(incoming.connection)

    def _drop(self, incoming: _Incoming) -> None:
        self._forget(incoming)
        self._close(incoming.connection)

    def _forget(self, incoming: _Incoming) -> None:
        if self._waiting.by_fd.pop(incoming.descriptor, None) is not None:
            self._selector.unregister(incoming.descriptor)
            self._waiting.held -= incoming.held

    @staticmethod
    def _close(connection: Any) -> None:
        with contextlib.suppress(OSError, ValueError):
            connection.close()
