"""The outbox: deliveries and attempts.

Two rules. Deliveries about one certificate to one logical address (a *queue*) go out one at a time,
in the order in which they were added. And a delivery's state moves only as `DELIVERY_MOVES` says.
"""

import hashlib
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from intyg.adapter.domain.delivery import (
    DELIVERY_MOVES,
    Delivery,
    DeliveryState,
    NewDelivery,
    Outcome,
    OutcomeKind,
)
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.domain.way import WayCause
from intyg.adapter.store import tables
from intyg.adapter.store.base import Transaction, checked_body, is_id, person_columns, to_person
from intyg.adapter.store.claim import (
    ONE_LANE,
    Lanes,
    claimable,
    is_any_claimable,
    sort_anew,
    stopped_way,
)
from intyg.adapter.store.faults import ConstraintError, LeaseLostError
from intyg.adapter.store.intyg_rows import IntygRows
from intyg.adapter.store.prepared import Prepared, insert, one_of, same, values_of
from intyg.adapter.store.tables import (
    CLAIMABLE,
    ENDED_FOR_GOOD,
    STANDING,
    STANDS_ELSEWHERE,
    UNFINISHED,
    state_in,
)
from intyg.adapter.store.way_rows import WayRows

NOTIFY_CHANNEL: Final = "intyg_delivery"
"""PostgreSQL channel that wakes the workers of every process."""


_ENDED: Final = sa.alias(tables.delivery, "ended")
_NEXT_IN_QUEUES: Final = Prepared(
    lambda kind: (
        sa.select(sa.literal_column("1"))
        .select_from(tables.delivery)
        .join(
            _ENDED,
            sa.and_(
                _ENDED.c.intygs_id == tables.delivery.c.intygs_id,
                _ENDED.c.logical_address == tables.delivery.c.logical_address,
            ),
        )
        .where(one_of(kind, _ENDED.c.id, "ids"), sa.text(state_in(UNFINISHED, "delivery.")))
        .limit(1)
    )
)


def _behind(intygs_id: Any, logical_address: Any, place: Any) -> tuple[Any, ...]:
    """Of what waits in a queue after the delivery whose `seq` is `place`; values or parameters."""
    column = tables.delivery.c
    return (
        column.intygs_id == intygs_id,
        column.logical_address == logical_address,
        column.seq > place,
        sa.text(state_in(CLAIMABLE)),
    )


_NOTIFY: Final = same(sa.select(sa.func.pg_notify(NOTIFY_CHANNEL, "")))
_UNTIL: Final = sa.bindparam("until", type_=tables.UtcDateTime)
_POSTPONE: Final = same(
    sa.update(tables.delivery)
    .where(
        *_behind(
            sa.bindparam("of_intyg"),
            sa.bindparam("of_address"),
            sa.select(_ENDED.c.seq).where(_ENDED.c.id == sa.bindparam("of_id")).scalar_subquery(),
        ),
        tables.delivery.c.due_at < _UNTIL,
    )
    .values(due_at=_UNTIL)
)
_ADD: Final = insert(tables.delivery)
_ADD_ATTEMPT: Final = insert(tables.attempt)
_LAST_DUE: Final = sa.select(sa.func.max(tables.delivery.c.due_at, type_=tables.UtcDateTime)).where(
    tables.delivery.c.intygs_id == sa.bindparam("intygs_id"),
    tables.delivery.c.logical_address == sa.bindparam("logical_address"),
    sa.text(state_in(CLAIMABLE)),
)
_LOCK_DRAFT: Final = (
    sa.select(tables.utkast.c.seq)
    .where(tables.utkast.c.intygs_id == sa.bindparam("intygs_id"))
    .with_for_update(key_share=True)
)


