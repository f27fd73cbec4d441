"""Questions over REST, as a unit follows them up; or those of a patient that nobody has handled.

GET   /api/arenden    a unit's, with those of the units under it; what is not handled
POST  /api/arenden    the parameter `patient`, a number, which stands in no address
"""

from http import HTTPStatus
from typing import Any, Final

import pydantic
from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from intyg.adapter.console.arende_requests import ArendeWanted, as_text
from intyg.adapter.console.delivery_requests import fault_of
from intyg.adapter.console.problem import problem
from intyg.adapter.console.unit_tree import units_under
from intyg.adapter.domain.arende import Arende, ArendeFilter, ArendeList, Place, Told, Turn
from intyg.adapter.domain.clock import swedish_day
from intyg.adapter.domain.meddelande import Direction
from intyg.adapter.flows.services import Services

DEFAULT_ROWS: Final = 50
MOST_ROWS: Final = 500
_NOT_FIELDS: Final = frozenset({"limit", "patient"})


def build_arende_pages(services: Services) -> Blueprint:
    """`/api/arenden`."""
    pages = Blueprint("arenden", __name__)

    @pages.get("/api/arenden")
    def of_unit() -> ResponseReturnValue:
        wanted = ArendeWanted.model_validate(_fields(request.args.to_dict()))
        if wanted.unit is None:
            return problem(HTTPStatus.BAD_REQUEST, "unit: give the HSA-id of a unit.")
        return _answer(services, wanted, None)

    @pages.post("/api/arenden")
    def of_patient() -> ResponseReturnValue:
        number = request.form.get("patient", "").strip().replace("-", "")
        if not number or "patient" in request.args:
            return problem(
                HTTPStatus.BAD_REQUEST, "patient: give a number, and not in the address."
            )
        wanted = ArendeWanted.model_validate(_fields(request.values.to_dict()))
        return _answer(services, wanted, number)

    pages.register_error_handler(pydantic.ValidationError, _not_so)
    return pages


def _fields(given: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in given.items() if name not in _NOT_FIELDS}


def units_of(services: Services, unit: str | None) -> frozenset[str] | None:
    """A unit and those under it; None: every unit."""
    return (
        None if unit is None else frozenset({unit, *units_under(services.settings.console, unit)})
    )


def _answer(services: Services, wanted: ArendeWanted, patient: str | None) -> ResponseReturnValue:
    limit = min(max(request.values.get("limit", DEFAULT_ROWS, type=int), 1), MOST_ROWS)
    asked = wanted.filter(units_of(services, wanted.unit), patient)
    today = swedish_day(services.clock())
    with services.store.read() as rows:
        listed = rows.arenden.find(asked, today, limit, wanted.place)
    return jsonify(list_view(listed, asked))


def list_view(listed: ArendeList, asked: ArendeFilter) -> dict[str, Any]:
    """Rows, and how many there are: no number of a patient, nobody's name, no text."""
    last = listed.arenden[-1] if listed.more else None
    return {
        "arenden": [arende_view(each) for each in listed.arenden],
        "next": as_text(Place(last.latest_at, last.seq)) if last else None,
        "found": listed.count(asked),
        "counts": {
            **{turn.value: listed.count(_only(turn=turn)) for turn in Turn},
            "overdue": listed.count(_only(overdue=True)),
        },
        "units": {
            unit: listed.count(_only(unit=unit))
            for unit in sorted({kind.enhets_id for kind in listed.counts})
        },
        "capped": listed.capped,
    }


def _only(**said: Any) -> ArendeFilter:
    return ArendeFilter(None, **said)


def arende_view(each: Arende) -> dict[str, Any]:
    """A question: ids, codes and times."""
    kind = each.kind
    return {
        "meddelandeId": each.meddelande_id,
        "intygsId": each.intygs_id,
        "typ": each.typ,
        "version": each.version,
        "enhetsId": kind.enhets_id,
        "enhetsnamn": each.enhetsnamn,
        "amne": kind.amne,
        "asker": "authority" if kind.asker is Direction.TO_CARE else "care",
        "part": each.part,
        "state": kind.state.value,
        "turn": kind.turn.value,
        "atgard": kind.atgard.value,
        "signedBy": kind.signer_id,
        "forwarded": kind.forwarded,
        "receivedAt": each.received_at.isoformat(),
        "latestAt": each.latest_at.isoformat(),
        "sistaDatumForSvar": each.answer_by.isoformat() if each.answer_by else None,
        "overdue": kind.overdue,
        "reminders": each.reminders,
        "remindedAt": each.reminded_at.isoformat() if each.reminded_at else None,
        "told": _told(each.told) if each.told else None,
    }


def _told(told: Told) -> dict[str, Any]:
    return {
        "handelsekod": told.handelsekod.value,
        "tidpunkt": told.tidpunkt.isoformat(timespec="milliseconds"),
        "state": told.state.value if told.state else None,
    }


def _not_so(error: pydantic.ValidationError) -> ResponseReturnValue:
    return problem(HTTPStatus.BAD_REQUEST, fault_of(error))
