"""The command `intyg blocked`: what the guard stopped, and what waits until it can tell."""

from collections.abc import Mapping
from typing import Annotated, Final

import typer
from rich.markup import escape

from intyg.adapter.cli.database import reading
from intyg.adapter.cli.options import ConfigOption, JsonOption, read_settings
from intyg.adapter.cli.rest_words import in_snake_case, second
from intyg.adapter.cli.terminal import fail, out, print_json
from intyg.adapter.console.blocked import blocked_view
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.settings.settings import Settings

LIMIT: Final = 50


def blocked(
    config: ConfigOption = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many of each.")] = LIMIT,
    as_json: JsonOption = False,
) -> None:
    """List what the guard blocked, newest first, and what it holds; by certificate, no person."""
    settings = read_settings(config)
    try:
        view = read_blocked(settings, limit)
    except StoreError as exc:
        fail(exc.text)
    if as_json:
        for kind, rows in (("block", view["blocks"]), ("hold", view["held"])):
            for row in rows:
                print_json({"kind": kind, **in_snake_case(row)})
        return
    _print_blocks(view["blocks"])
    _print_held(view["held"])


def read_blocked(settings: Settings, limit: int = LIMIT) -> dict[str, list[dict[str, object]]]:
    """
    `blocked_view` of the settings' database, which an adapter may have open.

    Raises:
        StoreError: There is none, or it belongs to another environment.
    """
    with reading(settings) as rows:
        return blocked_view(rows, limit)


def _print_blocks(blocks: list[dict[str, object]]) -> None:
    out.print(f"[bold]Blocked[/bold]{'' if blocks else ': nothing'}")
    for row in blocks:
        out.print(f"  {escape(block_line(row))}")


def block_line(row: Mapping[str, object]) -> str:
    """A block in one line: when, which certificate and contract, where to, which signal."""
    return (
        f"{second(row['at'])}  {row['intygsId']}  {row['contract']}  "
        f"to {row['destination']}  {row['signal']}"
    )


def _print_held(held: list[dict[str, object]]) -> None:
    out.print(f"[bold]Held[/bold]{'' if held else ': nothing'}")
    for row in held:
        line = (
            f"{second(row['since'])}  {row['intygsId']}  {row['contract']}  "
            f"to {row['logicalAddress']}  {row['why']}; asked again {second(row['askAgainAt'])}"
        )
        out.print(f"  {escape(line)}")
