"""The command `intyg version`."""

from importlib.metadata import version as distribution_version

import typer


def version() -> None:
    """Print the version."""
    typer.echo(distribution_version("intygsadapter"))
