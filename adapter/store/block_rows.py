"""What the guard stopped, for good or until it can tell."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.store import tables
from intyg.adapter.store.base import Transaction, is_id


@dataclass(frozen=True)
class Block:
    """A message that the guard stopped, for the journal."""

    intygs_id: str
    contract: str
    destination: str
    signal: str | None
    at: datetime


@dataclass(frozen=True)
class Hold:
    """A message that waits since the guard cannot tell whose it is."""

    intygs_id: str
    contract: str
    delivery_id: str
    logical_address: str
    why: str | None  # which signal could not tell, and why
    since: datetime  # when it was queued
    asked_at: datetime
    ask_again_at: datetime


class BlockRows:
    """Blocks and holds."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    def add(
        self, intygs_id: str, contract: str, destination: str, signal: str | None, at: datetime
    ) -> None:
        """
        Journal that the guard stopped a message.

        Args:
            intygs_id: The certificate it is about, stored or not.
            contract: `RegisterCertificate:3`.
            destination: The destination's name, or the logical address where there is none.
            signal: Which signal caused it, never the number it matched.
            at: When.
        """
        self._connection.execute(
            sa.insert(tables.block).values(
                intygs_id=intygs_id,
                contract=contract,
                destination=destination,
                signal=signal,
                at=at,
            )
        )

    def find(self, intygs_id: str | None = None) -> tuple[Block, ...]:
        """What the guard stopped, oldest first."""
        table = tables.block
        query = sa.select(table).order_by(table.c.seq)
        if intygs_id is not None:
            query = query.where(is_id(table.c.intygs_id, intygs_id))
        return tuple(_to_block(row) for row in self._connection.execute(query))

    def newest(self, limit: int) -> tuple[Block, ...]:
        """What the guard stopped, newest first, at most so many."""
        table = tables.block
        query = sa.select(table).order_by(table.c.seq.desc()).limit(limit)
        return tuple(_to_block(row) for row in self._connection.execute(query))

    def holds(self, limit: int) -> tuple[Hold, ...]:
        """What waits until the guard can tell, what waits longest first, at most so many."""
        table = tables.delivery
        query = (
            sa.select(table)
            .where(
                table.c.state == DeliveryState.HELD.value,
                sa.text(tables.state_in(tables.STANDING)),
            )
            .order_by(table.c.seq)
            .limit(limit)
        )
        return tuple(
            Hold(
                intygs_id=row.intygs_id,
                contract=row.contract,
                delivery_id=row.id,
                logical_address=row.logical_address,
                why=row.last_detail,
                since=row.created_at,
                asked_at=row.updated_at,
                ask_again_at=row.due_at,
            )
            for row in self._connection.execute(query)
        )


def _to_block(row: sa.Row[tuple[object, ...]]) -> Block:
    return Block(row.intygs_id, row.contract, row.destination, row.signal, row.at)
