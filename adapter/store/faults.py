"""What goes wrong with a database, as our own errors.

    StoreError              the database did not answer as it should
    ├── ConstraintError     a constraint of the schema said no
    ├── DuplicateRow        the id is taken: somebody was faster
    ├── LeaseLostError      the delivery is no longer this worker's
    ├── UnreleasedTablesError  the tables are from before the first release
    ├── NewerTablesError    the tables are of a newer version than this one
    ├── WrongEnvironmentError  the database was made in another environment
    └── CannotWriteError    nothing can be written, until somebody has done something
        ├── DiskFullError      no room
        ├── ReadOnlyError      file or folder is read-only
        ├── DamagedError       what is in the file is no whole database
        ├── DiskFailedError    the disk failed: a sync of this file is never tried again
        └── DatabaseGoneError  the file was deleted or replaced under the running adapter

The original is deliberately *not* kept as the cause: SQLAlchemy's texts quote parameters, and
PostgreSQL's quote the failing row, which is person data. Its class and SQLSTATE are kept instead.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from sqlalchemy import exc

from intyg.adapter.domain.errors import StoreError


class ConstraintError(StoreError):
    """A constraint of the schema said no; nothing was stored."""


class DuplicateRow(StoreError):  # noqa: N818  a finding: flows answer it with INFO
    """
    The id is taken. The transaction can go on.

    Attributes:
        kind: `intyg`, `meddelande` or `answer`.
        id: The id in question.
    """

    def __init__(self, kind: str, row_id: str) -> None:
        super().__init__(f"there is already a row for {kind} {row_id}")
        self.kind = kind
        self.id = row_id


class LeaseLostError(StoreError):
    """The delivery was claimed by somebody else, or taken back, before its outcome was recorded."""


class UnreleasedTablesError(StoreError):
    """The tables are from before the first release; nothing was changed."""


class NewerTablesError(StoreError):
    """The tables are of a newer version; nothing was changed."""


class WrongEnvironmentError(StoreError):
    """The database was made in another environment; nothing was changed."""


class CannotWriteError(StoreError):
    """Nothing can be written, and no new attempt alone changes that."""


class DiskFullError(CannotWriteError):
    """No room is left; goes on by itself when there is some."""


class ReadOnlyError(CannotWriteError):
    """The file, its folder or the server lets nobody write."""


class DamagedError(CannotWriteError):
    """What is in the file is no whole database."""


class DiskFailedError(CannotWriteError):
    """Reading or writing failed. After a failed sync nobody knows what is on the disk."""


class DatabaseGoneError(CannotWriteError):
    """The file was deleted or replaced: what is written to the one that is open is lost."""


FAULTS: Final[Mapping[type[Exception], tuple[type[StoreError], str]]] = {
    exc.IntegrityError: (ConstraintError, "a constraint of the database failed"),
    exc.OperationalError: (StoreError, "the database cannot be reached or is busy"),
    exc.InterfaceError: (StoreError, "the database cannot be reached"),
    exc.ArgumentError: (StoreError, "database_url cannot be read: it is no URL of a database"),
    exc.DBAPIError: (StoreError, "the database refused a statement"),
    exc.TimeoutError: (StoreError, "no database connection was free in time"),
    exc.SQLAlchemyError: (StoreError, "the database could not be used"),
}
"""The most specific class wins."""

_FULL: Final = (DiskFullError, "the database's disk is full: nothing was stored")
_READ_ONLY: Final = (
    ReadOnlyError,
    "the database cannot be written: its file, its folder or the server is read-only",
)
_DAMAGED: Final = (DamagedError, "the database is damaged: put a backup back (docs/operations.md)")
_FAILED: Final = (DiskFailedError, "the database's disk failed: see the system's log")

CODES: Final[Mapping[str, tuple[type[StoreError], str]]] = {
    "SQLITE_FULL": _FULL,
    "SQLITE_READONLY": _READ_ONLY,
    "SQLITE_CANTOPEN": (
        StoreError,
        "the database's file cannot be opened: see that it is there, and who may read and write it",
    ),
    "SQLITE_CORRUPT": _DAMAGED,
    "SQLITE_NOTADB": _DAMAGED,
    "SQLITE_IOERR": _FAILED,
    "53100": _FULL,
    "25006": _READ_ONLY,
    "58030": _FAILED,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}
"""What SQLite's extended codes begin with, and SQLSTATEs: they win over the class.

