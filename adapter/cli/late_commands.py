"""Commands that are imported when they are called, and not before."""

from importlib import import_module
from typing import Any

import typer
import typer.core
import typer.main

from intyg.adapter.cli.commands import COMMANDS, help_text


class Commands(typer.core.TyperGroup):
    """The commands of the list, each its line until it is called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  as the class above has it
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  as above
        if cmd_name not in COMMANDS:
            return None
        return LateCommand(cmd_name, help=COMMANDS[cmd_name].line)

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  as above
        """As without Typer."""
        formatter.write(help_text() + "\n")


class LateCommand(typer.core.TyperCommand):
    """A command before it is called."""

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """Import the command; it goes on from here by itself."""
        assert self.name is not None
        return load(self.name).make_context(info_name, args, parent, **extra)


def load(name: str) -> Any:
    """The command itself."""
    module, _, attribute = COMMANDS[name].where.partition(":")
    found = getattr(import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(name)(found)
        found = alone
    command: Any = typer.main.get_command(found)
    command.name = name
    parts = getattr(command, "commands", {}).values()
    for each in (command, *parts):
        each.rich_markup_mode = None  # as `intyg` itself
    for each in parts:
        each.short_help = each.help.partition("\n\n")[0]  # else it is cut where the terminal ends
    return command
