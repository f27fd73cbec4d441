"""Mocks on ports of their own, and mounted in pytest-httpserver."""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from mocks.agency import Agency

_BACKLOG: Final = 1024
"""Connections that may wait; werkzeug's own 128 makes a burst of 200 callers wait a second."""

_MAX_THREADS: Final = 1024
"""Calls that are answered at once; more wait. A thread is made when no idle one is left."""


class MockServer:
    """
    One mock on one port, a connection a call.

    Args:
        mock: What answers.
        host: Address to listen on.
        port: 0 takes a free one.

    Raises:
        OSError: The address is taken or not allowed.
    """

    def __init__(self, mock: Agency, host: str = "127.0.0.1", port: int = 0) -> None:
        self.mock = mock
        self.host = host
        with socket.create_server((host, port), backlog=_BACKLOG) as listener:
            self.port: int = listener.getsockname()[1]
            # Opened here since werkzeug, which takes a copy, exits when a port is taken.
            self._server = _Server(host, self.port, mock, _QuietHandler, fd=listener.fileno())
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name=f"mock-{mock.settings.part}",
            daemon=True,
        )

    @property
    def url(self) -> str:
        """Base address; national paths and `/control` are appended to it."""
        return f"http://{self.host}:{self.port}"

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
        self.mock.wake()
        self._server.end_connections()


@contextlib.contextmanager
def serve(mock: Agency, host: str = "127.0.0.1", port: int = 0) -> Iterator[MockServer]:
    """A running mock, for as long as the `with` block lasts."""
    server = MockServer(mock, host, port).start()
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def run_mocks(
    mocks: Mapping[str, Agency], host: str = "127.0.0.1", ports: Mapping[str, int] | None = None
) -> Iterator[dict[str, MockServer]]:
    """
    Several running mocks by name.

    Args:
        ports: By the same names; a mock without one takes a free port.

    Raises:
        OSError: A port cannot be had; the mocks already started are stopped.
    """
    with contextlib.ExitStack() as stack:
        yield {
            name: stack.enter_context(serve(mock, host, (ports or {}).get(name, 0)))
            for name, mock in mocks.items()
        }


def mount(httpserver: Any, mock: Agency) -> None:
    """
    Let a `pytest_httpserver.HTTPServer` answer as the mock, on every path.

    Long polls and parallel calls need one made with `threaded=True`.
    """
    httpserver.expect_request(re.compile(".*")).respond_with_handler(mock.respond)


class _Server(ThreadedWSGIServer):
    """
    Answers on threads that are used again, so that what a schema keeps for a thread pays off.

    Knows its open connections: stopping leaves neither sockets nor threads behind.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pool = ThreadPoolExecutor(_MAX_THREADS, thread_name_prefix="mock-call")
        self._open: set[Any] = set()
        self._open_lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        self._pool.submit(self.process_request_thread, request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        """Read no more from what is still open, and wait for the threads behind it."""
        with self._open_lock:
            still_open = list(self._open)
        for connection in still_open:
            # An idle connection waits for a request; a busy one may still send its answer.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        self._pool.shutdown(wait=True)


class _QuietHandler(WSGIRequestHandler):
    """The journal is the log; werkzeug's own lines would print addresses with ids in them."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 -- werkzeug's name
        pass
