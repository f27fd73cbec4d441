"""Tell hooks what happened: an event becomes a delivery in the outbox for each hook that wants it.

In the transaction in which it happens, so that what is told is true, and nothing that is true is
left out. Nobody is asked here, so that it can be done wherever something happens: only where the
certificate's own mark says that the guard will stop it, it is not queued. The guard itself is asked
before it leaves, as of every delivery. Whatever else hooks are to be told goes through `announce`.
"""

import uuid
from collections.abc import Iterable, Iterator

from intyg.adapter.domain.delivery import Delivery, NewDelivery
from intyg.adapter.domain.destination import Destination
from intyg.adapter.domain.hook import HOOK_KEY, TOLD_OF, HookEvent, HookType
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.meddelande import Meddelande
from intyg.adapter.domain.person import GuardDecision, PatientKind
from intyg.adapter.domain.way import ANY, WayChange
from intyg.adapter.flows.services import Asked, Services
from intyg.adapter.formats.hook_json import id_shown, write_event
from intyg.adapter.guard.policy import Guard
from intyg.adapter.store import Rows


def announce(
    rows: Rows, event: HookEvent, places: Services | Asked, correlation_id: str
) -> tuple[str, ...]:
    """
    Queue an event for each hook that is told of it.

    Args:
        places: Has the hooks, and the guard's table.

    Returns:
        Ids of the deliveries.
    """
    hooks = [
        hook
        for hook in places.routes.table.hooks(event.type)
        if not _mark_forbids(event, hook, places.guard)
    ]
    if not hooks:
        return ()
    environment = places.guard.environment.value
    body = write_event(event, str(uuid.uuid4()), environment, rows.now)
    return tuple(
        rows.deliveries.add(_to_hook(hook, event, body, rows), correlation_id) for hook in hooks
    )


def announce_delivery(rows: Rows, delivery: Delivery, services: Services) -> None:
    """Tell where a delivery has ended, if it has; not of what was told to hooks themselves."""
    told = TOLD_OF.get(delivery.state)
    if told is None or delivery.new.contract == HOOK_KEY:
        return
    new = delivery.new
    event = HookEvent(
        type=told,
        subject=new.intygs_id,
        data=dict(_of_delivery(delivery)),
        intygs_id=new.intygs_id,
        patient=new.patient,
        is_test=delivery.is_test,
    )
    announce(rows, event, services, delivery.correlation_id)


def announce_parked(services: Services, rows: Rows, delivery: Delivery) -> None:
    """The same of one that processes died at."""
    announce_delivery(rows, delivery, services)


def announce_ways(rows: Rows, services: Services, correlation_id: str) -> None:
    """Tell which ways were stopped in this transaction, and which go again; but those to hooks."""
    for change in rows.ways.changes:
        way = change.stop.way
        if services.routes.table.hook(way.destination) is None:
            told = HookType.RESUMED if change.goes else HookType.STOPPED
            event = HookEvent(told, way.destination, dict(_of_way(change)))
            announce(rows, event, services, correlation_id)
    rows.ways.changes.clear()


def announce_message(
    rows: Rows, m: Meddelande, stored: StoredIntyg, asked: Asked, correlation_id: str
) -> None:
    """Tell that an authority has asked, answered or reminded; and what feeds statistics of it."""
    received = _about(HookType.RECEIVED, stored, _of_message(m))
    announce(rows, received, asked, correlation_id)
    fed = _fed("message-sent", **{"message-id": id_shown(m.meddelande_id)})
    announce(rows, _about(HookType.MESSAGE_SENT, stored, fed), asked, correlation_id)


def announce_created(rows: Rows, stored: StoredIntyg, asked: Asked, correlation_id: str) -> None:
    """Feed statistics: a certificate was registered."""
    event = _about(HookType.CREATED, stored, _fed("created", **_certificate(stored)))
    announce(rows, event, asked, correlation_id)


