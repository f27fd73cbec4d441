"""HTTP on the way out: one request, one answer, and it ends in time. Everything that asks uses it.

Bounded in size, and in time however slowly the other side reads or writes. Nothing of the
environment is used (no proxy, `.netrc` or certificates), no cookie is kept and no redirect is
followed: the answer comes from the address that was given, or not at all.

Source: RFC 9110 section 15.2 for answers before the answer.
"""

import http.client
import io
import selectors
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from intyg.adapter.clients.tls import PUBLIC, client_context
from intyg.adapter.domain.multipart import is_related, root_part
from intyg.adapter.settings.web_address import check_web_address

_BLOCK_BYTES: Final = 16 * 1024
_EITHER_FORM: Final = 32 + zlib.MAX_WBITS  # gzip or zlib, as its head says


class BypassError(RuntimeError):
    """Our own code tried to send without the client's leave."""


class NoAnswerError(Exception):
    """
    No whole answer came; the text says why in our own words: a library's may quote the address.

    Attributes:
        sent: Whether a byte has left, so that the request may have arrived.
        tls: Whether it is TLS that failed.
    """

    def __init__(self, cause: str, *, sent: bool, tls: bool = False) -> None:
        super().__init__(cause)
        self.sent = sent
        self.tls = tls


@dataclass(frozen=True)
class Limits:
    """
    How long an exchange may take, and how much may come.

    Attributes:
        connect_seconds: For connecting, to all addresses of a host together, and the handshake.
        wait_seconds: For the next byte.
        all_seconds: For everything; only looking up the host name cannot be broken off.
        max_bytes: Of the answer's body. One byte more is read, to show that there is more.
    """

    connect_seconds: float
    wait_seconds: float
    all_seconds: float
    max_bytes: int


@dataclass(frozen=True)
class HttpRequest:
    """
    What is asked.

    Attributes:
        url: http or https.
        headers: Host and Content-Length are added.
        permit: For who gives leave.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None
    permit: object = None


@dataclass(frozen=True)
class HttpAnswer:
    """
    What came back.

    Attributes:
        content_type: Of the body.
        body: Unpacked; of a `multipart/related` answer its root part.
    """

    status: int
    headers: Message
    content_type: str | None
    body: bytes


class HttpClient:
    """
    Keeps its connections open; for one thread.

    Args:
        tls: How TLS is spoken; None: as with anybody.
        leave: Asked about each request in the last step before a socket is used; raises where it
            gives none.
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        leave: Callable[[HttpRequest], None] = lambda _: None,
    ) -> None:
        self._tls = tls
        self._leave = leave
        self._wire = _Wire()
        self._connections: dict[tuple[str, str], _Connection] = {}

    def exchange(self, request: HttpRequest, limits: Limits) -> HttpAnswer:
        """
        Send a request and read the answer.

        Raises:
            NoAnswerError: The address is not usable, or there is no connection, no answer in time
                or a broken one.
            BypassError: There is no leave for it.
        """
        try:
            url = _usable(request.url)
        except ValueError as exc:
            raise NoAnswerError("the address is not usable", sent=False) from exc
        with self._wire.used(limits):
            self._leave(request)
            try:
                return self._exchange(self._connection(url), url, request, limits.max_bytes)
            except _FAILURES as exc:
                cause, tls = self._wire.cause_of(exc), isinstance(exc, ssl.SSLError)
                raise NoAnswerError(cause, sent=self._wire.sent, tls=tls) from exc

    def adopt(self, url: str, sock: socket.socket) -> None:
        """Use a connection that is open already, for requests to this host and port."""
        self._connection(urlsplit(url)).adopt(sock)

    def close(self) -> None:
        """Close the connections."""
        for connection in list(self._connections.values()):
            connection.close()

    def _connection(self, url: SplitResult) -> "_Connection":
        key = url.scheme, url.netloc
        if key not in self._connections:
            if url.scheme == "https" and self._tls is None:
                self._tls = client_context(PUBLIC)
            tls = self._tls if url.scheme == "https" else None
            self._connections[key] = _Connection(url, self._wire, tls)
        return self._connections[key]

    @staticmethod
    def _exchange(
        connection: "_Connection", url: SplitResult, request: HttpRequest, max_bytes: int
    ) -> HttpAnswer:
        connection.must_be_fresh()
        target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
        is_read = False
        try:
            connection.request(request.method, target, request.body, dict(request.headers))
            with connection.getresponse() as response:
                body = _read(response, max_bytes)
                is_read = response.isclosed() or response.length == 0
        finally:
            if not is_read:  # what is left of it must not be taken for the next answer
                connection.close()
        content_type, body = _root_part(response.getheader("Content-Type"), body)
        return HttpAnswer(response.status, response.headers, content_type, body)


def _usable(url: str) -> SplitResult:
    check_web_address(url)
    return urlsplit(url)


# --- time and socket ------------------------------------------------------------------------------


class _Wire:
    """The exchange under way: until when, and whether a byte of it has left."""

    def __init__(self) -> None:
        self.sent = False
        self._limits: Limits | None = None
        self._began = 0.0

    @contextmanager
    def used(self, limits: Limits) -> Iterator[None]:
        """Connections may be used meanwhile."""
        self.sent, self._limits, self._began = False, limits, time.monotonic()
        try:
            yield
        finally:
            self._limits = None

    def connect_seconds(self) -> float:
        """What is left for connecting."""
        limits = self._used()
        return self._left(min(limits.connect_seconds, limits.all_seconds))

    def wait_seconds(self) -> float:
        """How long the next byte may take."""
        limits = self._used()
        return min(limits.wait_seconds, self._left(limits.all_seconds))

    def cause_of(self, error: Exception) -> str:
        """Why the exchange failed."""
        if self.sent and isinstance(error, TimeoutError):
            over = time.monotonic() - self._began >= self._used().all_seconds
            return "the answer took too long" if over else "no answer in time"
        return cause_of(error, sent=self.sent)

    def _left(self, seconds: float) -> float:
        left = self._began + seconds - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _used(self) -> Limits:
        if self._limits is None:
            raise BypassError("a connection without an exchange under way was not used")
        return self._limits


