"""Where a message would go, over REST: what `intyg route explain` says, with the rows that count.

A person number comes in the body of a POST alone: addresses end up in logs.
"""

from http import HTTPStatus

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from adapter.console.problem import problem
from adapter.interactions import HANDLERS, READERS
from adapter.parts import Parts
from adapter.person import person_from
from adapter.route_explain import Explainer, UnknownContractError, find_contract


def build_route_pages(parts: Parts) -> Blueprint:
    """`/api/route`, with the parameters `contract`, `address`, `sender`, and `patient` by POST."""
    pages = Blueprint("route", __name__)
    served = frozenset((*HANDLERS, *READERS))
    explainer = Explainer(parts.settings, parts.routes, parts.guard, served, parts.clock)

    @pages.route("/api/route", methods=["GET", "POST"])
    def route() -> ResponseReturnValue:
        told = request.form if request.method == "POST" else request.args
        if "patient" in request.args:
            return problem(HTTPStatus.BAD_REQUEST, "patient: send it in the body of a POST.")
        if "contract" not in told or "address" not in told:
            return problem(HTTPStatus.BAD_REQUEST, "contract and address are needed.")
        try:
            contract = find_contract(parts.contracts, told["contract"])
            person = person_from(told["patient"]) if "patient" in told else None
        except UnknownContractError as exc:
            return problem(HTTPStatus.BAD_REQUEST, f"contract: {exc}")
        except ValueError as exc:
            return problem(HTTPStatus.BAD_REQUEST, f"patient: {exc}")
        sender = told.get("sender") or None
        return jsonify(explainer.explain(contract, told["address"], sender, person).as_json())

    return pages
