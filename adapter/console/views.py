"""What the console shows of a certificate: states, times, ids and codes, nothing of a person."""

from typing import Final

from intyg.adapter.domain.delivery import Delivery
from intyg.adapter.domain.intyg import IntygsStatus, StoredIntyg
from intyg.adapter.domain.meddelande import (
    Arenden,
    Direction,
    StoredHandelse,
    StoredMeddelande,
    count_arenden,
)
from intyg.adapter.store import Block, Rows

NO_EHR: Final = "no route to an EHR for the unit when it happened, or stopped: see blocks"


def intyg_view(rows: Rows, intygs_id: str) -> dict[str, object] | None:
    """
    Everything that happened to a certificate, as JSON takes it.

    Times are UTC in ISO 8601. Lists are in the order things happened.

    Returns:
        None when there is no such certificate.
    """
    stored = rows.intyg.get(intygs_id)
    if stored is None:
        return None
    intygs_id = stored.intyg.intygs_id  # as it was registered
    meddelanden = rows.meddelanden.of_intyg(intygs_id)
    return {
        **_intyg(stored),
        "ref": rows.intyg.ref(intygs_id),
        "statuses": [_status(status) for status in rows.intyg.statuses(intygs_id)],
        "deliveries": [_delivery(delivery) for delivery in rows.deliveries.find(intygs_id)],
        "handelser": [_handelse(handelse) for handelse in rows.events.of_intyg(intygs_id)],
        "meddelanden": [_meddelande(meddelande) for meddelande in meddelanden],
        "skickadeFragor": _arenden(count_arenden(Direction.TO_RECIPIENT, meddelanden)),
        "mottagnaFragor": _arenden(count_arenden(Direction.TO_CARE, meddelanden)),
        "blocks": [_block(block) for block in rows.blocks.find(intygs_id)],
    }


def _intyg(stored: StoredIntyg) -> dict[str, object]:
    intyg = stored.intyg
    return {
        "intygsId": intyg.intygs_id,
        "typ": intyg.typ,
        "version": intyg.version,
        "enhetsId": intyg.skapad_av.enhet.enhets_id,
        "relation": (
            {"typ": intyg.relation.typ, "intygsId": intyg.relation.intygs_id}
            if intyg.relation
            else None
        ),
        "receivedAt": stored.received_at.isoformat(),
        "revokedAt": stored.revoked_at.isoformat() if stored.revoked_at else None,
        "isTest": stored.is_test,
        "signature": stored.signature,
        "sha256": stored.sha256,
    }


def _status(status: IntygsStatus) -> dict[str, object]:
    return {
        "status": status.status.value,
        "part": status.part,
        "tidpunkt": status.tidpunkt.isoformat(),
    }


def _delivery(delivery: Delivery) -> dict[str, object]:
    outcome = delivery.last_outcome
    return {
        "id": delivery.id,
        "contract": delivery.new.contract,
        "logicalAddress": delivery.new.logical_address,
        "part": delivery.new.part,
        "meddelandeId": delivery.new.meddelande_id,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "dueAt": delivery.due_at.isoformat(),
        "updatedAt": delivery.updated_at.isoformat(),
        # The receiver's own words may quote a person; the code of what happened does not.
        "resultCode": outcome.result_code if outcome else None,
        "errorId": outcome.error_id if outcome else None,
        "httpStatus": outcome.http_status if outcome else None,
        "detail": outcome.detail if outcome else None,
    }


def _handelse(handelse: StoredHandelse) -> dict[str, object]:
    last_day = handelse.sista_datum_for_svar
    return {
        "handelsekod": handelse.handelsekod.value,
        "tidpunkt": handelse.tidpunkt.isoformat(timespec="milliseconds"),
        "skickadeFragor": _arenden(handelse.skickade_fragor),
        "mottagnaFragor": _arenden(handelse.mottagna_fragor),
        "amne": handelse.amne,
        "sistaDatumForSvar": last_day.isoformat() if last_day else None,
        "hanteratAv": handelse.hanterat_av,
        "deliveryId": handelse.delivery_id,
        "notTold": None if handelse.delivery_id else NO_EHR,
    }


def _meddelande(stored: StoredMeddelande) -> dict[str, object]:
    m = stored.meddelande
    last_day = m.sista_datum_for_svar
    return {
        "meddelandeId": m.meddelande_id,
        "direction": m.direction.value,
        "amne": m.amne,
        "svarPa": m.svar_pa.meddelande_id if m.svar_pa else None,
        "paminner": m.paminnelse_meddelande_id,
        "part": m.part,
        "sistaDatumForSvar": last_day.isoformat() if last_day else None,
        "receivedAt": stored.received_at.isoformat(),
        "state": stored.state.value if stored.state else None,
        "answeredBy": stored.answered_by,
    }


def _block(block: Block) -> dict[str, object]:
    return {
        "contract": block.contract,
        "destination": block.destination,
        "signal": block.signal,
        "at": block.at.isoformat(),
    }


def _arenden(arenden: Arenden) -> dict[str, int]:
    return {
        "totalt": arenden.totalt,
        "ejBesvarade": arenden.ej_besvarade,
        "besvarade": arenden.besvarade,
        "hanterade": arenden.hanterade,
    }
