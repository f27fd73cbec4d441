"""
What Försäkringskassan adds to the control interface.

    POST /control/ask         {intygs_id, amne, text}
    POST /control/ask-komplt  {intygs_id, komplettering: [{frage_id, text, instans}], text}
    POST /control/answer      {meddelande_id, text}
    POST /control/remind      {meddelande_id, text}
    GET  /control/meddelanden?intygs_id=…
    GET  /control/meddelanden/<id>

The first four send a real SendMessageToCare and answer what the adapter said; all take `overrides`,
and where they make sense `rubrik`, `referens_id` and `sista_datum_for_svar` (YYYY-MM-DD).
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from werkzeug.wrappers import Request

from mocks import control
from mocks.authority import PersonId
from mocks.forsakringskassan.meddelanden import Komplettering, Meddelande, Overrides
from mocks.post import Sent

_QUESTION_FIELDS: Final[Mapping[str, type]] = {
    "rubrik": str,
    "referens_id": str,
    "sista_datum_for_svar": str,
    "komplettering": list,
    "overrides": dict,
}


def say_routes(
    ask: Callable[..., Sent],
    ask_komplt: Callable[..., Sent],
    answer: Callable[..., Sent],
    remind: Callable[..., Sent],
) -> list[control.Route]:
    """The four things that it can be told to say; each takes its fields as keywords."""
    return [
        _say("/ask", ask, {"intygs_id": str, "amne": str, "text": str}, _QUESTION_FIELDS),
        _say(
            "/ask-komplt",
            ask_komplt,
            {"intygs_id": str, "komplettering": list},
            {"text": str, **_QUESTION_FIELDS},
        ),
        _say(
            "/answer",
            answer,
            {"meddelande_id": str, "text": str},
            {"referens_id": str, "overrides": dict},
        ),
        _say(
            "/remind",
            remind,
            {"meddelande_id": str},
            {"text": str, "sista_datum_for_svar": str, "overrides": dict},
        ),
    ]


def meddelande_routes(
    meddelanden: Callable[[str | None], tuple[Meddelande, ...]],
    meddelande: Callable[[str], Meddelande],
) -> list[control.Route]:
    """The messages that it knows."""

    def listing(request: Request, _: Mapping[str, Any]) -> Any:
        found = meddelanden(request.args.get("intygs_id"))
        return {"meddelanden": [_meddelande_json(each) for each in found]}

    def one(_: Request, values: Mapping[str, Any]) -> Any:
        try:
            return _meddelande_json(meddelande(values["meddelande_id"]))
        except KeyError:
            raise control.ProblemError(404, "no such message is known here") from None

    return [
        control.Route("GET", "/meddelanden", listing),
        control.Route("GET", "/meddelanden/<path:meddelande_id>", one),
    ]


def _say(
    rule: str,
    action: Callable[..., Sent],
    required: Mapping[str, type],
    optional: Mapping[str, type],
) -> control.Route:
    def handle(request: Request, _: Mapping[str, Any]) -> Any:
        return _run(action, control.read_fields(request, required, optional))

    return control.Route("POST", rule, handle)


def _run(action: Callable[..., Sent], values: dict[str, Any]) -> Any:
    """Do what the control interface asks, and say what came of it."""
    try:
        sent = action(**_arguments(values))
    except KeyError:
        raise control.ProblemError(404, "no such intyg or message is known here") from None
    except (TypeError, ValueError) as exc:
        raise control.ProblemError(400, str(exc)) from None
    return {
        "meddelande_id": sent.meddelande_id,
        "accepted": sent.accepted,
        "http_status": sent.http_status,
        "result_code": sent.result_code,
        "error_id": sent.error_id,
        "result_text": sent.result_text,
        "fault": sent.fault,
        "failure": sent.failure,
    }


def _arguments(values: dict[str, Any]) -> dict[str, Any]:
    """JSON values as the Python methods take them."""
    arguments = dict(values)
    if "sista_datum_for_svar" in arguments:
        try:
            arguments["sista_datum_for_svar"] = date.fromisoformat(
                arguments["sista_datum_for_svar"]
            )
        except ValueError:
            raise ValueError("sista_datum_for_svar: must be YYYY-MM-DD") from None
    if "komplettering" in arguments:
        try:
            arguments["komplettering"] = tuple(
                Komplettering(**row) for row in arguments["komplettering"]
            )
        except TypeError:
            raise ValueError(
                "komplettering: a list of objects with frage_id, text and perhaps instans"
            ) from None
    if "overrides" in arguments:
        arguments["overrides"] = _overrides(arguments["overrides"])
    return arguments


def _overrides(values: dict[str, Any]) -> Overrides:
    try:
        person = values.get("person")
        return Overrides(**{**values, "person": None if person is None else PersonId(**person)})
    except TypeError:
        raise ValueError(
            "overrides: an object with meddelande_id, logisk_adress_mottagare, amne or "
            "person {root, extension}"
        ) from None


def _meddelande_json(meddelande: Meddelande) -> dict[str, Any]:
    """A message as the control interface shows it."""
    last = meddelande.sista_datum_for_svar
    return {
        "meddelande_id": meddelande.meddelande_id,
        "direction": meddelande.direction,
        "intygs_id": meddelande.intygs_id,
        "amne": meddelande.amne,
        "rubrik": meddelande.rubrik,
        "text": meddelande.text,
        "at": meddelande.at.isoformat(),
        "referens_id": meddelande.referens_id,
        "svar_pa": meddelande.svar_pa,
        "paminner": meddelande.paminner,
        "sista_datum_for_svar": None if last is None else last.isoformat(),
        "komplettering": [
            {"frage_id": row.frage_id, "instans": row.instans, "text": row.text}
            for row in meddelande.komplettering
        ],
        "state": meddelande.state,
        "answered_by": meddelande.answered_by,
    }
