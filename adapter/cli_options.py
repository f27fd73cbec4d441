"""Options that several commands have, and what they do with them."""

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from schemas.intyg_type import IntygTypes

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings file (TOML); INTYG_… variables win over it."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
TypesOption = Annotated[Path | None, typer.Option(help="More certificate types.")]


def known_types(types_dir: Path | None) -> IntygTypes:
    """All types; says which files of the user's are left out, and why."""
    if types_dir is not None and not types_dir.is_dir():
        fail(f"{types_dir}: no such folder")
    known = IntygTypes(types_dir)
    for fault in known.refused:
        typer.echo(f"types_dir: {fault}", err=True)
    return known


def fail(text: str, code: int = 2) -> NoReturn:
    """Say what is wrong, and end the command."""
    typer.secho(text, err=True, fg="red")
    raise typer.Exit(code)
