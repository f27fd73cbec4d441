"""`intyg backup`: by itself, beside an adapter that runs, and by it."""

import json
from pathlib import Path

import pytest

from intyg.adapter.bootstrap.app import build_app, build_services
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.httpd.ports import held_port
from intyg.adapter.settings.settings import load_settings
from intyg.adapter.store import Store
from tests.adapter.cli.calls import run

TOML = 'environment = "demo"\ndata_dir = "{folder}"\n[server]\nport = {port}\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "adapter.toml"
    path.write_text(TOML.format(folder=tmp_path / "data", port=1))
    build_services(load_settings(path)).store.close()
    return path


def is_whole(file: Path) -> bool:
    store = Store(f"sqlite:///{file}", system_clock, read_only=True)
    try:
        return store.upkeep.must_be_whole() and not store.upkeep.is_empty
    finally:
        store.close()


def test_without_an_adapter_it_copies_by_itself(config: Path) -> None:
    done = run("backup", "-c", config, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    file = Path(told["file"])
    assert list(told) == ["file", "bytes", "at"]
    assert file.parent == config.parent / "data" / "backup"
    assert told["bytes"] == file.stat().st_size
    assert is_whole(file)


def test_a_running_adapter_copies_and_so_does_who_stands_beside_it(config: Path) -> None:
    with held_port() as port:
        config.write_text(TOML.format(folder=config.parent / "data", port=port))
        with build_app(load_settings(config)):
            by_it = run("backup", "-c", config, "--json")
            beside = run("backup", config.parent / "own.sqlite", "-c", config)
    assert (by_it.exit_code, beside.exit_code) == (0, 0), by_it.output + beside.output
    told = json.loads(by_it.stdout)
    assert list(told) == ["file", "bytes", "at"]
    assert is_whole(Path(told["file"]))
    assert is_whole(config.parent / "own.sqlite")
    assert beside.stdout.endswith(
        "own.sqlite: {} bytes, whole\n".format((config.parent / "own.sqlite").stat().st_size)
    )


def test_a_file_that_is_there_is_left(config: Path) -> None:
    (config.parent / "mine").write_text("mine")
    done = run("backup", config.parent / "mine", "-c", config)
    assert (done.exit_code, "is there already" in done.stderr) == (1, True)
    assert (config.parent / "mine").read_text() == "mine"


def test_postgresql_has_its_own(tmp_path: Path) -> None:
    config = tmp_path / "adapter.toml"
    config.write_text(
        'environment = "demo"\ndatabase_url = "postgresql+psycopg://x@127.0.0.1:1/x"\n'
    )
    done = run("backup", "-c", config)
    assert (done.exit_code, "pg_dump" in done.stderr) == (1, True)


def test_without_a_database_nothing_is_made(tmp_path: Path) -> None:
    config = tmp_path / "adapter.toml"
    config.write_text(TOML.format(folder=tmp_path / "data", port=1))
    done = run("backup", "-c", config)
    assert (done.exit_code, "there is no database" in done.stderr) == (1, True)
    assert not (tmp_path / "data").exists()
