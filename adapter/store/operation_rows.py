"""What operators asked for, by the id of their request, so that asking twice does nothing twice."""

import sqlalchemy as sa

from intyg.adapter.store import tables
from intyg.adapter.store.base import Transaction


class OperationRows:
    """Requests and what they were answered."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def find(self, request_id: str) -> tuple[str, str] | None:
        """The request and its result as JSON, or None."""
        table = tables.operation
        row = self._transaction.connection.execute(
            sa.select(table.c.request, table.c.result).where(table.c.request_id == request_id)
        ).first()
        return None if row is None else (row.request, row.result)

    def add(self, request_id: str, request: str, result: str) -> None:
        """
        Keep what was done.

        Raises:
            ConstraintError: The same request was done meanwhile.
        """
        self._transaction.connection.execute(
            sa.insert(tables.operation).values(
                request_id=request_id, request=request, result=result, at=self._transaction.now
            )
        )
