"""REST on loopback, for operators and for EHRs that mark questions as handled.

    GET    /health                             200 when the database answers and every thread
                                               runs, otherwise 503
    GET    /metrics                            for Prometheus
    GET    /api                                what there is: methods and paths
    GET    /api/intyg/<id>                     where a certificate stands
    GET    /api/route                          where a message would go, and why not; see there
    GET    /api/blocked                        what the guard stopped or holds; parameter `limit`
    PUT    /api/intyg/<id>/ref                 keep the EHR's own reference, the parameter `ref`
    POST   /api/meddelanden/<id>/hanterad      mark a question as handled
    DELETE /api/meddelanden/<id>/hanterad      mark it as not handled after all

Nothing here shows a person: no number, no name, no text of a message or certificate. Errors are
`application/problem+json` (RFC 9457). POST and DELETE take the HSA-id of who does it in the
parameter `hanteratAv`, and answer the question's new state.
"""

import secrets
from collections.abc import Callable, Collection, Iterable
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import prometheus_client
import structlog
from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from intyg.adapter.console.blocked import blocked_view
from intyg.adapter.console.metrics import build_registry
from intyg.adapter.console.problem import problem
from intyg.adapter.console.route_pages import build_route_pages
from intyg.adapter.console.token import Token, ask_for
from intyg.adapter.console.views import intyg_view
from intyg.adapter.domain.errors import AdapterError, StoreError, ValidationError
from intyg.adapter.flows import mark_handled
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.rules.meddelande_rules import MAX_ID_LENGTH
from intyg.adapter.store import Rows

DEFAULT_ROWS, MAX_ROWS = 50, 1000

_log = structlog.get_logger()


def build_console(
    services: Services, ended_threads: Callable[[], Collection[str]] = tuple
) -> Flask:
    """
    Make the WSGI application.

    Args:
        ended_threads: Names of threads that should run and do not, for `/health`.

    Raises:
        SettingsError: The token that it is to ask for cannot be had.
    """
    token = Token.from_settings(services.settings)
    app = Flask("intyg.adapter.console", static_folder=None)
    app.wsgi_app = whole_path(app.wsgi_app)  # type: ignore[assignment, method-assign]
    ask_for(token, app)
    registry = build_registry(services)
    app.register_blueprint(build_route_pages(services))

    @app.get("/health")
    def health() -> ResponseReturnValue:
        with services.store.read() as rows:
            rows.intyg.get("")
        if ended := ended_threads():
            text = f"Threads have ended: {', '.join(ended)}."
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, text)
        return jsonify(status="ok", environment=services.settings.environment.value)

    @app.get("/metrics")
    def metrics() -> ResponseReturnValue:
        text = prometheus_client.generate_latest(registry)
        return Response(text, content_type=prometheus_client.CONTENT_TYPE_LATEST)

    @app.get("/api")
    def index() -> ResponseReturnValue:
        return jsonify(
            [
                {"path": rule.rule.replace("<path:", "<"), "method": method}
                for rule in app.url_map.iter_rules()
                for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            ]
        )

    @app.get("/api/intyg/<path:intygs_id>")
    def intyg(intygs_id: str) -> ResponseReturnValue:
        with services.store.read() as rows:
            view = intyg_view(rows, intygs_id)
        if view is None:
            return problem(HTTPStatus.NOT_FOUND, "There is no such certificate.")
        return jsonify(view)

    @app.get("/api/blocked")
    def blocked() -> ResponseReturnValue:
        limit = min(max(request.args.get("limit", DEFAULT_ROWS, type=int), 1), MAX_ROWS)
        with services.store.read() as rows:
            return jsonify(blocked_view(rows, limit))

    @app.put("/api/intyg/<path:intygs_id>/ref")
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

    @app.post("/api/meddelanden/<path:meddelande_id>/hanterad")
    def handled(meddelande_id: str) -> ResponseReturnValue:
        return _mark(meddelande_id, handled=True)

    @app.delete("/api/meddelanden/<path:meddelande_id>/hanterad")
    def not_handled(meddelande_id: str) -> ResponseReturnValue:
        return _mark(meddelande_id, handled=False)

    def _mark(meddelande_id: str, *, handled: bool) -> ResponseReturnValue:
        by = request.values.get("hanteratAv")
        correlation_id = secrets.token_hex(16)
        unit = UnitOfWork(  # not opened: what is refused here is not recorded
            services.store,
            lambda rows, _: _record(rows, meddelande_id, handled, by, correlation_id),
        )
        state = mark_handled.handle(
            meddelande_id, services, unit, correlation_id, handled=handled, by=by or None
        )
        return jsonify(meddelandeId=meddelande_id, state=state.value)

    def _record(
        rows: Rows, meddelande_id: str, handled: bool, by: str | None, correlation_id: str
    ) -> None:
        found = rows.meddelanden.get(meddelande_id)
        if services.audit and found is not None:
            action = "hanterad" if handled else "ej hanterad"
            intygs_id = found.meddelande.intygs_id
            services.audit.record_console(rows, action, intygs_id, correlation_id, by)

    @app.errorhandler(AdapterError)
    def refused(error: AdapterError) -> ResponseReturnValue:
        return problem(_status(error), error.text, [f.rule for f in error.findings])

    @app.errorhandler(HTTPException)
    def not_served(error: HTTPException) -> ResponseReturnValue:
        return problem(HTTPStatus(error.code or 500), error.name)

    @app.errorhandler(Exception)
    def failed(error: Exception) -> ResponseReturnValue:
        # The error's text may quote a row.
        _log.error("console.unexpected", **{"error.type": type(error).__name__})
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here.")

    return app


def whole_path(app: WSGIApplication) -> WSGIApplication:
    """Let the application see whole paths: it is mounted under each of its first steps."""

    def whole(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        return app({**environ, "SCRIPT_NAME": "", "PATH_INFO": path}, start_response)

    return whole


def _status(error: AdapterError) -> HTTPStatus:
    if isinstance(error, StoreError):
        return HTTPStatus.SERVICE_UNAVAILABLE
    if isinstance(error, ValidationError):
        return HTTPStatus.CONFLICT
    return HTTPStatus.NOT_FOUND
