"""`intyg demo`: a whole round trip, or everything left running."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from intyg.adapter.cli.options import KEYS, UP, JsonOption
from intyg.adapter.cli.terminal import fail, print_json
from intyg.adapter.cli.until_signalled import run_until_signalled


def demo(
    stay: Annotated[bool, typer.Option("--stay", help="Leave everything running.")] = False,
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop what --stay left running, in any terminal.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option(help=f"Of --stay and --stop; default: {UP}.")
    ] = None,
    ports_from: Annotated[
        int | None,
        typer.Option(
            help="Of --stay: the adapter's port, the mocks have the next ones; 0 takes free ones. "
            "Default: 8080; in place of any that is taken the next free one."
        ),
    ] = None,
    keys: Annotated[Path, typer.Option(help="Folder of the test keys; made if missing.")] = KEYS,
    as_json: JsonOption = False,
) -> None:
    """A whole round trip on loopback: EHR, adapter, Försäkringskassan; each step checked."""
    if stay and stop:
        fail("give one of --stay and --stop")
    if folder is not None and not (stay or stop):
        fail("--folder: goes with --stay or --stop")
    if ports_from is not None and not stay:
        fail("--ports-from: goes with --stay")
    if as_json and (stay or stop):
        fail("--json: goes with neither --stay nor --stop")
    out = Console(soft_wrap=True)
    if stop:
        from intyg.sandbox.up import shut_down

        raise typer.Exit(shut_down(out, folder or UP))
    if stay:
        from intyg.sandbox.up import stay_up

        raise typer.Exit(stay_up(keys, out, run_until_signalled, folder or UP, ports_from))
    from intyg.sandbox.demo import play
    from intyg.sandbox.demo.narrator import AsJson, OnTerminal

    raise typer.Exit(play(keys, AsJson(print_json) if as_json else OnTerminal(out)))
