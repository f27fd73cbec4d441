"""The command `intyg schema`: a certificate type written as a schema for other systems."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer


def schema(
    name: Annotated[
        str, typer.Argument(metavar="TYPE", help="FK7804, LISJP, 7443: any name of the type.")
    ],
    version: Annotated[str | None, typer.Option(help="Default: the newest.")] = None,
    xsd11: Annotated[bool, typer.Option("--xsd11", help="As XSD 1.1.")] = False,
    schematron: Annotated[bool, typer.Option("--schematron", help="As ISO Schematron.")] = False,
    today: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="For rules that depend on it; default: the day on which the schema is used.",
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", help="Default: standard output.")] = None,
    types_dir: Annotated[Path | None, typer.Option(help="More certificate types.")] = None,
) -> None:
    """Write a certificate type's rules as XSD 1.1 or Schematron, to check with elsewhere."""
    from schemas.intyg_schematron import schematron as as_schematron
    from schemas.intyg_type import IntygTypes, UnknownTypeError
    from schemas.intyg_xsd11 import xsd11 as as_xsd11

    if xsd11 == schematron:
        _fail("give one of --xsd11 and --schematron")
    try:
        intyg_type = IntygTypes(types_dir).lookup(name, version)
    except UnknownTypeError as exc:
        _fail(str(exc))
    day = today.date() if today else None
    try:
        written = (as_xsd11 if xsd11 else as_schematron)(intyg_type, today=day)
    except ValueError as exc:
        _fail(f"{intyg_type.key} cannot be written: {exc}", 1)
    if output is None:
        sys.stdout.buffer.write(written)
        return
    try:
        output.write_bytes(written)
    except OSError as exc:
        _fail(f"{output}: {exc.strerror}")


def _fail(text: str, code: int = 2) -> NoReturn:
    typer.secho(text, err=True, fg="red")
    raise typer.Exit(code)
