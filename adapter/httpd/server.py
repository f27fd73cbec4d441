"""The HTTP server: cheroot with threads, and limits where cheroot has none.

What is added to cheroot, and why:

- A request has a deadline for arriving, and comes to a worker when it is whole, so that a caller
  that sends a byte now and then holds no thread.
- When more requests wait for a worker than may, the next is answered 429; `/health` has a worker of
  its own.
- A body that the application did not read is neither read into memory nor taken for the next
  request: the connection is closed, after giving the caller a moment to take in the answer.
- Chunked bodies are read strictly and are bounded, chunk by chunk.
- Errors are logged by class only: cheroot's own log quotes what it could not read.
- No thread ends by an exception: cheroot's would, and take the whole server along.
- TLS: a handshake holds up neither the loop that accepts connections nor a worker, and the client
  certificate is in the environment (`PEER_CERT`).
- Several processes can listen on one port (`reuse_port`); the system shares connections out.

    intake.py     requests on their way in
    reading.py    header lines and chunks
    tls.py        contexts and handshakes
    crl_files.py  lists of withdrawn certificates
    ports.py      ports that are taken before a server listens
    wake.py       waking a thread that waits in a selector

Source: RFC 9112 sections 6, 7 and 9.6.
"""

import contextlib
import logging
import queue
import re
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self
from wsgiref.types import WSGIApplication

import structlog
from cheroot import makefile, server, wsgi
from cheroot.workers import threadpool

from intyg.adapter.domain.kept_thread import KeptThread, go_on
from intyg.adapter.httpd.intake import BEGINS, Bounds, Intake
from intyg.adapter.httpd.reading import ChunkedBody, Headers, Reader
from intyg.adapter.httpd.tls import HANDSHAKE_SECONDS, LINGER_SECONDS, Handshakes, TlsAdapter
from intyg.adapter.routing.caller import PEER_CERT

MAX_HEADER_BYTES: Final = 32 * 1024
IDLE_SECONDS: Final = 10.0  # without a byte from the caller, inside a request or between two
ARRIVE_SECONDS: Final = 60.0  # for a whole request; the national platform gives up after 30
RETRY_AFTER_SECONDS: Final = 2  # told with 429
CHUNK_OVERHEAD: Final = 1024 * 1024  # chunk sizes and line ends count too

_HEALTH: Final = re.compile(rb"(?:GET|HEAD) /health[ ?]")

_log = structlog.get_logger("intyg.adapter.httpd.server")


