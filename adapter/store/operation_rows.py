"""What operators asked for, by the id of their request, so that asking twice does nothing twice."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from intyg.adapter.store import tables
from intyg.adapter.store.base import Transaction


@dataclass(frozen=True)
class Operation:
    """
    Something that an operator had done.

    Attributes:
        request, result: As JSON.
        at: The `now` of its transaction.
    """

    request_id: str
    request: str
    result: str
    at: datetime


class OperationRows:
    """Requests and what they were answered."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def find(self, request_id: str) -> Operation | None:
        """The request and its result, or None."""
        table = tables.operation
        row = self._transaction.connection.execute(
            sa.select(table).where(table.c.request_id == request_id)
        ).first()
        return None if row is None else Operation(*row)

    def newest(self, since: datetime, limit: int) -> tuple[Operation, ...]:
        """What was done since then, newest first."""
        table = tables.operation
        rows = self._transaction.connection.execute(
            sa.select(table).where(table.c.at >= since).order_by(table.c.at.desc()).limit(limit)
        )
        return tuple(Operation(*row) for row in rows)

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
