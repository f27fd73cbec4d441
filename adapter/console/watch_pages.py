"""What watches an adapter: `/health`, `/metrics`, and `/api`, which lists what there is."""

from collections.abc import Callable, Collection
from http import HTTPStatus

import prometheus_client
from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from intyg.adapter.console.delivery_views import ways_view
from intyg.adapter.console.metrics import build_registry
from intyg.adapter.console.problem import problem
from intyg.adapter.flows.services import Services


def build_watch_pages(
    services: Services,
    ended_threads: Callable[[], Collection[str]],
    may_know: Callable[[str | None], bool],
) -> Blueprint:
    """
    Pages that change nothing.

    Args:
        ended_threads: Names of threads that should run and do not, for `/health`.
        may_know: Whether who sends this `Authorization` is told of destinations in `/health`.
    """
    pages = Blueprint("watch", __name__)
    registry = build_registry(services)

    @pages.get("/health")
    def health() -> ResponseReturnValue:
        services.store.upkeep.must_write()
        with services.store.read() as rows:
            destinations = ways_view(rows)["destinations"]
        if ended := ended_threads():
            text = f"Threads have ended: {', '.join(ended)}."
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, text)
        health = {"status": "ok", "environment": services.settings.environment.value}
        if may_know(request.headers.get("Authorization")):
            return jsonify(**health, destinations=destinations)
        return jsonify(health)

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
