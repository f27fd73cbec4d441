"""Commands as their users call them, in this process."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from intyg.adapter.cli.main import cli


def run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    """`run("validate", path)`; on a terminal that is wide."""
    words = [str(each) for each in arguments]
    return CliRunner().invoke(cli, words, input=stdin, env={"COLUMNS": "200"})


def lines(result: Result) -> list[Any]:
    return [json.loads(line) for line in result.stdout.splitlines()]
