"""Threads that call the application, and the line before them."""

import queue
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from wsgiref.types import WSGIApplication

import structlog

from intyg.adapter.domain.kept_thread import KeptThread
from intyg.adapter.httpd.answer import Face
from intyg.adapter.httpd.connection import Connection
from intyg.adapter.httpd.exchange import Exchange
from intyg.adapter.httpd.intake import Intake
from intyg.adapter.httpd.request import Refusal

RETRY_AFTER_SECONDS: Final = 2  # told with 429

_log = structlog.get_logger("intyg.adapter.httpd.server")


class Workers:
    """
    A few threads with one line before them.

    Args:
        names: A thread each.
        find: The application for an environment; it may move a path in there.
        max_waiting: Requests that may wait for a thread.
        face: Of the server.
        base: What every request's environment has.
    """

    def __init__(
        self,
        names: list[str],
        find: Callable[[dict[str, Any]], WSGIApplication],
        max_waiting: int,
        face: Face,
        base: dict[str, Any],
    ) -> None:
        self._find = find
        self._max_waiting = max_waiting
        self._face = face
        self._base = base
        self._line: queue.SimpleQueue[Connection | None] = queue.SimpleQueue()
        self._intake: Intake
        self.threads: list[threading.Thread] = [KeptThread(name, self._work) for name in names]

    def start(self, intake: Intake) -> None:
        """Begin; connections go back to `intake`."""
        self._intake = intake
        for thread in self.threads:
            thread.start()

    def stop(self, until: float) -> None:
        """Finish what waits, until then (`time.monotonic`)."""
        for _ in self.threads:
            self._line.put(None)
        for thread in self.threads:
            thread.join(timeout=max(0.0, until - time.monotonic()))

    def take(self, connection: Connection) -> None:
        """
        Put a connection at the end of the line.

        Raises:
            Refusal: Too many wait.
        """
        waiting = self._line.qsize()
        if waiting >= self._max_waiting:
            _log.warning("server.busy", **{"intyg.waiting": waiting})
            raise Refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                "Too many requests wait already. Send again later.",
                ("Retry-After", str(RETRY_AFTER_SECONDS)),
            )
        self._line.put(connection)

    def _work(self) -> None:
        """The one function of ours between a thread and an application."""
        while (connection := self._line.get()) is not None:
            with Exchange(connection, self._intake, self._face, self._base) as exchange:
                app = self._find(exchange.environ)
                exchange.send(app(exchange.environ, exchange.start_response))
