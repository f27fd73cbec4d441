"""Whether the database takes what is written, as far as is known; and who is told of a change."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from intyg.adapter.domain.errors import StoreError
from intyg.adapter.store.faults import CannotWriteError, DatabaseGoneError, DiskFailedError

Told: TypeAlias = Callable[[CannotWriteError | None], None]
"""Gets what began to stand in the way, once; None when it no longer does."""


class Trouble:
    """
    What keeps a database from being written.

    Attributes:
        told: Who is told; called by whichever thread saw it, outside any transaction.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now: CannotWriteError | None = None
        self.told: list[Told] = []

    @property
    def now(self) -> CannotWriteError | None:
        """What stands in the way; None when nothing is known to."""
        return self._now

    @contextmanager
    def watched(self) -> Iterator[None]:
        """A write: what it fails of is remembered."""
        try:
            yield
        except CannotWriteError as error:
            self.begins(error)
            raise

    def must_go_on(self) -> None:
        """
        Refuse to write where that would be in vain.

        A sync that failed is never tried again on the same file: the system may have thrown the
        pages away and call the next one good. A file that is gone takes everything, and keeps none.

        Raises:
            StoreError: As it was found.
        """
        if isinstance(self._now, DatabaseGoneError) or is_failed_sync(self._now):
            assert self._now is not None
            raise type(self._now)(self._now.text)

    def begins(self, error: CannotWriteError) -> None:
        """Remember what stands in the way; the first one, until it has ended."""
        with self._lock:
            first, self._now = self._now is None, self._now or error
        if first:
            self._tell(error)

    def ends(self) -> None:
        """Something was written."""
        with self._lock:
            before, self._now = self._now, None
        if before is not None:
            self._tell(None)

    def _tell(self, error: CannotWriteError | None) -> None:
        for told in self.told:
            told(error)


def is_failed_sync(error: StoreError | None) -> bool:
    """Whether SQLite could not bring a file or folder to the disk."""
    return isinstance(error, DiskFailedError) and "FSYNC" in error.text
