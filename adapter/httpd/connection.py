"""A caller's connection, and the request on it."""

import contextlib
import socket
import ssl
import time
from typing import Any, Final

from intyg.adapter.httpd.request import IncomingRequest, Limits, TooLateError

READ_BYTES: Final = 64 * 1024  # more than a TLS record, so that none is left over unseen


class CallerGoneError(OSError):
    """The connection ended before the request or the answer did."""


class Connection:
    """
    One caller's.

    Args:
        sock: Just accepted.
        address: The caller's host and port.
        limits: Of its requests.

    Attributes:
        request: The one that comes in, or is answered.
        peer_cert: The caller's certificate as `ssl` tells it, after a handshake; empty without one.
        since: When it began to wait; as all here by `time.monotonic`.
        deadline: When something more must have come.
        arrive_by: When its request must be whole.
        is_early: A worker has it though its request is not whole.
        is_leaving: It was refused, and what still comes is thrown away.
    """

    def __init__(self, sock: socket.socket, address: tuple[str, int], limits: Limits) -> None:
        self.socket = sock
        self.host, self.port = address
        self.limits = limits
        self.request = IncomingRequest(limits)
        self.peer_cert: dict[str, Any] | None = None
        self.since = self.deadline = self.arrive_by = 0.0
        self.is_early = self.is_leaving = False

    @property
    def is_tls(self) -> bool:
        """True when a handshake is through."""
        return self.peer_cert is not None

    def next_request(self) -> None:
        """
        Make what came behind its request the next one.

        Raises:
            Refusal: That is none that is answered.
        """
        ahead = self.request.ahead
        self.request = IncomingRequest(self.limits)
        if ahead:
            self.request.take(ahead)

    def read_on(self) -> bool:
        """
        Wait for more of the body; False when the caller sends no more.

        Raises:
            TooLateError: It does not come in time.
            CallerGoneError: It does not come.
        """
        left = self.arrive_by - time.monotonic()
        if left <= 0:
            raise TooLateError
        self.socket.settimeout(min(left, self.limits.idle_seconds))
        try:
            block = self.socket.recv(READ_BYTES)
        except TimeoutError:
            raise TooLateError from None
        except OSError as exc:
            raise CallerGoneError from exc
        if block:
            self.request.take(block)
        return bool(block)

    def send(self, data: bytes) -> None:
        """
        Send all of it.

        Raises:
            CallerGoneError: The caller takes in nothing, or not for long.
        """
        view = memoryview(data)
        try:
            self.socket.settimeout(self.limits.idle_seconds)
            for at in range(0, len(view), READ_BYTES):  # each of them has the time to itself
                self.socket.sendall(view[at : at + READ_BYTES])
        except OSError as exc:
            raise CallerGoneError from exc

    def send_at_once(self, data: bytes) -> None:
        """Send a few bytes to somebody who may not be there, and wait for nothing."""
        with contextlib.suppress(OSError, ValueError):
            self.socket.setblocking(False)
            if self.is_tls:
                self.socket.send(data)
            else:
                socket.socket.send(self.socket, data)

    def end_sending(self) -> None:
        """Tell the caller that nothing more comes."""
        self._say_goodbye()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_WR)

    def throw_away(self) -> bool:
        """Forget what has come, whatever it is; True when that was the last."""
        try:
            return not socket.socket.recv(self.socket, READ_BYTES)
        except OSError as exc:
            return not isinstance(exc, BlockingIOError)

    def close(self) -> None:
        self._say_goodbye()
        with contextlib.suppress(OSError):
            self.socket.close()

    def _say_goodbye(self) -> None:
        """Of TLS (`close_notify`); waits for no answer."""
        if self.is_tls and isinstance(self.socket, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                self.socket.setblocking(False)
                self.socket.unwrap()
