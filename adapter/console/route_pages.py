"""Where a message would go, over REST: what `intyg route explain` says, with the rows that count.

A person number comes in the body of a POST alone: addresses end up in logs.
"""

from http import HTTPStatus

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from intyg.adapter.console.problem import problem
from intyg.adapter.flows.contracts import HANDLERS, READERS
from intyg.adapter.flows.services import Services
from intyg.adapter.routing.explain import Explainer, UnknownContractError, find_contract
from intyg.adapter.rules.person_id import person_from


def build_route_pages(services: Services) -> Blueprint:
    """`/api/route`, with the parameters `contract`, `address`, `sender`, and `patient` by POST."""
    pages = Blueprint("route", __name__)
    explainer = explainer_of(services)

    @pages.route("/api/route", methods=["GET", "POST"])
    def route() -> ResponseReturnValue:
        told = request.form if request.method == "POST" else request.args
        if "patient" in request.args:
            return problem(HTTPStatus.BAD_REQUEST, "patient: send it in the body of a POST.")
        if "contract" not in told or "address" not in told:
            return problem(HTTPStatus.BAD_REQUEST, "contract and address are needed.")
        try:
            contract = find_contract(services.contracts, told["contract"])
            person = person_from(told["patient"]) if "patient" in told else None
        except UnknownContractError as exc:
            return problem(HTTPStatus.BAD_REQUEST, f"contract: {exc}")
        except ValueError as exc:
            return problem(HTTPStatus.BAD_REQUEST, f"patient: {exc}")
        sender = told.get("sender") or None
        return jsonify(explainer.explain(contract, told["address"], sender, person).as_json())

    return pages


def explainer_of(services: Services) -> Explainer:
    """What explains ways as this adapter takes them."""
    served = frozenset((*HANDLERS, *READERS))
    return Explainer(services.settings, services.routes, services.guard, served, services.clock)
