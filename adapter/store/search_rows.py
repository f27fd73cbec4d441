"""Which certificate somebody means who has an id of something."""

from typing import Any, Final

import sqlalchemy as sa

from intyg.adapter.store import tables
from intyg.adapter.store.base import Transaction

NEWEST: Final = 100_000
"""A correlation id is looked for among so many of the newest calls: each has a row in the audit
log. No index pays for what is asked so seldom."""


class SearchRows:
    """Looks for ids."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def intyg_of(self, wanted: str) -> str | None:
        """The certificate that an id is of, or is of something about; None where there is none."""
        m, d, done = tables.meddelande.c, tables.delivery.c, tables.delivery_done.c
        return (
            self._first(
                sa.select(tables.intyg.c.intygs_id).where(_same(tables.intyg.c.intygs_id, wanted))
            )
            or self._first(sa.select(m.intygs_id).where(_same(m.meddelande_id, wanted)))
            or self._first(sa.select(d.intygs_id).where(_same(d.id, wanted)))
            or self._first(sa.select(done.intygs_id).where(_same(done.id, wanted)))
        )

    def intyg_of_call(self, correlation_id: str) -> str | None:
        """The certificate of a call, by its correlation id; see `NEWEST`."""
        audit = tables.audit.c
        newest = sa.select(sa.func.max(audit.seq) - NEWEST).scalar_subquery()
        return self._first(
            sa.select(audit.intygs_id)
            .where(audit.seq > newest, audit.correlation_id == correlation_id)
            .where(audit.intygs_id.is_not(None))
            .limit(1)
        )

    def _first(self, query: sa.Select[Any]) -> str | None:
        found: str | None = self._connection.execute(query).scalars().first()
        return found


def _same(column: sa.Column[str], wanted: str) -> sa.ColumnElement[bool]:
    """Whoever looks for something is not held to its case; it is written in one, nearly always."""
    return column.in_({wanted, wanted.lower(), wanted.upper()})
