"""The command `intyg schema`: a certificate type written as a schema for other systems."""

from datetime import datetime
from typing import Annotated

import typer

from intyg.adapter.cli.options import (
    DAY,
    JsonOption,
    NameArgument,
    OutputOption,
    TypesOption,
    VersionOption,
    known_types,
    lookup,
)
from intyg.adapter.cli.terminal import fail, write
from intyg.schemas.export.json_schema import json_schema as as_json_schema
from intyg.schemas.export.schematron import schematron as as_schematron
from intyg.schemas.export.xsd11 import xsd11 as as_xsd11


def schema(
    name: NameArgument,
    version: VersionOption = None,
    xsd11: Annotated[bool, typer.Option("--xsd11", help="As XSD 1.1.")] = False,
    schematron: Annotated[bool, typer.Option("--schematron", help="As ISO Schematron.")] = False,
    today: Annotated[
        datetime | None,
        typer.Option(
            formats=DAY,
            help="For rules that depend on it; default: the day on which the schema is used.",
        ),
    ] = None,
    output: OutputOption = None,
    as_json: JsonOption = False,
    types_dir: TypesOption = None,
) -> None:
    """Write a certificate type's rules as XSD 1.1 or Schematron, or its answers as JSON Schema."""
    intyg_type = lookup(known_types(types_dir), name, version)
    if as_json and not xsd11 and not schematron:
        write(as_json_schema(intyg_type), output, None)
        return
    if xsd11 == schematron:
        fail("give one of --xsd11 and --schematron, or --json alone for JSON Schema")
    day = today.date() if today else None
    try:
        written = (as_xsd11 if xsd11 else as_schematron)(intyg_type, today=day)
    except ValueError as exc:
        fail(f"{intyg_type.key} cannot be written: {exc}", 1)
    facts = {
        "type": intyg_type.code,
        "version": intyg_type.version,
        "format": "xsd11" if xsd11 else "schematron",
    }
    write(written, output, facts if as_json else None)
