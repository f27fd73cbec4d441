"""Record an event of a certificate and queue the message that tells the unit's EHR of it."""

from dataclasses import replace
from datetime import date

import structlog

from intyg.adapter.domain.destination import DestinationRole
from intyg.adapter.domain.intyg import IntygBytes, StoredIntyg
from intyg.adapter.domain.log import shown
from intyg.adapter.domain.meddelande import StoredHandelse
from intyg.adapter.flows.services import Asked
from intyg.adapter.flows.shared.blocked import is_blocked
from intyg.adapter.flows.shared.handelse import (
    CONTRACT,
    MAJOR,
    make_handelse,
    make_status_update,
)
from intyg.adapter.store import Rows
from intyg.schemas.codes import Handelse

_log = structlog.get_logger()


def tell_care(
    rows: Rows,
    asked: Asked,
    stored: StoredIntyg,
    handelsekod: Handelse,
    correlation_id: str,
    *,
    amne: str | None = None,
    sista_datum_for_svar: date | None = None,
    hanterat_av: str | None = None,
    content: IntygBytes | None = None,
) -> StoredHandelse:
    """
    Record an event, with the counters as the rows now stand.

    It is delivered to the unit that issued the certificate (`skapadAv/enhet/enhets-id`) if there is
    a route to an EHR for it and the guard does not block it; otherwise it is recorded and nobody is
    told.

    Args:
        content: What stands in the certificate's `intyg`, if it was cut out already.

    Returns:
        The event as stored.
    """
    intygs_id = stored.intyg.intygs_id
    handelse = make_handelse(
        stored,
        handelsekod,
        rows.meddelanden.of_intyg(intygs_id),
        rows.events.of_intyg(intygs_id),
        rows.now,
        amne=amne,
        sista_datum_for_svar=sista_datum_for_svar,
        hanterat_av=hanterat_av,
    )
    update = make_status_update(stored, handelse, rows.now, rows.intyg.ref(intygs_id), content)
    destination = asked.routes.find(CONTRACT, MAJOR, update.logical_address)
    if destination is not None and destination.role is DestinationRole.CARE:
        if not is_blocked(rows, asked, stored, update.contract, destination):
            handelse = replace(handelse, delivery_id=rows.deliveries.add(update, correlation_id))
    else:
        _log.info(
            "handelse.not_delivered",  # no route to an EHR for the unit
            **{
                "trace.id": correlation_id,
                "intyg.id": shown(intygs_id),
                "intyg.handelsekod": handelsekod.value,
                "intyg.logical_address": shown(update.logical_address),
            },
        )
    rows.events.add(handelse)
    return handelse
