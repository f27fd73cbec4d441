"""`intyg console token`: a key that the settings take."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from intyg.adapter.cli.console import console
from intyg.adapter.console.token import Token
from intyg.adapter.settings.settings import load_settings

SETTINGS = 'environment = "demo"\ndata_dir = "."\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "adapter.toml"
    file.write_text(SETTINGS, "utf-8")
    return file


def run(config: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(console, ["token", "--config", str(config), *options])
    return result.exit_code, result.output


def test_what_it_prints_lets_them_in(config: Path) -> None:
    code, printed = run(config, "--name", "vc", "--role", "care", "--unit", "SE0-UNIT")
    assert code == 0
    config.write_text(SETTINGS + printed, "utf-8")
    settings = load_settings(config)
    (row,) = settings.console.tokens
    assert (row.name, row.role, row.unit) == ("vc", "care", "SE0-UNIT")
    assert row.token_file.stat().st_mode & 0o777 == 0o600
    key = row.token_file.read_text("utf-8").strip()
    assert key not in printed
    found = Token.from_settings(settings).whose(key)
    assert found is not None
    assert (found.name, found.role, found.unit) == ("vc", "care", "SE0-UNIT")


def test_a_key_is_never_overwritten(config: Path) -> None:
    assert run(config, "--name", "one")[0] == 0
    file = config.parent / "console-tokens" / "one"
    before = file.read_text("utf-8")
    assert run(config, "--name", "one")[0] == 2
    assert file.read_text("utf-8") == before


@pytest.mark.parametrize(
    "options",
    [
        ("--name", "x", "--role", "care"),
        ("--name", "x", "--unit", "SE0"),
        ("--name", "../x"),
        ("--name", "x", "--role", "king"),
    ],
)
def test_what_fits_nothing_is_refused(config: Path, options: tuple[str, ...]) -> None:
    assert run(config, *options)[0] == 2
    assert not (config.parent / "console-tokens").exists()


def test_as_json(config: Path) -> None:
    code, printed = run(config, "--name", "one", "--json")
    assert code == 0
    told = json.loads(printed)
    assert (told["name"], told["role"], told["unit"]) == ("one", "viewer", None)
    assert Path(told["file"]).is_file()
