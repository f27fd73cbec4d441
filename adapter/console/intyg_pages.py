"""Certificates over REST: where one stands, what the guard stopped, the EHR's own reference."""

import secrets
from http import HTTPStatus

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from intyg.adapter.console.blocked import blocked_view
from intyg.adapter.console.problem import problem
from intyg.adapter.console.views import intyg_view
from intyg.adapter.flows.services import Services
from intyg.adapter.rules.meddelande_rules import MAX_ID_LENGTH
from intyg.adapter.store import Rows

DEFAULT_ROWS, MAX_ROWS = 50, 1000


def build_intyg_pages(services: Services) -> Blueprint:
    """`/api/intyg/<id>`, its `ref`, and `/api/blocked`."""
    pages = Blueprint("intyg", __name__)

    @pages.get("/api/intyg/<id:intygs_id>")
    def intyg(intygs_id: str) -> ResponseReturnValue:
        with services.store.read() as rows:
            view = intyg_view(rows, intygs_id)
        if view is None:
            return problem(HTTPStatus.NOT_FOUND, "There is no such certificate.")
        return jsonify(view)

    @pages.get("/api/blocked")
    def blocked() -> ResponseReturnValue:
        limit = min(max(request.args.get("limit", DEFAULT_ROWS, type=int), 1), MAX_ROWS)
        with services.store.read() as rows:
            return jsonify(blocked_view(rows, limit))

    @pages.put("/api/intyg/<id:intygs_id>/ref")
    def put_ref(intygs_id: str) -> ResponseReturnValue:
        ref = request.values.get("ref", "").strip()
        if not (1 <= len(ref) <= MAX_ID_LENGTH and len(intygs_id) <= MAX_ID_LENGTH):
            return problem(HTTPStatus.BAD_REQUEST, f"ref: 1 to {MAX_ID_LENGTH} characters.")
        correlation_id = secrets.token_hex(16)

        def put(rows: Rows) -> None:
            rows.intyg.set_ref(intygs_id, ref)
            if services.audit:
                services.audit.record_console(rows, "ref", intygs_id, correlation_id, None)

        services.store.write(put)
        return jsonify(intygsId=intygs_id, ref=ref)

    return pages
