"""What watches an adapter: `/health`, `/metrics`, and `/api`, which lists what there is."""

from collections.abc import Callable, Collection
from http import HTTPStatus

import prometheus_client
from flask import Blueprint, Response, current_app, jsonify
from flask.typing import ResponseReturnValue

from intyg.adapter.console.metrics import build_registry
from intyg.adapter.console.problem import problem
from intyg.adapter.flows.services import Services


def build_watch_pages(
    services: Services, ended_threads: Callable[[], Collection[str]]
) -> Blueprint:
    """
    Pages that change nothing.

    Args:
        ended_threads: Names of threads that should run and do not, for `/health`.
    """
    pages = Blueprint("watch", __name__)
    registry = build_registry(services)

    @pages.get("/health")
    def health() -> ResponseReturnValue:
        with services.store.read() as rows:
            rows.intyg.get("")
        if ended := ended_threads():
            text = f"Threads have ended: {', '.join(ended)}."
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, text)
        return jsonify(status="ok", environment=services.settings.environment.value)

    @pages.get("/metrics")
    def metrics() -> ResponseReturnValue:
        text = prometheus_client.generate_latest(registry)
        return Response(text, content_type=prometheus_client.CONTENT_TYPE_LATEST)

    @pages.get("/api")
    def index() -> ResponseReturnValue:
        return jsonify(
            [
                {"path": rule.rule.replace("<id:", "<"), "method": method}
                for rule in current_app.url_map.iter_rules()
                for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            ]
        )

    return pages