def _may_have_arrived() -> sa.Exists:
    """
    Whether an attempt with the same message may have arrived: this delivery's, or an earlier one's.
    """
    mine, other, tried = tables.delivery, sa.alias(tables.delivery, "same"), tables.attempt
    same_message = sa.and_(
        other.c.intygs_id == mine.c.intygs_id,
        other.c.meddelande_id == mine.c.meddelande_id,
        other.c.contract == mine.c.contract,
        other.c.logical_address == mine.c.logical_address,
    )
    return sa.exists(sa.literal_column("1")).where(
        sa.or_(other.c.id == mine.c.id, same_message),
        other.c.intygs_id == mine.c.intygs_id,
        tried.c.delivery_id == other.c.id,
        tried.c.kind == OutcomeKind.UNKNOWN.value,
    )


_OF_INTYG: Final = sa.alias(tables.body, "of_intyg")


def _deliveries_of(table: sa.Table, doubtful: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return (
        sa.select(
            table,
            tables.body.c.data,
            _OF_INTYG.c.data.label("carried"),
            sa.func.coalesce(tables.intyg.c.is_test, tables.utkast.c.is_test).label("is_test"),
            doubtful.label("doubtful"),
        )
        .join(tables.body, tables.body.c.sha256 == table.c.body_sha256)
        .outerjoin(tables.intyg, tables.intyg.c.intygs_id == table.c.intygs_id)
        .outerjoin(
            _OF_INTYG,
            sa.and_(
                _OF_INTYG.c.sha256 == tables.intyg.c.body_sha256, table.c.around_from.is_not(None)
            ),
        )
        .outerjoin(tables.utkast, tables.utkast.c.intygs_id == table.c.intygs_id)
    )


_SELECT_DELIVERIES: Final = _deliveries_of(tables.delivery, _may_have_arrived())
# Nobody tries these again, so that nobody asks whether an attempt is doubtful.
_SELECT_DONE: Final = _deliveries_of(tables.delivery_done, sa.false())

MOST_CRASHES: Final = 3
"""When so many processes in a row have died at a delivery, nobody tries it by itself any more."""

APART_SECONDS: Final = 5.0
"""Between deliveries at which a process died twice: so that the next one dies at one alone, and
those that were only beside it are cleared."""

LOST: Final = "the worker was lost"
POISON: Final = f"parked: {MOST_CRASHES} processes in a row died at it"
_TO_TAKE: Final = _SELECT_DELIVERIES.where(
    tables.delivery.c.seq.in_(sa.bindparam("seqs", expanding=True))
)
_TAKE: Final = same(
    sa.update(tables.delivery)
    .where(tables.delivery.c.seq == sa.bindparam("of_seq"))
    .values(
        state=DeliveryState.SENDING.value,
        attempts=tables.delivery.c.attempts + 1,
        crashes=tables.delivery.c.crashes + 1,  # unless it comes to an end
        worker=sa.bindparam("to_worker"),
        lease_until=sa.bindparam("to_lease_until", type_=tables.UtcDateTime),
        updated_at=sa.bindparam("to_updated_at", type_=tables.UtcDateTime),
    )
)


@dataclass(frozen=True)
class Ended:
    """
    An attempt that came to its end.

    Attributes:
        delivery: As it was claimed.
        outcome: What came of it.
        counted: False when nothing was even tried (no route).
    """

    delivery: Delivery
    outcome: Outcome
    counted: bool = True

    @property
    def counts(self) -> bool:
        """
        Whether it uses up an attempt. HELD never does: asking the guard again is none. Nor does
        what stops the way.
        """
        return self.counted and self.outcome.kind is not OutcomeKind.HELD and not self.outcome.stops

    @property
    def after(self) -> Delivery:
        """Where the delivery then stands."""
        return replace(
            self.delivery,
            state=state_after(self.outcome),
            attempts=self.delivery.attempts - (not self.counts),
            due_at=self.outcome.retry_at or self.delivery.due_at,
            last_outcome=replace(self.outcome, remote_text=None),
        )


@dataclass(frozen=True)
class _Move:
    """A change of a delivery's state, only as it is held: by whom is told by `attempts`."""

    delivery_id: str
    old: DeliveryState
    new: DeliveryState
    held: int | None
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Attempt:
    """One attempt to deliver."""

    delivery_id: str
    number: int  # starts at 1
    at: datetime  # when its outcome was recorded
    outcome: Outcome


def state_after(outcome: Outcome) -> DeliveryState:
    """
    Where a delivery stands after an attempt.

    Without `retry_at` the attempts are used up, or the message may not be sent twice.
    """
    match outcome.kind:
        case OutcomeKind.DELIVERED:
            return DeliveryState.DELIVERED
        case OutcomeKind.REFUSED:
            return DeliveryState.REFUSED
        case OutcomeKind.BLOCKED:
            return DeliveryState.BLOCKED
        case OutcomeKind.HELD:
            if outcome.retry_at is None:
                raise ValueError("a held delivery must say when the guard is asked again")
            return DeliveryState.HELD
        case OutcomeKind.RETRY:
            return DeliveryState.QUEUED if outcome.retry_at else DeliveryState.FAILED
        case OutcomeKind.UNKNOWN:
            return DeliveryState.QUEUED if outcome.retry_at else DeliveryState.UNKNOWN
        case OutcomeKind.WITHDRAWN:
            return DeliveryState.WITHDRAWN


class DeliveryRows:
    """Deliveries and attempts."""

    def __init__(self, transaction: Transaction, intyg: IntygRows, ways: WayRows) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._intyg = intyg
        self._ways = ways

    def add(self, new: NewDelivery, correlation_id: str) -> str:
        """
        Queue a message. Returns the delivery's id.

        Takes the certificate's lock, so that the order of adding is the order of committing. Behind
        an earlier delivery that waits, its own `due_at` becomes no earlier than that one's.
        What is about no certificate (`ABOUT_NO_INTYG`) has nothing to lock.
        """
        delivery_id = uuid.uuid4().hex
        now = self._transaction.now
        due_at = self._due_in_queue(new)
        _ADD.run(
            self._connection,
            {
                "id": delivery_id,
                "contract": new.contract,
                "logical_address": new.logical_address,
                "intygs_id": new.intygs_id,
                **person_columns(new.patient),
                **self._body_columns(new),
                "part": new.part,
                "meddelande_id": new.meddelande_id,
                "requested_by": new.requested_by,
                "state": DeliveryState.QUEUED.value,
                "attempts": 0,
                "due_at": due_at,
                "created_at": now,
                "updated_at": now,
                "correlation_id": correlation_id,
            },
        )
        if due_at <= now:
            self._wake()
        else:
            self._transaction.fill(tables.delivery, new.intygs_id)
        return delivery_id

    def _due_in_queue(self, new: NewDelivery) -> datetime:
        """When it can go at the earliest. Takes the lock of what it is about."""
        if self._transaction.is_blank(tables.delivery, new.intygs_id):
            # Its certificate was added in this transaction, so that nobody else knows it. What was
            # queued of it since is due already.
            return new.due_at
        if new.intygs_id and not self._intyg.lock_row(new.intygs_id):
            self._lock_draft(new.intygs_id)
        queue = {"intygs_id": new.intygs_id, "logical_address": new.logical_address}
        head_due = self._connection.execute(_LAST_DUE, queue).scalar_one()
        return max(new.due_at, head_due) if head_due else new.due_at

    def _body_columns(self, new: NewDelivery) -> dict[str, object]:
        """The message; of one with the certificate in it only what stands around that."""
        if (carried := new.carried) is None:
            return {"body_sha256": self._transaction.store_body(new.body)}
        return {
            "body_sha256": self._transaction.store_body(STANDS_ELSEWHERE),
            "around_before": new.body[: carried.at],
            "around_after": new.body[carried.at + carried.length :],
            "around_from": carried.begin,
            "around_to": carried.begin + carried.length,
            "around_sha256": hashlib.sha256(new.body).hexdigest(),
        }

    def _lock_draft(self, intygs_id: str) -> None:
        """
        Take the lock of the draft that a message is about.

        Raises:
            ConstraintError: There is neither a certificate nor a draft with this id.
        """
        if not self._connection.execute(_LOCK_DRAFT, {"intygs_id": intygs_id}).first():
            raise ConstraintError("delivery.intygs_id: no certificate and no draft has this id")

    def get(self, delivery_id: str) -> Delivery | None:
        """The delivery with this id, or None."""
        found = self._select(tables.delivery.c.id == delivery_id) or self._select_done(
            tables.delivery_done.c.id == delivery_id
        )
        return _to_delivery(found[0]) if found else None

    def find(
        self, intygs_id: str | None = None, state: DeliveryState | None = None
    ) -> tuple[Delivery, ...]:
        """Deliveries in the order they were added; all of them without arguments."""
        rows = [*self._select(*_which(tables.delivery, intygs_id, state))]
        if state in (None, *ENDED_FOR_GOOD):
            rows += self._select_done(*_which(tables.delivery_done, intygs_id, state))
        return tuple(_to_delivery(row) for row in sorted(rows, key=lambda row: row.seq))

    def count(self) -> dict[DeliveryState, int]:
        """How many deliveries stand in each state; every state is there."""
        table = tables.delivery
        rows = self._connection.execute(
            sa.select(table.c.state, sa.func.count()).group_by(table.c.state)
        )
        found = {DeliveryState(state): count for state, count in rows}
        return {state: found.get(state, 0) for state in DeliveryState}

    def is_any_due(self) -> bool:
        """Whether there is something to claim."""
        return is_any_claimable(self._transaction)

    def next_retry(self) -> datetime | None:
        """
        When the first delivery that was attempted before is tried again, after now.

        Those that wait for a route, for the guard or for a repair are left out: they look every
        few minutes whether something has changed, and time alone changes nothing for them.
        """
        table, silent = tables.delivery, WayCause.SILENT.value
        found: datetime | None = self._connection.execute(
            sa.select(sa.func.min(table.c.due_at, type_=tables.UtcDateTime)).where(
                table.c.state == DeliveryState.QUEUED.value,
                table.c.attempts > 0,
                table.c.due_at > self._transaction.now,
                ~stopped_way(table, tables.way.c.cause != silent),
            )
        ).scalar_one()
        return min(filter(None, (found, self._ways.next_probe_of_silent())), default=None)

    def claim(
        self, worker: str, limit: int, lease_seconds: float, lanes: Lanes = ONE_LANE
    ) -> list[Delivery]:
        """
        Take due deliveries, each the first of its queue, and count the attempt.

        On PostgreSQL, rows that another worker is just taking are skipped.

        Args:
            lanes: Where deliveries go, and which destinations may have more.
        """
        now = self._transaction.now
        seqs = claimable(self._transaction, self._ways, limit, lease_seconds, lanes)
        if not seqs:
            return []
        found = {row.seq: row for row in self._connection.execute(_TO_TAKE, {"seqs": seqs})}
        until = now + timedelta(seconds=lease_seconds)
        held = {"to_worker": worker, "to_lease_until": until, "to_updated_at": now}
        _TAKE.run_many(self._connection, [{"of_seq": seq, **held} for seq in seqs])
        claimed = []
        for row in map(found.__getitem__, seqs):
            try:
                claimed.append(_taken(_to_delivery(row), now))
            except StoreError as damaged:  # must not keep the others from being claimed
                self._give_up(row, damaged.text)
        return claimed

    def sort_anew(self, lanes: Lanes) -> int:
        """Give what waits the destinations that the routes name now. Returns how many moved."""
        return sort_anew(self._transaction, lanes)

    def extend_lease(self, delivery: Delivery, seconds: float) -> None:
        """
        Hold a claimed delivery longer, counted from now.

        Raises:
            LeaseLostError: It is no longer this worker's.
        """
        table = tables.delivery
        changed = self._connection.execute(
            sa.update(table)
            .where(
                table.c.id == delivery.id,
                table.c.state == DeliveryState.SENDING.value,
                table.c.attempts == delivery.attempts,
            )
            .values(lease_until=self._transaction.now + timedelta(seconds=seconds))
        )
        if changed.rowcount == 0:
            raise LeaseLostError(f"delivery {delivery.id} is no longer held")

    def release(self, delivery: Delivery) -> None:
        """
        Put a claimed delivery back as if it had not been claimed; its destination is asked anew.

        Raises:
            LeaseLostError: It is no longer this worker's.
        """
        self._move(
            delivery.id,
            DeliveryState.SENDING,
            DeliveryState.QUEUED,
            held=delivery.attempts,
            attempts=delivery.attempts - 1,
            destination=None,
        )
        self._wake()

    def record_attempt(
        self, delivery: Delivery, outcome: Outcome, *, counted: bool = True
    ) -> Delivery:
        """As `record_attempts`, of one."""
        return self.record_attempts([Ended(delivery, outcome, counted)])[0]

    def record_attempts(self, ended: Sequence[Ended]) -> list[Delivery]:
        """
        Record what attempts came to, and move the deliveries.

        Returns:
            The deliveries as they now stand.

        Raises:
            LeaseLostError: One is no longer this worker's, so another attempt may be under way.
                Of several it is not known which one, and nothing may be kept of the others.
        """
        now = self._transaction.now
        after = [replace(one.after, updated_at=now) for one in ended]
        self._move_all(
            [
                _Move(
                    one.delivery.id,
                    DeliveryState.SENDING,
                    stands.state,
                    one.delivery.attempts,
                    {
                        "attempts": stands.attempts,
                        "due_at": stands.due_at,
                        **_last_outcome_columns(one.outcome),
                    },
                )
                for one, stands in zip(ended, after, strict=True)
            ]
        )
        self._add_attempts(
            [
                (one.delivery.id, one.delivery.new.part, one.delivery.attempts, one.outcome)
                for one in ended
                if one.counts
            ]
        )
        self._postpone_queues([one for one in ended if one.outcome.retry_at is not None])
        if self._have_next([one.delivery.id for one in ended if one.outcome.retry_at is None]):
            self._wake()
        return after

    def attempts(self, delivery_id: str) -> tuple[Attempt, ...]:
        """The attempts that were made, oldest first."""
        rows: list[sa.Row[Any]] = []
        for table in (tables.attempt_done, tables.attempt):
            of_it = sa.select(table).where(table.c.delivery_id == delivery_id)
            rows += self._connection.execute(of_it.order_by(table.c.seq)).all()
        return tuple(
            Attempt(
                delivery_id=row.delivery_id,
                number=row.number,
                at=row.at,
                outcome=Outcome(
                    kind=OutcomeKind(row.kind),
                    retry_at=row.retry_at,
                    http_status=row.http_status,
                    result_code=row.result_code,
                    error_id=row.error_id,
                    detail=row.detail,
                    remote_text=row.private_remote_text,
                ),
            )
            for row in rows
        )

    def send_again(self, delivery_id: str, due_at: datetime) -> Delivery:
        """
        Put back what was refused, blocked, failed or left unknown, with all its attempts anew.

        It goes to its old place: before later ones about the same certificate to the same receiver.

        Raises:
            ValueError: There is no such delivery, or `DELIVERY_MOVES` has no such move; or it is a
                certificate that has been revoked since.
        """
        found = self.get(delivery_id)
        if found is None:
            raise ValueError(f"no delivery {delivery_id}")
        if found.state in UNFINISHED:  # SENDING may go to QUEUED too, but only when taken back
            raise ValueError(f"delivery {delivery_id} is {found.state.value}, not finished")
        intyg = self._intyg.lock(found.new.intygs_id)
        if found.new.contract.startswith("RegisterCertificate:") and intyg and intyg.revoked_at:
            # Its revocation went out before, or to nobody: the receiver would keep it as valid.
            raise ValueError(f"delivery {delivery_id} is of a certificate that is revoked")
        self._move(delivery_id, found.state, DeliveryState.QUEUED, attempts=0, due_at=due_at)
        self._wake()
        again = self.get(delivery_id)
        assert again is not None
        return again

    def withdraw(self, delivery: Delivery, why: str) -> bool:
        """
        Give up one that waits, for good; those behind it need not wait for it.

        Args:
            delivery: In QUEUED or HELD.
            why: For the operator.

        Returns:
            False when a worker has it: nothing is changed.
        """
        table = tables.delivery
        outcome = Outcome(OutcomeKind.WITHDRAWN, detail=why)
        # Not waited for: whoever has the row may wait for the certificate's lock, which we hold.
        waits = self._connection.execute(
            sa.select(table.c.seq)
            .where(table.c.id == delivery.id, table.c.state == delivery.state.value)
            .with_for_update(skip_locked=True)
        ).scalar_one_or_none()
        if waits is None:
            return False
        self._move(
            delivery.id, delivery.state, state_after(outcome), **_last_outcome_columns(outcome)
        )
        self._due_behind(delivery, waits)
        self._wake()
        return True

    def hurry(self, delivery_id: str, due_at: datetime) -> bool:
        """Let a delivery that waits be tried at another time; False when it does not wait."""
        table = tables.delivery
        changed = self._connection.execute(
            sa.update(table)
            .where(table.c.id == delivery_id, sa.text(state_in(CLAIMABLE)))
            .values(due_at=due_at, updated_at=self._transaction.now)
        )
        self._wake()
        return changed.rowcount == 1

    def put_back(self, before: Mapping[str, DeliveryState], since: datetime) -> tuple[str, ...]:
        """
        Let what was to be sent again stand as it stood before; the last answers were kept.

        Args:
            before: Where each stood.
            since: Of the transaction that queued them; what has moved since is left alone.

        Returns:
            Those that were put back.
        """
        still = self.untouched([since])
        back = tuple(delivery_id for delivery_id in before if delivery_id in still)
        if back:
            queued = DeliveryState.QUEUED
            self._move_all([_Move(one, queued, before[one], None, {}) for one in back])
            self._wake()
        return back

    def untouched(self, since: Collection[datetime]) -> frozenset[str]:
        """Those that were queued by transactions of these moments, and stand so still."""
        table = tables.delivery.c
        return frozenset(
            self._connection.scalars(
                sa.select(table.id).where(
                    sa.text(state_in(STANDING)),
                    table.state == DeliveryState.QUEUED.value,
                    table.updated_at.in_(since),
                    table.attempts == 0,
                )
            )
        )

    def end_by_hand(self, delivery_id: str, state: DeliveryState, detail: str) -> Delivery:
        """
        Let a delivery end as an operator says: FAILED is given up, DELIVERED has arrived.

        Raises:
            ValueError: There is no such delivery, or `DELIVERY_MOVES` has no such move.
        """
        found = self.get(delivery_id)
        if found is None:
            raise ValueError(f"no delivery {delivery_id}")
        if found.state is DeliveryState.SENDING:
            raise ValueError(f"delivery {delivery_id} is being sent just now")
        self._move(delivery_id, found.state, state, last_detail=detail)
        self._wake()
        ended = self.get(delivery_id)
        assert ended is not None
        return ended

    def take_back(
        self, condition: sa.ColumnElement[bool], resendable: Collection[str]
    ) -> tuple[str, ...]:
        """
        Deliveries in SENDING whose worker is gone: to QUEUED, or to UNKNOWN where the contract may
        not be sent twice, or where too many have gone. Returns their ids.
        """
        table = tables.delivery
        rows = self._connection.execute(
            sa.select(table.c.id, table.c.contract, table.c.part, table.c.attempts, table.c.crashes)
            .where(table.c.state == DeliveryState.SENDING.value, condition)
            .order_by(table.c.seq)
            .with_for_update(skip_locked=True)
        ).all()
        suspects = 0
        for row in rows:
            suspects += row.crashes > 1
            wait = APART_SECONDS * (suspects - 1) if row.crashes > 1 else 0.0
            again = self._transaction.now + timedelta(seconds=wait)
            outcome = _outcome_of_lost(row.crashes, again if row.contract in resendable else None)
            self._move(
                row.id,
                DeliveryState.SENDING,
                state_after(outcome),
                due_at=again,
                crashes=row.crashes,
                **_last_outcome_columns(outcome),
            )
            self._add_attempts([(row.id, row.part, row.attempts, outcome)])
        if rows:
            self._wake()
        return tuple(row.id for row in rows)

    def ended_among(self, ids: Collection[str]) -> tuple[Delivery, ...]:
        """Those of them that nobody tries any more."""
        ended = tables.delivery.c.state.not_in([state.value for state in UNFINISHED])
        rows = self._select(tables.delivery.c.id.in_(ids), ended) if ids else ()
        return tuple(map(_to_delivery, rows))

    def excuse(self, condition: sa.ColumnElement[bool]) -> None:
        """What is under way is left by a process that ends as it should: none has died at it."""
        table = tables.delivery
        self._connection.execute(
            sa.update(table)
            .where(table.c.state == DeliveryState.SENDING.value, condition)
            .values(crashes=0)
        )

    # --- inside ---

    def _move(
        self,
        delivery_id: str,
        old: DeliveryState,
        new: DeliveryState,
        *,
        held: int | None = None,
        **values: Any,
    ) -> None:
        """
        Change a delivery's state.

        Args:
            held: By whom it was claimed, told by `attempts`: that grows with every claim.
            values: Other columns.

        Raises:
            LeaseLostError: It does not stand there any more, or somebody else holds it.
        """
        self._move_all([_Move(delivery_id, old, new, held, values)])

    def _move_all(self, moves: Sequence[_Move]) -> None:
        """The same of several that change the same columns. Raises LeaseLostError if one does."""
        for one in moves:
            if one.new not in DELIVERY_MOVES[one.old]:
                raise ValueError(f"a delivery does not go from {one.old.value} to {one.new.value}")
        now, is_held = self._transaction.now, moves[0].held is not None
        left = {"worker": None, "lease_until": None, "crashes": 0}
        columns = [
            {**left, **one.values, "state": one.new.value, "updated_at": now} for one in moves
        ]
        rows = [
            {f"to_{name}": value for name, value in changed.items()}
            | {"of_id": one.delivery_id, "of_state": one.old.value}
            | ({"of_attempts": one.held} if is_held else {})
            for one, changed in zip(moves, columns, strict=True)
        ]
        statement = _move_of(frozenset(columns[0]), is_held=is_held)
        if statement.run_many(self._connection, rows) != len(moves):
            names = ", ".join(one.delivery_id for one in moves)
            raise LeaseLostError(f"delivery {names} has moved meanwhile")

    def _postpone_queues(self, ended: Sequence[Ended]) -> None:
        """
        Let those behind a delivery that waits wait as long.

        They could not go anyway; this way no claim has to look at them until then.
        """
        if ended:
            _POSTPONE.run_many(
                self._connection,
                [
                    {
                        "of_id": one.delivery.id,
                        "of_intyg": one.delivery.new.intygs_id,
                        "of_address": one.delivery.new.logical_address,
                        "until": one.outcome.retry_at,
                    }
                    for one in ended
                ],
            )

    def _due_behind(self, head: Delivery, place: int) -> None:
        """Those that waited with a delivery, and were never tried, wait no longer."""
        table, now = tables.delivery, self._transaction.now
        behind = _behind(head.new.intygs_id, head.new.logical_address, place)
        waited = (table.c.attempts == 0, table.c.due_at > now)
        self._connection.execute(sa.update(table).where(*behind, *waited).values(due_at=now))

    def _have_next(self, ids: Sequence[str]) -> bool:
        """Whether something waits behind one of those that have ended."""
        if not ids:
            return False
        those = {"ids": values_of(self._connection, ids)}
        return _NEXT_IN_QUEUES.run(self._connection, those).first() is not None

    def _give_up(self, row: sa.Row[Any], detail: str) -> None:
        self._move(
            row.id,
            DeliveryState.SENDING,
            DeliveryState.FAILED,
            **_last_outcome_columns(Outcome(OutcomeKind.RETRY, detail=detail)),
        )
        self._wake()

    def _add_attempts(self, made: Sequence[tuple[str, str, int, Outcome]]) -> None:
        """Of which delivery, to whom, which attempt, and what came of it."""
        if made:
            _ADD_ATTEMPT.run_many(
                self._connection,
                [
                    {
                        "delivery_id": delivery_id,
                        "number": number,
                        "at": self._transaction.now,
                        "kind": outcome.kind.value,
                        "retry_at": outcome.retry_at,
                        "http_status": outcome.http_status,
                        "result_code": outcome.result_code,
                        "error_id": outcome.error_id,
                        "detail": outcome.detail,
                        "private_remote_text": outcome.remote_text,
                        "part": part,
                    }
                    for delivery_id, part, number, outcome in made
                ],
            )

    def _wake(self) -> None:
        """Tell workers, when this transaction is committed, that there may be something to take."""
        if not self._transaction.work_added and self._transaction.is_postgresql:
            _NOTIFY.run(self._connection, {})
        self._transaction.work_added = True

    def _select_done(self, *conditions: sa.ColumnElement[bool]) -> Sequence[sa.Row[Any]]:
        return self._connection.execute(_SELECT_DONE.where(*conditions)).all()

    def _select(self, *conditions: sa.ColumnElement[bool]) -> Sequence[sa.Row[Any]]:
        return self._connection.execute(
            _SELECT_DELIVERIES.where(*conditions).order_by(tables.delivery.c.seq)
        ).all()


def _taken(delivery: Delivery, now: datetime) -> Delivery:
    """As `_TAKE` leaves it."""
    return replace(
        delivery, state=DeliveryState.SENDING, attempts=delivery.attempts + 1, updated_at=now
    )


def _which(
    table: sa.Table, intygs_id: str | None, state: DeliveryState | None
) -> Iterator[sa.ColumnElement[bool]]:
    if intygs_id is not None:
        yield is_id(table.c.intygs_id, intygs_id)
    if state is not None:
        yield table.c.state == state.value


def _outcome_of_lost(crashes: int, again: datetime | None) -> Outcome:
    """It may have arrived, whoever died at it and however often."""
    if crashes >= MOST_CRASHES:
        return Outcome(OutcomeKind.UNKNOWN, detail=POISON)
    return Outcome(OutcomeKind.UNKNOWN, retry_at=again, detail=LOST)


@cache
def _move_of(columns: frozenset[str], *, is_held: bool) -> Prepared:
    """Changes these columns of a delivery in a state, and only in one claim's hands."""
    table = tables.delivery
    is_it = [table.c[name] == sa.bindparam(f"of_{name}") for name in ("id", "state")]
    if is_held:
        is_it.append(table.c.attempts == sa.bindparam("of_attempts"))
    values = {name: sa.bindparam(f"to_{name}", type_=table.c[name].type) for name in columns}
    return same(sa.update(table).where(*is_it).values(values))


def _last_outcome_columns(outcome: Outcome) -> dict[str, Any]:
    return {
        "last_kind": outcome.kind.value,
        "last_retry_at": outcome.retry_at,
        "last_http_status": outcome.http_status,
        "last_result_code": outcome.result_code,
        "last_error_id": outcome.error_id,
        "last_detail": outcome.detail,
    }


def _body(row: sa.Row[Any]) -> bytes:
    """
    The message, put together where it was kept in parts.

    Raises:
        StoreError: It is not what was queued.
    """
    if row.around_from is None:
        return checked_body(row.body_sha256, row.data)
    carried = (row.carried or b"")[row.around_from : row.around_to]
    return checked_body(row.around_sha256, row.around_before + carried + row.around_after)


def _to_delivery(row: sa.Row[Any]) -> Delivery:
    last_outcome = None
    if row.last_kind is not None:
        last_outcome = Outcome(
            kind=OutcomeKind(row.last_kind),
            retry_at=row.last_retry_at,
            http_status=row.last_http_status,
            result_code=row.last_result_code,
            error_id=row.last_error_id,
            detail=row.last_detail,
        )
    return Delivery(
        id=row.id,
        new=NewDelivery(
            contract=row.contract,
            logical_address=row.logical_address,
            intygs_id=row.intygs_id,
            patient=to_person(row),
            body=_body(row),
            part=row.part,
            due_at=row.due_at,
            meddelande_id=row.meddelande_id,
            requested_by=row.requested_by,
        ),
        state=DeliveryState(row.state),
        attempts=row.attempts,
        due_at=row.due_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        correlation_id=row.correlation_id,
        last_outcome=last_outcome,
        is_test=row.is_test,
        destination=row.destination,
        doubtful=bool(row.doubtful),
    )
