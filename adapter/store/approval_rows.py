"""Receivers that care has approved, or not, for a certificate."""

from collections.abc import Mapping

import sqlalchemy as sa

from intyg.adapter.domain.uuids import id_key
from intyg.adapter.store import tables
from intyg.adapter.store.base import Transaction, is_id


class ApprovalRows:
    """Receivers that care has approved, or not, for a certificate."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    def put(self, intygs_id: str, by_receiver: Mapping[str, str]) -> None:
        """
        Put these in the place of all that was said before of a certificate's receivers.

        Args:
            intygs_id: A certificate that need not be here yet.
            by_receiver: Receiver id to YES, NO or UNDEFINED.
        """
        table = tables.approved_receiver
        if self._transaction.is_postgresql:  # two at once must not both delete and then both insert
            key = f"approved_receiver {id_key(intygs_id)}"
            self._connection.execute(
                sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(key, 0)))
            )
        self._connection.execute(sa.delete(table).where(is_id(table.c.intygs_id, intygs_id)))
        for receiver_id, status in by_receiver.items():
            self._connection.execute(
                sa.insert(table).values(
                    intygs_id=intygs_id, receiver_id=receiver_id, approval_status=status
                )
            )

    def of_intyg(self, intygs_id: str) -> dict[str, str]:
        """Receiver id to YES, NO or UNDEFINED, by id; empty where nothing was said."""
        table = tables.approved_receiver
        rows = self._connection.execute(
            sa.select(table.c.receiver_id, table.c.approval_status)
            .where(is_id(table.c.intygs_id, intygs_id))
            .order_by(table.c.receiver_id)
        )
        return {row.receiver_id: row.approval_status for row in rows}
