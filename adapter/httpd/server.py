"""The HTTP server: threads that call a WSGI application, and h11 as the only reader of HTTP.

    socket ▶ accept ▶ [handshake] ▶ intake ▶ worker ▶ application
                                       ▲         │ answered, and the caller stays
                                       └─────────┘

- A request has a deadline for arriving, and comes to a worker when it is whole, so that a caller
  that sends a byte now and then holds no thread.
- When more requests wait for a worker than may, the next is answered 429; `/health` has a worker of
  its own.
- A body that the application did not read is not taken for the next request: the connection is
  closed, after giving the caller a moment to take in the answer.
- Errors are logged by class only, since their texts may quote a message.
- No thread ends by an exception.
- TLS: a handshake holds up neither the loop that accepts connections nor a worker, and the client
  certificate is in the environment (`PEER_CERT`).
- Several processes can listen on one port (`reuse_port`); the system shares connections out.

    request.py     a request as it arrives (h11), and what h11 would let pass
    connection.py  a caller's connection
    loop.py        one thread that waits for many connections
    intake.py      requests on their way in: such a loop
    tls.py         contexts, and handshakes: such a loop
    workers.py     threads that call the application
    exchange.py    a request and its answer, as WSGI has them
    answer.py      what all answers have in common
    mount.py       several applications as one
    crl_files.py   lists of withdrawn certificates
    ports.py       ports that are taken before a server listens

Source: RFC 9112; PEP 3333.
"""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Self
from wsgiref.types import WSGIApplication

import structlog

from intyg.adapter.domain.clock import Clock, system_clock
from intyg.adapter.domain.kept_thread import KeptThread
from intyg.adapter.httpd.answer import Face, latin
from intyg.adapter.httpd.connection import Connection
from intyg.adapter.httpd.exchange import base_environ
from intyg.adapter.httpd.intake import Intake
from intyg.adapter.httpd.mount import Mount
from intyg.adapter.httpd.request import Limits, normal_target
from intyg.adapter.httpd.tls import HANDSHAKE_SECONDS, Handshakes
from intyg.adapter.httpd.workers import Workers

MAX_HEADER_BYTES: Final = 32 * 1024
IDLE_SECONDS: Final = 10.0  # without a byte from the caller, inside a request or between two
ARRIVE_SECONDS: Final = 60.0  # for a whole request; the national platform gives up after 30
MAX_HEALTH_WAITING: Final = 64
STOP_SECONDS: Final = 5.0  # for requests that are under way
BACKLOG: Final = 1024
"""Callers that connect in one moment; the system has a bound of its own (`somaxconn`)."""
_LOOK_SECONDS: Final = 0.5  # whether to go on accepting
_NO_FILES_SECONDS: Final = 0.1  # before the next try when a connection could not be accepted

_log = structlog.get_logger("intyg.adapter.httpd.server")


class Server:
    """
    One WSGI application on one port, served by threads until `stop`.

    Args:
        app: Answers every request; see `Mount` for several in one.
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
        clock: For the header `Date`.
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
        clock: Clock = system_clock,
    ) -> None:
        self._address = (host, port)
        self._reuse_port = reuse_port
        idle = min(IDLE_SECONDS, arrive_seconds)
        self._limits = Limits(MAX_HEADER_BYTES, max_body_bytes, arrive_seconds, idle)
        face = Face(tuple(latin(headers)), clock)
        self._base: dict[str, Any] = {}
        find = app.find if isinstance(app, Mount) else _always(app)
        names = [f"request-{place}" for place in range(threads)]
        self._workers = Workers(names, find, max_waiting, face, self._base)
        self._health = Workers(["health"], find, MAX_HEALTH_WAITING, face, self._base)
        self._intake = Intake(self._ready, max(1, threads // 4), face)
        self._handshakes = (
            None if tls is None else Handshakes(tls, self._intake.add, handshake_seconds, face)
        )
        self._listener: socket.socket | None = None
        self._accepting = KeptThread("server", self._accept)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._address[1]

    @property
    def address(self) -> str:
        """E.g. `http://127.0.0.1:8080`."""
        host = self._address[0]
        scheme = "http" if self._handshakes is None else "https"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def threads(self) -> list[threading.Thread]:
        """All that serve, between `start` and `stop`."""
        if self._listener is None:
            return []
        loops = [loop.thread for loop in (self._intake, self._handshakes) if loop is not None]
        return [self._accepting, *self._workers.threads, *self._health.threads, *loops]

    def use_tls(self, context: ssl.SSLContext) -> None:
        """Speak TLS with another context, on connections to come."""
        assert self._handshakes is not None, "it speaks plain HTTP"
        self._handshakes.context = context

    def start(self) -> Self:
        """
        Listen, and serve in the background.

        Raises:
            OSError: The address cannot be listened on.
        """
        assert not self._base, "a server starts once"
        self._listener = _listen(*self._address, self._reuse_port)
        self._listener.settimeout(_LOOK_SECONDS)
        self._address = (self._address[0], self._listener.getsockname()[1])
        self._base.update(base_environ(self.port))
        self._workers.start(self._intake)
        self._health.start(self._intake)
        self._intake.start()
        if self._handshakes is not None:
            self._handshakes.start()
        self._accepting.start()
        return self

    def stop(self, until: float | None = None) -> None:
        """
        Stop listening, and finish the requests that are under way. May be called again.

        Args:
            until: They are left then (`time.monotonic`); None: in `STOP_SECONDS`.
        """
        if self._listener is None:
            return
        until = time.monotonic() + STOP_SECONDS if until is None else until
        listener, self._listener = self._listener, None
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # on Linux, wakes the thread that accepts
        listener.close()
        self._accepting.join(timeout=10)
        if self._handshakes is not None:
            self._handshakes.stop()
        self._intake.stop()
        self._workers.stop(until)
        self._health.stop(until)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_raised: object) -> None:
        self.stop()

    def _accept(self) -> None:
        while (listener := self._listener) is not None:
            try:
                sock, address = listener.accept()
            except TimeoutError:
                continue
            except OSError as exc:
                if self._listener is not None:  # too many files are open, for one
                    _log.error("server.accept_failed", **{"error.type": type(exc).__name__})
                    time.sleep(_NO_FILES_SECONDS)
                continue
            self._welcome(sock, address[:2])

    def _welcome(self, sock: socket.socket, address: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):  # the caller is gone again
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        (self._handshakes or self._intake).add(Connection(sock, address, self._limits))

    def _ready(self, connection: Connection) -> None:
        """A request is whole: it is for a worker."""
        head = connection.request.head
        assert head is not None
        path = normal_target(head.target)[1].partition(b"?")[0]
        is_health = path == b"/health" and head.method in (b"GET", b"HEAD")
        (self._health if is_health else self._workers).take(connection)


def _always(app: WSGIApplication) -> Callable[[dict[str, Any]], WSGIApplication]:
    return lambda _: app


def _listen(host: str, port: int, reuse_port: bool) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    both = host == "::" and socket.has_dualstack_ipv6()
    return socket.create_server(
        address[:2], family=family, backlog=BACKLOG, reuse_port=reuse_port, dualstack_ipv6=both
    )
