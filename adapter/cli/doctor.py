"""The command `intyg doctor`: what must hold here, what does, and what to do about the rest."""

import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from intyg.adapter.bootstrap.startup import read_facts
from intyg.adapter.cli.options import ConfigOption, JsonOption
from intyg.adapter.cli.terminal import out, print_json
from intyg.adapter.doctor.checks import CHECKS, Check, Remark, look
from intyg.adapter.doctor.connectivity import examine, target_of_name, target_of_url
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.destination import ClientTls
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.settings.settings import Settings, SettingsError, load_settings
from intyg.adapter.store import database_version
from intyg.schemas.contract.contract import Contracts


class State(StrEnum):
    """Result of a check."""

    OK = "ok"
    NOTE = "note"  # to be known, stops nothing
    FAILS = "fails"  # the adapter does not start with it, or cannot work


@dataclass(frozen=True)
class Line:
    """One line of the doctor's: what was looked at, how it is, what to do about it."""

    check: str
    state: State
    text: str
    todo: str = ""


_COLOURS: Final = {State.OK: "green", State.NOTE: "yellow", State.FAILS: "red"}

ADAPTER: Final = "INTYGSADAPTER"
"""Logical address that a ping asks about when nothing says another."""


def doctor(
    destination: Annotated[
        str | None,
        typer.Argument(
            help="Look at the way to this one instead: its name in the settings, or URL."
        ),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    logical_address: Annotated[
        str | None, typer.Option(help="To ask about; default: one with a route there.")
    ] = None,
    ca: Annotated[Path | None, typer.Option(help="For a URL: who vouches for it (PEM).")] = None,
    client_cert: Annotated[Path | None, typer.Option(help="For a URL: ours (PEM).")] = None,
    client_key: Annotated[Path | None, typer.Option(help="For a URL: its key (PEM).")] = None,
) -> None:
    """
    Look at everything that must hold in this environment; sends nothing, changes nothing.

    With a destination: at the way there, step by step. Nothing of a patient is sent.
    """
    if destination is None:
        report(_settings_lines(config), as_json=as_json)
        return
    given = ClientTls(ca, client_cert, client_key)
    report(_probe_lines(destination, config, logical_address, given), as_json=as_json)


def _probe_lines(
    name: str, config: Path | None, asked: str | None, given: ClientTls
) -> Iterator[Line]:
    """Each step when it has been taken."""
    try:
        if name.startswith(("http://", "https://")):
            target = target_of_url(name, given, asked or ADAPTER)
        else:
            target = target_of_name(name, load_settings(config), asked)
    except SettingsError as exc:
        yield from _settings_fail(exc)
    except ValueError as exc:
        yield Line("settings", State.FAILS, str(exc), "give a name in the settings, or a URL")
    else:
        for step in examine(target, Contracts(), system_clock):
            yield Line(step.name, State(step.found.value), step.text, step.todo)


def report(lines: Iterable[Line], *, as_json: bool) -> None:
    """Print each as it comes, and leave with 1 if anything fails."""
    fails = False
    for line in lines:
        fails = fails or line.state is State.FAILS
        if as_json:
            fields = {"check": line.check, "state": line.state.value, "text": line.text}
            print_json({**fields, "todo": line.todo})
        else:
            _print(line)
    raise typer.Exit(1 if fails else 0)


def _print(line: Line) -> None:
    colour = _COLOURS[line.state]
    state = f"[{colour}]{line.state.value:<5}[/{colour}]"
    out.print(f"{state}  [bold]{line.check:<13}[/bold]  {escape(line.text)}")
    if line.todo:
        out.print(f"{'':22}[dim]{escape(line.todo)}[/dim]")


def _settings_lines(config: Path | None) -> list[Line]:
    try:
        settings = load_settings(config)
        facts = read_facts(settings, system_clock)
    except SettingsError as exc:
        return _settings_fail(exc)
    where = f"read from {config or 'the environment'}; environment {settings.environment}"
    looked = look(facts, CHECKS)
    return [
        Line("settings", State.OK, where),
        Line("versions", State.OK, _versions(settings)),
        *(line for check, remarks in looked for line in _lines(check, remarks)),
    ]


def _settings_fail(exc: SettingsError) -> list[Line]:
    todo = "set it right; nothing else can be looked at before"
    return [Line("settings", State.FAILS, text, todo) for text in str(exc).splitlines()]


def _versions(settings: Settings) -> str:
    python = f"Python {platform.python_version()}"
    try:
        return f"{python}, {database_version(settings.effective_database_url)}"
    except StoreError:
        return python  # the check of the database tells that


def _lines(check: Check, remarks: Sequence[Remark]) -> Iterator[Line]:
    if not remarks:
        yield Line(check.name, State.OK, check.holds.replace("`", ""))
    for remark in remarks:
        state = State.FAILS if remark.refuses else State.NOTE
        yield Line(check.name, state, remark.text, remark.todo)
