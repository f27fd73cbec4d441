"""What an operator does with deliveries: look, send again, give up, say that one has arrived.

Each action says for which deliveries, why and who; changes them in one transaction with one row in
the audit log; and does nothing twice for one request id. Order stays: what is sent again takes its
old place.
"""

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from intyg.adapter.domain.delivery import Delivery, DeliveryState, Outcome, OutcomeKind
from intyg.adapter.domain.delivery_filter import CauseCount, DeliveryFilter, DeliverySummary
from intyg.adapter.domain.errors import ValidationError
from intyg.adapter.domain.log import looks_like_person_number
from intyg.adapter.domain.person import GuardDecision
from intyg.adapter.domain.way import Way
from intyg.adapter.flows import after_delivery
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.announce import announce_delivery, announce_ways
from intyg.adapter.store import Rows
from intyg.adapter.store.operation_rows import Operation
from intyg.adapter.store.tables import UNFINISHED

MOST_AT_ONCE: Final = 500
MAX_REASON: Final = 200


class Action(StrEnum):
    """What is done with each delivery."""

    RETRY = "retry"  # sent again, also before its time
    GIVE_UP = "give-up"  # not sent any more
    MARK_DELIVERED = "mark-delivered"  # the receiver says that it has arrived


class OperatorError(ValidationError):
    """What an operator asked for cannot be done; nothing was changed."""


@dataclass(frozen=True)
class Order:
    """
    What an operator asks for.

    Attributes:
        wanted: Which deliveries.
        reason: Why; no person in it.
        by: Who.
        request_id: The same one twice is one request; '' for one of its own.
        at_most: More than so many are refused.
        per_second: How many begin in a second, when they are sent again.
        dry_run: Only say what would be done.
    """

    action: Action
    wanted: DeliveryFilter
    reason: str
    by: str
    request_id: str = ""
    at_most: int = MOST_AT_ONCE
    per_second: float = 2.0
    dry_run: bool = False


@dataclass
class _Done:
    changed: list[str] = field(default_factory=list)
    left: list[dict[str, str]] = field(default_factory=list)


def carry_out(order: Order, services: Services) -> dict[str, Any]:
    """
    Do what an operator asks for.

    Returns:
        `requestId`, `changed` (ids), `left` (ids, and why each was left), `causes`, and whether it
        was a `dryRun` or `repeated`; as JSON takes it.

    Raises:
        OperatorError: Nothing matches, too much matches, or there is no good reason; nothing was
            changed.
    """
    check_reason(order.reason, order.by)
    request_id = order.request_id or secrets.token_hex(16)
    with services.store.read() as rows:
        before = rows.operations.find(request_id)
        found = rows.search.find(order.wanted, order.at_most + 1)
        causes = [cause_view(one) for one in rows.search.causes(order.wanted)]
    if before is not None and not order.dry_run:
        return _repeated(order, before)
    _must_be_some(order, found, sum(int(one["count"]) for one in causes))
    result: dict[str, Any] = {"requestId": request_id, "causes": causes, "dryRun": order.dry_run}
    if order.dry_run:
        return {**result, "changed": [one.id for one in found], "left": [], "repeated": False}
    acts = [_prepare(order, one, place, services) for place, one in enumerate(found)]

    def write(rows: Rows) -> dict[str, Any]:
        if (known := rows.operations.find(request_id)) is not None:
            return _repeated(order, known)
        done = _Done()
        for one, act in zip(found, acts, strict=True):
            try:
                act(rows)
                done.changed.append(one.id)
            except ValueError as exc:  # it has moved meanwhile, or may not be sent
                done.left.append({"id": one.id, "why": str(exc)})
        answer = {**result, "changed": done.changed, "left": done.left, "repeated": False}
        kept = {**answer, "was": _was(found, done)}
        rows.operations.add(request_id, _as_json(order), json.dumps(kept))
        _record(rows, services, order, request_id, found, done)
        return answer

    return services.store.write(write)


def pause(services: Services, destination: str, reason: str, by: str) -> dict[str, Any]:
    """
    Let nothing go to a destination until it is resumed.

    Raises:
        OperatorError: No such destination, or no good reason.
    """
    check_reason(reason, by)
    _must_be_known(services, destination)
    with services.store.begin() as rows:
        rows.ways.pause(Way(destination), reason, by)
        announce_ways(rows, services, secrets.token_hex(16))
        record_act(rows, services, f"pause {destination}", reason, by)
    return {"destination": destination, "state": "paused", "reason": reason, "by": by}


def resume(services: Services, destination: str, by: str) -> dict[str, Any]:
    """
    Let everything go to a destination again, whatever stopped it.

    Raises:
        OperatorError: No such destination, or nothing of it is stopped.
    """
    _must_be_known(services, destination)
    with services.store.begin() as rows:
        stopped = rows.ways.resume(destination)
        if not stopped:
            raise OperatorError(f"nothing is stopped on the way to {destination}")
        announce_ways(rows, services, secrets.token_hex(16))
        record_act(rows, services, f"resume {destination}", "", by)
    services.store.wake_all()
    return {"destination": destination, "resumed": [str(stop.way) for stop in stopped]}


