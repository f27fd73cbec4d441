"""Which deliveries may be taken now, destination by destination.

Each destination is a *lane*: it has so many attempts under way at most, and its turn among the
others. Statements are built once: building costs more than running them.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Protocol

import sqlalchemy as sa

from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.domain.way import ANY, NO_DESTINATION, Stop
from intyg.adapter.store import tables
from intyg.adapter.store.base import Transaction
from intyg.adapter.store.prepared import same
from intyg.adapter.store.tables import CLAIMABLE, UNFINISHED, state_in, state_is
from intyg.adapter.store.way_rows import WayRows

SORTED_AT_ONCE: Final = 200
"""How many deliveries are given their destination in one claim."""


class Lanes(Protocol):
    """What a claim needs to know of destinations."""

    def of(self, contract: str, logical_address: str) -> str:
        """The destination's name; `NO_DESTINATION` without a route."""

    def room(self, destination: str, in_flight: int) -> int:
        """How many more attempts a destination may have under way, when there are so many."""

    def in_turn(self, destinations: Collection[str]) -> Sequence[str]:
        """The same in the order in which they are asked."""


class OneLane:
    """Everything goes one way, without limits: for what asks no routes."""

    def of(self, contract: str, logical_address: str) -> str:  # noqa: ARG002  one for all
        return NO_DESTINATION

    def room(self, destination: str, in_flight: int) -> int:  # noqa: ARG002  as above
        return 1_000_000

    def in_turn(self, destinations: Collection[str]) -> Sequence[str]:
        return sorted(destinations)


ONE_LANE: Final = OneLane()

_mine: Final = tables.delivery
_other: Final = sa.alias(tables.delivery, "other")


def _queue_has(*conditions: sa.ColumnElement[bool] | sa.TextClause) -> sa.Exists:
    same_queue = (
        _other.c.intygs_id == _mine.c.intygs_id,
        _other.c.logical_address == _mine.c.logical_address,
    )
    return sa.exists(sa.literal_column("1")).select_from(_other).where(*same_queue, *conditions)


def _is_first() -> tuple[sa.ColumnElement[bool] | sa.TextClause, ...]:
    """Due, the first of its queue, and none of that is under way."""
    # Two subqueries, so that each is a search in one index down to its last column, on both kinds
    # of database: `ix_delivery_queue` and `uq_delivery_sending`. As one with OR, SQLite from 3.46.1
    # on (to 3.54 at least) refuses to plan it, SQLITE_INTERNAL; with `OR state IN ('sending')` it
    # can, but must, as PostgreSQL, read all of a queue to know that one is its first.
    earlier = _queue_has(_other.c.seq < _mine.c.seq, sa.text(state_in(UNFINISHED, "other.")))
    # One that an operator put back can be older than the one under way.
    under_way = _queue_has(sa.text(state_is(DeliveryState.SENDING, "other.")))
    return (
        sa.text(state_in(CLAIMABLE, "delivery.")),
        _mine.c.due_at <= sa.bindparam("now", type_=tables.UtcDateTime),
        ~earlier,
        ~under_way,
    )


def stopped_way(delivery: sa.Table, *but: sa.ColumnElement[bool]) -> sa.Exists:
    """Whether a delivery's way is stopped, by another row than those left out."""
    way = tables.way
    return (
        sa.exists(sa.literal_column("1"))
        .select_from(way)
        .where(
            way.c.cause.is_not(None),
            way.c.destination == delivery.c.destination,
            way.c.contract.in_((ANY, delivery.c.contract)),
            way.c.logical_address.in_((ANY, delivery.c.logical_address)),
            *but,
        )
    )


def first_of_lane() -> sa.Select[int]:
    """What may be taken of a lane, in the order it is due."""
    return (
        sa.select(_mine.c.seq)
        .where(*_is_first(), _mine.c.destination == sa.bindparam("lane"), ~stopped_way(_mine))
        .order_by(_mine.c.due_at, _mine.c.seq)
        .limit(sa.bindparam("limit", type_=sa.Integer))
        .with_for_update(skip_locked=True, of=_mine)
    )


