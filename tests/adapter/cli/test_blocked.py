"""`intyg blocked` as an operator calls it, beside an adapter that runs."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from intyg.adapter.cli.main import cli
from intyg.adapter.domain.delivery import Outcome, OutcomeKind
from intyg.adapter.domain.environment import Environment
from intyg.adapter.store import Store
from tests.adapter.conftest import VirtualClock
from tests.adapter.samples import NOW, add_delivery, add_intyg
from tests.builders import PATIENT

TOML = 'environment = "test"\ndata_dir = "data"\n'


@pytest.fixture
def running(tmp_path: Path, clock: VirtualClock) -> Iterator[Store]:
    (tmp_path / "adapter.toml").write_text(TOML)
    store = Store(f"sqlite:///{tmp_path / 'data/adapter.sqlite'}", clock)
    store.migrate(Environment.TEST)
    yield store
    store.close()


def stop_two_and_hold_one(store: Store) -> None:
    with store.begin() as rows:
        add_intyg(rows)
        rows.blocks.add("intyg-1", "RegisterCertificate:3", "fk", "list a.csv", NOW)
        later = NOW + timedelta(seconds=1)
        rows.blocks.add("intyg-2", "RevokeCertificate:2", "fk", "register", later)
        add_delivery(rows)
    [delivery] = store.claim("test", 1, 60)
    why = "patient cannot_tell (register: down), destination real"
    outcome = Outcome(OutcomeKind.HELD, retry_at=NOW + timedelta(minutes=1), detail=why)
    with store.begin() as rows:
        rows.deliveries.record_attempt(delivery, outcome)


def blocked(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, ["blocked", "-c", str(folder / "adapter.toml"), *options])


def test_blocks_newest_first_and_what_waits(running: Store, tmp_path: Path) -> None:
    stop_two_and_hold_one(running)
    result = blocked(tmp_path, "--json")
    assert result.exit_code == 0
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["kind"], row["intygs_id"]) for row in told] == [
        ("block", "intyg-2"),
        ("block", "intyg-1"),
        ("hold", "intyg-1"),
    ]
    assert told[1] == {
        "kind": "block",
        "at": NOW.isoformat(),
        "intygs_id": "intyg-1",
        "contract": "RegisterCertificate:3",
        "destination": "fk",
        "signal": "list a.csv",
    }
    assert told[2]["why"] == "patient cannot_tell (register: down), destination real"
    assert told[2]["ask_again_at"] == (NOW + timedelta(minutes=1)).isoformat()


def test_people_read_one_line_each_and_no_person(running: Store, tmp_path: Path) -> None:
    stop_two_and_hold_one(running)
    result = blocked(tmp_path)
    assert "2026-11-23T09:00:01Z  intyg-2  RevokeCertificate:2  to fk  register" in result.stdout
    assert "asked again 2026-11-23T09:01:00Z" in result.stdout
    assert PATIENT not in result.stdout


def test_at_most_so_many(running: Store, tmp_path: Path) -> None:
    stop_two_and_hold_one(running)
    told = blocked(tmp_path, "--json", "--limit", "1").stdout.splitlines()
    assert [json.loads(line)["kind"] for line in told] == ["block", "hold"]


def test_nothing_is_said_too(running: Store, tmp_path: Path) -> None:
    result = blocked(tmp_path)
    assert (result.exit_code, result.stdout) == (0, "Blocked: nothing\nHeld: nothing\n")


def test_another_environments_database_is_not_looked_into(running: Store, tmp_path: Path) -> None:
    stop_two_and_hold_one(running)
    (tmp_path / "adapter.toml").write_text(TOML.replace("test", "demo"))
    result = blocked(tmp_path)
    assert result.exit_code == 2
    assert "belongs to the environment test" in result.stderr
    assert "intyg-" not in result.stdout


def test_without_a_database_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "adapter.toml").write_text(TOML)
    result = blocked(tmp_path)
    assert result.exit_code == 2
    assert "there is no database" in result.stderr
    assert not (tmp_path / "data").exists()
