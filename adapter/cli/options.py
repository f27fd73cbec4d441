"""Options that several commands have, and what they do with them."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from intyg.adapter.cli.terminal import fail
from intyg.adapter.domain.clock import SWEDEN, system_clock
from intyg.schemas.intyg_model import IntygType
from intyg.schemas.typefile.lookup import IntygTypes, UnknownTypeError

if TYPE_CHECKING:
    from intyg.adapter.settings.settings import Settings

KEYS: Final = Path("data/keys")
"""Where `intyg test-keys` puts keys, and others look for them, unless told otherwise."""

UP: Final = Path("data/up")
"""Where `make up` keeps what it writes, and others look for its adapter, unless told otherwise."""

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings file (TOML); INTYG_… variables win over it."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
OutputOption = Annotated[Path | None, typer.Option("-o", help="Default: standard output.")]
TypesOption = Annotated[Path | None, typer.Option(help="More certificate types.")]

NameArgument = Annotated[
    str, typer.Argument(metavar="TYPE", help="FK7804, LISJP, 7443, Dödsbevis: any name of it.")
]
VersionOption = Annotated[str | None, typer.Option(help="Default: the newest.")]

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


def read_settings(config: Path | None) -> "Settings":
    """The settings of `ConfigOption`; ends the command where they are wrong."""
    # not above: some commands have no settings, and reading any begins with half a second
    from intyg.adapter.settings.settings import SettingsError, load_settings

    try:
        return load_settings(config)
    except SettingsError as exc:
        fail(str(exc))


def known_types(types_dir: Path | None) -> IntygTypes:
    """All types; says which files of the user's are left out, and why."""
    if types_dir is not None and not types_dir.is_dir():
        fail(f"{types_dir}: no such folder")
    known = IntygTypes(types_dir)
    for fault in known.refused:
        typer.echo(f"types_dir: {fault}", err=True)
    return known


def lookup(known: IntygTypes, name: str, version: str | None) -> IntygType:
    """The type of `NameArgument` and `VersionOption`; ends the command where there is none."""
    try:
        return known.named(name, version)
    except UnknownTypeError as exc:
        fail(str(exc))


def unknown_in_message(known: IntygTypes, unknown: UnknownTypeError) -> str:
    """What is wrong with a message's type; a form's number or title is not what it is called."""
    try:
        meant = known.named(unknown.code) if unknown.version is None else None
    except UnknownTypeError:
        meant = None
    return f"{unknown}; {meant.code} is {meant.xml_code} in a message" if meant else str(unknown)
