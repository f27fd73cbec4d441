"""The command `intyg doctor`: what must hold here, what does, and what to do about the rest."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from adapter.checks import CHECKS, Check, Remark, look
from adapter.model import system_clock
from adapter.settings import SettingsError, load_settings
from adapter.startup import read_facts


class State(StrEnum):
    """How a check came out."""

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

out = Console(soft_wrap=True)


def doctor(
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="Settings file (TOML); INTYG_… variables win over it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Look at everything that must hold in this environment; sends nothing, changes nothing."""
    report(_settings_lines(config), as_json=as_json)


def report(lines: Sequence[Line], *, as_json: bool) -> None:
    """Print, and leave with 1 if anything fails."""
    for line in lines:
        if as_json:
            fields = {"check": line.check, "state": line.state.value, "text": line.text}
            typer.echo(json.dumps({**fields, "todo": line.todo}, ensure_ascii=False))
        else:
            _print(line)
    raise typer.Exit(1 if any(line.state is State.FAILS for line in lines) else 0)


def _print(line: Line) -> None:
    colour = _COLOURS[line.state]
    state = f"[{colour}]{line.state.value:<5}[/{colour}]"
    out.print(f"{state}  [bold]{line.check:<13}[/bold]  {escape(line.text)}", highlight=False)
    if line.todo:
        out.print(f"{'':22}[dim]{escape(line.todo)}[/dim]", highlight=False)


def _settings_lines(config: Path | None) -> list[Line]:
    try:
        settings = load_settings(config)
        facts = read_facts(settings, system_clock)
    except SettingsError as exc:
        todo = "set it right; nothing else can be looked at before"
        return [Line("settings", State.FAILS, str(exc), todo)]
    where = f"read from {config or 'the environment'}; environment {settings.environment}"
    looked = look(facts, CHECKS)
    return [
        Line("settings", State.OK, where),
        *(line for check, remarks in looked for line in _lines(check, remarks)),
    ]


def _lines(check: Check, remarks: Sequence[Remark]) -> Iterator[Line]:
    if not remarks:
        yield Line(check.name, State.OK, check.holds.replace("`", ""))
    for remark in remarks:
        state = State.FAILS if remark.refuses else State.NOTE
        yield Line(check.name, state, remark.text, remark.todo)
