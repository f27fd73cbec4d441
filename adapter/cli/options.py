"""Options that several commands have, and what they do with them."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from intyg.adapter.domain.clock import SWEDEN, system_clock
from intyg.schemas.typefile.lookup import IntygTypes

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings file (TOML); INTYG_… variables win over it."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
TypesOption = Annotated[Path | None, typer.Option(help="More certificate types.")]

DAY: Final = ["%Y-%m-%d"]
TodayOption = Annotated[
    datetime | None,
    typer.Option(formats=DAY, help="For rules that depend on it; default: the day in Sweden."),
]


def swedish_now(ago: timedelta = timedelta()) -> datetime:
    """The machine's time, or some time ago, as Swedish local time: where no other is told."""
    return (system_clock() - ago).astimezone(SWEDEN)  # not after: clocks may have been moved since


def told_or_today(today: datetime | None) -> date:
    """The day that `TodayOption` gives a command."""
    return (today or swedish_now()).date()


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
