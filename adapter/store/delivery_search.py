"""Deliveries by what is asked for: listed, counted by cause, and by destination."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa

from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.domain.delivery_filter import (
    CauseCount,
    DeliveryFilter,
    DeliverySummary,
    LaneCount,
)
from intyg.adapter.domain.way import ANY, NO_DESTINATION, WayCause
from intyg.adapter.store import tables
from intyg.adapter.store.base import Transaction, is_hsa_id, is_id
from intyg.adapter.store.delivery_rows import MOST_CRASHES
from intyg.adapter.store.tables import CLAIMABLE, STANDING, UNFINISHED, state_in

_VP_CODE: Final = re.compile(r"\bVP\d{3}\b")
_delivery: Final = tables.delivery

UNTRIED: Final = "not tried yet"
"""`CauseCount.words` of what has not been tried."""

NO_CODE: Final = "-"
"""Asks for what has none: no answer that said one."""


def _stopped_by() -> sa.ScalarSelect[str]:
    """Why a delivery's way is stopped; the wider stop where there are two."""
    way = tables.way
    return (
        sa.select(way.c.cause)
        .where(
            way.c.cause.is_not(None),
            way.c.destination == _delivery.c.destination,
            way.c.contract.in_((ANY, _delivery.c.contract)),
            way.c.logical_address.in_((ANY, _delivery.c.logical_address)),
        )
        .order_by(way.c.contract, way.c.logical_address)
        .limit(1)
        .scalar_subquery()
    )


_IS_POISON: Final = sa.and_(
    _delivery.c.state == DeliveryState.UNKNOWN.value, _delivery.c.crashes >= MOST_CRASHES
)
_STOPPED: Final = sa.case(
    (sa.text(state_in(CLAIMABLE, "delivery.")), _stopped_by()),
    (_IS_POISON, WayCause.PARKED.value),
).label("stopped")


