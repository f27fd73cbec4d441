"""Why a message would go or not, and who is a test patient: asked by forms, and nothing is kept."""

from typing import Any, Final

from flask import Blueprint, render_template, request
from markupsafe import Markup

from intyg.adapter.console.pages.visit import PREFIX, Visit
from intyg.adapter.console.route_pages import explainer_of
from intyg.adapter.domain.person import GuardDecision, PatientKind, PersonId
from intyg.adapter.guard.explain import decisions, said_of
from intyg.adapter.routing.explain import (
    Explanation,
    Step,
    StepState,
    UnknownContractError,
    find_contract,
)
from intyg.adapter.rules.person_id import person_from
from intyg.pages.signs import chip
from intyg.pages.site import words

PATH: Final = f"{PREFIX}/explain"


def build_explain_pages(visit: Visit) -> Blueprint:
    """`/console/explain`; numbers come by POST alone."""
    pages = Blueprint("explain", __name__)

    @pages.route(PATH, methods=["GET", "POST"])
    def explain() -> str:
        shown: dict[str, Any] = {"path": PATH, "told": request.form, "fault": None, **_names(visit)}
        try:
            found = _found(visit) if request.method == "POST" else {}
        except (UnknownContractError, ValueError) as exc:
            found, shown["fault"] = {}, str(exc)
        return render_template("explain.html", **{**shown, "way": None, "person": None, **found})

    return pages


def _names(visit: Visit) -> dict[str, Any]:
    contracts = sorted({contract.name for contract in visit.services.contracts.all()})
    return {"contracts": contracts}


def _found(visit: Visit) -> dict[str, Any]:
    """
    What was asked.

    Raises:
        UnknownContractError: There is no such contract.
        ValueError: That is no person number; the text does not repeat it.
    """
    told = request.form
    number = told.get("patient", "").strip()
    person = person_from(number) if number else None
    if told.get("what") == "patient":
        return {"person": _person(visit, person_from(number))}
    contract = find_contract(visit.services.contracts, told.get("contract", ""))
    address, sender = told.get("address", "").strip(), told.get("sender", "").strip() or None
    way = explainer_of(visit.services).explain(contract, address, sender, person)
    return {"way": _way(way)}


def _way(way: Explanation) -> dict[str, Any]:
    steps = [(_chip(step.state), _sentence(step), step.name, step.text) for step in way.steps]
    return {"verdict": _verdict(way), "said": way.verdict, "steps": steps}


def _verdict(way: Explanation) -> str:
    if not way.goes:
        return words()("explain.stopped")
    sent = any(step.name == "certificate" for step in way.steps)
    return words()("explain.goes" if sent else "explain.here")


def _sentence(step: Step) -> str:
    """Ours, by the step's name and how it came out; its name where there is none."""
    say, key = words(), f"explain.step.{step.name}.{step.state.value}"
    return say(key) if say.knows(key) else step.name


_COLOURS: Final = {
    StepState.OK: "delivered",
    StepState.NOTE: "waiting",
    StepState.NO: "refused",
    GuardDecision.SEND: "delivered",
    GuardDecision.HOLD: "held",
    GuardDecision.BLOCK: "blocked",
}


def _chip(state: StepState | GuardDecision) -> Markup:
    return chip(_COLOURS[state], words()(f"explain.{state.value}"))


def _person(visit: Visit, person: PersonId) -> dict[str, Any]:
    guard, say = visit.services.guard, words()
    verdict = guard.verdict(person)
    return {
        "verdict": say(f"explain.kind.{verdict.kind.value}"),
        "because": say("explain.because", signal=verdict.signal) if verdict.signal else "",
        "said": [(each.signal, _said(each.kind), each.why) for each in said_of(guard, person)],
        "decisions": [
            (say(f"explain.to.{there.value}.{role.value}"), _chip(decision))
            for role, there, decision in decisions(guard, verdict.kind)
        ],
    }


def _said(kind: PatientKind | None) -> str:
    return words()(f"explain.said.{kind.value if kind else 'nothing'}")
