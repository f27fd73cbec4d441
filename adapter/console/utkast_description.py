"""`/api/openapi.json`: the calls about drafts, for programs. OpenAPI 3.1."""

from collections.abc import Mapping
from typing import Any, Final

CALLS: Final[Mapping[tuple[str, str], str]] = {
    ("", "POST"): "Order a draft.",
    ("", "GET"): "List a unit's drafts.",
    ("/{intygs_id}", "GET"): "Read a draft; its version is the ETag.",
    ("/{intygs_id}", "PUT"): "Save a draft's content.",
    ("/{intygs_id}", "DELETE"): "Delete a draft.",
    ("/{intygs_id}/validate", "POST"): "Say what keeps it, or other content, from being signed.",
    ("/{intygs_id}/ready", "POST"): "Say that it is ready for signing.",
    ("/{intygs_id}/forward", "POST"): "Note that somebody was asked to go on with it.",
    ("/{intygs_id}/launch", "POST"): "Open it from an EHR.",
    ("/{intygs_id}/to-sign", "POST"): "Give the octets to sign.",
    ("/{intygs_id}/signature", "POST"): "Bring a signature back; the certificate is registered.",
    ("/{intygs_id}/sign", "POST"): "Sign with the adapter's test key, in demo and test.",
    ("/{intygs_id}/revoke", "POST"): "Revoke a locked draft.",
    ("/{intygs_id}/print", "GET"): "Show it for a person to read.",
    ("/{intygs_id}/renew", "POST"): "Make a draft that renews a certificate.",
    ("/{intygs_id}/replace", "POST"): "Make a draft that replaces a certificate.",
    ("/{intygs_id}/complement", "POST"): "Make a draft that answers a completion request.",
    ("/{intygs_id}/copy", "POST"): "Make a draft from a locked one.",
    ("/{intygs_id}/template", "POST"): "Make a draft of another type from a certificate.",
}
"""By path below `/api/utkast` and method: what a call does."""

MEMBERS: Final[Mapping[str, Mapping[str, str]]] = {
    "": {
        "typ": "string", "person-id": "string", "skapadAv": "object", "svar": "object",
        "ref": "string", "version": "string",
    },
    "/{intygs_id}": {"skapadAv": "object", "svar": "object"},
    "/{intygs_id}/validate": {"skapadAv": "object", "svar": "object"},
    "/{intygs_id}/forward": {"vidarebefordrad": "boolean"},
    "/{intygs_id}/launch": {
        "hanteratAv": "string", "alternatePatientSSn": "string", "ref": "string",
    },
    "/{intygs_id}/to-sign": {"method": "string"},
    "/{intygs_id}/signature": {"value": "string", "certificate": "string", "der": "boolean"},
}  # fmt: skip
"""What the body of a call holds; the five that make a draft from an older one have `FROM_OLDER`."""

FROM_OLDER: Final[Mapping[str, str]] = {
    "skapadAv": "object",
    "ref": "string",
    "kopieringOK": "boolean",
    "alternatePatientSSn": "string",
    "kommentar": "string",
}
_WAYS: Final = ("renew", "replace", "complement", "copy", "template")
_STAMPED: Final = frozenset({("/{intygs_id}", "PUT"), ("/{intygs_id}", "DELETE")})


def utkast_paths() -> dict[str, dict[str, Any]]:
    """By path, and by method in small letters."""
    paths: dict[str, dict[str, Any]] = {}
    for (path, method), summary in CALLS.items():
        paths.setdefault(f"/api/utkast{path}", {})[method.lower()] = _call(path, method, summary)
    return paths


def _call(path: str, method: str, summary: str) -> dict[str, Any]:
    call: dict[str, Any] = {
        "summary": summary,
        "parameters": list(_parameters(path, method)),
        "responses": {
            "default": {"description": "what came of it; a fault as problem+json (RFC 9457)"}
        },
    }
    members = FROM_OLDER if path.rpartition("/")[2] in _WAYS else MEMBERS.get(path)
    if members is not None and method in ("POST", "PUT"):
        properties = {name: {"type": kind} for name, kind in members.items()}
        schema = {"type": "object", "properties": properties}
        call["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return call


def _parameters(path: str, method: str) -> list[dict[str, Any]]:
    found = [_parameter("intygs_id", "path", required=True)] if "{intygs_id}" in path else []
    if method != "GET" and path != "/{intygs_id}/launch":
        found += [_parameter("hanteratAv", "query"), _parameter("namn", "query")]
    if (path, method) == ("", "POST"):
        found.append(_parameter("dryRun", "query"))
    if (path, method) == ("", "GET"):
        found.append(_parameter("enhet", "query", required=True))
    if (path, method) in _STAMPED:
        found.append(_parameter("If-Match", "header", required=method == "PUT"))
    return found


def _parameter(name: str, place: str, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "schema": {"type": "string"}}
