"""
The control interface of a mock: JSON over HTTP, under `/control`.

    GET    /control                        who this is and what it takes
    GET    /control/journal                calls; filters contract, intygs_id, result_code; limit
    GET    /control/journal/wait           the same, once count calls match or timeout is over
    GET    /control/journal/<n>            one call
    GET    /control/journal/<n>/request    its bytes as they arrived
    GET    /control/journal/<n>/reply      its answer's bytes
    DELETE /control/journal                forget the calls
    GET, POST, DELETE /control/fail-next   ordered failures
    POST   /control/reset                  forget everything

and what the persona adds. Errors are problem+json (RFC 9457) and name the field that is wrong.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from mocks.failures import FailNext, Failure
from mocks.journal import Entry, Journal
from schemas.codes import ErrorId

Json: TypeAlias = Any
"""Whatever `json.dumps` writes."""

Handler: TypeAlias = Callable[[Request, Mapping[str, Any]], "Json | Response"]
"""From the request and the values in its path to what is answered."""

MAX_WAIT_SECONDS: Final = 60.0
"""Longer long polls are cut to this; the caller asks again."""

DEFAULT_LIMIT: Final = 1000


class ProblemError(Exception):
    """The request is wrong; `detail` starts with the field where one is to blame."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True)
class Route:
    """One operation; `rule` is a werkzeug rule below `/control`."""

    method: str
    rule: str
    handle: Handler


def respond(routes: Iterable[Route], request: Request) -> Response:
    """Answer a request under `/control`."""
    url_map = Map(
        [Rule(f"/control{each.rule}", methods=[each.method], endpoint=each) for each in routes],
        strict_slashes=False,
    )
    try:
        route, values = url_map.bind_to_environ(request.environ).match()
        answer = route.handle(request, values)
    except ProblemError as problem:
        return _problem(problem.status, problem.detail)
    except HTTPException as exc:
        response = _problem(exc.code or 500, exc.description or exc.name)
        allowed = getattr(exc, "valid_methods", None)
        if allowed:
            response.headers["Allow"] = ", ".join(allowed)
        return response
    if isinstance(answer, Response):
        return answer
    return _json(answer)


def read_fields(
    request: Request, required: Mapping[str, type], optional: Mapping[str, type]
) -> dict[str, Any]:
    """
    Read a JSON object.

    Args:
        required, optional: Field names with the Python type of their value.

    Raises:
        ProblemError: Not a JSON object, a field is missing, unknown or of another type.
    """
    try:
        values = json.loads(request.get_data() or b"{}")
    except (ValueError, RecursionError):
        raise ProblemError(400, "the body is not JSON") from None
    if not isinstance(values, dict):
        raise ProblemError(400, "the body must be a JSON object")
    known = {**required, **optional}
    for name in values:
        if name not in known:
            raise ProblemError(400, f"{name}: unknown; there is {', '.join(sorted(known))}")
    for name, kind in known.items():
        if name not in values:
            if name in required:
                raise ProblemError(400, f"{name}: missing")
        elif not isinstance(values[name], kind) or (kind is int and values[name] is True):
            raise ProblemError(400, f"{name}: must be {_JSON_NAMES.get(kind, kind.__name__)}")
    return values


_JSON_NAMES: Final = {str: "a string", int: "a whole number", list: "a list", dict: "an object"}


def number(request: Request, name: str, default: float) -> float:
    """
    A number in the query.

    Raises:
        ProblemError: Not a number, or below 0.
    """
    text = request.args.get(name)
    try:
        value = default if text is None else float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ProblemError(400, f"{name}: must be a number from 0 up")
    return value


def wait_seconds(request: Request) -> float:
    """The `timeout` of a long poll, in seconds."""
    return min(number(request, "timeout", 10.0), MAX_WAIT_SECONDS)


