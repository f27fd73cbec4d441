"""The JSON Schema of a type takes what the type takes, and no other question, part or code."""

import json
import re
from datetime import datetime
from typing import Any

import pytest

from intyg.adapter.formats.intyg_json import intyg_to_json
from intyg.schemas.examples.example import Size, example
from intyg.schemas.export.json_schema import json_schema
from intyg.schemas.intyg_model import IntygType
from intyg.schemas.typefile.lookup import IntygTypes

TYPES = IntygTypes()
SIGNED_AT = datetime(2026, 11, 23, 9, 30)  # noqa: DTZ001  contract times carry no zone

_KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
}


def faults(value: Any, schema: dict[str, Any], path: str = "svar") -> list[str]:
    """What is wrong by the parts of JSON Schema that are used; nothing else is taken."""
    known = {"$schema", "title", "description", "format", "type", "enum", "pattern", "maxLength"}
    known |= {"properties", "patternProperties", "additionalProperties", "required"}
    known |= {"items", "maxItems", "minimum", "anyOf"}
    assert set(schema) <= known, set(schema) - known
    if "anyOf" in schema:
        found = [faults(value, one, path) for one in schema["anyOf"]]
        return [] if [] in found else found[0]
    kinds = schema.get("type", [])
    wanted = [
        kind for name in ([kinds] if isinstance(kinds, str) else kinds) for kind in _KINDS[name]
    ]
    if not isinstance(value, tuple(wanted)):
        return [f"{path}: {schema.get('type')}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path}: not listed"]
    if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
        return [f"{path}: too long"]
    if isinstance(value, list):
        too_many = len(value) > schema.get("maxItems", len(value))
        return [f"{path}: too many"] * too_many + [
            fault for one in value for fault in faults(one, schema["items"], path)
        ]
    return _members(value, schema, path) if isinstance(value, dict) else []


def _members(value: dict[str, Any], schema: dict[str, Any], path: str) -> list[str]:
    found = [
        f"{path}: {name} is missing" for name in schema.get("required", []) if name not in value
    ]
    for name, member in value.items():
        inner = schema["properties"].get(name)
        for pattern, one in schema.get("patternProperties", {}).items():
            inner = inner or (one if re.search(pattern, name) else None)
        if inner is None:
            found.append(f"{path}.{name}: unknown")
        else:
            found += faults(member, inner, f"{path}.{name}")
    return found


@pytest.mark.parametrize("intyg_type", TYPES.all(), ids=lambda one: one.key)
def test_every_example_fits(intyg_type: IntygType) -> None:
    schema = json.loads(json_schema(intyg_type))
    for size in Size:
        request = example(intyg_type, signed_at=SIGNED_AT, size=size, seed=2)
        assert faults(intyg_to_json(request[-1], intyg_type)["svar"], schema) == [], size


@pytest.mark.parametrize(
    ("answers", "fault"),
    [
        ({"777": {}}, "svar.777: unknown"),
        ({"27": {"27.2": True}}, "svar.27.27.2: unknown"),
        ({"27": [{}]}, "svar.27: object"),
        ({"32": [{"32.1": {"code": "LITE"}}]}, "svar.32.32.1.code: not listed"),
        ({"32": [{}] * 5}, "svar.32: too many"),
        ({"35": {"35.1": "x" * 4001}}, "svar.35.35.1: too long"),
    ],
)
def test_what_does_not_fit(answers: dict[str, Any], fault: str) -> None:
    schema = json.loads(json_schema(TYPES.lookup("FK7804", "2.0")))
    assert faults(answers, schema) == [fault]


def test_it_says_what_it_is_and_when_a_part_is_asked() -> None:
    intyg_type = TYPES.lookup("FK7804", "2.0")
    schema = json.loads(json_schema(intyg_type))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == f"FK7804 2.0: {intyg_type.name}"
    told = {
        part.id: schema["properties"][question.svar].get(
            "items", schema["properties"][question.svar]
        )
        for question in intyg_type.questions
        for part in question.delsvar
        if part.when
    }
    assert told
    for part_id, row in told.items():
        part = row["properties"][part_id]
        assert part["description"] == intyg_type.delsvar(part_id).when
        assert part["title"] == intyg_type.delsvar(part_id).term
