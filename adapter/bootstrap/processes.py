"""Several processes on one port: each a whole adapter of its own, started and watched from here.

Each listens by itself (SO_REUSEPORT) and the system shares connections out, so no process stands in
front of the others. They work on one database, which must be PostgreSQL; the first one to start
brings its tables up to date while the others wait.

A process that ends by itself is started again, and one that finds a thread of its own ended does
end. When this one goes, however that happens, the others
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
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, Self

import structlog

from intyg.adapter.clients.watch import Watch
from intyg.adapter.domain.kept_thread import KeptThread
from intyg.adapter.settings.settings import Settings, SettingsError

AGAIN_SECONDS: Final = 1.0  # before a process that ended is started again
STEP_SECONDS: Final = 0.1  # how often somebody who waits looks whether to go on
START_SECONDS: Final = 60.0  # for a process to say that it runs
STOP_SECONDS: Final = 15.0  # for a process to end what is under way
MARGIN_SECONDS: Final = 5.0  # beyond what a process gives its attempts

_log = structlog.get_logger("intyg.adapter.bootstrap.processes")


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
        stop_seconds: How long each may take to end.
    """

    def __init__(
        self, command: Sequence[str], count: int, port: int, stop_seconds: float = STOP_SECONDS
    ) -> None:
        self._stop_seconds = stop_seconds
        self._command = command
        self._count = count
        self._port = port
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._alive_read, self._alive_write = os.pipe()
        self._watchers: list[KeptThread] = []

    def start(self, ended: Callable[[], bool]) -> bool:
        """
        Start all, and wait until they serve.

        Args:
            ended: Whether they are to stop before that.

        Returns:
            False when they are, or one could not; it has said why. The others are for `stop`.
        """
        ready = [self._start(place) for place in range(self._count)]
        # Asks all, whatever the first says.
        serving = [_says_ready(reader, ended) for reader in ready]
        for place in range(self._count):
            watcher = KeptThread(f"process-{place}", partial(self._watch, place))
            self._watchers.append(watcher)
            watcher.start()
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
        try:
            process = subprocess.Popen(command, pass_fds=(self._alive_read, writer))  # noqa: S603  # our own
        except OSError:
            os.close(reader)
            raise
        finally:
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
            if _says_ready(reader, self._stopping.is_set):
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
        until = time.monotonic() + self._stop_seconds
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
    command = [sys.executable, "-m", "intyg.adapter", "serve"]
    return [*command, "--config", str(config)] if config else command


def say_ready(writer: int) -> None:
    """In a process: it serves."""
    with suppress(BrokenPipeError):  # nobody waits for it any more
        os.write(writer, b"1")
    os.close(writer)


def when_orphaned(alive: int, then: Callable[[], None]) -> None:
    """In a process: do something when the one that started it is gone."""

    def wait() -> None:
        os.read(alive, 1)  # nobody writes: it returns when the other end is closed
        then()

    KeptThread("alive", wait).start()


class Fitness(Watch):
    """
    In a process, as a context manager: looks whether all of its threads run.

    Args:
        ended_threads: Names of those that do not.
        then: What to do about it. The one that started the process starts another.
    """

    def __init__(
        self, ended_threads: Callable[[], Sequence[str]], then: Callable[[], None]
    ) -> None:
        super().__init__("fitness")
        self._ended_threads = ended_threads
        self._then = then

    def look(self) -> None:
        if ended := self._ended_threads():
            _log.error("processes.threads_ended", **{"process.thread.name": list(ended)})
            self._then()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self.stop()


def _says_ready(reader: int, ended: Callable[[], bool]) -> bool:
    """Whether a process says so, before it ends or is to."""
    until = time.monotonic() + START_SECONDS
    try:
        while time.monotonic() < until and not ended():
            can_be_read, _, _ = select.select([reader], [], [], STEP_SECONDS)
            if can_be_read:
                return os.read(reader, 1) == b"1"
        return False
    finally:
        os.close(reader)
