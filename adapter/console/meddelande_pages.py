"""Questions over REST: an EHR marks one as handled, or as not handled after all."""

import secrets

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from intyg.adapter.flows import mark_handled
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.store import Rows


def build_meddelande_pages(services: Services) -> Blueprint:
    """`/api/meddelanden/<id>/hanterad`, with the parameter `hanteratAv`."""
    pages = Blueprint("meddelanden", __name__)

    @pages.post("/api/meddelanden/<id:meddelande_id>/hanterad")
    def handled(meddelande_id: str) -> ResponseReturnValue:
        return _mark(services, meddelande_id, handled=True)

    @pages.delete("/api/meddelanden/<id:meddelande_id>/hanterad")
    def not_handled(meddelande_id: str) -> ResponseReturnValue:
        return _mark(services, meddelande_id, handled=False)

    return pages


def _mark(services: Services, meddelande_id: str, *, handled: bool) -> ResponseReturnValue:
    by = request.values.get("hanteratAv")
    correlation_id = secrets.token_hex(16)

    def record(rows: Rows, _: object) -> None:
        found = rows.meddelanden.get(meddelande_id)
        if services.audit and found is not None:
            action = "hanterad" if handled else "ej hanterad"
            intygs_id = found.meddelande.intygs_id
            services.audit.record_console(rows, action, intygs_id, correlation_id, by)

    unit = UnitOfWork(services.store, record)  # not opened: what is refused here is not recorded
    state = mark_handled.handle(
        meddelande_id, services, unit, correlation_id, handled=handled, by=by or None
    )
    return jsonify(meddelandeId=meddelande_id, state=state.value)