class _Connection(http.client.HTTPConnection):
    """To one host and port; opened when it is needed, and again when the other side closed it."""

    def __init__(self, url: SplitResult, wire: _Wire, tls: ssl.SSLContext | None) -> None:
        self.default_port = 443 if tls else 80  # so that Host names no other
        super().__init__(url.hostname or "", url.port or self.default_port)
        self.response_class = _Response
        self._wire = wire
        self._tls = tls

    def connect(self) -> None:
        sock = _open(self.host, self.port, self._wire)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            sock.settimeout(self._wire.connect_seconds())
            sock = self._tls.wrap_socket(sock, server_hostname=self.host.rstrip("."))
        self.adopt(sock)

    def adopt(self, sock: socket.socket) -> None:
        self.sock: Any = _TimedSocket(sock, self._wire)

    def must_be_fresh(self) -> None:
        """Not one that the other side closed meanwhile, or sent something on unasked."""
        if self.sock is not None and self.sock.has_something():
            self.close()


def _open(host: str, port: int, wire: _Wire) -> socket.socket:
    wire.connect_seconds()
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failed: OSError = TimeoutError()
    for place, (*_, address) in enumerate(found):
        seconds = wire.connect_seconds() / (len(found) - place)  # one that is silent leaves some
        try:
            return socket.create_connection((str(address[0]), port), timeout=seconds)
        except OSError as exc:
            failed = exc
    raise failed


class _TimedSocket:
    """As much of a socket as http.client uses, each wait of it bounded."""

    def __init__(self, sock: socket.socket, wire: _Wire) -> None:
        self._sock = sock
        self._wire = wire

    def sendall(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            self._sock.settimeout(self._wire.wait_seconds())
            self._wire.sent = True
            left = left[self._sock.send(left) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._sock, self._wire))

    def has_something(self) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_READ)
            return bool(selector.select(0))

    def close(self) -> None:
        self._sock.close()


class _TimedReader(io.RawIOBase):
    """Reads from a socket; a header that comes byte by byte has many waits, and one end."""

    def __init__(self, sock: socket.socket, wire: _Wire) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)  # keeps the socket until it is closed, too
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._wire.wait_seconds())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


# --- the answer -----------------------------------------------------------------------------------


class _Response(http.client.HTTPResponse):
    """The answer itself: any number of 1xx may come before it, of which http.client knows one."""

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200 or status == http.client.SWITCHING_PROTOCOLS:
                return version, status, reason
            http.client.parse_headers(self.fp)


def _read(response: http.client.HTTPResponse, max_bytes: int) -> bytes:
    packed = response.getheader("Content-Encoding", "").strip().lower()
    unpacker = zlib.decompressobj(_EITHER_FORM) if packed in ("gzip", "deflate") else None
    data = bytearray()
    # read1 gives what there is: read would wait for a whole block, however slowly it comes.
    while len(data) <= max_bytes and (piece := response.read1(_BLOCK_BYTES)):
        left = max_bytes + 1 - len(data)
        data += unpacker.decompress(piece, left) if unpacker else piece[:left]
    if len(data) <= max_bytes and response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return bytes(data)


def _root_part(content_type: str | None, body: bytes) -> tuple[str | None, bytes]:
    """What a SOAP answer with attachments (MTOM) says stands in one part of it."""
    if content_type is None or not is_related(content_type):
        return content_type, body
    try:
        root = root_part(content_type, body)
    except ValueError:  # whoever reads the answer says that it says nothing
        return content_type, body
    return root.content_type, root.body


# --- what can go wrong ----------------------------------------------------------------------------

_FAILURES: Final = (OSError, http.client.HTTPException, zlib.error, ValueError)
"""Everything that socket, ssl, http.client and zlib raise; ValueError for what cannot be written
into a header or looked up as a host name."""

_LOST: Final = "connection lost"
_CAUSES: Final[tuple[tuple[type[Exception], str, str], ...]] = (
    # error                       nothing was sent              something was
    (ssl.SSLError,                "TLS failed",                 "TLS failed"),
    (socket.gaierror,             "host name not found",        _LOST),
    (ConnectionRefusedError,      "connection refused",         _LOST),
    (TimeoutError,                "no connection in time",      "no answer in time"),
    (http.client.IncompleteRead,  "no connection",              "the answer broke off"),
    (zlib.error,                  "no connection",              "the answer cannot be unpacked"),
    (http.client.HTTPException,   "the request is not usable",  _LOST),
    (OSError,                     "no connection",              _LOST),
    (ValueError,                  "the request is not usable",  _LOST),
)  # fmt: skip
"""The first row that the error belongs to."""


def cause_of(error: Exception, *, sent: bool) -> str:
    """Why an exchange failed, in our own words: the libraries' texts may quote what was sent."""
    if isinstance(error, ssl.SSLError) and (why := _tls_words(error)):
        return f"TLS failed: {why}"
    _, before, after = next(row for row in _CAUSES if isinstance(error, row[0]))
    return after if sent else before


def _tls_words(error: ssl.SSLError) -> str | None:
    """What OpenSSL says: of the server's certificate, or of what the server made of ours."""
    said = getattr(error, "verify_message", None) or getattr(error, "reason", None)
    return str(said).rstrip(".").replace("_", " ").lower() if said else None
