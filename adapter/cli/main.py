"""The command `intyg`. Its commands are a file each, listed in `commands.py`."""

import sys
from typing import Annotated

import typer

from intyg.adapter.cli.commands import ABOUT
from intyg.adapter.cli.late_commands import Commands
from intyg.adapter.domain.lossy_file import lossy_stderr

cli = typer.Typer(
    name="intyg",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help=ABOUT,
    context_settings={"help_option_names": ["-h", "--help"]},  # every command inherits them
    rich_markup_mode=None,  # Rich takes three times as long to import as everything else here
)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # not above: it takes a moment

        typer.echo(version("intygsadapter"))
        raise typer.Exit


@cli.callback()
def _intyg(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version, and end."
        ),
    ] = False,
) -> None:
    pass  # each command does its own


def main() -> None:
    """Entry point of the command."""
    lossy_stderr()
    try:
        cli()
    except Exception as exc:
        from intyg.adapter.cli.last_words import last_words  # not above: mostly there are none

        words = last_words(exc)
        if words is None:
            raise
        text, code = words
        typer.secho(text, fg="red", err=True)
        sys.exit(code)
