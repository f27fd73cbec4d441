"""Stops what is sent again so many a second and has not begun: it stands as it stood before."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.flows.operate import Action, OperatorError, check_reason, record_act
from intyg.adapter.flows.services import Services
from intyg.adapter.store import Rows
from intyg.adapter.store.operation_rows import Operation

RECENTLY: Final = timedelta(days=2)
MOST: Final = 5
"""So many requests are looked through for what has not begun, the newest."""


@dataclass(frozen=True)
class UnderWay:
    """Deliveries of a request to send again that have not begun."""

    request_id: str
    count: int


def under_way(rows: Rows) -> tuple[UnderWay, ...]:
    """What can be stopped of what was asked for of late, the newest first."""
    asked = rows.operations.newest(rows.now - RECENTLY, MOST)
    retries = {each: before for each in asked if (before := _before(each))}
    still = rows.deliveries.untouched([each.at for each in retries]) if retries else frozenset()
    counts = {each.request_id: len(still & before.keys()) for each, before in retries.items()}
    return tuple(UnderWay(request_id, count) for request_id, count in counts.items() if count)


def stop(services: Services, request_id: str, reason: str, by: str) -> dict[str, Any]:
    """
    Put back what a request to send again has queued and nobody has tried since.

    What waited before the request, and was only hurried, waits on.

    Returns:
        `requestId`, `stopped` (ids) and `gone`: how many had begun or moved meanwhile.

    Raises:
        OperatorError: No such request, nothing left of it, or no good reason; nothing was changed.
    """
    check_reason(reason, by)
    with services.store.begin() as rows:
        known = rows.operations.find(request_id)
        before = _before(known) if known else {}
        stopped = rows.deliveries.put_back(before, known.at) if known and before else ()
        if not stopped:
            raise OperatorError("there is nothing of this request that has not begun")
        told = f"{len(stopped)} stopped of {request_id}: {reason}"
        record_act(rows, services, "deliveries stop", told, by)
    return {
        "requestId": request_id,
        "stopped": list(stopped),
        "gone": len(before) - len(stopped),
    }


def _before(asked: Operation) -> Mapping[str, DeliveryState]:
    """Where each delivery of a request to send again stood."""
    if json.loads(asked.request)["action"] != Action.RETRY:
        return {}
    was = json.loads(asked.result).get("was", {})
    return {delivery_id: DeliveryState(state) for delivery_id, state in was.items()}
