"""A certificate type as JSON Schema: what `svar` of a certificate as JSON may hold.

For editors and for those who send drafts over REST. It says which questions and parts there are,
which are repeated, and of which kind and code list each answer is. Nothing is required: a draft may
hold anything between nothing and everything, and what must go together is for the type's rules.

Source: JSON Schema 2020-12.
"""

import json
from typing import Any, Final

from intyg.schemas.intyg_model import Delsvar, Instans, IntygType, Question

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_TEXT: Final = {"type": "string"}
_DAY: Final = {"type": "string", "format": "date"}
_KINDS: Final[dict[str, Any]] = {
    "text": _TEXT,
    "date": _DAY,
    "zero_date": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    "boolean": {"type": ["boolean", "string"], "enum": [True, False, "1", "0"]},
    "yes_no": {"type": ["boolean", "string"], "enum": [True, False, "1", "0"]},
    "integer": {"type": ["integer", "string"]},
    "decimal": _TEXT,
    "decimal_comma": _TEXT,
}


def json_schema(intyg_type: IntygType) -> bytes:
    """The schema of a type's `svar`, UTF-8, indented."""
    questions: dict[str, Any] = {}
    patterns: dict[str, Any] = {}
    for question in intyg_type.questions:
        if question.last is None:
            questions[question.svar] = _question(question, question.svar)
        else:
            patterns["^9[0-9]{3}$"] = _additional(question)
    schema: dict[str, Any] = {
        "$schema": DIALECT,
        "title": f"{intyg_type.code} {intyg_type.version}: {intyg_type.name}",
        "type": "object",
        "properties": questions | {"ordning": _order()},
        "additionalProperties": False,
    }
    if patterns:
        schema["patternProperties"] = patterns
    return json.dumps(schema, ensure_ascii=False, indent=2).encode() + b"\n"


def _order() -> dict[str, Any]:
    text = "the ids as they stand, where that is not the order of the form"
    return {"type": "array", "items": _TEXT, "description": text}


def _question(question: Question, svar: str) -> dict[str, Any]:
    parts = {part.id.replace("*", svar): _part(part) for part in question.delsvar}
    row: dict[str, Any] = {
        "type": "object",
        "properties": {**_instans(question), **parts, "ordning": _order()},
        "additionalProperties": False,
    }
    return _titled(_repeated(row, question), question.term)


def _additional(question: Question) -> dict[str, Any]:
    """Questions from 9001 on: their parts are named by the svar, which no schema can follow."""
    kinds = [_part(part) for part in question.delsvar]
    row = {
        "type": "object",
        "properties": _instans(question),
        "patternProperties": {"^9[0-9]{3}\\.[0-9]+$": {"anyOf": kinds}},
        "additionalProperties": False,
    }
    return _titled(_repeated(row, question), question.term)


def _repeated(row: dict[str, Any], question: Question) -> dict[str, Any]:
    most = question.count.most
    if most == 1:
        return row
    bound = {} if most is None else {"maxItems": most}
    return {"type": "array", "items": row, **bound}


def _titled(schema: dict[str, Any], term: str) -> dict[str, Any]:
    return {"title": term, **schema}


def _instans(question: Question) -> dict[str, Any]:
    if question.instans is Instans.ABSENT:
        return {}
    return {"instans": {"type": "integer", "minimum": 1}}


def _part(part: Delsvar) -> dict[str, Any]:
    schema = dict(_kind(part))
    if part.length is not None and schema.get("type") == "string":
        schema["maxLength"] = int(part.length.most)
    if part.when:
        schema["description"] = part.when
    return _titled(schema, part.term)


def _kind(part: Delsvar) -> dict[str, Any]:
    match part.type:
        case "cv":
            return _code(part)
        case "boolean_or_cv":
            return {"anyOf": [_KINDS["boolean"], _code(part)]}
        case "period":
            return _members(start=_DAY, end=_DAY)
        case "year" | "day":
            return _members(format=_TEXT, value=_TEXT)
        case "pq":
            return _members(value=_TEXT, unit=_TEXT)
    kind: dict[str, Any] = _KINDS[part.type]
    return kind


def _code(part: Delsvar) -> dict[str, Any]:
    codes = [code for one in part.code_lists for code in one.codes]
    code: dict[str, Any] = {"type": "string", "enum": codes} if codes else _TEXT
    schema = _members(
        code=code,
        codeSystem=_TEXT,
        codeSystemName=_TEXT,
        codeSystemVersion=_TEXT,
        displayName=_TEXT,
        originalText=_TEXT,
    )
    return schema | {"required": ["code"]}


def _members(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "additionalProperties": False}
