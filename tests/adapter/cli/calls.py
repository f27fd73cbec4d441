"""Commands as their users call them, in this process."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from intyg.adapter.cli.commands import COMMANDS
from intyg.adapter.cli.late_commands import load
from intyg.adapter.cli.main import cli


def run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    """`run("validate", path)`; on a terminal that is wide."""
    words = [str(each) for each in arguments]
    return CliRunner().invoke(cli, words, input=stdin, env={"COLUMNS": "200"})


def lines(result: Result) -> list[Any]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def every_command() -> list[tuple[str, ...]]:
    """The words of each command: `("types",)`, `("mocks",)`, `("mocks", "lint")`."""
    found: list[tuple[str, ...]] = []
    for name in COMMANDS:
        command = load(name)
        parts = getattr(command, "commands", {})
        if not parts or command.invoke_without_command:
            found.append((name,))
        found += [(name, part) for part in parts]
    return found
