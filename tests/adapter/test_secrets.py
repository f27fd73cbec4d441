"""No secret of the settings is shown by anything that shows settings."""

from collections.abc import Iterator
from pathlib import Path

import pydantic
import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from intyg.adapter.cli.commands import COMMANDS
from intyg.adapter.cli.late_commands import load
from intyg.adapter.cli.main import cli
from intyg.adapter.settings.settings import Settings, SettingsError, load_settings

SECRET = "s3cret-s3cret-s3cret-s3cret-s3cret-s3cret"
DATABASE = f"postgresql+psycopg://intyg:{SECRET}@127.0.0.1:9/intyg"


def secret_fields(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every setting that is a secret, of those that the environment can name."""
    for name, field in model.model_fields.items():
        kinds = (field.annotation, *getattr(field.annotation, "__args__", ()))
        if pydantic.SecretStr in kinds:
            yield (*path, name)
        if name in ("recipients", "destinations", "routes", "permissions"):
            continue
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from secret_fields(kind, (*path, name))


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every secret set by its variable; their names."""
    names = ["INTYG_" + "__".join(path).upper() for path in secret_fields(Settings)]
    names = [name for name in names if "SERVER__TLS" not in name]  # needs a certificate beside it
    for name in names:
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("INTYG_DATABASE_URL", DATABASE)
    monkeypatch.setenv("INTYG_KEY_PASSWORD", SECRET)
    monkeypatch.setenv("INTYG_ENVIRONMENT", "demo")
    return names


def test_the_secrets_are_known(environment: list[str]) -> None:
    assert {"INTYG_CONSOLE__TOKEN", "INTYG_AUDIT__KEY", "INTYG_STAFF__TOKEN"} <= set(environment)
    assert "INTYG_SIGNING__PASSWORD" in environment


def test_settings_do_not_show_them(environment: list[str]) -> None:
    settings = load_settings()
    assert settings.console.token is not None
    assert settings.console.token.get_secret_value() == SECRET
    assert settings.database_url == DATABASE
    assert SECRET not in repr(settings) + str(settings)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(("INTYG_SERVER__PORT", "x"), id="another field"),
        pytest.param(("INTYG_DATABASE_URL", f"mysql://intyg:{SECRET}@a/b"), id="the database"),
        pytest.param(("INTYG_CONSOLE", f'{{"token": "{SECRET}", "tokn": 1}}'), id="beside it"),
        pytest.param(("INTYG_CONSOLE", f"{SECRET}"), id="no JSON"),
    ],
)
def test_errors_do_not_show_them(
    environment: list[str], monkeypatch: pytest.MonkeyPatch, wrong: tuple[str, str]
) -> None:
    monkeypatch.setenv(*wrong)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert SECRET not in str(caught.value)


def _commands() -> Iterator[tuple[str, ...]]:
    yield ()
    for name in COMMANDS:
        yield (name,)
        yield from ((name, each) for each in getattr(load(name), "commands", ()))


def test_help_does_not_show_them(environment: list[str]) -> None:
    for words in _commands():
        result = CliRunner().invoke(cli, [*words, "--help"])
        assert result.exit_code == 0, words
        assert SECRET not in result.output, words


@pytest.mark.parametrize("command", [["doctor"], ["serve"], ["audit", "verify"]])
def test_commands_that_fail_do_not_show_them(
    environment: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """Nobody listens where the database should be."""
    monkeypatch.setenv("INTYG_DATA_DIR", str(tmp_path))
    result = CliRunner().invoke(cli, command)
    assert result.exit_code != 0
    assert SECRET not in result.output + result.stderr + repr(result.exception)