def journal_routes(journal: Journal) -> list[Route]:
    """Query, wait, download, forget."""

    def criteria(request: Request) -> dict[str, str | None]:
        return {name: request.args.get(name) for name in ("contract", "intygs_id", "result_code")}

    def listing(entries: Sequence[Entry], request: Request) -> Json:
        limit = int(number(request, "limit", DEFAULT_LIMIT))
        return {
            "dropped": journal.dropped,
            "count": len(entries),
            "calls": [_entry(entry) for entry in entries[:limit]],
        }

    def query(request: Request, _: Mapping[str, Any]) -> Json:
        return listing(journal.entries(**criteria(request)), request)

    def wait(request: Request, _: Mapping[str, Any]) -> Json:
        count = int(number(request, "count", 1))
        entries = journal.wait(count, timeout_seconds=wait_seconds(request), **criteria(request))
        return listing(entries, request)

    def one(values: Mapping[str, Any]) -> Entry:
        entry = journal.get(values["n"])
        if entry is None:
            raise ProblemError(404, f"the journal has no call {values['n']}")
        return entry

    def forget(_: Request, __: Mapping[str, Any]) -> Json:
        journal.clear()
        return {}

    return [
        Route("GET", "/journal", query),
        Route("GET", "/journal/wait", wait),
        Route("GET", "/journal/<int:n>", lambda _, values: _entry(one(values))),
        Route("GET", "/journal/<int:n>/request", lambda _, values: _raw(one(values).request)),
        Route("GET", "/journal/<int:n>/reply", lambda _, values: _raw(one(values).reply)),
        Route("DELETE", "/journal", forget),
    ]


def failure_routes(failures: FailNext, order: Callable[[Failure], None]) -> list[Route]:
    """
    Order failures, see them, take them back.

    Args:
        order: Takes a new one, or raises ValueError naming the field.
    """

    def listing() -> Json:
        return {"failures": [_failure(each) for each in failures.pending()]}

    def post(request: Request, _: Mapping[str, Any]) -> Json:
        values = read_fields(
            request,
            {"contract": str, "how": str},
            {"error_id": str, "text": str, "http_status": int, "count": int, "intygs_id": str},
        )
        if "error_id" in values:
            try:
                values["error_id"] = ErrorId(values["error_id"])
            except ValueError:
                raise ProblemError(400, f"error_id: one of {', '.join(ErrorId)}") from None
        try:
            order(Failure(**values))
        except ValueError as exc:
            raise ProblemError(400, str(exc)) from None
        return listing()

    def delete(_: Request, __: Mapping[str, Any]) -> Json:
        failures.clear()
        return listing()

    return [
        Route("GET", "/fail-next", lambda *_: listing()),
        Route("POST", "/fail-next", post),
        Route("DELETE", "/fail-next", delete),
    ]


def _entry(entry: Entry) -> Json:
    return {
        "number": entry.number,
        "received_at": entry.received_at.isoformat(),
        "duration_seconds": entry.duration_seconds,
        "method": entry.method,
        "path": entry.path,
        "headers": [list(pair) for pair in entry.headers],
        "contract": entry.contract,
        "logical_address": entry.logical_address,
        "intygs_id": entry.intygs_id,
        "meddelande_id": entry.meddelande_id,
        "steps": [
            {"name": step.name, "verdict": step.verdict, "detail": step.detail}
            for step in entry.steps
        ],
        "http_status": entry.http_status,
        "result_code": entry.result_code,
        "error_id": entry.error_id,
        "result_text": entry.result_text,
        "request_bytes": len(entry.request),
        "reply_bytes": len(entry.reply),
    }


def _failure(failure: Failure) -> Json:
    return {
        "contract": failure.contract,
        "how": failure.how,
        "error_id": failure.error_id,
        "text": failure.text,
        "http_status": failure.http_status,
        "count": failure.count,
        "intygs_id": failure.intygs_id,
    }


def _raw(data: bytes) -> Response:
    return Response(data, content_type="application/octet-stream")


def _json(value: Json, status: int = 200) -> Response:
    return Response(
        json.dumps(value, ensure_ascii=False, indent=1) + "\n",
        status,
        content_type="application/json",
    )


def _problem(status: int, detail: str) -> Response:
    response = _json({"status": status, "detail": detail}, status)
    response.content_type = "application/problem+json"
    return response
