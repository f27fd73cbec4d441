"""What an overview counts: what waits and for how long, and what has happened since a moment.

Rows arrive in the order of time, so where a day begins is found by looking in the middle again and
again: some twenty looks by key, in one statement, in place of an index that each message would have
to pay for.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from intyg.adapter.domain.delivery import DeliveryState, OutcomeKind
from intyg.adapter.store import tables
from intyg.adapter.store.base import Transaction
from intyg.adapter.store.tables import UNFINISHED, state_in

MOST: Final = 50_000
"""So many are counted; more are said to be more."""

HOURS: Final = 24

_PART: Final = sa.func.coalesce(
    tables.attempt.c.part,
    sa.select(tables.delivery.c.part)
    .where(tables.delivery.c.id == tables.attempt.c.delivery_id)
    .scalar_subquery(),
    type_=sa.Text,
).label("part")
"""Where an attempt went; its delivery is asked only where the attempt is older than its column."""

_OLDEST_TRANSACTION: Final = sa.text(
    "SELECT extract(epoch FROM clock_timestamp() - min(xact_start)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@dataclass(frozen=True)
class Waiting:
    """
    Deliveries to one receiver that are not there yet, and stand alike.

    Attributes:
        tried: They have been attempted before, or were looked at and could not go.
        count: How many, `MOST` at most.
        oldest: When the first of them was queued.
        due: When the first of them is next tried.
        detail: What stopped the last that was stopped, in our own words.
        http_status, error_id: Of the answer to that one, if any.
    """

    part: str
    logical_address: str
    state: DeliveryState
    tried: bool
    kind: OutcomeKind | None
    count: int
    oldest: datetime
    due: datetime
    detail: str | None
    http_status: int | None
    error_id: str | None


@dataclass(frozen=True)
class Hour:
    """Attempts to one receiver in one hour."""

    part: str
    ago: int  # 0: the hour until now
    kind: OutcomeKind
    count: int


@dataclass(frozen=True)
class Failure:
    """The last attempt to a receiver that did not end in a delivery."""

    part: str
    at: datetime
    kind: OutcomeKind
    http_status: int | None
    error_id: str | None
    detail: str


class OverviewRows:
    """Counts over all tables."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    def waiting(self) -> tuple[Waiting, ...]:
        """What is not delivered and not given up, what waits longest first."""
        d = tables.delivery.c
        tried = d.last_kind.is_not(None)
        group = (d.part, d.logical_address, d.state, tried, d.last_kind, d.last_detail,
                 d.last_http_status, d.last_error_id)  # fmt: skip
        rows = self._connection.execute(
            sa.select(
                *group[:3],
                tried.label("tried"),
                *group[4:],
                sa.func.count().label("count"),
                sa.func.min(d.created_at, type_=tables.UtcDateTime).label("oldest"),
                sa.func.min(d.due_at, type_=tables.UtcDateTime).label("due"),
            )
            .where(sa.text(state_in(UNFINISHED)))
            .group_by(*group)
        )
        return tuple(sorted(map(_to_waiting, rows), key=lambda each: each.oldest))

    def received_since(self, since: datetime, until: datetime) -> int:
        """How many certificates arrived from one moment to another, `MOST` at most."""
        table = tables.intyg
        return self._count(table, table.c.received_at, since, until)

    def blocked_since(self, since: datetime) -> tuple[tuple[str | None, int], ...]:
        """Which signals stopped messages, and how many each; what stopped most first."""
        table = tables.block
        rows = self._connection.execute(
            sa.select(table.c.signal, sa.func.count())
            .where(table.c.seq >= self._first(table, table.c.at, since), table.c.at >= since)
            .group_by(table.c.signal)
        ).all()
        return tuple(sorted(((s, n) for s, n in rows), key=lambda each: (-each[1], each[0] or "")))

    def outcomes_since(self, since: datetime) -> dict[OutcomeKind, int]:
        """How many attempts have ended in each way; every way is there."""
        table = tables.attempt
        rows = self._connection.execute(
            sa.select(table.c.kind, sa.func.count())
            .where(table.c.seq >= self._first(table, table.c.at, since), table.c.at >= since)
            .group_by(table.c.kind)
        )
        found = {OutcomeKind(kind): count for kind, count in rows}
        return {kind: found.get(kind, 0) for kind in OutcomeKind}

    def hours(self, now: datetime) -> tuple[Hour, ...]:
        """Attempts of the last `HOURS`, by receiver, hour and outcome."""
        since = now - timedelta(hours=HOURS)
        a = tables.attempt.c
        ago = self._hours_between(a.at, now).label("ago")
        rows = self._connection.execute(
            sa.select(_PART, ago, a.kind, sa.func.count().label("count"))
            .where(a.seq >= self._first(tables.attempt, a.at, since), a.at >= since, a.at <= now)
            .group_by(_PART, ago, a.kind)
        )
        return tuple(
            Hour(
                row.part, min(int(row.ago), HOURS - 1), OutcomeKind(row.kind), row._mapping["count"]
            )
            for row in rows
        )

    def last_failures(self, since: datetime) -> tuple[Failure, ...]:
        """The last attempt to each receiver since then that did not end in a delivery."""
        a = tables.attempt.c
        newest = (
            sa.select(sa.func.max(a.seq))
            .where(
                a.seq >= self._first(tables.attempt, a.at, since),
                a.at >= since,
                a.kind != OutcomeKind.DELIVERED.value,
            )
            .group_by(_PART)
        )
        rows = self._connection.execute(
            sa.select(_PART, a.at, a.kind, a.http_status, a.error_id, a.detail).where(
                a.seq.in_(newest)
            )
        )
        return tuple(
            Failure(r.part, r.at, OutcomeKind(r.kind), r.http_status, r.error_id, r.detail)
            for r in rows
        )

    def oldest_transaction_seconds(self) -> float | None:
        """
        How long the oldest transaction on this database is open; None on SQLite.

        While it is, dead rows stay for everybody, and claims have to step over them. PostgreSQL
        tells of other users' transactions only those who may know (`pg_read_all_stats`).
        """
        if not self._transaction.is_postgresql:
            return None
        return float(self._connection.scalar(_OLDEST_TRANSACTION) or 0.0)

    # --- inside ---

    def _hours_between(self, at: sa.ColumnElement[Any], now: datetime) -> sa.ColumnElement[int]:
        if self._transaction.is_postgresql:
            then = sa.cast(sa.extract("epoch", at), sa.BigInteger)
        else:
            then = sa.cast(sa.func.strftime("%s", sa.type_coerce(at, sa.Text)), sa.BigInteger)
        return (sa.literal(int(now.timestamp()), sa.BigInteger) - then) // 3600

    def _count(
        self, table: sa.Table, at: sa.Column[datetime], since: datetime, until: datetime
    ) -> int:
        found = (
            sa.select(sa.literal_column("1"))
            .select_from(table)
            .where(table.c.seq >= self._first(table, at, since), at >= since, at < until)
            .limit(MOST)
            .subquery()
        )
        return int(
            self._connection.execute(sa.select(sa.func.count()).select_from(found)).scalar_one()
        )

    def _first(self, table: sa.Table, at: sa.Column[datetime], since: datetime) -> int:
        """A key that nothing since then stands before, if rows came in the order of time."""
        seq = table.c.seq
        low, high = (sa.select(end(seq)).scalar_subquery() for end in (sa.func.min, sa.func.max))
        search = sa.select(low.label("low"), high.label("high")).cte("search", recursive=True)
        middle = (search.c.low + search.c.high) // 2
        there = sa.select(at).where(seq >= middle).order_by(seq).limit(1).scalar_subquery()
        halves = sa.select(
            sa.case((there < since, middle + 1), else_=search.c.low),
            sa.case((there < since, search.c.high), else_=middle),
        ).where(search.c.low < search.c.high)
        search = search.union_all(halves)
        return self._connection.scalar(sa.select(sa.func.max(search.c.low))) or 0


def _to_waiting(row: sa.Row[Any]) -> Waiting:
    return Waiting(
        part=row.part,
        logical_address=row.logical_address,
        state=DeliveryState(row.state),
        tried=bool(row.tried),
        kind=OutcomeKind(row.last_kind) if row.last_kind else None,
        count=row._mapping["count"],
        oldest=row.oldest,
        due=row.due,
        detail=row.last_detail,
        http_status=row.last_http_status,
        error_id=row.last_error_id,
    )
