"""Several processes on one port: each a whole adapter of its own, started and watched from here.

Each listens by itself (SO_REUSEPORT) and the system shares connections out, so no process stands in
front of the others. They work on one database, which must be PostgreSQL; the first one to start
brings its tables up to date while the others wait.

A process that ends by itself is started again. When this one goes, however that happens, the others
notice at the end of a pipe, and stop.
"""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import structlog

from adapter.settings import Settings, SettingsError

AGAIN_SECONDS: Final = 1.0  # before a process that ended is started again
START_SECONDS: Final = 60.0  # for a process to say that it runs
STOP_SECONDS: Final = 15.0  # for a process to end what is under way

_log = structlog.get_logger("adapter.processes")


def refuse_several(settings: Settings) -> None:
    """
    Refuse what one process alone can have.

    Raises:
        SettingsError: The database is SQLite.
    """
    if settings.effective_database_url.startswith("sqlite"):
        raise SettingsError(
            "several processes need PostgreSQL: a SQLite file belongs to one process. "
            "Set database_url, or leave out --processes"
        )


class Processes:
    """
    The processes, from `start` to `stop`.

    Args:
        command: Makes one of them; `--shared-port`, `--alive` and `--ready` are added.
        count: How many.
        port: What they listen on.
    """

    def __init__(self, command: Sequence[str], count: int, port: int) -> None:
        self._command = command
        self._count = count
        self._port = port
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._alive_read, self._alive_write = os.pipe()
        self._watchers: list[threading.Thread] = []

    def start(self) -> bool:
        """
        Start all, and wait until they serve.

        Returns:
            False when one could not; it has said why, and the others are stopped again.
        """
        ready = [self._start(place) for place in range(self._count)]
        serving = [_says_ready(reader) for reader in ready]  # asks all, whatever the first says
        for place in range(self._count):
            watcher = threading.Thread(target=self._watch, args=(place,), daemon=True)
            self._watchers.append(watcher)
            watcher.start()
        if not all(serving):
            self.stop()
        return all(serving)

    def _start(self, place: int) -> int:
        """Returns the pipe on which the process says that it serves."""
        reader, writer = os.pipe()
        command = [
            *self._command,
            f"--shared-port={self._port}",
            f"--alive={self._alive_read}",
            f"--ready={writer}",
        ]
        process = subprocess.Popen(command, pass_fds=(self._alive_read, writer))  # noqa: S603  # our own
        os.close(writer)
        with self._lock:
            self._running[place] = process
        return reader

    def _watch(self, place: int) -> None:
        """Start a process again when it ends by itself."""
        while True:
            code = self._running[place].wait()
            if self._stopping.wait(AGAIN_SECONDS):
                return
            _log.error("processes.ended", **{"process.exit_code": code})
            with self._lock:
                if self._stopping.is_set():
                    return
                reader = self._start(place)
            if _says_ready(reader):
                _log.info("processes.started_again", **{"process.pid": self._running[place].pid})

    def signal(self, number: int) -> None:
        """Pass a signal on to all."""
        with self._lock:
            for process in self._running.values():
                process.send_signal(number)

    def stop(self) -> None:
        """Let all end what is under way, then end."""
        with self._lock:
            self._stopping.set()
            self.signal(signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        for process in self._running.values():
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for watcher in self._watchers:
            watcher.join(timeout=5)
        for end in (self._alive_read, self._alive_write):
            os.close(end)


def command_of(config: Path | None) -> list[str]:
    """What serves with these settings, in this Python."""
    command = [sys.executable, "-m", "adapter", "serve"]
    return [*command, "--config", str(config)] if config else command


def say_ready(writer: int) -> None:
    """In a process: it serves."""
    os.write(writer, b"1")
    os.close(writer)


def when_orphaned(alive: int, then: Callable[[], None]) -> None:
    """In a process: do something when the one that started it is gone."""

    def wait() -> None:
        os.read(alive, 1)  # nobody writes: it returns when the other end is closed
        then()

    threading.Thread(target=wait, name="alive", daemon=True).start()


def _says_ready(reader: int) -> bool:
    """Whether a process says so, before it ends."""
    try:
        can_be_read, _, _ = select.select([reader], [], [], START_SECONDS)
        return bool(can_be_read) and os.read(reader, 1) == b"1"
    finally:
        os.close(reader)