def _oldest_of_way() -> sa.Select[int, str]:
    """The delivery that tries a stopped way: its oldest that is due, unless another stops it."""
    way = tables.way
    contract: sa.BindParameter[str] = sa.bindparam("contract_", type_=sa.Text)
    address: sa.BindParameter[str] = sa.bindparam("address_", type_=sa.Text)
    another = sa.or_(way.c.contract != contract, way.c.logical_address != address)
    return (
        sa.select(_mine.c.seq, _mine.c.id)
        .where(
            *_is_first(),
            _mine.c.destination == sa.bindparam("lane"),
            sa.or_(contract == ANY, _mine.c.contract == contract),
            sa.or_(address == ANY, _mine.c.logical_address == address),
            ~stopped_way(_mine, another),
        )
        .order_by(_mine.c.seq)
        .limit(1)
        .with_for_update(skip_locked=True, of=_mine)
    )


FIRST_OF_LANE: Final = same(first_of_lane())
_OLDEST_OF_WAY: Final = _oldest_of_way()
_WITHOUT_LANE: Final = same(
    sa.select(_mine.c.seq, _mine.c.contract, _mine.c.logical_address)
    .where(sa.text(state_in(CLAIMABLE)), _mine.c.destination.is_(None))
    .order_by(_mine.c.due_at, _mine.c.seq)
    .limit(SORTED_AT_ONCE)
    .with_for_update(skip_locked=True)
)
_SET_LANE: Final = same(
    sa.update(_mine)
    .where(_mine.c.seq == sa.bindparam("of_seq"))
    .values(destination=sa.bindparam("to_name"))
)
_LOCK_LANE: Final = same(
    sa.text("SELECT pg_advisory_xact_lock(hashtextextended('lane ' || CAST(:lane AS text), 0))")
)

# A jump from name to name in `ix_delivery_lane`, however many wait in each. What is under way are
# as many as there are workers, so that they are counted.
_IN_FLIGHT: Final = same(
    sa.select(_mine.c.destination, sa.func.count())
    .where(sa.text(state_is(DeliveryState.SENDING)))
    .group_by(_mine.c.destination)
)
_LANES: Final = same(
    sa.text(
        f"""
    WITH RECURSIVE lane(name) AS (
        SELECT min(destination) FROM delivery WHERE {state_in(CLAIMABLE)}
        UNION ALL
        SELECT (SELECT min(d.destination) FROM delivery d
                WHERE {state_in(CLAIMABLE, "d.")} AND d.destination > lane.name)
        FROM lane WHERE lane.name IS NOT NULL)
    SELECT name, 0 FROM lane WHERE name IS NOT NULL AND EXISTS (
        SELECT 1 FROM delivery d
        WHERE {state_in(CLAIMABLE, "d.")} AND d.destination = lane.name AND d.due_at <= :now)
    UNION ALL
    SELECT destination, count(*) FROM delivery
    WHERE {state_is(DeliveryState.SENDING)} GROUP BY destination
    """  # noqa: S608  the states are our own words
    ).bindparams(sa.bindparam("now", type_=tables.UtcDateTime))
)


def claimable(
    transaction: Transaction, ways: WayRows, limit: int, lease_seconds: float, lanes: Lanes
) -> list[int]:
    """
    What may be taken, by `seq`: probes first, then each lane in its turn. Never two of one queue.

    Args:
        limit: At most so many.
        lease_seconds: How long a probe may take before another is made.
    """
    _sort(transaction, lanes)
    due, in_flight = _lanes(transaction)
    found: dict[int, str] = {}
    probed: dict[int, Stop] = {}
    for stop in ways.due_probes(to_begin=True):
        name = stop.way.destination
        if len(found) < limit and lanes.room(name, in_flight[name]) > 0:
            probes = list(_probe(transaction, ways, stop, lease_seconds))
            in_flight[name] += len(probes)
            found |= dict.fromkeys(probes, name)
            probed |= dict.fromkeys(probes, stop)
    room = {name: lanes.room(name, in_flight[name]) for name in lanes.in_turn(due)}
    _in_turn(transaction, found, limit, room)
    taken = _with_room(transaction, lanes, found)
    for seq in probed.keys() - set(taken):
        ways.undo_probe(probed[seq])
    return taken


def is_any_claimable(transaction: Transaction) -> bool:
    """Whether there is something to take, whatever the lanes."""
    connection, now = transaction.connection, transaction.now
    if connection.execute(_WITHOUT_LANE_DUE, {"now": now}).first() is not None:
        return True
    return any(
        FIRST_OF_LANE.run(connection, {"now": now, "lane": name, "limit": 1}).first()
        for name in _lanes(transaction)[0]
    ) or any(
        connection.execute(_OLDEST_OF_WAY, _probe_values(transaction, stop)).first()
        for stop in WayRows(transaction).due_probes()
    )


