"""`intyg demo`: a whole round trip, or everything left running."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from intyg.adapter.cli.options import KEYS
from intyg.adapter.cli.until_signalled import run_until_signalled


def demo(
    stay: Annotated[bool, typer.Option("--stay", help="Leave everything running.")] = False,
    keys: Annotated[Path, typer.Option(help="Folder of the test keys; made if missing.")] = KEYS,
) -> None:
    """A whole round trip on loopback: EHR, adapter, Försäkringskassan; each step checked."""
    from intyg.sandbox.demo import play, stay_up

    out = Console(soft_wrap=True)
    raise typer.Exit(stay_up(keys, out, run_until_signalled) if stay else play(keys, out))
