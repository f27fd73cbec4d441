"""Ways that are stopped, or were without an answer: one row each, shared by all processes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from intyg.adapter.domain.delivery import Delivery, Outcome
from intyg.adapter.domain.way import ANY, Stop, Way, WayCause, WayChange, WayNews, WayPolicy
from intyg.adapter.store import tables
from intyg.adapter.store.base import Transaction
from intyg.adapter.store.prepared import same

_NOT_PAUSED: Final = tables.way.c.cause.is_distinct_from(WayCause.PAUSED.value)

_DUE_PROBES: Final = sa.select(tables.way).where(
    tables.way.c.probe_at <= sa.bindparam("now", type_=tables.UtcDateTime),
    sa.or_(
        tables.way.c.probing.is_(None),
        tables.way.c.probing_until < sa.bindparam("now", type_=tables.UtcDateTime),
    ),
)
_PROBES_TO_BEGIN: Final = _DUE_PROBES.with_for_update(skip_locked=True)
_ALL: Final = sa.select(tables.way)
_ANY: Final = same(sa.select(sa.literal_column("1")).select_from(tables.way).limit(1))
_GOES: Final = (
    sa.delete(tables.way)
    .where(
        tables.way.c.destination == sa.bindparam("destination_"),
        tables.way.c.contract.in_((ANY, sa.bindparam("contract_"))),
        tables.way.c.logical_address.in_((ANY, sa.bindparam("address_"))),
        _NOT_PAUSED,
    )
    .returning(tables.way)
)


class WayRows:
    """
    Ways that something is known of.

    Attributes:
        changes: What was stopped in this transaction, and what goes again.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self.changes: list[WayChange] = []
        self._known: list[Stop] | None = None

    def stopped(self, destination: str | None = None) -> tuple[Stop, ...]:
        """The ways that nothing goes, in the order of their names."""
        table = tables.way
        statement = sa.select(table).where(table.c.cause.is_not(None))
        if destination is not None:
            statement = statement.where(table.c.destination == destination)
        return tuple(
            _to_stop(row)
            for row in self._connection.execute(
                statement.order_by(table.c.destination, table.c.contract, table.c.logical_address)
            )
        )

    def due_probes(self, *, to_begin: bool = False) -> tuple[Stop, ...]:
        """
        The stopped ways that one delivery should try now.

        Args:
            to_begin: Only those that nobody else is changing, so that `begin_probe` waits for none.
        """
        if not (self._known is None or self._known) or not self._is_any():
            return ()
        statement = _PROBES_TO_BEGIN if to_begin else _DUE_PROBES
        rows = self._connection.execute(statement, {"now": self._transaction.now}).all()
        return tuple(_to_stop(row) for row in rows)

    def next_probe_of_silent(self) -> datetime | None:
        """When the first way without an answer is tried, after now, if something is due there."""
        way, delivery, now = tables.way, tables.delivery, self._transaction.now
        something_due = sa.exists(sa.literal_column("1")).where(
            delivery.c.destination == way.c.destination,
            sa.or_(way.c.contract == ANY, delivery.c.contract == way.c.contract),
            delivery.c.due_at <= now,
            sa.text(tables.state_in(tables.CLAIMABLE, "delivery.")),
        )
        found: datetime | None = self._connection.execute(
            sa.select(sa.func.min(way.c.probe_at, type_=tables.UtcDateTime)).where(
                way.c.cause == WayCause.SILENT.value, way.c.probe_at > now, something_due
            )
        ).scalar_one()
        return found

    def begin_probe(self, stop: Stop, delivery_id: str, lease_seconds: float) -> bool:
        """Let a delivery try a way; False when another process was faster."""
        now, table = self._transaction.now, tables.way
        self._known = None
        changed = self._connection.execute(
            sa.update(table)
            .where(
                *_is(stop.way),
                table.c.probe_at <= now,
                sa.or_(table.c.probing.is_(None), table.c.probing_until < now),
            )
            .values(probing=delivery_id, probing_until=now + timedelta(seconds=lease_seconds))
        )
        return changed.rowcount == 1

    def undo_probe(self, stop: Stop) -> None:
        """The delivery that was to try a way was not taken after all."""
        self._set(stop.way, probing=None)

    def note(self, delivery: Delivery, outcome: Outcome, policy: WayPolicy) -> Stop | None:
        """
        Take in what an attempt says of its way.

        Args:
            delivery: As it was claimed; its destination is known.
            outcome: What came of the attempt.
            policy: When a way is stopped, and tried.

        Returns:
            The stop that the outcome made, or found.
        """
        new, name = delivery.new, delivery.destination or ""
        match outcome.news:
            case WayNews.ANSWERED:
                self._goes(name, new.contract, new.logical_address)
            case WayNews.STOPS_WAY:  # somebody there answered: the destination is not what fails
                self._goes(name, new.contract, ANY)
                way = Way(name, new.contract, new.logical_address)
                return self._fail(way, WayCause.PARKED, delivery.id, outcome, policy)
            case WayNews.STOPS_DESTINATION:
                self._release(delivery.id)
                return self._fail(Way(name), WayCause.PARKED, delivery.id, outcome, policy)
            case WayNews.SILENT:
                self._again(delivery.id, outcome, policy)
                return self._count(Way(name, new.contract), delivery.id, outcome, policy)
            case WayNews.NOTHING:
                self._release(delivery.id)
        return None

    def pause(self, way: Way, reason: str, by: str) -> None:
        """Let nothing go a way until `resume`."""
        self._make(way)
        self._set(
            way,
            cause=WayCause.PAUSED.value,
            detail="",
            since=self._transaction.now,
            probe_at=None,
            probing=None,
            reason=reason,
            by=by,
        )
        self.changes.append(WayChange(self._get(way), goes=False))

    def resume(self, destination: str) -> tuple[Stop, ...]:
        """Let everything go to a destination, whatever stopped it. Returns what was stopped."""
        found = self.stopped(destination)
        self.changes += [WayChange(stop, goes=True) for stop in found]
        table = tables.way
        self._connection.execute(sa.delete(table).where(table.c.destination == destination))
        self._known = None
        self._transaction.work_added = True
        return found

    # --- inside ---

    def _rows(self) -> list[Stop]:
        """
        Every way that something is known of, asked once: most often there is none.

        What another process writes meanwhile comes after what is noted here.
        """
        if self._known is None:
            there = self._is_any() and self._connection.execute(_ALL).all()
            self._known = [_to_stop(row) for row in there or ()]
        return self._known

    def _is_any(self) -> bool:
        return _ANY.run(self._connection, {}).first() is not None

    def _goes(self, destination: str, contract: str, logical_address: str) -> None:
        if not any(
            stop.way.destination == destination
            and stop.way.contract in (ANY, contract)
            and stop.way.logical_address in (ANY, logical_address)
            for stop in self._rows()
        ):
            return
        values = {
            "destination_": destination,
            "contract_": contract,
            "address_": logical_address,
        }
        gone = self._connection.execute(_GOES, values).all()
        self._known = None
        if gone:
            self._transaction.work_added = True
            self.changes += [WayChange(_to_stop(row), goes=True) for row in gone if row.cause]

    def _fail(
        self, way: Way, cause: WayCause, delivery_id: str, outcome: Outcome, policy: WayPolicy
    ) -> Stop:
        """Stop a way, or wait longer when this was its probe."""
        self._make(way)
        stop, now = self._get(way), self._transaction.now
        if stop.cause is WayCause.PAUSED:
            return stop
        if stop.cause is not cause:
            self._set(
                way,
                cause=cause.value,
                detail=outcome.detail,
                since=now,
                probes=0,
                probe_at=policy.probe_at(cause, 0, now),
                probing=None,
            )
            self.changes.append(WayChange(self._get(way), goes=False))
        elif stop.probing == delivery_id:
            self._again(delivery_id, outcome, policy)
        return self._get(way)

    def _count(self, way: Way, delivery_id: str, outcome: Outcome, policy: WayPolicy) -> Stop:
        self._make(way)
        table = tables.way
        self._set(way, failures=table.c.failures + 1, detail=outcome.detail)
        stop = self._get(way)
        if stop.cause is None and stop.failures >= policy.failures:
            return self._fail(way, WayCause.SILENT, delivery_id, outcome, policy)
        return stop

    def _again(self, delivery_id: str, outcome: Outcome, policy: WayPolicy) -> None:
        """The probe was in vain: wait for the next one."""
        now = self._transaction.now
        for stop in self._probed_by(delivery_id):
            assert stop.cause is not None
            self._set(
                stop.way,
                detail=outcome.detail,
                probes=stop.probes + 1,
                probe_at=policy.probe_at(stop.cause, stop.probes + 1, now),
                probing=None,
            )

    def _release(self, delivery_id: str) -> None:
        """The probe said nothing of the way: another may be made at once."""
        if self._probed_by(delivery_id):
            table = tables.way
            self._connection.execute(
                sa.update(table).where(table.c.probing == delivery_id).values(probing=None)
            )
            self._known = None

    def _probed_by(self, delivery_id: str) -> Sequence[Stop]:
        return [stop for stop in self._rows() if stop.probing == delivery_id]

    def _make(self, way: Way) -> None:
        self._known = None
        self._transaction.insert_new(
            tables.way,
            {
                "destination": way.destination,
                "contract": way.contract,
                "logical_address": way.logical_address,
                "detail": "",
                "since": self._transaction.now,
                "failures": 0,
                "probes": 0,
            },
        )

    def _get(self, way: Way) -> Stop:
        return _to_stop(self._connection.execute(sa.select(tables.way).where(*_is(way))).one())

    def _set(self, way: Way, **values: Any) -> None:
        self._known = None
        self._connection.execute(sa.update(tables.way).where(*_is(way)).values(**values))


def _is(way: Way) -> tuple[sa.ColumnElement[bool], ...]:
    table = tables.way
    return (
        table.c.destination == way.destination,
        table.c.contract == way.contract,
        table.c.logical_address == way.logical_address,
    )


def _to_stop(row: sa.Row[Any]) -> Stop:
    return Stop(
        way=Way(row.destination, row.contract, row.logical_address),
        cause=WayCause(row.cause) if row.cause else None,
        detail=row.detail,
        since=row.since,
        failures=row.failures,
        probes=row.probes,
        probe_at=row.probe_at,
        probing=row.probing,
        reason=row.reason,
        by=row.by,
    )
