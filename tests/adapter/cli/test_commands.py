"""The list of commands, and that nothing is imported before it is needed."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from intyg.adapter.cli.commands import COMMANDS, load
from intyg.adapter.cli.main import cli


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_line_is_the_first_paragraph_of_its_own_help(name: str) -> None:
    command = load(name)
    first, _, _ = command.help.partition("\n\n")
    assert " ".join(first.split()) == COMMANDS[name].line
    assert command.name == name


def test_help_shows_every_command_and_imports_none() -> None:
    code = (
        "import sys\n"
        "from intyg.adapter.cli.main import cli\n"
        "try: cli(['--help'])\n"
        "except SystemExit: pass\n"
        "print(*(name for name in sys.modules if name.startswith('intyg.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *shown, modules = done.stdout.splitlines()
    assert set(modules.split()) == {
        *("intyg.adapter", "intyg.adapter.cli", "intyg.adapter.domain"),
        *("intyg.adapter.cli.main", "intyg.adapter.cli.commands"),
        "intyg.adapter.domain.lossy_file",
    }
    words = [line.split()[1] for line in shown if line.startswith("│ ") and line[2] != " "]
    assert words[1:] == list(COMMANDS)  # the first is `--help` itself


def test_what_is_no_command_exits_2_and_is_named() -> None:
    result = CliRunner().invoke(cli, ["sned"])
    assert result.exit_code == 2
    assert "No such command 'sned'" in result.output


def test_a_command_is_called_as_it_is_listed() -> None:
    result = CliRunner().invoke(cli, ["test-keys", "--help"])
    assert "intyg test-keys [OPTIONS]" in result.output
