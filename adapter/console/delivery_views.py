"""Deliveries and ways as `/api` and `intyg deliveries` tell them: ids, codes, times, no person."""

from typing import Any, Final

from intyg.adapter.domain.delivery_filter import DeliveryFilter, DeliverySummary
from intyg.adapter.domain.way import Stop
from intyg.adapter.flows.operate import cause_view
from intyg.adapter.store import Rows

MOST_SHOWN: Final = 1000


def deliveries_view(rows: Rows, wanted: DeliveryFilter, limit: int) -> dict[str, Any]:
    """The oldest so many, how many there are in all, and of which causes."""
    causes = rows.search.causes(wanted)
    return {
        "total": sum(one.count for one in causes),
        "causes": [cause_view(one) for one in causes],
        "deliveries": [summary_view(one) for one in rows.search.find(wanted, limit)],
    }


def delivery_view(rows: Rows, delivery_id: str) -> dict[str, Any] | None:
    """One delivery with all its attempts; None when there is none."""
    found = rows.search.get(delivery_id)
    if found is None:
        return None
    attempts = [
        {
            "number": one.number,
            "at": one.at.isoformat(),
            "outcome": one.outcome.kind.value,
            "httpStatus": one.outcome.http_status,
            "resultCode": one.outcome.result_code,
            "errorId": one.outcome.error_id,
            "detail": one.outcome.detail,
        }
        for one in rows.deliveries.attempts(delivery_id)
    ]
    return {**summary_view(found), "attemptsMade": attempts}


def ways_view(rows: Rows) -> dict[str, Any]:
    """Every destination that something waits for or is stopped on the way to."""
    now = rows.now
    lanes = [
        {
            "destination": lane.destination or None,
            "waiting": lane.waiting,
            "inFlight": lane.in_flight,
            "oldestDueSeconds": (
                round((now - lane.oldest_due).total_seconds(), 1) if lane.oldest_due else 0
            ),
            "state": lane.cause.value if lane.cause else "open",
        }
        for lane in rows.search.lanes()
    ]
    return {"destinations": lanes, "stopped": [stop_view(stop) for stop in rows.ways.stopped()]}


def stop_view(stop: Stop) -> dict[str, Any]:
    """A stopped way."""
    return {
        "destination": stop.way.destination,
        "contract": stop.way.contract,
        "logicalAddress": stop.way.logical_address,
        "cause": stop.cause.value if stop.cause else None,
        "detail": stop.detail,
        "since": stop.since.isoformat(),
        "probes": stop.probes,
        "probeAt": stop.probe_at.isoformat() if stop.probe_at else None,
        "reason": stop.reason,
        "by": stop.by,
    }


def summary_view(one: DeliverySummary) -> dict[str, Any]:
    """A delivery in a list."""
    return {
        "id": one.id,
        "contract": one.contract,
        "destination": one.destination or None,
        "logicalAddress": one.logical_address,
        "part": one.part,
        "intygsId": one.intygs_id,
        "meddelandeId": one.meddelande_id,
        "state": one.state.value,
        "stopped": one.stopped.value if one.stopped else None,
        "attempts": one.attempts,
        "dueAt": one.due_at.isoformat(),
        "createdAt": one.created_at.isoformat(),
        "updatedAt": one.updated_at.isoformat(),
        "httpStatus": one.http_status,
        "resultCode": one.result_code,
        "errorId": one.error_id,
        "detail": one.detail,
    }