class Server:
    """
    One WSGI application on one port, served by threads until `stop`.

    Args:
        app: Answers every request; see `mount` for several in one.
        host: Address to listen on.
        port: 0 takes a free one; `port` tells which after `start`.
        threads: Requests handled at a time.
        max_body_bytes: Largest chunked body that the server reads; larger ones with a
            Content-Length are the application's to refuse, unread.
        arrive_seconds: How long a request may take to arrive.
        handshake_seconds: How long a TLS handshake may take.
        max_waiting: Requests that may wait for a thread; the next one is answered 429.
        headers: Added to every answer, also to those that the application never sees.
        tls: What to speak TLS with; None: plain HTTP.
        reuse_port: Other processes may listen on the same port; it cannot be 0 then.
    """

    def __init__(
        self,
        app: WSGIApplication,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        threads: int = 16,
        max_body_bytes: int = 15 * 1024 * 1024,
        arrive_seconds: float = ARRIVE_SECONDS,
        handshake_seconds: float = HANDSHAKE_SECONDS,
        max_waiting: int = 256,
        headers: Sequence[tuple[str, str]] = (),
        tls: ssl.SSLContext | None = None,
        reuse_port: bool = False,
    ) -> None:
        self._server = _CherootServer(
            (host, port),
            app,
            numthreads=threads,
            server_name="intygsadapter",
            request_queue_size=128,
            timeout=min(IDLE_SECONDS, arrive_seconds),
            shutdown_timeout=5,
            reuse_port=reuse_port,
        )
        if tls is not None:
            self._server.ssl_adapter = TlsAdapter(tls)
        self._server.max_request_header_size = MAX_HEADER_BYTES
        self._server.max_chunked_bytes = max_body_bytes + CHUNK_OVERHEAD
        self._server.arrive_seconds = arrive_seconds
        self._server.handshake_seconds = handshake_seconds
        self._server.max_waiting = max_waiting
        self._server.intake = Intake(
            self._server.serve_whole,
            Bounds(MAX_HEADER_BYTES, max_body_bytes, arrive_seconds, self._server.timeout),
            early=max(1, threads // 4),
        )
        self._server.own_headers = [(name.encode(), value.encode()) for name, value in headers]
        self._thread: KeptThread | None = None

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.bind_addr[1])

    @property
    def address(self) -> str:
        """E.g. `http://127.0.0.1:8080`."""
        host = self._server.bind_addr[0]
        scheme = "http" if self._server.ssl_adapter is None else "https"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def threads(self) -> list[threading.Thread]:
        """All that serve, between `start` and `stop`."""
        return [] if self._thread is None else [self._thread, *self._server.threads()]

    def use_tls(self, context: ssl.SSLContext) -> None:
        """Speak TLS with another context, on connections to come."""
        assert isinstance(self._server.ssl_adapter, TlsAdapter), "it speaks plain HTTP"
        self._server.ssl_adapter.context = context

    def start(self) -> Self:
        """
        Listen, and serve in the background.

        Raises:
            OSError: The address cannot be listened on.
        """
        assert self._thread is None, "a server starts once"
        self._server.prepare()
        self._server.start_handshakes()
        self._server.intake.start()
        self._server.health.start()
        self._thread = KeptThread("server", self._server.serve)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Finish the requests that are under way, then stop listening. May be called again."""
        if self._thread is not None:
            self._server.stop_handshakes()
            self._server.intake.stop()
            self._server.stop()
            self._server.health.stop()
            self._thread.join(timeout=10)
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def mount(apps: Mapping[str, WSGIApplication]) -> WSGIApplication:
    """
    Several applications as one, each under a path such as `/services` (or `` for the rest).

    The longest path that fits wins; it moves from PATH_INFO to SCRIPT_NAME. Without one: 404.
    """
    by_length = sorted(apps.items(), key=lambda item: -len(item[0]))

    def dispatch(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        for prefix, app in by_length:
            if path == prefix or path.startswith(f"{prefix}/"):
                moved = environ.get("SCRIPT_NAME", "") + prefix
                return app(
                    {**environ, "SCRIPT_NAME": moved, "PATH_INFO": path[len(prefix) :]},
                    start_response,
                )
        text = f"Nothing here. There is: {', '.join(sorted(apps))}\n".encode()
        headers = [
            ("Content-Type", "text/plain; charset=UTF-8"),
            ("Content-Length", str(len(text))),
        ]
        start_response("404 Not Found", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [text]

    return dispatch


# --- cheroot, mended ---------------------------------------------------------------------


class _Request(server.HTTPRequest):
    header_reader = Headers()

    def read_request_headers(self) -> bool:
        if not super().read_request_headers():  # type: ignore[no-untyped-call]
            return False
        length = self.inheaders.get(b"Content-Length", b"0")
        if not length.isdigit():  # int() takes -1, and reading -1 bytes never ends
            self.simple_response("400 Bad Request", "Content-Length is not a number.")
            return False
        return True

    def send_headers(self) -> None:
        if self._is_unread():
            self.close_connection = True
        self.outheaders += self.server.own_headers
        super().send_headers()

    def simple_response(self, status: str | int, msg: str = "") -> None:
        """cheroot's own, for requests that it does not pass on, with headers of ours."""
        self.close_connection = True
        head = [
            f"{self.server.protocol} {status}".encode("latin-1"),
            b"Content-Type: text/plain",
            f"Content-Length: {len(msg)}".encode("latin-1"),
            b"Connection: close",
            *(name + b": " + value for name, value in self.server.own_headers),
        ]
        with contextlib.suppress(OSError):  # the caller has gone
            self.conn.wfile.write(b"\r\n".join([*head, b"", msg.encode("latin-1")]))

    def respond(self) -> None:
        super().respond()
        if self._is_unread():
            self._linger()

    def _is_unread(self) -> bool:
        """True while part of the request body is still to come."""
        if self.chunked_read:
            return not getattr(self.rfile, "closed", True)
        return getattr(self.rfile, "remaining", 0) > 0

    def _linger(self) -> None:
        """
        Let a refused body run out before closing (RFC 9112 section 9.6).

        Closing at once makes the caller's system throw away the answer that it has not read yet.
        """
        until = time.monotonic() + LINGER_SECONDS
        sock = self.conn.socket
        with contextlib.suppress(OSError):
            sock.settimeout(LINGER_SECONDS)
            while time.monotonic() < until and sock.recv(65536):
                pass