def announce_revoked(rows: Rows, stored: StoredIntyg, asked: Asked, correlation_id: str) -> None:
    """Feed statistics: it was revoked."""
    event = _about(HookType.REVOKED, stored, _fed("revoked", **_certificate(stored)))
    announce(rows, event, asked, correlation_id)


def announce_sent(
    rows: Rows, stored: StoredIntyg, part: str, places: Services | Asked, correlation_id: str
) -> None:
    """Feed statistics: a recipient has accepted it."""
    intygs_id = id_shown(stored.intyg.intygs_id)
    properties = {"certificate-id": intygs_id, "certificate-recipient": id_shown(part)}
    event = _about(HookType.SENT, stored, _fed("sent", **properties))
    announce(rows, event, places, correlation_id)


# --- inside ---------------------------------------------------------------------------------------


def _about(type_: HookType, stored: StoredIntyg, data: Iterable[tuple[str, object]]) -> HookEvent:
    return HookEvent(
        type=type_,
        subject=stored.intyg.intygs_id,
        data=dict(data),
        intygs_id=stored.intyg.intygs_id,
        patient=stored.intyg.patient,
        is_test=stored.is_test,
    )


def _fed(action: str, **properties: str | None) -> Iterator[tuple[str, object]]:
    """The properties of a message on the queue of the national statistics service."""
    yield "action", action
    yield from properties.items()


def _certificate(stored: StoredIntyg) -> dict[str, str | None]:
    intyg = stored.intyg
    return {"certificate-id": id_shown(intyg.intygs_id), "certificate-type": id_shown(intyg.typ)}


def _to_hook(hook: Destination, event: HookEvent, body: bytes, rows: Rows) -> NewDelivery:
    return NewDelivery(
        contract=HOOK_KEY,
        logical_address=hook.name,
        intygs_id=event.intygs_id,
        patient=event.patient,
        body=body,
        part=hook.name,
        due_at=rows.now,
    )


def _mark_forbids(event: HookEvent, hook: Destination, guard: Guard) -> bool:
    if event.is_test is None:
        return False
    kind = PatientKind.TEST if event.is_test else PatientKind.NOT_TEST
    return guard.decide(hook, kind) is GuardDecision.BLOCK


def _of_delivery(delivery: Delivery) -> Iterator[tuple[str, object]]:
    new, outcome = delivery.new, delivery.last_outcome
    yield "intygsId", id_shown(new.intygs_id)
    yield "meddelandeId", id_shown(new.meddelande_id)
    yield "deliveryId", delivery.id
    yield "contract", new.contract
    yield "destination", delivery.destination or None
    yield "logicalAddress", id_shown(new.logical_address)
    yield "part", id_shown(new.part)
    yield "state", delivery.state.value
    yield "attempts", delivery.attempts
    yield "httpStatus", outcome.http_status if outcome else None
    yield "resultCode", id_shown(outcome.result_code) if outcome else None
    yield "errorId", id_shown(outcome.error_id) if outcome else None


def _of_way(change: WayChange) -> Iterator[tuple[str, object]]:
    stop = change.stop
    yield "destination", stop.way.destination
    yield "contract", None if stop.way.contract == ANY else stop.way.contract
    address = stop.way.logical_address
    yield "logicalAddress", None if address == ANY else id_shown(address)
    yield "cause", stop.cause.value if stop.cause else None
    yield "since", stop.since.isoformat()


def _of_message(m: Meddelande) -> Iterator[tuple[str, object]]:
    yield "intygsId", id_shown(m.intygs_id)
    yield "meddelandeId", id_shown(m.meddelande_id)
    yield "amne", id_shown(m.amne)
    yield "part", id_shown(m.part)
    yield "svarPa", id_shown(m.svar_pa.meddelande_id) if m.svar_pa else None
    yield "paminner", id_shown(m.paminnelse_meddelande_id)
    last_day = m.sista_datum_for_svar
    yield "sistaDatumForSvar", last_day.isoformat() if last_day else None
