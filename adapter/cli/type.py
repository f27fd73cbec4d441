"""The command `intyg type`."""

from typing import Annotated

import typer

from intyg.adapter.cli.options import (
    NameArgument,
    TypesOption,
    VersionOption,
    known_types,
    lookup,
)
from intyg.schemas.export.outline import outline


def type_(
    name: NameArgument,
    version: VersionOption = None,
    rules: Annotated[
        bool, typer.Option("--rules", help="Also everything that is checked, by rule id.")
    ] = False,
    types_dir: TypesOption = None,
) -> None:
    """Show a certificate type: what it is and what it asks."""
    for line in outline(lookup(known_types(types_dir), name, version), rules=rules):
        typer.echo(line)
