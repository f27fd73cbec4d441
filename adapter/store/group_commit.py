"""Many callers' functions and one commit: what takes the longest is the disk.

Whoever leads (`leading.py`) takes what waits, runs the functions one after the other in one
transaction, each behind a savepoint of its own, commits, and only then is anybody answered.
"""

import contextvars
import copy
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final, Generic, TypeVar

import sqlalchemy as sa

from intyg.adapter.domain.clock import Clock
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.domain.leading import Leading, Visit
from intyg.adapter.store.base import Transaction
from intyg.adapter.store.faults import ConstraintError, DuplicateRow, as_ours, is_of_the_disk
from intyg.adapter.store.rows import Rows

T = TypeVar("T")

MOST: Final = 32
"""Functions in a commit."""

LONGEST_SECONDS: Final = 0.002
"""How long those that come late are still taken along."""


class _Job(Visit, Generic[T]):
    """
    A caller's function, and what came of it.

    Attributes:
        transaction: The one in which it came to its end; None before.
        error: Why it did not.
        is_kept: It was committed: without that there is no answer, whatever went wrong.
    """

    def __init__(self, function: Callable[[Rows], T]) -> None:
        super().__init__()
        self._function = function
        self._context = contextvars.copy_context()  # whoever runs it, it is its caller's
        self._answer: T
        self.transaction: Transaction | None = None
        self.error: BaseException | None = None
        self.is_kept = False

    def run(self, connection: sa.Connection, clock: Clock) -> None:
        """
        Run the function, once more if it lost a race; what it writes is gone if it fails.

        Raises:
            OperationalError: Not the function fails but the database, and all that is in the
                transaction with it.
        """
        connection.exec_driver_sql("SAVEPOINT one_of_group")
        self._try(connection, clock)
        if isinstance(self.error, ConstraintError | DuplicateRow):
            self._try(connection, clock)
        connection.exec_driver_sql("RELEASE one_of_group")

    def _try(self, connection: sa.Connection, clock: Clock) -> None:
        transaction, self.error = Transaction(connection, clock()), None
        try:
            self._answer = self._context.run(self._function, Rows(transaction))
            for act in transaction.at_end:
                self._context.run(act)
            self.transaction = transaction
        except Exception as error:  # whatever it is, it is raised where it belongs
            if is_of_the_disk(error):
                raise
            self.error = as_ours(error)
            connection.exec_driver_sql("ROLLBACK TO one_of_group")

    def answer(self) -> T:
        """What the function gave, once that is on disk; or its error."""
        if self.error is not None:
            raise self.error
        if self.transaction is None or not self.is_kept:
            raise StoreError("the commit did not come to its end")
        for act in self.transaction.after_commit:
            act()
        return self._answer


class GroupCommit:
    """
    Runs functions in transactions that they share.

    Args:
        begin: A write transaction: durable when the block ends, gone when it raises.
        clock: Aware UTC.
        wake: Called after a commit that has work for workers in it.
    """

    def __init__(
        self,
        begin: Callable[[], AbstractContextManager[sa.Connection]],
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        self._begin = begin
        self._clock = clock
        self._wake = wake
        self._waiting: Leading[_Job[Any]] = Leading()

    def run(self, function: Callable[[Rows], T]) -> T:
        """
        Run a function; what it gives is on disk when this returns.

        Raises:
            StoreError: The database did not do as told; nothing of the function is kept.
        """
        job = _Job(function)
        if self._waiting.come(job):
            self._lead()
        return job.answer()

    def _lead(self) -> None:
        group: list[_Job[Any]] = []
        try:
            self._commit(group)
        except BaseException as error:
            if not group:  # not even begun: whoever leads is the first that waits
                group.append(self._waiting.take())
            _fail(group, error)
            if not isinstance(error, StoreError):
                raise
        finally:
            self._waiting.leave(group[1:])

    def _commit(self, group: "list[_Job[Any]]") -> None:
        """Fill the group, run it and commit."""
        with self._begin() as connection:
            at_once, until = len(self._waiting), time.monotonic() + LONGEST_SECONDS
            while len(self._waiting) and len(group) < MOST:
                if len(group) >= at_once and time.monotonic() > until:
                    break
                group.append(self._waiting.take())
                group[-1].run(connection, self._clock)
        for job in group:
            job.is_kept = True
        if any(job.transaction and job.transaction.work_added for job in group):
            self._wake()


def _fail(group: "list[_Job[Any]]", error: BaseException) -> None:
    """Nothing of the group is kept. Whoever had an error of his own is told that."""
    for job in group:
        job.error = job.error or _one_each(error)


def _one_each(error: BaseException) -> StoreError:
    """An error is raised in one thread."""
    if isinstance(error, StoreError):
        return copy.copy(error)
    return StoreError(f"the commit was broken off ({type(error).__name__})")
