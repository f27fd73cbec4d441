"""Requests on their way in: a worker gets one when it is whole.

A caller that sends a byte now and then would hold a worker for as long as it likes to; some dozens
of them, all. Here one thread reads from all connections at once, and what is not whole costs some
memory and no worker. Bounded are: how long a request may take, how many connections wait for one,
and how many bytes they hold together; over the bounds the longest wait, or the most bytes, is cut.
"""

import ssl
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import h11

from intyg.adapter.httpd.answer import Face
from intyg.adapter.httpd.connection import READ_BYTES, Connection
from intyg.adapter.httpd.loop import WaitingLoop
from intyg.adapter.httpd.request import Refusal

MAX_ARRIVING: Final = 384  # connections; a process commonly may open 1024 files
MAX_HELD_BYTES: Final = 128 * 1024 * 1024
PATIENCE_SECONDS: Final = 0.2
_READS_A_TURN: Final = 16  # of one caller, before others have their turn


class Intake(WaitingLoop):
    """
    Reads from connections until their next request is whole.

    Args:
        ready: Takes a connection whose request is whole, too large, or too late; quick. Raises a
            `Refusal` when it takes none.
        early: So many that are not whole may be with a worker all the same, after a moment, since
            some are refused for their header alone.
    """

    def __init__(self, ready: Callable[[Connection], None], early: int, face: Face) -> None:
        super().__init__("intake", "server.intake_failed", face)
        self._ready = ready
        self._early_left = threading.Semaphore(early)

    def came_back(self, connection: Connection) -> None:
        """A worker is done with a connection."""
        if connection.is_early:
            connection.is_early = False
            self._early_left.release()

    def begin(self, connection: Connection, now: float) -> None:
        limits = connection.limits
        connection.since = now
        connection.arrive_by = now + limits.arrive_seconds
        connection.deadline = now + limits.idle_seconds
        if connection.request.whole:  # and answered
            connection.next_request()

    def go_on(self, connection: Connection) -> None:
        request, reads = connection.request, 0
        try:
            while not request.settled and reads < _READS_A_TURN:
                block = connection.socket.recv(READ_BYTES)
                if not block:
                    self._end(connection)
                    return
                request.take(block)
                reads += 1
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:
            self.drop(connection)
            return
        if request.settled:
            self._hand_over(connection)
            return
        if reads:
            connection.deadline = time.monotonic() + connection.limits.idle_seconds
        self._ask_to_go_on(connection)

    def _end(self, connection: Connection) -> None:
        """The caller sends no more, and may still wait for an answer."""
        self._no_more(connection, HTTPStatus.BAD_REQUEST, "The request ended in its header.")

    def _no_more(self, connection: Connection, status: HTTPStatus, why_not: str) -> None:
        if connection.request.head is not None:
            self._hand_over(connection)
        elif connection.request.received:
            raise Refusal(status, why_not)
        else:
            self.drop(connection)

    def _hand_over(self, connection: Connection) -> None:
        self.forget(connection)
        self._ready(connection)

    @staticmethod
    def _ask_to_go_on(connection: Connection) -> None:
        """The body comes when the caller has been told to go on (RFC 9110 section 10.1.1)."""
        protocol = connection.request.protocol
        if protocol.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
            connection.send_at_once(protocol.send(go_on))

    def keep_bounds(self, now: float) -> None:
        for connection in list(self._waiting.values()):
            if now >= min(connection.deadline, connection.arrive_by):
                self._safely(self._too_late, connection)
            elif now - connection.since >= PATIENCE_SECONDS and connection.request.head is not None:
                self._safely(self._go_early, connection)
        for connection in list(self._waiting.values())[: max(0, len(self._waiting) - MAX_ARRIVING)]:
            self.drop(connection)
        while sum(one.request.received for one in self._waiting.values()) > MAX_HELD_BYTES:
            self.drop(max(self._waiting.values(), key=lambda one: one.request.received))

    def _too_late(self, connection: Connection) -> None:
        connection.arrive_by = 0.0  # whoever reads on is told that the time is up
        status = HTTPStatus.REQUEST_TIMEOUT
        self._no_more(connection, status, "The request did not arrive in time.")

    def _go_early(self, connection: Connection) -> None:
        if self._early_left.acquire(blocking=False):
            connection.is_early = True
            self._hand_over(connection)
