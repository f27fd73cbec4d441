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
