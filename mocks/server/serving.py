"""Mocks on ports of their own, with or without TLS, and mounted in pytest-httpserver."""

import contextlib
import io
import logging
import os
import re
import resource
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from wsgiref.types import WSGIEnvironment

from werkzeug.serving import DechunkedInput, ThreadedWSGIServer
from werkzeug.wrappers import Request, Response

from intyg.mocks.pages.address import PREFIX
from intyg.mocks.server.http_request import StrictHandler
from intyg.mocks.server.persona_base import Persona
from intyg.mocks.server.service import MockService
from intyg.mocks.wire.tls import load_ca, load_cert

_log = logging.getLogger(__name__)

_BACKLOG: Final = 1024
"""Connections that may wait; werkzeug's own 128 makes a burst of 200 callers wait a second."""

_MAX_THREADS: Final = 8192
"""Calls that are under way at once; more wait. A thread is made when no idle one is left. Most of
them sleep when there are many, because a rule delays their answers: about 60 kB each."""

MAX_HEADER_BYTES: Final = 32 * 1024
"""The journal keeps the headers of every call."""

MAX_CHUNKS: Final = 100_000
"""Of one body; each costs the same however small it is."""

_HANDSHAKE_SECONDS: Final = 10.0

_WAKE_SECONDS: Final = 0.05
"""So often a stopping server wakes those who wait."""


@dataclass(frozen=True)
class MockTls:
    """
    TLS on a mock.

    Attributes:
        cert, key: PEM files of the server's certificate, with its chain, and its key.
        client_ca: PEM file with the CAs of client certificates. With one, callers may show a
            certificate, which says who the sender is.
        require_client: They must show one.

    Raises:
        ValueError: A certificate is required and there is no CA to check it with.
    """

    cert: Path
    key: Path
    client_ca: Path | None = None
    require_client: bool = False

    def __post_init__(self) -> None:
        if self.require_client and self.client_ca is None:
            raise ValueError("require_client: needs client_ca")

    def context(self) -> ssl.SSLContext:
        """
        As Python's `ssl` has it.

        Raises:
            OSError: A file cannot be read, or does not hold what it should.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        load_cert(context, self.cert, self.key)
        if self.client_ca is not None:
            load_ca(context, self.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED if self.require_client else ssl.CERT_OPTIONAL
        return context


class MockServer:
    """
    One mock on one port, a connection a call.

    Args:
        mock: What answers.
        host: Address to listen on.
        port: 0 takes a free one.
        tls: None serves plain HTTP.

    Raises:
        OSError: The address is taken or not allowed, or a file of `tls` cannot be used.
    """

    def __init__(
        self,
        mock: MockService[Persona],
        host: str = "127.0.0.1",
        port: int = 0,
        tls: MockTls | None = None,
    ) -> None:
        self.mock = mock
        self.host = host
        context = None if tls is None else tls.context()
        with _listener(host, port) as listener:
            self.port: int = listener.getsockname()[1]
            # Opened here since werkzeug, which takes a copy, exits when a port is taken.
            handler = _QuietHandler.up_to(mock.settings.max_body_bytes)
            self._server = _Server(host, self.port, mock, handler, fd=listener.fileno())
            self._server.ssl_context = context
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name=f"mock-{mock.settings.part}",
            daemon=True,
        )

    @property
    def url(self) -> str:
        """Base address; national paths and `/control` are appended to it."""
        scheme = "http" if self._server.ssl_context is None else "https"
        return f"{scheme}://{self.host}:{self.port}"

    def pages_url(self) -> str:
        """Where its pages are; where a token is wanted, by a link that lets somebody in once."""
        pages = self.mock.pages
        return self.url + (PREFIX if self.mock.token is None else pages.login_path())

    def start(self) -> "MockServer":
        """Begin to answer; connections made from now on are served."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close the port and the connections, and wait for the threads."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.end_connections(self.mock.wake)


def _listener(host: str, port: int) -> socket.socket:
    """Names the address where it cannot be had, as other errors name a file."""
    try:
        return socket.create_server((host, port), backlog=_BACKLOG)
    except OSError as exc:
        raise type(exc)(exc.errno, os.strerror(exc.errno or 0), f"{host}:{port}") from None


