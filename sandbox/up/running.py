"""Who runs in a folder: one process at a time, and it can be asked to stop.

Its file is locked for as long as the process lives, however it ends, so a number that somebody left
behind in it is never taken for a process.
"""

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

FILE: Final = "pid"

STOP_SECONDS: Final = 30.0
"""What ends takes this long at most: calls that are being answered are answered first."""


@dataclass(frozen=True)
class Process:
    """
    A process that runs in a folder.

    Attributes:
        number: None in the moment before it says so.
        url: Where its adapter is; None until it is up.
    """

    number: int | None
    url: str | None

    def __str__(self) -> str:
        number = "another process" if self.number is None else f"process {self.number}"
        return f"{self.url}/services, {number}" if self.url else f"{number}, which is starting"


class RunningError(Exception):
    """Another process runs in the folder."""

    def __init__(self, process: Process) -> None:
        super().__init__(str(process))
        self.process = process


@contextmanager
def alone_in(folder: Path) -> Iterator[Callable[[str], None]]:
    """
    Be the one process in a folder; gives a function that tells others the adapter's address.

    Raises:
        RunningError: Another is there; nothing was changed.
        OSError: The folder cannot be written.
    """
    with (folder / FILE).open("a+", encoding="ascii") as file:
        if not _locked(file):
            raise RunningError(_read(file))
        _write(file, f"{os.getpid()}\n")
        try:
            yield lambda url: _write(file, f"{os.getpid()}\n{url}\n")
        finally:
            file.truncate(0)


def stop(folder: Path, wait_seconds: float = STOP_SECONDS) -> Process | None:
    """
    Ask the process in a folder to stop, and wait for its end; None if there is none.

    Raises:
        TimeoutError: It goes on.
        OSError: It is another user's.
    """
    deadline = time.monotonic() + wait_seconds
    asked: Process | None = None
    while (process := _process_in(folder)) is not None:
        if asked is None and process.number is not None:
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(process.number, signal.SIGTERM)
            asked = process
        if time.monotonic() > deadline:
            raise TimeoutError(f"{process} does not stop")
        time.sleep(0.05)
    return asked


def _process_in(folder: Path) -> Process | None:
    try:
        file = (folder / FILE).open(encoding="ascii")
    except (FileNotFoundError, NotADirectoryError):
        return None
    with closing(file):
        return None if _locked(file, fcntl.LOCK_SH) else _read(file)


def _locked(file: TextIO, how: int = fcntl.LOCK_EX) -> bool:
    """Whether the lock could be had; asked twice, since whoever looks has it for a moment."""
    for wait_seconds in (0.1, 0.0):
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(wait_seconds)
        else:
            return True
    return False


def _read(file: TextIO) -> Process:
    file.seek(0)
    number, url = [*file.read().splitlines(), "", ""][:2]
    return Process(int(number) if number.isdecimal() else None, url or None)


def _write(file: TextIO, text: str) -> None:
    file.truncate(0)
    file.write(text)
    file.flush()