def check_reason(reason: str, by: str) -> None:
    """
    Refuse an action without a reason, or with a person in it.

    Raises:
        OperatorError: Says what is wrong.
    """
    if not reason.strip():
        raise OperatorError("a reason is needed: it is kept in the audit log")
    if not by.strip():
        raise OperatorError("by: who does it is needed")
    if len(reason) > MAX_REASON or len(by) > MAX_REASON:
        raise OperatorError(f"reason and by: at most {MAX_REASON} characters")
    if looks_like_person_number(reason) or looks_like_person_number(by):
        raise OperatorError("the reason looks like a person number, which is kept nowhere")


def cause_view(one: CauseCount) -> dict[str, Any]:
    """A cause as JSON takes it."""
    return {
        "destination": one.destination or None,
        "contract": one.contract,
        "state": one.state.value,
        "stopped": one.stopped.value if one.stopped else None,
        "code": one.code,
        "words": one.words,
        "count": one.count,
        "oldest": one.oldest.isoformat(),
        "newest": one.newest.isoformat(),
    }


# --- inside ---------------------------------------------------------------------------------------

_Act = Callable[[Rows], None]


def _must_be_some(order: Order, found: Sequence[DeliverySummary], count: int) -> None:
    if not found:
        raise OperatorError("no delivery is like this")
    if len(found) > order.at_most:
        raise OperatorError(f"{count} deliveries are like this, and at most {order.at_most} may be")


def _must_be_known(services: Services, destination: str) -> None:
    known = services.routes.table.routing.destinations
    if destination not in known:
        raise OperatorError(f"no destination {destination}; there are {', '.join(sorted(known))}")


def _prepare(order: Order, one: DeliverySummary, place: int, services: Services) -> _Act:
    """Ask what takes a network or a clock, before the transaction; returns what changes rows."""
    match order.action:
        case Action.RETRY:
            stopped = _guard_says_no(one, services)
            due_at = services.clock() + timedelta(seconds=place / order.per_second)
            return lambda rows: _send_again(rows, one, due_at, stopped)
        case Action.GIVE_UP:
            detail = f"given up: {order.reason}"
            return lambda rows: _give_up(rows, one, detail, services)
        case Action.MARK_DELIVERED:
            return _arrived(one, order.reason, services)


def _send_again(rows: Rows, one: DeliverySummary, due_at: datetime, stopped: str | None) -> None:
    if stopped is not None:
        raise ValueError(stopped)
    if not rows.deliveries.hurry(one.id, due_at):
        rows.deliveries.send_again(one.id, due_at)


def _give_up(rows: Rows, one: DeliverySummary, detail: str, services: Services) -> None:
    ended = rows.deliveries.end_by_hand(one.id, DeliveryState.FAILED, detail)
    announce_delivery(rows, ended, services)


def _arrived(one: DeliverySummary, reason: str, services: Services) -> _Act:
    delivery = _get(one, services)
    outcome = Outcome(OutcomeKind.DELIVERED, detail=f"marked as delivered: {reason}")
    follow = after_delivery.handle(delivery, outcome, services)

    def act(rows: Rows) -> None:
        follow(rows, rows.deliveries.end_by_hand(one.id, DeliveryState.DELIVERED, outcome.detail))

    return act


def _guard_says_no(one: DeliverySummary, services: Services) -> str | None:
    """Why a delivery may not go now; the transport asks again before it goes."""
    delivery = _get(one, services)
    name, _, major = one.contract.partition(":")
    destination = services.routes.find(name, int(major), one.logical_address)
    if destination is None:
        return None  # it waits for a route
    decision, verdict = services.guard.decision(
        delivery.new.patient, destination, flagged=delivery.is_test
    )
    if decision is GuardDecision.BLOCK:
        return f"the guard blocks it: {verdict.signal_and_why or verdict.kind.value}"
    return None


def _get(one: DeliverySummary, services: Services) -> Delivery:
    with services.store.read() as rows:
        found = rows.deliveries.get(one.id)
    assert found is not None  # deliveries are never removed
    return found


def _was(found: Sequence[DeliverySummary], done: _Done) -> dict[str, str]:
    """Where that stood which was put back, so that it can be stopped (`stop_retry.py`)."""
    changed = set(done.changed)
    ended = (one for one in found if one.id in changed and one.state not in UNFINISHED)
    return {one.id: one.state.value for one in ended}


def _repeated(order: Order, known: Operation) -> dict[str, Any]:
    if known.request != _as_json(order):
        raise OperatorError("this request id was used for another request")
    answer = json.loads(known.result)
    answer.pop("was", None)  # for us
    return {**answer, "repeated": True}


def _as_json(order: Order) -> str:
    fields = {**vars(order.wanted), "action": order.action, "reason": order.reason}
    fields["states"] = sorted(order.wanted.states)
    return json.dumps(fields, default=str, sort_keys=True)


def _record(
    rows: Rows,
    services: Services,
    order: Order,
    request_id: str,
    found: Sequence[DeliverySummary],
    done: _Done,
) -> None:
    if services.audit is None:
        return
    about = {one.intygs_id for one in found}
    services.audit.record_operator(
        rows,
        f"deliveries {order.action.value}",
        f"{len(done.changed)} changed, {len(done.left)} left: {order.reason}",
        about.pop() if len(about) == 1 else None,
        request_id,
        order.by,
    )


def record_act(rows: Rows, services: Services, action: str, reason: str, by: str) -> None:
    """A row of the audit log about what an operator did, which is about no one certificate."""
    if services.audit is not None:
        services.audit.record_operator(rows, action, reason, None, secrets.token_hex(16), by)