class DeliverySearch:
    """Looks; changes nothing."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    def find(
        self, wanted: DeliveryFilter, limit: int, after: int = 0
    ) -> tuple[DeliverySummary, ...]:
        """
        The oldest so many, in the order they were added.

        Args:
            after: Only those that were added after this place, `DeliverySummary.seq`.
        """
        statement = (
            sa.select(_delivery, _STOPPED)
            .where(*_conditions(wanted), _delivery.c.seq > after)
            .order_by(_delivery.c.seq)
            .limit(limit)
        )
        return tuple(_to_summary(row) for row in self._connection.execute(statement))

    def get(self, delivery_id: str) -> DeliverySummary | None:
        """One, also where it has left the table that the others look in."""
        done = tables.delivery_done
        hot = sa.select(_delivery, _STOPPED).where(_delivery.c.id == delivery_id)
        left = sa.select(done, sa.null().label("stopped")).where(done.c.id == delivery_id)
        row = self._connection.execute(hot).first() or self._connection.execute(left).first()
        return None if row is None else _to_summary(row)

    def causes(self, wanted: DeliveryFilter) -> tuple[CauseCount, ...]:
        """How many there are for each cause, most first."""
        by = (
            _delivery.c.destination,
            _delivery.c.contract,
            _delivery.c.state,
            _delivery.c.last_error_id,
            _delivery.c.last_http_status,
            _delivery.c.last_detail,
        )
        changed = _delivery.c.updated_at
        statement = (
            sa.select(
                *by,
                sa.func.max(_STOPPED.element).label("stopped"),
                sa.func.count().label("number"),
                sa.func.min(changed, type_=tables.UtcDateTime).label("oldest"),
                sa.func.max(changed, type_=tables.UtcDateTime).label("newest"),
            )
            .where(*_conditions(wanted))
            .group_by(*by)
        )
        found: dict[tuple[object, ...], CauseCount] = {}
        for row in self._connection.execute(statement):
            one = _to_cause(row)
            key = (one.destination, one.contract, one.state, one.code, one.words)
            known = found.get(key)
            found[key] = one if known is None else _together(known, one)
        return tuple(sorted(found.values(), key=lambda one: (-one.count, one.contract, one.words)))

    def count(self, wanted: DeliveryFilter, most: int) -> int:
        """How many there are; no more than `most` are counted."""
        some = sa.select(_delivery.c.seq).where(*_conditions(wanted)).limit(most).subquery()
        counted: int = self._connection.execute(
            sa.select(sa.func.count()).select_from(some)
        ).scalar_one()
        return counted

    def lanes(self) -> tuple[LaneCount, ...]:
        """What waits and is under way, by destination; also where something is stopped."""
        lanes = {name: LaneCount(name, 0, 0, None, cause) for name, cause in self._stops()}
        due = sa.case((_delivery.c.due_at <= self._transaction.now, _delivery.c.due_at))
        sending = sa.case((_delivery.c.state == DeliveryState.SENDING.value, 1), else_=0)
        oldest = sa.func.min(due, type_=tables.UtcDateTime)
        statement = (
            sa.select(_delivery.c.destination, sa.func.count(), sa.func.sum(sending), oldest)
            .where(sa.text(state_in(UNFINISHED)))
            .group_by(_delivery.c.destination)
        )
        for destination, count, in_flight, oldest_due in self._connection.execute(statement):
            name = destination or NO_DESTINATION
            known = lanes.get(name) or LaneCount(name, 0, 0, None, None)
            lanes[name] = replace(
                known,
                waiting=known.waiting + count - in_flight,
                in_flight=known.in_flight + in_flight,
                oldest_due=min(filter(None, (known.oldest_due, oldest_due)), default=None),
            )
        return tuple(lanes[name] for name in sorted(lanes))

    def standing(self) -> dict[DeliveryState, int]:
        """
        How many deliveries stand in each state but DELIVERED and WITHDRAWN: those are the many, and
        nothing waits for them. By index alone, however many there are.
        """
        by_state = (
            sa.select(_delivery.c.state, sa.func.count())
            .where(sa.text(state_in(STANDING)))
            .group_by(_delivery.c.state)
        )
        found = {DeliveryState(state): n for state, n in self._connection.execute(by_state)}
        return {state: found.get(state, 0) for state in STANDING}

    def added(self) -> int:
        """How many deliveries there have been, or a few more."""
        both = (_delivery, tables.delivery_done)
        highest = (self._connection.scalar(sa.select(sa.func.max(each.c.seq))) for each in both)
        return max(seq or 0 for seq in highest)

    def _stops(self) -> Iterator[tuple[str, WayCause]]:
        way = tables.way
        statement = (
            sa.select(way.c.destination, way.c.cause)
            .where(way.c.cause.is_not(None))
            .order_by(way.c.contract.desc(), way.c.logical_address.desc())  # the widest last
        )
        for name, cause in self._connection.execute(statement):
            yield name, WayCause(cause)


# --- inside ---------------------------------------------------------------------------------------


def _conditions(wanted: DeliveryFilter) -> Iterator[sa.ColumnElement[bool] | sa.TextClause]:
    column = _delivery.c
    yield sa.true()
    if wanted.ids:
        yield column.id.in_(wanted.ids)
    if wanted.states:
        yield column.state.in_(sorted(state.value for state in wanted.states))
        if wanted.states <= set(STANDING):
            yield sa.text(state_in(STANDING))  # by its very words, for its index
    if wanted.stopped is not None:
        yield _STOPPED.element == wanted.stopped.value
    if wanted.contract is not None:
        name = wanted.contract
        exact = column.contract == name
        yield exact if ":" in name else column.contract.startswith(f"{name}:", autoescape=True)
    if wanted.code is not None:
        yield _has_code(wanted.code)
    if wanted.destination is not None:
        yield _goes_to(wanted.destination)
    if wanted.words is not None:
        yield _has_words(wanted.words)
    if wanted.enhets_id is not None:
        of_unit = sa.select(tables.intyg.c.intygs_id).where(
            is_hsa_id(tables.intyg.c.enhets_id, frozenset({wanted.enhets_id}))
        )
        yield column.intygs_id.in_(of_unit)
    if wanted.error_id is not None:
        yield column.last_error_id == wanted.error_id
    if wanted.intygs_id is not None:
        yield is_id(column.intygs_id, wanted.intygs_id)
    if wanted.since is not None:
        yield column.updated_at >= wanted.since
    if wanted.until is not None:
        yield column.updated_at < wanted.until


def _has_code(code: str) -> sa.ColumnElement[bool]:
    column = _delivery.c
    if code == NO_CODE:
        return sa.and_(
            column.last_http_status.is_(None),
            column.last_error_id.is_(None),
            sa.func.coalesce(column.last_detail, "").not_like("%VP0%"),
        )
    if code.isascii() and code.isdigit():
        return column.last_http_status == int(code[:4])
    return sa.or_(
        column.last_result_code == code,
        column.last_error_id == code,
        column.last_detail.contains(code, autoescape=True),
    )


def _goes_to(destination: str) -> sa.ColumnElement[bool]:
    to = _delivery.c.destination
    return to == destination if destination else sa.or_(to == "", to.is_(None))


def _has_words(words: str) -> sa.ColumnElement[bool]:
    detail = _delivery.c.last_detail
    if words == UNTRIED:
        return sa.func.coalesce(detail, "") == ""
    return sa.or_(detail == words, detail.startswith(f"{words};", autoescape=True))


def _to_summary(row: sa.Row[Any]) -> DeliverySummary:
    return DeliverySummary(
        seq=row.seq,
        id=row.id,
        contract=row.contract,
        destination=row.destination,
        logical_address=row.logical_address,
        part=row.part,
        intygs_id=row.intygs_id,
        meddelande_id=row.meddelande_id,
        state=DeliveryState(row.state),
        stopped=WayCause(row.stopped) if row.stopped else None,
        attempts=row.attempts,
        due_at=row.due_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        http_status=row.last_http_status,
        result_code=row.last_result_code,
        error_id=row.last_error_id,
        detail=row.last_detail,
    )


def _to_cause(row: sa.Row[Any]) -> CauseCount:
    detail = row.last_detail or ""
    vp = _VP_CODE.search(detail)
    status = str(row.last_http_status) if row.last_http_status else ""
    return CauseCount(
        destination=row.destination,
        contract=row.contract,
        state=DeliveryState(row.state),
        stopped=WayCause(row.stopped) if row.stopped else None,
        code=vp[0] if vp else row.last_error_id or status,
        words=detail.partition(";")[0] or UNTRIED,
        count=row.number,
        oldest=row.oldest,
        newest=row.newest,
    )


def _together(one: CauseCount, other: CauseCount) -> CauseCount:
    return replace(
        one,
        stopped=one.stopped or other.stopped,
        count=one.count + other.count,
        oldest=min(one.oldest, other.oldest),
        newest=max(one.newest, other.newest),
    )
