"""One request with its answer, between a connection and an application.

Source: PEP 3333 (WSGI 1.0).
"""

import io
import sys
from collections.abc import Callable, Iterable
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import unquote_to_bytes

import h11
import structlog

from intyg.adapter.httpd.answer import NAME, Face, Headers, latin, refusal_bytes
from intyg.adapter.httpd.connection import CallerGoneError, Connection
from intyg.adapter.httpd.intake import Intake
from intyg.adapter.httpd.request import (
    BrokenBodyError,
    Refusal,
    TooLateError,
    TooMuchError,
    normal_target,
)
from intyg.adapter.routing.caller import PEER_CERT

_BODILESS: Final = frozenset({204, 304})

_log = structlog.get_logger("intyg.adapter.httpd.server")


class Body(io.RawIOBase):
    """A request's body: what is here, then what the connection brings."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """
        Take the next bytes.

        Raises:
            TooLateError: They do not come in time.
            BrokenBodyError: The chunks are wrong.
            CallerGoneError: They do not come.
            TooMuchError: There are more in chunks than are taken.
        """
        request = self._connection.request
        while not request.body and not request.whole:
            if request.error is not None:
                raise request.error
            if not self._connection.read_on():
                return 0
        size = min(len(buffer), len(request.body))
        with memoryview(request.body) as here:
            buffer[:size] = here[:size]
        del request.body[:size]
        return size


class Exchange:
    """
    A context in which an application is called; whatever happens there, the caller is answered.

    Args:
        connection: Its request has a header.
        intake: Where the connection goes on.
        face: Of the server.
        base: What every request's environment has.

    Attributes:
        environ: For the application.
    """

    def __init__(
        self, connection: Connection, intake: Intake, face: Face, base: dict[str, Any]
    ) -> None:
        assert connection.request.head is not None
        self._connection = connection
        self._request = connection.request
        self._protocol = connection.request.protocol
        self._intake = intake
        self._face = face
        self._response: h11.Response | None = None  # promised, and not sent yet
        self._started = False
        self._mute = connection.request.head.method == b"HEAD"
        self.environ = {**base, **environ_of(connection, connection.request.head)}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self._intake.came_back(self._connection)
        if isinstance(error, Exception):
            self._tell(error)
        if not self._request.whole:
            self._intake.let_leave(self._connection)
        elif error is None and self._protocol.states == {
            h11.CLIENT: h11.DONE,
            h11.SERVER: h11.DONE,
        }:
            self._intake.add(self._connection)
        else:
            self._connection.close()
        return isinstance(error, Exception)

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        if self._started and exc_info is None:
            raise RuntimeError("start_response came twice")
        if self._started and self._response is None:
            raise exc_info[1]  # too late for another answer
        code, _, reason = status.partition(" ")
        self._response = h11.Response(
            status_code=int(code),
            reason=reason.encode("latin-1"),
            headers=[*latin(headers), *self._face.headers(), *self._last()],
        )
        self._started = True
        self._mute = self._mute or int(code) in _BODILESS
        return self._write

    def send(self, blocks: Iterable[bytes]) -> None:
        """
        Send an application's answer.

        Raises:
            h11.LocalProtocolError: It is none, or not of the length that it says.
            CallerGoneError: Nobody takes it.
        """
        try:
            for block in blocks:
                if block:
                    self._write(block)
            self._send(self._begin() + self._protocol.send(h11.EndOfMessage()))
        finally:
            if hasattr(blocks, "close"):
                blocks.close()

    def _last(self) -> Headers:
        """An unread body is not the next request; and a server that stops takes no other."""
        last = not self._request.whole or self._intake.stopping
        return [(b"Connection", b"close")] if last else []

    def _write(self, block: bytes) -> None:
        begin = self._begin()
        if not self._mute:
            begin += self._protocol.send(h11.Data(data=block))
        self._send(begin)

    def _begin(self) -> bytes:
        """The head of the answer, once."""
        if not self._started:
            raise RuntimeError("the application began no answer")
        response, self._response = self._response, None
        return b"" if response is None else self._protocol.send(response)

    def _send(self, data: bytes) -> None:
        if data:
            self._connection.send(data)

    def _tell(self, error: Exception) -> None:
        """Of what went wrong: the log by class only, since its text may quote a message."""
        if isinstance(error, CallerGoneError):
            return
        if isinstance(error, TooLateError | BrokenBodyError | TooMuchError):
            refusal = error.refusal
        else:
            refusal = Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here.")
            _log.error("server.error", **{"error.type": type(error).__name__})
        if self._protocol.our_state in (h11.IDLE, h11.SEND_RESPONSE):  # nothing is said yet
            self._connection.send_at_once(refusal_bytes(self._request, refusal, self._face))


def environ_of(connection: Connection, head: h11.Request) -> dict[str, Any]:
    """What a request says, as PEP 3333 has it."""
    host, target = normal_target(head.target)
    path, _, query = target.partition(b"?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": head.method.decode(),
        "REQUEST_URI": target.decode(),
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query.decode(),
        "SERVER_PROTOCOL": f"HTTP/{head.http_version.decode()}",
        "REMOTE_ADDR": connection.host,
        "REMOTE_PORT": str(connection.port),
        "wsgi.url_scheme": "https" if connection.is_tls else "http",
        "wsgi.input": io.BufferedReader(Body(connection)),
    }
    if connection.is_tls:
        environ[PEER_CERT] = connection.peer_cert or None
    for name, value in head.headers:
        if b"_" in name:
            continue  # X_Forwarded_Host would be X-Forwarded-Host here, but to no proxy before us
        key = name.decode().upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        told, said = environ.get(key), value.decode("latin-1")
        # One list (RFC 9110 section 5.3): neither of two takes the place of the other.
        environ[key] = said if told is None else f"{told}, {said}"
    if host is not None:
        environ["HTTP_HOST"] = host.decode()
    return environ


def base_environ(port: int) -> dict[str, Any]:
    """What every request's environment has."""
    return {
        "SERVER_NAME": NAME,
        "SERVER_PORT": str(port),
        "SERVER_SOFTWARE": NAME,
        "wsgi.version": (1, 0),
        "wsgi.input_terminated": True,  # reading on is safe: it ends where the body does
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
