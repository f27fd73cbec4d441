"""Operations as an OpenAPI 3.1 document, and that document as a page to read."""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from intyg.mocks.control.operation import Operation, Problem
from intyg.mocks.journal.filters import FAMILIES, FIELDS, Filter

Json: TypeAlias = dict[str, Any]

_REF: Final = "#/components/schemas/{model}"

_CRITERIA: Final = "criteria"
"""Name of the parameter that stands for all criteria which have no name of their own."""

_TYPES: Final = {int: "integer", str: "string"}


def describe(name: str, operations: Sequence[Operation]) -> Json:
    """
    The OpenAPI document of a mock's control interface.

    Args:
        name: Of the mock.
    """
    schemas, components = _schemas(operations)
    paths: Json = {}
    for each in operations:
        path = paths.setdefault(f"/control{_template(each.path)}", {})
        path[each.method.lower()] = _operation(each, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{name}: control interface",
            "version": "1",
            "description": "What tests tell this mock, and ask it. Errors are problem+json. A mock "
            "that has a token wants it with every request, as `Authorization: Bearer`.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {}],
        "tags": [{"name": group} for group in dict.fromkeys(each.group for each in operations)],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Printed when the mock was started; in-process mocks want none.",
                }
            },
            "responses": {
                "Problem": {
                    "description": "What is wrong, and which fields are to blame",
                    "content": {"application/problem+json": {"schema": schemas[Problem]}},
                }
            },
        },
    }


def _schemas(operations: Sequence[Operation]) -> tuple[Mapping[type[BaseModel], Json], Json]:
    """A reference for each model, and the schemas that these refer to."""
    modes: dict[type[BaseModel], JsonSchemaMode] = {Problem: "serialization"}
    for each in operations:
        if each.body is not None:
            modes[each.body] = "validation"
        if each.answers is not None:
            modes[each.answers] = "serialization"
    references, document = models_json_schema(list(modes.items()), ref_template=_REF)
    return {model: references[model, mode] for model, mode in modes.items()}, document["$defs"]


def _operation(operation: Operation, schemas: Mapping[type[BaseModel], Json]) -> Json:
    described: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.group],
        "parameters": [*_path_parameters(operation), *_query_parameters(operation)],
        "responses": {
            str(operation.status): {
                "description": HTTPStatus(operation.status).phrase,
                "content": _content(operation, schemas),
            },
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }
    if operation.text:
        described["description"] = operation.text
    if operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas[operation.body]}},
        }
    return described


def _content(operation: Operation, schemas: Mapping[type[BaseModel], Json]) -> Json:
    if operation.answers is None:
        return {operation.content_type: {}}
    return {"application/json": {"schema": schemas[operation.answers]}}


def _template(path: str) -> str:
    """`/journal/<int:number>` as `/journal/{number}`."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)


def _path_parameters(operation: Operation) -> Iterator[Json]:
    for name in re.findall(r"<(?:\w+:)?(\w+)>", operation.path):
        kind = _TYPES[operation.takes[name]]
        yield {"name": name, "in": "path", "required": True, "schema": {"type": kind}}


def _query_parameters(operation: Operation) -> Iterator[Json]:
    if operation.takes.get("where") is Filter:
        yield from _filter_parameters()
    if operation.query is None:
        return
    schema = operation.query.model_json_schema()
    for name, field in schema["properties"].items():
        about = field.pop("description", None)
        field.pop("title", None)
        parameter = {"name": name, "in": "query", "required": name in schema.get("required", ())}
        yield {**parameter, "schema": field, **({"description": about} if about else {})}


def _filter_parameters() -> Iterator[Json]:
    for name, field in FIELDS.items():
        yield {
            "name": name,
            "in": "query",
            "description": field.about,
            "schema": {"type": "array", "items": {"type": "string"}},
        }
    yield {
        "name": _CRITERIA,
        "in": "query",
        "description": "Further criteria: a field with !, ~, > or < before the `=` (is not, "
        "contains, at least, at most), "
        + "; ".join(f"`{k}<name>`: {v}" for k, v in FAMILIES.items()),
        "style": "form",
        "explode": True,
        "schema": {"type": "object", "additionalProperties": {"type": "string"}},
    }


# --- the page -------------------------------------------------------------------------------------

_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto }}
table {{ border-collapse: collapse; width: 100% }}
td {{ border-top: 1px solid #ccc; padding: .3rem .6rem .3rem 0; vertical-align: top }}
td:first-child {{ width: 26rem }}
code {{ white-space: nowrap }}
code[title] {{ text-decoration: underline dotted }}
small {{ color: #555 }}
</style>
<h1>{title}</h1>
<p>{about} <a href="openapi.json">openapi.json</a> says all of it to programs. What is
<b>bold</b> must be there; what is underlined says on itself what it is.</p>
{groups}
<h2>A filter</h2>
<p>Criteria that must all hold; a field named twice needs one of its values.
<code>=</code> is, <code>!=</code> is not, <code>~=</code> contains,
<code>&gt;=</code> and <code>&lt;=</code> compare numbers and times.</p>
<table>
{fields}
</table>
</html>
"""


def page(document: Json) -> str:
    """The document for people, as HTML that fetches nothing."""
    info = document["info"]
    groups = "\n".join(_group(document, each["name"]) for each in document["tags"])
    return _PAGE.format(
        title=html.escape(info["title"]),
        about=_text(info["description"]),
        groups=groups,
        fields=_filter_rows(),
    )


def _group(document: Json, group: str) -> str:
    rows = "\n".join(
        f"<tr><td><code>{method.upper()} {html.escape(path)}</code>"
        f"<td>{_text(operation['summary'])}{_more(operation)}<br>{_fields(document, operation)}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if group in operation["tags"]
    )
    return f"<h2>{html.escape(group)}</h2>\n<table>\n{rows}\n</table>"


def _filter_rows() -> str:
    fields = {name: field.about for name, field in FIELDS.items()}
    families = {f"{name}<name>": about for name, about in FAMILIES.items()}
    return "\n".join(
        f"<tr><td><code>{html.escape(name)}</code><td>{_text(about)}"
        for name, about in {**fields, **families}.items()
    )


def _more(operation: Json) -> str:
    text = operation.get("description")
    return "" if text is None else f"<br><small>{_text(text)}</small>"


def _fields(document: Json, operation: Json) -> str:
    """What it takes: names, which must be there, and on them what they are."""
    asked = {each["name"]: each for each in operation["parameters"] if each["in"] == "query"}
    filtered = _CRITERIA in asked
    fields = {
        name: (each.get("description"), each["required"])
        for name, each in asked.items()
        if not (filtered and name in FIELDS) and name != _CRITERIA
    }
    if "requestBody" in operation:
        reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
        required = schema.get("required", ())
        for name, each in schema.get("properties", {}).items():
            fields[name] = each.get("description"), name in required
    shown = [_field(name, about, must) for name, (about, must) in fields.items()]
    return " ".join([*(["a filter"] if filtered else []), *shown])


def _field(name: str, about: str | None, must_be_there: bool) -> str:
    title = "" if about is None else f' title="{html.escape(about)}"'
    code = f"<code{title}>{html.escape(name)}</code>"
    return f"<b>{code}</b>" if must_be_there else code


def _text(text: str) -> str:
    """A text with names in backticks."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(text))
