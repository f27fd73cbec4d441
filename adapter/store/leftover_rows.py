"""Deliveries that nothing more can happen to leave the table that workers look in.

They stand in tables of their own from then on, where whoever asks for a certificate's deliveries
finds them. What was refused, failed, blocked or left unknown stays: it can be sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from intyg.adapter.store import tables
from intyg.adapter.store.base import Transaction
from intyg.adapter.store.tables import ENDED_FOR_GOOD

_FINAL: Final = [state.value for state in ENDED_FOR_GOOD]


@dataclass(frozen=True)
class Step:
    """
    One step through the table, oldest first.

    Attributes:
        moved: How many left it.
        reached: The last `seq` that was looked at; None when there is none as old any more.
    """

    moved: int
    reached: int | None


class LeftoverRows:
    """Moves what is finished."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def move(self, ended_before: datetime, after: int, limit: int) -> Step:
        """
        Look at the next so many, and move those that ended before a moment.

        By `seq` and without an index: rows are added in the order of time, so that the old ones
        stand first, and what was added later cannot have ended earlier.

        Args:
            after: Of the last step; 0 begins.
        """
        old = self._next(after, limit)
        ready = self._lock(
            [row.seq for row in old if row.state in _FINAL and row.updated_at < ended_before]
        )
        if ready:
            self._move(ready)
        more = len(old) == limit and old[-1].created_at < ended_before
        return Step(len(ready), old[-1].seq if more else None)

    # --- inside ---

    def _next(self, after: int, limit: int) -> Sequence[sa.Row[int, str, datetime, datetime]]:
        table = tables.delivery.c
        return self._connection.execute(
            sa.select(table.seq, table.state, table.updated_at, table.created_at)
            .where(table.seq > after)
            .order_by(table.seq)
            .limit(limit)
        ).all()

    def _lock(self, seqs: Sequence[int]) -> Sequence[int]:
        """Those that no other process is moving just now."""
        seq = tables.delivery.c.seq
        mine = sa.select(seq).where(seq.in_(seqs)).with_for_update(skip_locked=True)
        return self._connection.scalars(mine).all() if seqs else []

    def _move(self, seqs: Sequence[int]) -> None:
        delivery, attempt = tables.delivery, tables.attempt
        mine = delivery.c.seq.in_(seqs)
        of_mine = attempt.c.delivery_id.in_(sa.select(delivery.c.id).where(mine))
        self._copy(attempt, tables.attempt_done, of_mine)
        self._copy(delivery, tables.delivery_done, mine)
        self._connection.execute(sa.delete(attempt).where(of_mine))
        self._connection.execute(sa.delete(delivery).where(mine))

    def _copy(self, source: sa.Table, target: sa.Table, which: sa.ColumnElement[bool]) -> None:
        names = [column.name for column in target.columns]
        columns = [source.c[name] for name in names]
        rows = sa.select(*columns).where(which)
        self._connection.execute(sa.insert(target).from_select(names, rows))
