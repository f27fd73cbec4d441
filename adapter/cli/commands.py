"""
Commands whose modules are imported when they are called for.

Settings, database and web pages take most of a second to import, and what writes certificates takes
a tenth, which `intyg mocks` or `intyg validate` has no need of.
"""

from importlib import import_module
from typing import Any, Final

import typer
import typer.core
import typer.main

LATER: Final = {
    "audit": "intyg.adapter.cli.audit:audit",
    "blocked": "intyg.adapter.cli.blocked:blocked",
    "demo": "intyg.sandbox.demo_command:demo",
    "doctor": "intyg.adapter.cli.doctor:doctor",
    "example": "intyg.adapter.cli.types:example",
    "mocks": "intyg.sandbox.mocks_command:mocks",
    "patient": "intyg.adapter.cli.patient:patient",
    "render": "intyg.adapter.cli.types:render",
    "route": "intyg.adapter.cli.route:route",
    "schema": "intyg.adapter.cli.schema:schema",
    "serve": "intyg.adapter.cli.serve:serve",
    "type": "intyg.adapter.cli.types:type_",
    "types": "intyg.adapter.cli.types:types",
}
"""Where a command is: a function, or a `Typer` with commands of its own."""


class Commands(typer.core.TyperGroup):
    """The commands that are there, and those of `LATER`."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *LATER]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in LATER:
            return _load(cmd_name)
        return super().get_command(ctx, cmd_name)


def _load(name: str) -> Any:
    module, _, attribute = LATER[name].partition(":")
    found = getattr(import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(name)(found)
        found = alone
    command = typer.main.get_command(found)
    command.name = name
    return command