Source: https://sqlite.org/rescode.html; PostgreSQL, appendix A.
"""


@contextmanager
def as_store_error() -> Iterator[None]:
    """Turn every error of the database libraries into a `StoreError` without its text."""
    try:
        yield
    except tuple(FAULTS) as error:
        raise _translate(error) from None  # None: no traceback shows the original's text


def as_ours(error: Exception) -> Exception:
    """The same for an error that is raised later, by somebody else; others are left alone."""
    return _translate(error) if isinstance(error, tuple(FAULTS)) else error


def is_of_the_disk(error: Exception) -> bool:
    """Whether it is the database that fails, and not one statement: the disk, a lock, its file."""
    whole = (exc.OperationalError, exc.InternalError)
    return isinstance(error, whole) or type(error) is exc.DatabaseError


def _translate(error: Exception) -> StoreError:
    kind, text = next(FAULTS[cls] for cls in type(error).__mro__ if cls in FAULTS)
    original = getattr(error, "orig", None)
    name = type(original or error).__name__
    code = getattr(original, "sqlstate", None) or getattr(original, "sqlite_errorname", None) or ""
    kind, text = next((CODES[key] for key in CODES if code.startswith(key)), (kind, text))
    return kind(f"{text} ({name}{f' {code}' if code else ''})")


_NAMED: Final = r'"(?P<name>[^"]*)"'
_NO_CONNECTION: Final = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (
            f"database {_NAMED} does not exist"
            f"|databasen {_NAMED.replace('name', 'namn')} existerar",
            "PostgreSQL has no database {name}: make it (createdb {name}), or name another in "
            "database_url",
        ),
        (
            f"(?:password|SCRAM|SASL) authentication failed(?: for user {_NAMED})?"
            "|[lL]ösenordsautentisering misslyckades",
            "PostgreSQL refuses the password of user {name}: set the right one in database_url, or "
            "in a file that PGPASSFILE names",
        ),
        (
            "no password supplied",
            "PostgreSQL wants a password, and database_url holds none: postgresql+psycopg://"
            "user:password@host/database",
        ),
        (
            f"role {_NAMED} does not exist|rollen {_NAMED.replace('name', 'namn')} finns inte",
            "PostgreSQL has no user {name}: make it (createuser {name}), or name another in "
            "database_url",
        ),
        (
            "no pg_hba.conf entry",
            "PostgreSQL lets nobody in from here by this user and database: pg_hba.conf on its "
            "machine says who may",
        ),
        (
            "could not translate host name|failed to resolve host|Name or service not known",
            "the host in database_url is not known: check its name",
        ),
        (
            "Connection refused|No such file or directory|timeout|timed out|No route to host"
            "|Network is unreachable|starting up|shutting down",
            "no PostgreSQL answers at {where}: see that it runs, and that database_url names its "
            "host and port",
        ),
        (
            "too many (?:clients|connections)|remaining connection slots",
            "PostgreSQL has no connection left: raise its max_connections, or end other programs",
        ),
    )
)
"""What libpq and the server say, in English and Swedish, and what helps. They give no code for it:
the errors of a connection that never was have no SQLSTATE."""


def why_no_connection(error: exc.DBAPIError, where: str) -> StoreError:
    """
    Why a PostgreSQL server lets us not in, with what to do about it.

    Only for when a connection is opened: what is said then quotes no row and no parameter.

    Args:
        where: Host and port.
    """
    said = str(error.orig)
    for pattern, text in _NO_CONNECTION:
        if found := pattern.search(said):
            names = [each for each in found.groupdict().values() if each]
            return StoreError(text.format(name=names[0] if names else "of it", where=where))
    return _translate(error)
