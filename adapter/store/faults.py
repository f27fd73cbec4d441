"""What goes wrong with a database, as our own errors.

    StoreError              the database did not answer as it should
    ├── ConstraintError     a constraint of the schema said no
    ├── DuplicateRow        the id is taken: somebody was faster
    ├── LeaseLostError      the delivery is no longer this worker's
    ├── UnreleasedTablesError  the tables are from before the first release
    └── WrongEnvironmentError  the database was made in another environment

The original is deliberately *not* kept as the cause: SQLAlchemy's texts quote parameters, and
PostgreSQL's quote the failing row, which is person data. Its class and SQLSTATE are kept instead.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from alembic.util import CommandError
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


class WrongEnvironmentError(StoreError):
    """The database was made in another environment; nothing was changed."""


FAULTS: Final[Mapping[type[Exception], tuple[type[StoreError], str]]] = {
    exc.IntegrityError: (ConstraintError, "a constraint of the database failed"),
    exc.OperationalError: (StoreError, "the database cannot be reached or is busy"),
    exc.InterfaceError: (StoreError, "the database cannot be reached"),
    exc.ArgumentError: (StoreError, "database_url cannot be read: it is no URL of a database"),
    exc.DBAPIError: (StoreError, "the database refused a statement"),
    exc.TimeoutError: (StoreError, "no database connection was free in time"),
    exc.SQLAlchemyError: (StoreError, "the database could not be used"),
    CommandError: (StoreError, "the database's schema could not be brought up to date"),
}
"""The most specific class wins."""


@contextmanager
def as_store_error() -> Iterator[None]:
    """Turn every error of the database libraries into a `StoreError` without its text."""
    try:
        yield
    except tuple(FAULTS) as error:
        raise _translate(error) from None  # None: no traceback shows the original's text


def _translate(error: Exception) -> StoreError:
    kind, text = next(FAULTS[cls] for cls in type(error).__mro__ if cls in FAULTS)
    original = getattr(error, "orig", None)
    name = type(original or error).__name__
    code = getattr(original, "sqlstate", None) or getattr(original, "sqlite_errorname", None)
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
