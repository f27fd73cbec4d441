"""Hear PostgreSQL's NOTIFY, so that a delivery added by any process wakes the workers of all."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg

from intyg.adapter.domain.kept_thread import KeptThread
from intyg.adapter.store.delivery_rows import NOTIFY_CHANNEL

RECONNECT_SECONDS = 5.0
"""Without a connection nothing is lost: workers also look by themselves, only later."""

POLL_SECONDS = 0.2
"""How often the thread looks whether it is to end."""


class Listener:
    """
    One connection and one thread that calls `on_notify` for every notification.

    Args:
        connect: Makes a connection in autocommit.
        on_notify: Called in the listening thread; also after each new connection,
            since something may have been missed.
    """

    def __init__(
        self, connect: Callable[[], psycopg.Connection[Any]], on_notify: Callable[[], None]
    ) -> None:
        self._connect = connect
        self._on_notify = on_notify
        self._stopping = threading.Event()
        self.thread = KeptThread("store-listener", self._run)
        self.thread.start()

    def stop(self) -> None:
        """End the thread; takes as long as `POLL_SECONDS`, or the next notification."""
        self._stopping.set()
        self.thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except psycopg.Error:
                self._stopping.wait(RECONNECT_SECONDS)

    def _listen(self) -> None:
        with self._connect() as connection:
            connection.execute(f"LISTEN {NOTIFY_CHANNEL}")
            self._on_notify()
            while not self._stopping.is_set():
                for _ in connection.notifies(timeout=POLL_SECONDS, stop_after=1):
                    self._on_notify()
