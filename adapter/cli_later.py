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
    "audit": "adapter.cli_audit:audit",
    "blocked": "adapter.cli_blocked:blocked",
    "doctor": "adapter.cli_doctor:doctor",
    "example": "adapter.cli_types:example",
    "patient": "adapter.cli_patient:patient",
    "render": "adapter.cli_types:render",
    "route": "adapter.cli_route:route",
    "schema": "adapter.cli_schema:schema",
    "serve": "adapter.cli_serve:serve",
    "type": "adapter.cli_types:type_",
    "types": "adapter.cli_types:types",
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
