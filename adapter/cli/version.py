"""The command `intyg version`."""

from importlib.metadata import version as distribution_version

import typer

from intyg.adapter.cli.options import JsonOption
from intyg.adapter.cli.terminal import print_json


def version(as_json: JsonOption = False) -> None:
    """Print the version."""
    found = distribution_version("intygsadapter")
    if as_json:
        print_json({"version": found})
    else:
        typer.echo(found)
