import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from intyg.adapter.audit.log import AuditKey
from intyg.adapter.cli.main import cli
from intyg.adapter.settings.settings import AuditSettings
from intyg.adapter.store import Store, tables
from tests.adapter.audit.test_log import entry
from tests.adapter.conftest import VirtualClock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An adapter's folder, with six rows in its audit log."""
    (tmp_path / "adapter.toml").write_text('environment = "demo"\ndata_dir = "."\n', "utf-8")
    key = AuditKey.from_settings(AuditSettings(), tmp_path, make=True)
    store = Store(f"sqlite:///{tmp_path / 'adapter.sqlite'}", VirtualClock())
    store.migrate()
    for number in range(6):
        with store.begin() as rows:
            rows.audit.add(entry(number, f"intyg-{number % 2}"), key)
    store.close()
    return tmp_path


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(
        cli, ["audit", *arguments, "--config", str(folder / "adapter.toml")]
    )
    return result.exit_code, result.stdout


def change(folder: Path, statement: sa.Executable) -> None:
    engine = sa.create_engine(f"sqlite:///{folder / 'adapter.sqlite'}", poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(statement)


def test_one_certificates_rows_are_listed_oldest_first(folder: Path) -> None:
    code, text = run(folder, "list", "--intygs-id", "intyg-1", "--json")
    rows = [json.loads(line) for line in text.splitlines()]
    assert code == 0
    assert [row["correlation_id"] for row in rows] == ["c-1", "c-3", "c-5"]
    assert {row["intygs_id"] for row in rows} == {"intyg-1"}


def test_the_newest_are_listed_a_line_each(folder: Path) -> None:
    _, text = run(folder, "list", "--limit", "2")
    first, second = text.splitlines()
    assert "RegisterCertificate:3  OK  intyg intyg-0  by SE1-LAK  from SE1-EHR" in first
    assert "intyg intyg-1" in second


def test_a_whole_log_is_verified_with_its_anchors(folder: Path) -> None:
    _, anchors = run(folder, "anchors")
    (folder / "kept.txt").write_text(anchors, "utf-8")
    code, text = run(folder, "verify", "--log", str(folder / "kept.txt"))
    assert (code, text) == (0, f"6 rows, {len(anchors.splitlines())} anchors: whole\n")


def test_a_changed_row_is_named_and_the_command_fails(folder: Path) -> None:
    change(folder, sa.update(tables.audit).where(tables.audit.c.seq == 2).values(actor="other"))
    code, text = run(folder, "verify")
    assert code == 1
    assert "row 2: changed (or the seq before it), moved, or not written by the adapter" in text
    assert text.endswith("6 rows, 0 anchors: 1 fault\n")


@pytest.mark.parametrize("missing", ["audit.key", "adapter.sqlite"])
def test_without_key_or_database_there_is_nothing_to_say(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    assert run(folder, "verify")[0] == 2
    assert not (folder / missing).exists()
