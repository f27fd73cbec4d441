"""Copies of a SQLite database, made while it is in use; and what an older one lacks.

A copy carries the moment it was made, in SQLite's own field for such things (`user_version`), so
that whoever starts with it can be told.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from intyg.adapter.domain.errors import StoreError
from intyg.adapter.store.faults import DamagedError

_PRIVATE: Final = 0o600
_MOMENT: Final = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class Copied:
    """A copy of the database."""

    path: Path
    at: datetime
    bytes: int


@dataclass(frozen=True)
class Missing:
    """
    What was answered and is not in the database.

    Attributes:
        since: From when; aware UTC.
        until: Until when; None: nobody here knows.
        rows: Of the audit log: calls, and deliveries that ended; None: nobody here knows.
    """

    since: datetime
    until: datetime | None
    rows: int | None

    @property
    def text(self) -> str:
        """In one sentence."""
        until = f"until {self.until:{_MOMENT}} UTC" if self.until else "until it was put back"
        rows = f" ({self.rows} rows of the audit log)" if self.rows else ""
        return (
            "the database is an older copy: what was answered OK from "
            f"{self.since:{_MOMENT}} {until} is missing{rows}"
        )


def copy_to(source: Any, target: Path, now: datetime) -> Copied:
    """
    Copy a database page by page, in one transaction of its own.

    The copy is whole or not there: it gets its name when it is on disk and has been looked through.

    Args:
        source: The driver's connection to it.
        target: A file that is not there yet.
        now: What the copy says of itself.

    Raises:
        StoreError: The file is there already, or cannot be written.
        DamagedError: The copy is not whole, so that the database is not.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            raise StoreError(f"{target} is there already: name another file")
        os.close(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, _PRIVATE))
        _fill(source, part, now)
        _sync(part)
        part.rename(target)
        _sync(target.parent)
        return Copied(target, now, target.stat().st_size)
    except (OSError, source.Error) as error:
        why = getattr(error, "sqlite_errorname", None) or getattr(error, "strerror", "")
        raise StoreError(f"the copy {target} cannot be written: {why}") from error
    finally:
        part.unlink(missing_ok=True)


def _fill(source: Any, part: Path, now: datetime) -> None:
    copy = type(source)(str(part))
    try:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
        copy.execute(f"PRAGMA user_version = {int(now.timestamp())}")
        copy.commit()
        (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    finally:
        copy.close()
    if found != "ok":
        raise DamagedError(f"the copy is damaged ({found.splitlines()[0]}), and so the database")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copied_at(connection: sa.Connection) -> datetime | None:
    """When a database was made as a copy of another; None: it was not, or that has been told."""
    seconds = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def forget_copied(connection: Any) -> None:
    """Let a database be no copy any more."""
    if connection.execute("PRAGMA user_version").fetchone() != (0,):
        connection.execute("PRAGMA user_version = 0")
