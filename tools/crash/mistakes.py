"""Mistakes planted into an adapter, in its own process alone: the checker is judged by them."""

import functools
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa

from intyg.adapter.deliver.transport import Gate
from intyg.adapter.domain.delivery import DeliveryState, NewDelivery, Outcome, OutcomeKind
from intyg.adapter.domain.person import GuardDecision, PatientKind, PatientVerdict
from intyg.adapter.flows.drafts import save, signing
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.store import Rows, claim, delivery_rows, tables
from intyg.adapter.store.prepared import same

LATE_SECONDS: Final = 0.05


def commit_after_the_answer() -> None:
    """A call is answered, and then what it wrote is committed."""
    _replace(UnitOfWork, "write", _written_late())


def save_before_its_commit() -> None:
    """A doctor is answered that a draft is saved, and then it is."""
    inner, write = save.save, _written_late()

    class Late(UnitOfWork):
        def write(self, function: Callable[[Rows], Any]) -> Any:
            return write(self, function)

    def saved(
        intygs_id: str, stamp: int | None, content: Any, by: Any, services: Any, unit: UnitOfWork
    ) -> save.Saved:
        return inner(intygs_id, stamp, content, by, services, Late(unit._store, unit._record))

    _replace(save, "save", saved)


def signed_unseen() -> None:
    """Nobody looks whether a draft is signed already when it is signed."""
    _replace(signing, "require_editable", lambda *_: None)


def _written_late() -> Callable[[UnitOfWork, Callable[[Rows], Any]], Any]:
    """`UnitOfWork.write`, answering before it commits."""
    lock = threading.Lock()
    inner = UnitOfWork.write

    def late(unit: UnitOfWork, function: Callable[[Rows], Any]) -> None:
        time.sleep(LATE_SECONDS)
        with lock:
            inner(unit, function)

    def write(unit: UnitOfWork, function: Callable[[Rows], Any]) -> Any:
        with lock:
            try:
                answer = unit._store.write(functools.partial(_and_undo, function))
            except _Undone as undone:
                answer = undone.answer
        threading.Thread(target=late, args=(_copy(unit), function)).start()
        unit.written = True
        if isinstance(answer, Exception):
            raise answer
        return answer

    return write


class _Undone(Exception):  # noqa: N818  no error: it carries an answer out
    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer


def _and_undo(function: Callable[[Rows], Any], rows: Rows) -> None:
    raise _Undone(function(rows))


def _copy(unit: UnitOfWork) -> UnitOfWork:
    return UnitOfWork(unit._store, unit._record)


def guard_asked_once() -> None:
    """The guard is not asked again before a message is sent."""

    def decide(*_: Any) -> tuple[GuardDecision, PatientVerdict]:
        return GuardDecision.SEND, PatientVerdict(PatientKind.TEST)

    _replace(Gate, "_decision", decide)


def order_by_id() -> None:
    """What is due is taken by its id, which is random, whatever waits before it."""
    mine = tables.delivery
    statement = (
        sa.select(mine.c.seq)
        .where(
            sa.text(tables.state_in(tables.CLAIMABLE, "delivery.")),
            mine.c.due_at <= sa.bindparam("now", type_=tables.UtcDateTime),
            mine.c.destination == sa.bindparam("lane"),
            ~claim.stopped_way(mine),
            ~claim._queue_has(sa.text(tables.state_is(DeliveryState.SENDING, "other."))),
        )
        .order_by(mine.c.id)
        .limit(sa.bindparam("limit", type_=sa.Integer))
        .with_for_update(skip_locked=True, of=mine)
    )
    _replace(claim, "FIRST_OF_LANE", same(statement))


def doubled_event() -> None:
    """Every event is queued for the EHR twice."""
    inner = delivery_rows.DeliveryRows.add

    def add(rows: delivery_rows.DeliveryRows, new: NewDelivery, correlation_id: str) -> str:
        if new.contract.startswith("CertificateStatusUpdateForCare"):
            inner(rows, new, correlation_id)
        return inner(rows, new, correlation_id)

    _replace(delivery_rows.DeliveryRows, "add", add)


def lost_unknown() -> None:
    """Nobody comes back to an attempt of which nobody knows whether it arrived."""
    inner = delivery_rows.state_after

    def state_after(outcome: Outcome) -> DeliveryState:
        if outcome.kind is OutcomeKind.UNKNOWN:
            return DeliveryState.DELIVERED
        return inner(outcome)

    _replace(delivery_rows, "state_after", state_after)


MISTAKES: Final = {
    "commit-after-answer": commit_after_the_answer,
    "guard-once": guard_asked_once,
    "order-by-id": order_by_id,
    "doubled-event": doubled_event,
    "lost-unknown": lost_unknown,
    "save-before-commit": save_before_its_commit,
    "signed-unseen": signed_unseen,
}

SHOWN_BY: Final = {
    "commit-after-answer": "16",
    "guard-once": "4",
    "order-by-id": "3",
    "doubled-event": "25",
    "lost-unknown": "1",
    "save-before-commit": "8",
    "signed-unseen": "9",
}
"""Which of the checker's numbers a mistake must show by."""


def plant(name: str | None) -> None:
    """Make a mistake in this process; None: none."""
    if name is not None:
        MISTAKES[name]()


def _replace(owner: Any, name: str, value: object) -> None:
    assert hasattr(owner, name), f"the adapter has no {name}: the mistake is no longer one"
    setattr(owner, name, value)
