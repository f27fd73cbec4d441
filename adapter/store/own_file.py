"""The SQLite file that a process owns: its lock, whether it is still the same file, its room.

Beside `adapter.sqlite` stands `adapter.sqlite.lock`: who has the file open, and how far it had come
when it was last looked at. The lock outlives the file, and so tells when an older one is put back.
"""

import fcntl
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url

from intyg.adapter.domain.errors import StoreError
from intyg.adapter.store.faults import DatabaseGoneError

ROOM_BYTES: Final = 256 * 1024
"""What must fit beside the database before a full disk is believed to have room again."""

_MOST_BYTES: Final = 200  # of a lock's words


@dataclass(frozen=True)
class Seen:
    """
    How far a database had come.

    Attributes:
        seq: Of the audit log's newest row; 0 without any.
        at: When it was seen to have come there, aware UTC.
    """

    seq: int
    at: datetime


class OwnFile:
    """
    A SQLite file, made if need be, readable by its owner only, and locked for this process.

    Args:
        path: Of the database.

    Attributes:
        seen: How far the file had come that was here before, as its lock says.

    Raises:
        StoreError: It cannot be opened, or another process has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._lock = os.open(lock_of(path), os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise StoreError(
                f"the database {path} cannot be opened: {error.strerror}; see that this user may "
                "write it and its folder, and that the disk has room"
            ) from error
        words = self._take()
        self.seen = _seen_in(words)
        self._identity = _identity_of(path)
        self._write(self.seen)

    def _take(self) -> str:
        """What the lock said before."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = self._words().partition("\n")[0].strip()
            os.close(self._lock)
            raise StoreError(
                f"the database {self.path} is in use by process {owner or 'unknown'}: "
                "a SQLite database has one process, use PostgreSQL for several"
            ) from error
        return self._words()

    def _words(self) -> str:
        return os.pread(self._lock, _MOST_BYTES, 0).decode("ascii", "replace")

    def note(self, seen: Seen) -> None:
        """Keep how far the file has come, and when it came there."""
        if self.seen is None or seen.seq != self.seen.seq:
            self.seen = seen
            with suppress(OSError):  # a full disk is told of otherwise
                self._write(seen)

    def _write(self, seen: Seen | None) -> None:
        line = json.dumps({"seq": seen.seq, "at": seen.at.isoformat()}) if seen else ""
        words = f"{os.getpid()}\n{line}\n".encode("ascii")
        os.pwrite(self._lock, words, 0)
        os.ftruncate(self._lock, len(words))

    def must_be_there(self) -> None:
        """
        Look whether the path still leads to the file that is open.

        Raises:
            DatabaseGoneError: It was deleted, or another stands in its place.
        """
        found = _identity_of(self.path)
        if found == self._identity:
            return
        what = "deleted" if found is None else "replaced by another"
        raise DatabaseGoneError(
            f"the database's file was {what} while the adapter runs: nothing is stored; stop the "
            "adapter, put the right file there, and start it"
        )

    def has_room(self) -> bool:
        """Whether something goes onto its disk."""
        try:
            with tempfile.TemporaryFile(dir=self.path.parent) as file:
                file.write(b"\0" * ROOM_BYTES)
                file.flush()
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Let the lock go."""
        os.close(self._lock)


def lock_of(path: Path) -> Path:
    """Where the lock of a database is."""
    return path.with_name(f"{path.name}.lock")


def file_of(url: str) -> Path | None:
    """Where a URL's SQLite file is, or would be; None: it is another database, or in memory."""
    parsed = make_url(url)
    kept = parsed.database not in (None, "", ":memory:")
    return Path(str(parsed.database)) if kept and parsed.get_backend_name() == "sqlite" else None


def seen_of(path: Path) -> Seen | None:
    """How far the database had come that was at a path; for a look from outside."""
    try:
        return _seen_in(lock_of(path).read_text("ascii", "replace"))
    except OSError:
        return None


def _seen_in(words: str) -> Seen | None:
    try:
        found = json.loads(words.partition("\n")[2])
        return Seen(int(found["seq"]), datetime.fromisoformat(found["at"]))
    except (ValueError, KeyError, TypeError):
        return None


def _identity_of(path: Path) -> tuple[int, int] | None:
    """Which file a path leads to; None: to none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
