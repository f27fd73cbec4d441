"""A request's transaction, kept open until what became of the request is written into it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import TracebackType
from typing import Self

from intyg.adapter.store.rows import Rows


class _RollBack(Exception):  # noqa: N818  # no error: nobody finished
    """Ends a transaction without keeping it."""


class OneTransaction:
    """
    Whatever `Store.begin` gives out in this thread meanwhile is committed by `finish`, or not.

    A flow's own `with` block ends before its outcome is known. Here the commit waits for that.

    Args:
        begin: Opens a transaction of its own.
    """

    def __init__(self, begin: Callable[[], AbstractContextManager[Rows]]) -> None:
        self._begin = begin
        self._stack: ExitStack | None = None
        self._rows: Rows | None = None

    @contextmanager
    def block(self) -> Iterator[Rows]:
        """What `Store.begin` gives; an error in it undoes it as ever."""
        if self._rows is not None:
            raise RuntimeError("a request has one block that writes")
        with ExitStack() as stack:
            rows = stack.enter_context(self._begin())
            yield rows
            self._stack, self._rows = stack.pop_all(), rows

    def finish(self, last: Callable[[Rows], None]) -> None:
        """
        Write the last thing, and commit: with the block that was written, or alone.

        Raises:
            StoreError: As a `with` block; nothing is kept.
        """
        stack, rows = self._stack or ExitStack(), self._rows
        self._stack, self._rows = None, None
        with stack:
            last(rows or stack.enter_context(self._begin()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._stack is not None:
            stop = _RollBack()
            self._stack.__exit__(_RollBack, stop, None)
