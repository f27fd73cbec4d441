"""Deliveries over REST: what waits and why; sent again, given up, marked; ways paused, resumed."""

from http import HTTPStatus
from typing import Any, TypeVar

import pydantic
from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from intyg.adapter.console.delivery_requests import ActionRequest, Wanted, WayRequest, fault_of
from intyg.adapter.console.delivery_views import (
    MOST_SHOWN,
    deliveries_view,
    delivery_view,
    ways_view,
)
from intyg.adapter.console.problem import problem
from intyg.adapter.flows import operate, stop_retry
from intyg.adapter.flows.services import Services

_Model = TypeVar("_Model", bound=pydantic.BaseModel)


def build_delivery_pages(services: Services) -> Blueprint:
    """`/api/deliveries`, `/api/ways` and `/api/destinations`."""
    pages = Blueprint("deliveries", __name__)
    _add_looks(pages, services)
    _add_actions(pages, services)
    pages.register_error_handler(pydantic.ValidationError, _not_so)
    return pages


def _add_looks(pages: Blueprint, services: Services) -> None:
    @pages.get("/api/deliveries")
    def deliveries() -> ResponseReturnValue:
        limit = min(max(request.args.get("limit", 50, type=int), 1), MOST_SHOWN)
        wanted = Wanted.model_validate(_parameters()).filter()
        with services.store.read() as rows:
            return jsonify(deliveries_view(rows, wanted, limit))

    @pages.get("/api/deliveries/<delivery_id>")
    def delivery(delivery_id: str) -> ResponseReturnValue:
        with services.store.read() as rows:
            view = delivery_view(rows, delivery_id)
        if view is None:
            return problem(HTTPStatus.NOT_FOUND, "There is no such delivery.")
        return jsonify(view)

    @pages.get("/api/ways")
    def ways() -> ResponseReturnValue:
        with services.store.read() as rows:
            return jsonify(ways_view(rows))


def _add_actions(pages: Blueprint, services: Services) -> None:
    @pages.post("/api/deliveries/retry")
    def retry() -> ResponseReturnValue:
        return _carry_out(services, operate.Action.RETRY)

    @pages.post("/api/deliveries/retry/<request_id>/stop")
    def stop(request_id: str) -> ResponseReturnValue:
        told = _body(WayRequest)
        return jsonify(stop_retry.stop(services, request_id, told.reason, told.by))

    @pages.post("/api/deliveries/give-up")
    def give_up() -> ResponseReturnValue:
        return _carry_out(services, operate.Action.GIVE_UP)

    @pages.post("/api/deliveries/mark-delivered")
    def mark_delivered() -> ResponseReturnValue:
        return _carry_out(services, operate.Action.MARK_DELIVERED)

    @pages.post("/api/destinations/<name>/pause")
    def pause(name: str) -> ResponseReturnValue:
        told = _body(WayRequest)
        return jsonify(operate.pause(services, name, told.reason, told.by))

    @pages.post("/api/destinations/<name>/resume")
    def resume(name: str) -> ResponseReturnValue:
        return jsonify(operate.resume(services, name, _body(WayRequest).by))


def _carry_out(services: Services, action: operate.Action) -> ResponseReturnValue:
    order = _body(ActionRequest).order(action)
    return jsonify(operate.carry_out(order, services))


def _body(model: type[_Model]) -> _Model:
    return model.model_validate_json(request.get_data() or b"{}")


def _parameters() -> dict[str, Any]:
    """Those of the address; `state` and `ids` may stand there several times."""
    lists = {"state", "ids"}
    return {
        name: request.args.getlist(name) if name in lists else request.args[name]
        for name in request.args
        if name != "limit"
    }


def _not_so(error: pydantic.ValidationError) -> ResponseReturnValue:
    return problem(HTTPStatus.BAD_REQUEST, fault_of(error))
