"""The list of commands, and that nothing is imported before it is needed."""

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from intyg.adapter.__main__ import main
from intyg.adapter.cli.commands import COMMANDS, OPTIONS, help_text
from intyg.adapter.cli.late_commands import load
from intyg.adapter.cli.main import cli
from tests.adapter.cli.calls import every_command, run

HEAVY = {"typer", "click", "rich", "lxml", "yaml", "pydantic", "sqlalchemy", "cryptography"} | {
    *("spyne", "zeep", "flask", "signxml", "xmlschema", "structlog", "requests", "werkzeug")
}
"""What takes long to import, and what everything else here hangs on."""


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_line_is_the_first_paragraph_of_its_own_help(name: str) -> None:
    command = load(name)
    first, _, _ = command.help.partition("\n\n")
    assert " ".join(first.split()) == COMMANDS[name].line
    assert command.name == name


@pytest.mark.parametrize("asked", ["--help", "-h"])
def test_help_imports_nothing_that_takes_long(asked: str) -> None:
    code = (
        "import sys\n"
        "from intyg.adapter.__main__ import main\n"
        f"sys.argv = ['intyg', '{asked}']\n"
        "main()\n"
        "print(*sys.modules)"
    )
    environment = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    *shown, modules = done.stdout.splitlines()
    loaded = set(modules.split())
    assert {name for name in loaded if name.startswith("intyg.")} == {
        *("intyg.adapter", "intyg.adapter.__main__"),
        *("intyg.adapter.cli", "intyg.adapter.cli.commands"),
    }
    assert not {name.partition(".")[0] for name in loaded} & HEAVY
    words = [line.split()[0] for line in shown if line.startswith("  ") and line[2] != " "]
    assert words[-len(COMMANDS) :] == list(COMMANDS)
    assert max(map(len, shown)) <= 80


def test_the_command_itself_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert CliRunner().invoke(cli, ["-h"]).stdout == help_text() + "\n"
    without = CliRunner().invoke(cli, [])
    assert (without.exit_code, help_text() in without.output) == (2, True)


def test_the_options_that_help_lists_are_those_that_there_are() -> None:
    import typer.main

    command = typer.main.get_command(cli)
    there = [", ".join(option.opts) for option in command.params]
    assert list(OPTIONS) == [*there, "-h, --help"]


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_has_h(words: tuple[str, ...]) -> None:
    result = run(*words, "-h")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: intyg {' '.join(words)} ")
    assert "-h, --help" in result.stdout


def test_version_is_an_option_too() -> None:
    assert run("--version").stdout == run("version").stdout


def test_the_shell_completes_commands_of_commands_and_their_options() -> None:
    def completed(words: str) -> list[str]:
        environment = {
            **os.environ,
            "_INTYG_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
        }
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "from intyg.adapter.cli.main import cli; cli(prog_name='intyg')",
            ],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        return done.stdout.split()

    assert completed("intyg ty") == ["types", "type"]
    assert completed("intyg audit an") == ["anchors"]
    assert completed("intyg validate --ju") == ["--junit"]


def test_what_is_no_command_exits_2_and_is_named() -> None:
    result = CliRunner().invoke(cli, ["sned"])
    assert result.exit_code == 2
    assert "No such command 'sned'" in result.output


def test_a_command_is_called_as_it_is_listed() -> None:
    result = CliRunner().invoke(cli, ["test-keys", "--help"])
    assert "intyg test-keys [OPTIONS]" in result.output


@pytest.mark.parametrize("asked", ["--help", "-h"])
def test_help_is_said_once_without_the_commands(
    asked: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["intyg", asked])
    main()
    assert capsys.readouterr().out == help_text() + "\n"
