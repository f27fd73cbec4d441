"""The command `intyg init-tests`: a test project to begin with."""

from pathlib import Path
from typing import Annotated, Final

import typer

from intyg.adapter.cli.options import JsonOption
from intyg.adapter.cli.terminal import print_json

FILES: Final = ("test_scenarios.py",)
"""Of `sandbox/example_tests`."""

_THERE: Final = Path(__file__).parent / "example_tests"


def init_tests(
    folder: Annotated[Path, typer.Argument(help="Where to; made if it is not there.")] = Path(
        "intyg-tests"
    ),
    as_json: JsonOption = False,
) -> None:
    """Write a test project that passes: ten scenarios with adapter, EHR and authorities."""
    taken = [name for name in FILES if (folder / name).exists()]
    if taken:
        typer.echo(f"{folder / taken[0]} is there already: nothing was written", err=True)
        raise typer.Exit(2)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            (folder / name).write_text((_THERE / name).read_text("utf-8"), "utf-8")
    except OSError as exc:
        typer.echo(f"{folder}: {exc.strerror}: nothing can be written there", err=True)
        raise typer.Exit(2) from None
    if as_json:
        print_json({"folder": str(folder), "files": FILES})
    else:
        typer.echo(f"{folder}: {', '.join(FILES)}. Run it: pytest {folder}")