@contextlib.contextmanager
def serve(
    mock: MockService[Persona], host: str = "127.0.0.1", port: int = 0, tls: MockTls | None = None
) -> Iterator[MockServer]:
    """A running mock, for as long as the `with` block lasts."""
    server = MockServer(mock, host, port, tls).start()
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def run_mocks(
    mocks: Mapping[str, MockService[Persona]],
    host: str = "127.0.0.1",
    ports: Mapping[str, int] | None = None,
    tls: MockTls | None = None,
) -> Iterator[dict[str, MockServer]]:
    """
    Several running mocks by name.

    Args:
        ports: By the same names; a mock without one takes a free port.

    Raises:
        OSError: A port cannot be had, or a file of `tls`; the mocks already started are stopped.
    """
    with contextlib.ExitStack() as stack:
        yield {
            name: stack.enter_context(serve(mock, host, (ports or {}).get(name, 0), tls))
            for name, mock in mocks.items()
        }


def allow_many_connections() -> None:
    """
    Let this process hold as many connections open as the system permits it.

    Often it is 1,024 until somebody asks: fewer than may wait for late answers.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def mount(httpserver: Any, mock: MockService[Persona]) -> None:
    """
    Let a `pytest_httpserver.HTTPServer` answer as the mock, on every path.

    Long polls and parallel calls need one made with `threaded=True`. One that runs already refuses
    from now on, as every mock does, what is not certain to be one request.
    """
    if httpserver.server is not None:  # each connection has a handler of its own
        handler = StrictHandler.up_to(mock.settings.max_body_bytes)
        httpserver.server.RequestHandlerClass = handler

    def respond(request: Request) -> Response:
        body = request.get_data()  # which pytest-httpserver has read already
        again = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return mock.respond(Request({**request.environ, **again}))

    httpserver.expect_request(re.compile(".*")).respond_with_handler(respond)


class _Server(ThreadedWSGIServer):
    """
    Answers on threads that are used again: to make one costs more than a short answer.

    Knows its open connections: stopping leaves neither sockets nor threads behind.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pool = ThreadPoolExecutor(_MAX_THREADS, thread_name_prefix="mock-call")
        self._open: set[Any] = set()
        self._open_lock = threading.Condition()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        self._pool.submit(self._serve, request, client_address)

    def _serve(self, request: Any, client_address: Any) -> None:
        if self.ssl_context is not None:
            try:
                request = self._shake_hands(request)
            except OSError:  # no TLS, no or a wrong certificate: the caller has been told why
                self.shutdown_request(request)
                return
        self.process_request_thread(request, client_address)

    def _shake_hands(self, request: Any) -> Any:
        """TLS on a thread of its own: a caller that never says hello keeps nobody waiting."""
        assert self.ssl_context is not None
        request.settimeout(_HANDSHAKE_SECONDS)
        with self._open_lock:
            self._open.discard(request)
            secure = self.ssl_context.wrap_socket(
                request, server_side=True, do_handshake_on_connect=False
            )
            self._open.add(secure)
        try:
            secure.do_handshake()
        except OSError:
            self.shutdown_request(secure)
            raise
        secure.settimeout(None)
        return secure

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
            self._open_lock.notify_all()
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Python's own prints, which would end the server where nothing can be printed."""
        kind = sys.exc_info()[0]
        _log.error("call_failed exception=%s", kind.__name__ if kind else None)

    def end_connections(self, wake: Callable[[], None]) -> None:
        """
        Read no more from what is still open, and wait for the threads behind it.

        Args:
            wake: Ends what they wait for; called until none is left, since one that is busy now
                may begin to wait a moment later.
        """
        while True:
            wake()
            with self._open_lock:
                for connection in self._open:
                    # An idle connection waits for a request; a busy one may still send its answer.
                    with contextlib.suppress(OSError):
                        # Also under TLS that alone.
                        socket.socket.shutdown(connection, socket.SHUT_RD)
                if self._open_lock.wait_for(lambda: not self._open, _WAKE_SECONDS):
                    break
        self._pool.shutdown(wait=True)


class _CountedChunks(DechunkedInput):
    """A chunked body that ends too early where it is in too many pieces."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._left = MAX_CHUNKS

    def read_chunk_len(self) -> int:
        self._left -= 1
        if self._left < 0:
            raise OSError("too many chunks")
        return super().read_chunk_len()


class _QuietHandler(StrictHandler):
    """The journal is the log; werkzeug's own lines would print addresses with ids in them."""

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        if sum(len(name) + len(value) for name, value in self.headers.items()) > MAX_HEADER_BYTES:
            self.send_error(431)
            return False
        return True

    def make_environ(self) -> WSGIEnvironment:
        environ = super().make_environ()
        if isinstance(environ["wsgi.input"], DechunkedInput):
            environ["wsgi.input"] = _CountedChunks(self.rfile)
        return environ

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 -- werkzeug's name
        pass
