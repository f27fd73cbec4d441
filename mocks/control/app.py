"""
The Flask application behind `/control`.

It is made once for a mock: what it serves is a table of operations. Everything that goes wrong is
answered as problem+json (RFC 9457).

Flask and pydantic do without an OpenAPI extension: flask-openapi3 makes the description of view
functions, not of a table; computes each query's JSON Schema anew for every request; takes broken
JSON for a wrong type, and a JSON string for JSON to be read once more; and doubles what Flask needs
to start.
"""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from flask import Flask, Response, current_app, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import PathConverter

from intyg.mocks.control.description import describe, page
from intyg.mocks.control.operation import (
    MOCK,
    Operation,
    Problem,
    ProblemError,
    nearest,
    problem_of,
)
from intyg.mocks.control.token import brings
from intyg.mocks.journal import Filter, FilterError

_log = logging.getLogger(__name__)

MAX_BODY_BYTES: Final = 1024 * 1024
"""Of a request; what it asks is small."""

OPEN: Final = ("description", "page")
"""What needs no token: it tells nothing but how to ask."""


def make_app(name: str, operations: Sequence[Operation]) -> Flask:
    """
    Serve operations under `/control`.

    Args:
        name: Of the mock, for the description.
        operations: Each path and method once.
    """
    app = Flask("intyg.mocks.control", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # two slashes in an id are two
    app.url_map.converters["path"] = _WholeId
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    for each in operations:
        app.add_url_rule(f"/control{each.path}", each.name, _view(each), methods=[each.method])

    @cache  # it takes another tenth of a second, and few ask for it
    def document() -> dict[str, Any]:
        return describe(name, operations)

    app.add_url_rule("/control/openapi.json", "description", lambda: _json(json.dumps(document())))
    app.add_url_rule("/control/docs", "page", lambda: Response(page(document())))
    app.before_request(_check_token)
    app.register_error_handler(Exception, problem)
    return app


class _WholeId(PathConverter):
    """An id in a path, whatever is in it: slashes too, also as its first sign."""

    regex = ".+?"
    part_isolating = False


def _check_token() -> None:
    wanted = request.environ[MOCK].token
    if wanted is None or request.endpoint in OPEN:
        return
    if not brings(request.headers.get("Authorization", ""), wanted):
        raise ProblemError(401, "Authorization: Bearer and the token of the mock are wanted")


def _view(operation: Operation) -> Callable[..., Response]:
    def view(**values: Any) -> Response:
        values |= _query(operation)
        if operation.body is not None:
            values["body"] = operation.read_body(request.environ[MOCK], request.get_data())
        answer = operation.handle(request.environ[MOCK], **values)
        if isinstance(answer, bytes):
            return Response(answer, operation.status, content_type=operation.content_type)
        return _json(answer.model_dump_json(indent=1), operation.status)

    return view


def _query(operation: Operation) -> dict[str, Any]:
    """`query` and `where`, as far as the operation takes them; together they take all there is."""
    model = operation.query
    known = () if model is None else tuple(model.model_fields)
    own = {name: value for name, value in request.args.items() if name in known}
    rest = [pair for pair in request.args.items(multi=True) if pair[0] not in known]
    values: dict[str, Any] = {}
    if "where" in operation.takes:
        values["where"] = _filter(rest, known)
    elif rest:
        raise ProblemError.of_field(rest[0][0], f"unknown; {nearest(rest[0][0], known)}")
    if model is not None:
        try:
            values["query"] = model.model_validate_strings(own)
        except ValidationError as exc:
            raise problem_of(exc, model) from None
    return values


def _filter(pairs: Iterable[tuple[str, str]], known: Iterable[str]) -> Filter:
    try:
        return Filter.of(pairs)
    except FilterError as exc:
        near = f"; {nearest(exc.field, [*exc.known, *known])}" if exc.known else ""
        raise ProblemError.of_field(exc.field, exc.text + near) from None


def _json(text: str, status: int = 200, content_type: str = "application/json") -> Response:
    return Response(text + "\n", status, content_type=content_type)


def _not_found() -> str:
    known = (str(rule) for rule in current_app.url_map.iter_rules())
    return f"there is no {request.path}; {nearest(request.path, known)}"


def problem(exc: Exception) -> Response:
    """Anything that went wrong, as problem+json."""
    match exc:
        case ProblemError():
            status, detail, errors, more = exc.status, exc.detail, exc.errors, exc.more
        case NotFound():
            status, detail, errors, more = 404, _not_found(), (), {}
        case HTTPException():
            status, detail, errors, more = exc.code or 500, exc.description or exc.name, (), {}
        case _:  # the door: a defect is an answer too
            _log.error("control_failed exception=%s", type(exc).__name__)
            status, detail, errors, more = 500, "The mock itself failed", (), {}
    answer = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors)
    text = json.dumps({**answer.model_dump(mode="json"), **more}, ensure_ascii=False, indent=1)
    response = _json(text, status, "application/problem+json")
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if allowed := getattr(exc, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response
