"""What a database needs beside its rows: that it can be written and is whole; copies; its WAL."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from intyg.adapter.domain.clock import Clock
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.store import tables
from intyg.adapter.store.backup import Copied, Missing, copied_at, copy_to, forget_copied
from intyg.adapter.store.faults import (
    DamagedError,
    DatabaseGoneError,
    DiskFullError,
    as_store_error,
)
from intyg.adapter.store.own_file import OwnFile, Seen
from intyg.adapter.store.trouble import Trouble

MOST_WAL_BYTES: Final = 16 * 1024 * 1024
"""SQLite's journal is cut to this when nobody reads from it."""

PROVED_SECONDS: Final = 1.0
"""How long it is believed that something can be written."""

_STEPS: Final = 1000  # of SQLite's machine, between two looks at the clock
_PATIENCE_MS: Final = 200  # for readers, before the journal is cut another time


class Upkeep:
    """
    Of one `Store`.

    Args:
        engine: Its connections.
        file: The SQLite file that it owns; None: PostgreSQL, in memory, or only read.
        trouble: What keeps it from being written.
        transaction: Opens one; takes `write`.
        is_writing: Whether somebody writes just now, behind whom a write here would wait.
        clock: Aware UTC.
    """

    def __init__(
        self,
        engine: sa.Engine,
        file: OwnFile | None,
        trouble: Trouble,
        transaction: Callable[[bool], AbstractContextManager[sa.Connection]],
        is_writing: Callable[[], bool],
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._file = file
        self._trouble = trouble
        self._transaction = transaction
        self._is_writing = is_writing
        self._clock = clock
        self._proved_at = float("-inf")

    def look(self) -> None:
        """
        What is done every second: see whether the file is the same, and room has come; cut the
        journal; note how far the database has come.
        """
        if self._file is not None:
            try:
                self._file.must_be_there()
            except DatabaseGoneError as error:
                self._trouble.begins(error)
                return
        with suppress(StoreError):
            if self._trouble.now is not None:
                self.must_write()
            self._note()
            self.cut_journal()

    def must_write(self) -> None:
        """
        See whether something can be written and is on disk; at most once a second, and not behind
        somebody who writes just now: whoever asks after our health waits for nobody.

        Raises:
            StoreError: It cannot, and why.
        """
        now = time.monotonic()
        known = self._trouble.now
        is_believed = now - self._proved_at < PROVED_SECONDS or self._is_writing()
        if known is None and is_believed:
            return
        if isinstance(known, DiskFullError) and self._file and not self._file.has_room():
            raise DiskFullError(known.text)
        with self._transaction(True) as connection:
            connection.execute(_WRITE_AS_IT_IS)
        self._proved_at = now
        self._trouble.ends()

    def must_be_whole(self, seconds: float | None = None) -> bool:
        """
        Let SQLite look through its file.

        Args:
            seconds: At most so long; None: to the end.

        Returns:
            False when the time did not suffice; nothing was found until then.

        Raises:
            DamagedError: Something is wrong; says what SQLite says first.
        """
        if self._engine.dialect.name != "sqlite":
            return True
        until = time.monotonic() + seconds if seconds is not None else float("inf")
        with self._raw() as connection:
            connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
            try:
                (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            except connection.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_INTERRUPT":
                    raise
                return False
            finally:
                connection.set_progress_handler(None, 0)
        if found != "ok":
            raise DamagedError(
                f"the database {self._engine.url.database} is damaged ({found.splitlines()[0]}): "
                "put a backup back (docs/operations.md)"
            )
        return True

    @property
    def is_empty(self) -> bool:
        """Whether it has no tables yet."""
        with self._transaction(False) as connection:
            return not sa.inspect(connection).get_table_names()

    def copy_to(self, target: Path) -> Copied:
        """
        Write a whole copy, beside everything that goes on.

        Raises:
            StoreError: It is no SQLite file, or the copy could not be written.
        """
        if self._engine.dialect.name != "sqlite":
            raise StoreError("only SQLite is copied here: for PostgreSQL use pg_dump")
        with self._raw() as connection:
            return copy_to(connection, target, self._clock())

    def copy_into(self, folder: Path) -> Copied:
        """The same, under a name that says when."""
        return self.copy_to(folder / f"adapter-{self._clock():%Y%m%dT%H%M%SZ}.sqlite")

    def missing(self, seen: Seen | None = None) -> Missing | None:
        """
        What an older copy lacks of what was here; None when nothing is known to be missing.

        Args:
            seen: How far the database had come; None: as the lock said when it was opened.
        """
        if self._engine.dialect.name != "sqlite":
            return None
        seen = seen or (self._file.seen if self._file else None)
        with self._transaction(False) as connection:
            newest, copied = self._newest(connection), copied_at(connection)
        if seen is not None and newest.seq >= seen.seq:
            return None
        if seen is None and copied is None:
            return None
        since = copied if copied is not None else newest.at
        return Missing(since, seen.at if seen else None, seen.seq - newest.seq if seen else None)

    def forget_missing(self) -> None:
        """From now on the database goes its own way, and is no copy any more."""
        if self._file is None:
            return
        with self._raw() as connection:
            forget_copied(connection)
        self._note()

    def cut_journal(self) -> None:
        """Bring the journal into the file, and cut it, where it has grown and nobody needs it."""
        if self._file is None or _size(journal_of(self._file.path)) <= MOST_WAL_BYTES:
            return
        with self._raw() as connection:
            _, all_pages, done = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if all_pages != done:
                return  # somebody reads an older state
            (before,) = connection.execute("PRAGMA busy_timeout").fetchone()
            connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
            try:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                connection.execute(f"PRAGMA busy_timeout = {before}")

    # --- inside ---

    def _note(self) -> None:
        if self._file is None:
            return
        with self._transaction(False) as connection:
            newest = self._newest(connection)
        self._file.note(Seen(newest.seq, self._clock()))

    def _newest(self, connection: sa.Connection) -> Seen:
        """The audit log's newest row."""
        table = tables.audit
        newest = sa.select(table.c.seq, table.c.at).order_by(table.c.seq.desc()).limit(1)
        found = connection.execute(newest).first()
        return Seen(found.seq, found.at) if found else Seen(0, self._clock())

    @contextmanager
    def _raw(self) -> Iterator[Any]:
        """The driver's own connection, outside of any transaction."""
        driver: Any = self._engine.dialect.dbapi
        with as_store_error():
            try:
                with closing(self._engine.raw_connection()) as pooled:
                    yield pooled.driver_connection
            except driver.Error as error:  # SQLAlchemy, which would wrap it, is not asked
                raise sa.exc.DBAPIError("", None, error) from None


_WRITE_AS_IT_IS: Final = sa.update(tables.environment).values(name=tables.environment.c.name)
"""Writes and changes nothing."""


def journal_of(path: Path) -> Path:
    """SQLite's write-ahead log beside a database."""
    return path.with_name(f"{path.name}-wal")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
