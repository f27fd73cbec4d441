"""The command `intyg`. Its commands are a file each, listed in `commands.py`."""

import typer

from intyg.adapter.cli.commands import Commands
from intyg.adapter.domain.lossy_file import lossy_stderr

cli = typer.Typer(
    name="intyg",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@cli.callback()
def _intyg() -> None:
    """Integration adapter for Swedish medical certificates (intyg), and its mock authorities."""


def main() -> None:
    """Entry point of the command."""
    lossy_stderr()
    cli()
