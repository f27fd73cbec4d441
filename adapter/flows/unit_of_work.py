"""One call, one transaction: what a flow reads under the lock and writes, with the audit's row.

A flow first validates and verifies; it asks the guard, the directory and the clock. Then it gives
one function of `rows` to `write`. That function may run in another thread, and is run again when it
lost a race. So it asks no network and no clock (`rows.now` is its moment), and changes nothing but
rows.

A function has three ways to end:

    it returns an answer       what it wrote is kept, with the audit's row
    it returns an error        the same, and the error is raised: a refusal whose block is kept
    it raises an error         nothing is kept; the refusal is recorded in a transaction of its own
"""

from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeAlias, TypeVar

from intyg.adapter.domain.errors import AdapterError, SchemaError, StoreError
from intyg.adapter.store import Rows, Store

T = TypeVar("T")

Record: TypeAlias = Callable[[Rows, object], None]
"""Records how a call ended: its answer, or the `AdapterError` that refused it."""


class UnitOfWork:
    """
    A call's transaction, to be. Made for one call, and used once for writing.

    A context manager: opened around a flow, it sees to it that every refusal is recorded. Whoever
    opens it gives it the answer, too, before anybody is told: `end`.

    Args:
        store: Runs the functions.
        record: Adds the audit's row; None: nothing is recorded.

    Attributes:
        written: A function was run and kept, and with it how the call ended.
    """

    def __init__(self, store: Store, record: Record | None = None) -> None:
        self._store = store
        self._record = record
        self.written = False

    def read(self, function: Callable[[Rows], T]) -> T:
        """Run a function that only reads."""
        with self._store.read() as rows:
            return function(rows)

    def write(self, function: Callable[[Rows], T | AdapterError]) -> T:
        """
        Run a function, add the audit's row, commit; all of it or nothing.

        Raises:
            AdapterError: What the function returned, after the commit; or raised, undone.
            StoreError: The database did not do as told; nothing is kept.
        """
        if self.written:
            raise RuntimeError("a call has one function that writes")

        def recorded(rows: Rows) -> T | AdapterError:
            answer = function(rows)
            if self._record is not None:
                self._record(rows, answer)
            return answer

        answer = self._store.write(recorded)
        self.written = True
        if isinstance(answer, AdapterError):
            raise answer
        return answer

    def end(self, outcome: object) -> None:
        """Record how a call ended that has written nothing: its answer, or its refusal."""
        if self._record is not None and not self.written:
            record = self._record
            self._store.write(lambda rows: record(rows, outcome))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """
        Record a refusal.

        A request that is no message of its contract is not recorded, since nothing can be known of
        it; nor is what the database did not take.
        """
        if isinstance(error, AdapterError) and not isinstance(error, SchemaError | StoreError):
            self.end(error)
