"""`/api/openapi.json`: every path of `/api`, what it takes and answers. A test compares them.

Source: OpenAPI 3.1.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from pydantic import BaseModel

from intyg.adapter.console.arende_requests import ArendeWanted
from intyg.adapter.console.delivery_requests import ActionRequest, Wanted, WayRequest
from intyg.adapter.console.utkast_description import utkast_paths
from intyg.adapter.statistics.wanted import PARAMETERS


class Described(NamedTuple):
    """
    An operation.

    Attributes:
        line: What it does.
        query: Parameters of the address, and what each is.
        body: What it takes as JSON.
        form: What it takes as a form or in the address.
    """

    line: str
    query: Mapping[str, str] = {}
    body: type[BaseModel] | None = None
    form: Mapping[str, str] = {}


_LIMIT: Final = {"limit": "at most so many"}
_BY: Final = {"hanteratAv": "HSA-id of who does it"}
_ROUTE: Final = {
    "contract": "a contract's name",
    "address": "a logical address",
    "sender": "HSA-id of who would call",
}
_WANTED: Final = {
    field.alias or name: field.description or name for name, field in Wanted.model_fields.items()
}

_ARENDEN: Final = {
    **{name: field.description or name for name, field in ArendeWanted.model_fields.items()},
    **_LIMIT,
}

_SAID: Final = dict.fromkeys(PARAMETERS, "as `intyg statistics` has it")

OPERATIONS: Final[Mapping[tuple[str, str], Described]] = {
    ("GET", "/api"): Described("What there is: methods and paths."),
    ("GET", "/api/openapi.json"): Described("This."),
    ("GET", "/api/intyg/{intygs_id}"): Described("Where a certificate stands."),
    ("PUT", "/api/intyg/{intygs_id}/ref"): Described(
        "Keep the EHR's own reference.", form={"ref": "1 to 255 characters"}
    ),
    ("GET", "/api/blocked"): Described("What the guard stopped or holds.", _LIMIT),
    ("GET", "/api/route"): Described("Where a message would go, and why not.", _ROUTE),
    ("POST", "/api/route"): Described(
        "The same, for a patient.", form={**_ROUTE, "patient": "a person number"}
    ),
    ("POST", "/api/meddelanden/{meddelande_id}/hanterad"): Described(
        "Mark a question as handled.", form=_BY
    ),
    ("DELETE", "/api/meddelanden/{meddelande_id}/hanterad"): Described(
        "Mark it as not handled after all.", form=_BY
    ),
    ("GET", "/api/arenden"): Described(
        "A unit's questions, what last happened first, and how many there are.", _ARENDEN
    ),
    ("POST", "/api/arenden"): Described(
        "Those of a patient that nobody has handled.", _ARENDEN, form={"patient": "a person number"}
    ),
    ("GET", "/api/deliveries"): Described(
        "Deliveries, oldest first, and how many there are of each cause.", {**_WANTED, **_LIMIT}
    ),
    ("GET", "/api/deliveries/{delivery_id}"): Described("A delivery with all its attempts."),
    ("POST", "/api/deliveries/retry"): Described(
        "Send again, in their old order, so many a second; the guard is asked anew.",
        body=ActionRequest,
    ),
    ("POST", "/api/deliveries/retry/{request_id}/stop"): Described(
        "Stop what that request has not begun: it stands as it stood before.", body=WayRequest
    ),
    ("POST", "/api/deliveries/give-up"): Described("Send no more.", body=ActionRequest),
    ("POST", "/api/deliveries/mark-delivered"): Described(
        "The receiver says that they have arrived.", body=ActionRequest
    ),
    ("GET", "/api/statistics"): Described("Which reports there are, and what can be said of each."),
    ("GET", "/api/statistics/{name}"): Described(
        "A report as JSON, CSV or a plot (SVG).", {**_SAID, "format": "json, csv or svg"}
    ),
    ("POST", "/api/statistics/rebuild"): Described(
        "Count some stored certificates anew.", form={"after": "the `seq` of the last answer"}
    ),
    ("POST", "/api/backup"): Described("Copy the SQLite database into `data_dir/backup`."),
    ("GET", "/api/ways"): Described("What waits for each destination, and what is stopped."),
    ("POST", "/api/destinations/{name}/pause"): Described(
        "Let nothing go there until it is resumed.", body=WayRequest
    ),
    ("POST", "/api/destinations/{name}/resume"): Described(
        "Let everything go there again, whatever stopped it.", body=WayRequest
    ),
}
"""By method and path, each of `/api` once; those about drafts are described beside them."""


def build_openapi_page() -> Blueprint:
    """`/api/openapi.json`."""
    pages = Blueprint("openapi", __name__)

    @pages.get("/api/openapi.json")
    def openapi() -> ResponseReturnValue:
        return jsonify(document())

    return pages


def document() -> dict[str, Any]:
    """The description as JSON takes it."""
    paths: dict[str, dict[str, Any]] = {}
    for (method, path), told in OPERATIONS.items():
        paths.setdefault(path, {})[method.lower()] = _operation(path, told)
    models = {told.body for told in OPERATIONS.values() if told.body}
    return {
        "openapi": "3.1.0",
        "info": {"title": "intygsadapter", "version": "1"},
        "security": [{"token": []}],
        "paths": {**paths, **utkast_paths()},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                model.__name__: model.model_json_schema()
                for model in sorted(models, key=lambda model: model.__name__)
            },
        },
    }


def _operation(path: str, told: Described) -> dict[str, Any]:
    in_path = [step[1:-1] for step in path.split("/") if step.startswith("{")]
    parameters = [_parameter(name, "path", name) for name in in_path]
    parameters += [_parameter(name, "query", what) for name, what in told.query.items()]
    parameters += [_parameter(name, "query", what) for name, what in told.form.items()]
    wrong = {"description": "No, and why (RFC 9457).", "content": {"application/problem+json": {}}}
    operation: dict[str, Any] = {
        "summary": told.line,
        "parameters": parameters,
        "responses": {
            "200": {"description": "Done.", "content": {"application/json": {}}},
            "default": wrong,
        },
    }
    if told.body is not None:
        schema = {"$ref": f"#/components/schemas/{told.body.__name__}"}
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return operation


def _parameter(name: str, where: str, what: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": what,
        "schema": {"type": "string"},
    }
