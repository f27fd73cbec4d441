import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli import cli

GOOD = "- answers: {kind: reset, store: true}\n"


def lint(*paths: Path) -> tuple[int, list[str]]:
    result = CliRunner().invoke(cli, ["mocks", "lint", *map(str, paths)])
    return result.exit_code, result.output.splitlines()


def test_rules_that_can_act_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    assert lint(tmp_path) == (0, ["1 rule, all well"])
    (tmp_path / "b.yaml").write_text(GOOD)
    assert lint(tmp_path) == (0, ["2 rules, all well"])


def test_what_is_wrong_is_told_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    wrong = tmp_path / "b.yaml"
    wrong.write_text("- answers:\n    kind: vp\n    code: VP07\n")
    told = f"{wrong}:3: answers.code: VP07 is unknown; the nearest is VP007"
    assert lint(tmp_path) == (1, [told])
    missing = tmp_path / "c.yaml"
    assert lint(missing) == (2, [f"{missing}:0: cannot be read: No such file or directory"])


def test_the_schema_of_rules_is_printed() -> None:
    result = CliRunner().invoke(cli, ["mocks", "rule-schema"])
    assert json.loads(result.output)["title"] == "Rule"


def test_mocks_do_not_start_with_rules_that_cannot_act(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("- answers: {kind: error}\n")
    arguments = ["mocks", "--ports-from", "0", "--rules-dir", str(tmp_path)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 1
    assert f"{tmp_path / 'a.yaml'}:1: answers.error_id: missing" in result.output


@pytest.mark.parametrize("command", ["lint", "rule-schema"])
def test_help_names_the_commands(command: str) -> None:
    assert command in CliRunner().invoke(cli, ["mocks", "--help"]).output


def test_the_mocks_start_without_what_only_the_adapter_needs() -> None:
    """The command line is there in half a second only if it imports no database and no settings."""
    code = "import sys, adapter.cli, mocks.personas; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "mocks.agency" in loaded
    heavy = {"sqlalchemy", "pydantic_settings", "spyne", "zeep", "alembic"}
    assert loaded & heavy == set()
