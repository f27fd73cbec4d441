"""The command `intyg blocked`: what the guard stopped, and what waits until it can tell."""

import json
from collections.abc import Mapping
from typing import Annotated, Final, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from intyg.adapter.cli.options import ConfigOption, JsonOption
from intyg.adapter.console.blocked import blocked_view
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.settings.settings import Settings, SettingsError, load_settings
from intyg.adapter.store import Store

LIMIT: Final = 50

out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)


def blocked(
    config: ConfigOption = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many of each.")] = LIMIT,
    as_json: JsonOption = False,
) -> None:
    """List what the guard blocked, newest first, and what it holds; by certificate, no person."""
    try:
        settings = load_settings(config)
        view = read_blocked(settings, limit)
    except SettingsError as exc:
        _fail(str(exc), 2)
    except StoreError as exc:
        _fail(exc.text, 1)
    if as_json:
        for kind, rows in (("block", view["blocks"]), ("hold", view["held"])):
            for row in rows:
                typer.echo(json.dumps({"kind": kind, **row}, ensure_ascii=False))
        return
    _print_blocks(view["blocks"])
    _print_held(view["held"])


def read_blocked(settings: Settings, limit: int = LIMIT) -> dict[str, list[dict[str, object]]]:
    """
    What `blocked_view` says of the settings' database, which an adapter may have open.

    Raises:
        StoreError: There is none, or it belongs to another environment.
    """
    store = Store(settings.effective_database_url, system_clock, read_only=True)
    try:
        store.must_belong_to(settings.environment)
        with store.read() as rows:
            return blocked_view(rows, limit)
    finally:
        store.close()


def _fail(text: str, code: int) -> NoReturn:
    err.print(f"[red]{escape(text)}[/red]", highlight=False)
    raise typer.Exit(code)


def _print_blocks(blocks: list[dict[str, object]]) -> None:
    out.print(f"[bold]Blocked[/bold]{'' if blocks else ': nothing'}", highlight=False)
    for row in blocks:
        out.print(f"  {escape(block_line(row))}", highlight=False)


def block_line(row: Mapping[str, object]) -> str:
    """A block in one line: when, which certificate and contract, where to, which signal."""
    return (
        f"{_second(row['at'])}  {row['intygsId']}  {row['contract']}  "
        f"to {row['destination']}  {row['signal']}"
    )


def _print_held(held: list[dict[str, object]]) -> None:
    out.print(f"[bold]Held[/bold]{'' if held else ': nothing'}", highlight=False)
    for row in held:
        line = (
            f"{_second(row['since'])}  {row['intygsId']}  {row['contract']}  "
            f"to {row['logicalAddress']}  {row['why']}; asked again {_second(row['askAgainAt'])}"
        )
        out.print(f"  {escape(line)}", highlight=False)


def _second(time: object) -> str:
    """ISO 8601 without fractions, for people."""
    return f"{str(time)[:19]}Z"
