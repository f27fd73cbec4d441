"""`intyg patient explain` as an operator calls it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog.testing
from typer.testing import CliRunner, Result

from intyg.adapter.cli.main import cli
from tests.builders import PATIENT, UNLISTED_PATIENT

TOML = """
environment = "production"
[test_patients]
list_files = ["list.csv"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "list.csv").write_text(f"{PATIENT}\n")
    (tmp_path / "adapter.toml").write_text(TOML)
    return tmp_path / "adapter.toml"


@pytest.fixture(autouse=True)
def nothing_is_logged() -> Iterator[None]:
    with structlog.testing.capture_logs() as logged:
        yield
    assert logged == []


def explain(config: Path, number: str, *options: str, typed: str = "") -> Result:
    arguments = ["patient", "explain", number, "--config", str(config), *options]
    return CliRunner().invoke(cli, arguments, input=typed)


def as_json(result: Result) -> Any:
    assert result.exit_code == 0
    return json.loads(result.stdout)


def test_each_signal_says_its_word_and_the_policy_follows(config: Path) -> None:
    told = as_json(explain(config, PATIENT, "--json"))
    assert [(s["signal"], s["says"]) for s in told["signals"]] == [
        ("list list.csv", "test"),
        ("reserved numbers", "test"),
    ]
    assert (told["verdict"], told["because"]) == ("test", "list list.csv")
    decided = {(d["role"], d["kind"]): d["decision"] for d in told["decisions"]}
    assert (decided["authority", "real"], decided["authority", "test"]) == ("block", "send")


def test_somebody_whom_no_signal_knows(config: Path) -> None:
    told = as_json(explain(config, UNLISTED_PATIENT, "--json"))
    assert [s["says"] for s in told["signals"]] == ["not_test", None]
    assert (told["verdict"], told["because"]) == ("not_test", None)
    decided = {(d["role"], d["kind"]): d["decision"] for d in told["decisions"]}
    assert (decided["authority", "real"], decided["authority", "mock"]) == ("send", "block")


def test_the_number_may_come_from_standard_input_with_a_dash(config: Path) -> None:
    typed = f"{PATIENT[:8]}-{PATIENT[8:]}\n"
    result = explain(config, "-", typed=typed)
    assert "Verdict: test (list list.csv)" in result.stdout
    assert result.exit_code == 0


def test_it_leaves_nothing_behind_and_shows_no_number(config: Path) -> None:
    before = sorted(config.parent.rglob("*"))
    result = explain(config, PATIENT)
    assert "1890" not in result.stdout + result.stderr
    assert sorted(config.parent.rglob("*")) == before


@pytest.mark.parametrize("number", ["18900101980", "189001019803", "Tolvan", ""])
def test_what_is_no_number_is_not_repeated(config: Path, number: str) -> None:
    result = explain(config, number)
    assert result.exit_code == 2
    assert not number or number not in result.stdout + result.stderr
