"""A file that is read again when it changes, without anybody waiting for it."""

import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeAlias, TypeVar

import structlog

LOOK_SECONDS: Final = 1.0
"""How often the file system is asked: in between, using a file's content costs a comparison."""

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
"""Skatteverket's lists of test numbers have some hundred kilobytes."""

T = TypeVar("T")

FileState: TypeAlias = tuple[int, int, int] | None  # time of change, size, inode; None: not there

_log = structlog.get_logger("intyg.adapter.guard")


class DamagedFileError(Exception):
    """A file cannot be used; the text says which one and why, and nothing of what it holds."""


class Changes:
    """
    Tells when a file is another one than before, and nobody is writing it any more.

    Which is when it was written some time ago, or when two looks in a row find the same.

    Attributes:
        found: What the last look found.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._settled: FileState = None  # of what was read or refused last
        self.found = state_of(path)

    def look(self) -> bool:
        """Whether it should be read now."""
        before, self.found = self.found, state_of(self._path)
        return self.found != self._settled and (self.found == before or _is_over(self.found))

    def settle(self) -> None:
        """What the last look found was read, or refused."""
        self._settled = self.found


class WatchedFile(Generic[T]):
    """
    The last good content of a file.

    A change is read when nobody is writing it any more. A new content that cannot be used is
    refused, and the old one stays.

    Where nobody has asked for a while, whoever asks waits for the look: after a quiet hour the
    first question must not be answered from what was there before it.

    Args:
        path: Where it is.
        read: Makes the content; raises DamagedFileError.
        succeed: Is given the content in use and the new one; raises DamagedFileError when that
            cannot be its successor.
        monotonic: Seconds that only grow.
    """

    def __init__(
        self,
        path: Path,
        read: Callable[[Path], T],
        succeed: Callable[[T, T], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self._read = read
        self._succeed = succeed
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._content: T | None = None
        self._fault: str | None = None
        self._changes = Changes(path)
        self._next_look = 0.0
        self._take()

    @property
    def content(self) -> T | None:
        """What the file holds, or held when it was last good; None if it never was."""
        late = self._monotonic() - self._next_look
        if late >= 0 and self._lock.acquire(blocking=late > LOOK_SECONDS):
            try:  # one thread looks, the others go on with what there is, if that is not old
                if self._monotonic() >= self._next_look:
                    self._look()
            finally:
                self._lock.release()
        return self._content

    @property
    def damage(self) -> str | None:
        """Why there is no content."""
        return self._fault if self._content is None else None

    @property
    def remark(self) -> str | None:
        """Why the newest file is not what is in use."""
        if self._fault is None or self._content is None:
            return None
        return f"{self._fault}; what was read before it is still in use"

    def _look(self) -> None:
        if self._changes.look():
            self._take()
            self._tell()
        self._next_look = self._monotonic() + LOOK_SECONDS  # at last: who is late waits for it

    def _take(self) -> None:
        try:
            _must_be_readable(self.path)
            new = self._read(self.path)
            if self._succeed is not None and self._content is not None:
                self._succeed(self._content, new)
        except DamagedFileError as fault:
            self._fault = str(fault)
            self._changes.settle()
            return
        if state_of(self.path) != self._changes.found:
            if self._content is None:
                self._fault = f"{self.path.name}: it is being written"
            return  # the next looks will find it
        self._content, self._fault = new, None
        self._changes.settle()

    def _tell(self) -> None:
        if self._fault is not None:
            _log.warning("guard.file_refused", **{"error.message": self._fault})
        else:
            _log.info("guard.file_read", **{"file.name": self.path.name})


def _must_be_readable(path: Path) -> None:
    """Reading a pipe would wait for whoever writes to it, and everybody with it."""
    try:
        found = path.stat()
    except OSError:
        return  # that is told by reading it
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        raise DamagedFileError(f"{path.name}: no ordinary file")
    if found.st_size > MAX_FILE_BYTES:
        raise DamagedFileError(f"{path.name}: larger than {MAX_FILE_BYTES // 1024**2} MiB")


def _is_over(found: FileState) -> bool:
    """Whether whoever wrote it is done, by the file's own time."""
    return found is not None and time.time() - found[0] / 1e9 >= LOOK_SECONDS


def state_of(path: Path) -> FileState:
    """By what a change is told; None when the file is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