def sort_anew(transaction: Transaction, lanes: Lanes) -> int:
    """
    Give what waits the destinations that the routes name now. Returns how many moved.

    For when routes have changed: a delivery must not wait for a way that it will not go.
    """
    groups = transaction.connection.execute(
        sa.select(_mine.c.contract, _mine.c.logical_address, _mine.c.destination)
        .where(sa.text(state_in(CLAIMABLE)), _mine.c.destination.is_not(None))
        .distinct()
    ).all()
    moved = 0
    for contract, address, known in sorted(groups):
        name = lanes.of(contract, address)
        if name != known:
            moved += transaction.connection.execute(
                sa.update(_mine)
                .where(
                    sa.text(state_in(CLAIMABLE)),
                    _mine.c.contract == contract,
                    _mine.c.logical_address == address,
                    _mine.c.destination == known,
                )
                .values(destination=name)
            ).rowcount
    return moved


# --- inside ---------------------------------------------------------------------------------------

_WITHOUT_LANE_DUE: Final = (
    sa.select(_mine.c.seq).where(*_is_first(), _mine.c.destination.is_(None)).limit(1)
)


def _sort(transaction: Transaction, lanes: Lanes) -> None:
    """Give new deliveries their destination."""
    places = [
        {"of_seq": seq, "to_name": lanes.of(contract, address)}
        for seq, contract, address in _WITHOUT_LANE.run(transaction.connection, {}).rows
    ]
    if places:
        _SET_LANE.run_many(transaction.connection, places)


def _in_turn(
    transaction: Transaction, found: dict[int, str], limit: int, room: dict[str, int]
) -> None:
    """
    Add the first of each lane to what was found: a like share of each, and then of those that have
    more what the others do not need. Shares, since on PostgreSQL what is looked at is locked.
    """
    taken: Counter[str] = Counter()
    share = max(1, (limit - len(found)) // max(1, len(room)))
    for most in (share, limit):
        for name in list(room):
            wanted = min(room[name], most, limit - len(found) + taken[name])
            if wanted <= taken[name]:
                continue
            values = {"now": transaction.now, "lane": name, "limit": wanted}
            seqs = FIRST_OF_LANE.run(transaction.connection, values).scalars()
            found |= {seq: name for seq in seqs if seq not in found}
            taken[name] = len(seqs)
            if len(seqs) < wanted:
                del room[name]  # there are no more


def _with_room(transaction: Transaction, lanes: Lanes, found: Mapping[int, str]) -> list[int]:
    """
    Those of what was found that still have room, counted with nobody else counting.

    On PostgreSQL claims go on side by side, and each sees only what others have committed. So
    whoever takes something of a lane holds the lane's lock until the commit: a moment, and none of
    those that hold one waits for anything but another lane's, in the order of their names.
    """
    if not found or not transaction.is_postgresql:
        return list(found)
    for name in sorted(set(found.values())):
        _LOCK_LANE.run(transaction.connection, {"lane": name})
    in_flight = _in_flight(transaction)
    room = {name: lanes.room(name, in_flight[name]) for name in set(found.values())}
    return [seq for seq, name in found.items() if _take_one(room, name)]


def _take_one(room: dict[str, int], name: str) -> bool:
    room[name] -= 1
    return room[name] >= 0


def _in_flight(transaction: Transaction) -> Counter[str]:
    rows = _IN_FLIGHT.run(transaction.connection, {}).rows
    return Counter({name or NO_DESTINATION: count for name, count in rows})


def _lanes(transaction: Transaction) -> tuple[list[str], Counter[str]]:
    """The lanes in which something is due, and how many of each are under way."""
    rows = _LANES.run(transaction.connection, {"now": transaction.now}).rows
    counts = {name or NO_DESTINATION: count for name, count in rows if count}
    return [name for name, count in rows if not count], Counter(counts)


def _probe(
    transaction: Transaction, ways: WayRows, stop: Stop, lease_seconds: float
) -> Iterable[int]:
    values = _probe_values(transaction, stop)
    row = transaction.connection.execute(_OLDEST_OF_WAY, values).first()
    if row is not None and ways.begin_probe(stop, row.id, lease_seconds):
        yield row.seq


def _probe_values(transaction: Transaction, stop: Stop) -> dict[str, object]:
    return {
        "now": transaction.now,
        "lane": stop.way.destination,
        "contract_": stop.way.contract,
        "address_": stop.way.logical_address,
    }