class Writer(makefile.StreamWriter):
    """Writes answers; one that its caller did not wait for is forgotten when it is closed."""

    def close(self) -> None:
        with contextlib.suppress(OSError):
            super().close()


class _Connection(server.HTTPConnection):
    RequestHandlerClass = _Request

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.buffered = bytearray()  # what `Intake` has read: a request, and perhaps more
        self.arrive_by = float("inf")
        self.rfile = Reader(self, "rb", self.rbufsize)
        self.wfile = Writer(self.socket, "wb", self.wbufsize)

    def take_buffered(self, buffer: Any) -> int:
        """Put the next bytes that are here already into a buffer; how many."""
        size = min(len(buffer), len(self.buffered))
        with memoryview(self.buffered) as here:
            buffer[:size] = here[:size]
        del self.buffered[:size]
        return size

    def communicate(self) -> bool:
        self.rfile.raw.deadline = self.arrive_by
        stays = bool(super().communicate())  # type: ignore[no-untyped-call]
        if stays:
            self.buffered[:0] = self.rfile.give_back()
        return stays

    def close(self) -> None:
        self.server.intake.left(self)
        if isinstance(self.socket, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                self.socket.setblocking(False)
                self.socket.unwrap()  # says goodbye (close_notify), and waits for no answer
        super().close()


class _Gateway(wsgi.Gateway_10):
    def __init__(self, request: Any) -> None:
        if request.chunked_read:
            limit = request.server.max_chunked_bytes
            request.rfile = ChunkedBody(request.conn.rfile, limit)
        super().__init__(request)


class _HealthLane:
    """Answers `/health` beside the workers, however many requests wait for those."""

    def __init__(self, server: "_CherootServer") -> None:
        self._server = server
        self._waiting: queue.Queue[Any] = queue.Queue(maxsize=64)
        self.thread = KeptThread("health", self._run)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self._waiting.put(None)
        self.thread.join(timeout=10)

    def takes(self, conn: Any) -> bool:
        """Take a connection whose request is for `/health`; False for any other."""
        if not _HEALTH.match(conn.buffered):
            return False
        try:
            self._waiting.put_nowait(conn)
        except queue.Full:
            conn.close()
        return True

    def _run(self) -> None:
        while (conn := self._waiting.get()) is not None:
            try:
                stays = conn.communicate()
            except Exception:  # noqa: BLE001  the lane outlives any caller
                self._server.error_log(level=logging.ERROR)
                stays = False
            if stays:
                self._server.put_conn(conn)
            else:
                conn.close()


class _RequestThread(threadpool.WorkerThread):
    def run(self) -> None:
        """cheroot's own stops the server after an exception that its loop did not foresee."""
        self.ready = True
        go_on(self.name, self._process_connections_until_interrupted)  # type: ignore[attr-defined]


class _RequestThreads(threadpool.ThreadPool):
    def __init__(self, server: "_CherootServer", count: int) -> None:
        super().__init__(server, min=count)
        self.all: list[_RequestThread] = []

    def _spawn_worker(self) -> _RequestThread:
        worker = _RequestThread(self.server)  # type: ignore[no-untyped-call]
        worker.name = f"request-{len(self.all)}"
        self.all.append(worker)
        worker.start()
        return worker


class _CherootServer(wsgi.Server):
    ConnectionClass = _Connection
    intake: Intake
    max_waiting = 256
    max_chunked_bytes = 0
    arrive_seconds = ARRIVE_SECONDS
    handshake_seconds = HANDSHAKE_SECONDS
    own_headers: Sequence[tuple[bytes, bytes]] = ()
    expiration_interval = 0.1  # seconds; also how long stop() waits for the loop to look up

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gateway = _Gateway
        self._handshakes: Handshakes | None = None
        self.health = _HealthLane(self)
        self.requests = _RequestThreads(self, self.numthreads)

    def threads(self) -> list[threading.Thread]:
        """Those that handle requests, and those that lead there."""
        lanes = [self.health.thread, self.intake.thread]
        if self._handshakes is not None:
            lanes.append(self._handshakes.thread)
        return [*self.requests.all, *lanes]

    def start_handshakes(self) -> None:
        if self.ssl_adapter is not None:
            self._handshakes = Handshakes(
                self._on_handshake_done, self.handshake_seconds, lambda: self.own_headers
            )
            self._handshakes.start()

    def stop_handshakes(self) -> None:
        if self._handshakes is not None:
            stopped, self._handshakes = self._handshakes, None
            stopped.stop()

    def process_conn(self, conn: Any) -> None:
        if isinstance(conn.socket, ssl.SSLSocket) and not conn.ssl_env:
            handshakes = self._handshakes
            if handshakes is None:
                conn.close()  # the server stops
            else:
                handshakes.add(conn)
            return
        self.intake.add(conn)

    def serve_whole(self, conn: Any) -> None:
        """A request is whole: it is for a worker, if not too many wait for one already."""
        if self.health.takes(conn):
            return
        if conn.buffered and conn.buffered[0] not in BEGINS:
            self._turn_away(conn, "400 Bad Request", "This port speaks HTTP.")
            return
        if self.requests.qsize >= self.max_waiting:
            _log.warning("server.busy", **{"intyg.waiting": self.requests.qsize})
            text = "Too many requests wait already. Send again later."
            after = ("Retry-After", str(RETRY_AFTER_SECONDS))
            self._turn_away(conn, "429 Too Many Requests", text, after)
        else:
            super().process_conn(conn)

    def _turn_away(self, conn: Any, status: str, text: str, *headers: tuple[str, str]) -> None:
        """Answer without a worker, and close."""
        body = f"{text}\n".encode()
        head = [
            f"HTTP/1.1 {status}".encode(),
            b"Content-Type: text/plain; charset=UTF-8",
            b"Content-Length: %d" % len(body),
            b"Connection: close",
            *(f"{name}: {value}".encode() for name, value in headers),
            *(name + b": " + value for name, value in self.own_headers),
        ]
        with contextlib.suppress(OSError, ValueError):
            conn.socket.sendall(b"\r\n".join([*head, b"", body]))
        conn.close()

    def _on_handshake_done(self, conn: Any) -> None:
        """A handshake is through: the connection waits for its first request like any other."""
        conn.ssl_env = {PEER_CERT: conn.socket.getpeercert() or None}
        conn.socket.settimeout(self.timeout)
        self.put_conn(conn)

    @staticmethod
    def bind_socket(socket_: socket.socket, bind_addr: Any) -> socket.socket:
        try:
            return wsgi.Server.bind_socket(socket_, bind_addr)  # type: ignore[no-untyped-call, no-any-return]
        except OSError:
            socket_.close()  # cheroot forgets it
            raise

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:  # noqa: ARG002
        kind = sys.exc_info()[0]
        _log.log(
            max(level, logging.INFO),
            "server.error",
            **{"error.type": kind.__name__ if kind else None},
        )
