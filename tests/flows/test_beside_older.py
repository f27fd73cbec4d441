"""
An upgrade: an adapter of an earlier version runs on beside the new one, on the new tables.

The earlier one is the code before ways could be parked, taken out of git's history.
"""

import subprocess
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa

from intyg.adapter.httpd.ports import held_port
from intyg.adapter.store.migrations.upgrade import known_revisions
from tests.adapter.databases import postgresql_schema, why_no_postgresql
from tests.adapter.receivers import receiver
from tests.flows.test_stopping import TOML, await_, is_well, register_and_send, serving

ROOT = Path(__file__).parents[2]
PARKED_CAME_WITH = "adapter/domain/way.py"
PARTS = ("adapter", "schemas", "src")


def git(*arguments: str) -> bytes:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=False)
    if done.returncode != 0:
        why = done.stderr.decode().strip()
        pytest.skip(f"an upgrade beside an earlier version was NOT tried: {why}")
    return done.stdout


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """Where its package is; skips the test, loudly, where history is cut off (a shallow clone)."""
    came = (
        git("log", "--diff-filter=A", "--format=%H", "-1", "--", PARKED_CAME_WITH).decode().strip()
    )
    before = git("rev-parse", "--verify", f"{came}^").decode().strip()
    folder = tmp_path / "earlier"
    with tarfile.open(fileobj=BytesIO(git("archive", before, *PARTS))) as packed:
        packed.extractall(folder, filter="fully_trusted")
    assert not (folder / PARKED_CAME_WITH).exists()
    return folder / "src"


@pytest.fixture
def database() -> Iterator[str]:
    if reason := why_no_postgresql():
        pytest.skip(reason)
    with postgresql_schema() as url:
        yield url


def ask(url: str, statement: str) -> dict[str, str]:
    """Two columns by SQL, since the tables are sometimes the earlier version's."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return {str(row[0]): str(row[1]) for row in connection.exec_driver_sql(statement)}


def revision(url: str) -> str:
    return ask(url, "SELECT 'is', version_num FROM alembic_version")["is"]


def states(url: str) -> dict[str, str]:
    return ask(url, "SELECT intygs_id, state FROM delivery WHERE part = 'FKASSA'")


@pytest.mark.timeout(300)
def test_an_earlier_version_goes_on_beside_the_new_one(
    tmp_path: Path, earlier: Path, database: str
) -> None:
    with receiver() as fk, held_port() as old_port, held_port() as new_port:
        for port in (old_port, new_port):
            toml = TOML.format(database=database, port=port, fk=fk.url, stop_seconds=0)
            toml = toml.replace("stop_seconds = 0", "")  # the earlier version has no such setting
            (tmp_path / f"{port}.toml").write_text(toml)
        with serving(tmp_path, old_port, code=earlier) as old:
            assert revision(database) == "r0003"
            register_and_send(f"http://127.0.0.1:{old_port}", "before")
            await_(lambda: states(database)["before"] == "delivered")
            with serving(tmp_path, new_port):
                assert revision(database) == max(known_revisions())
                for number in range(5):
                    register_and_send(f"http://127.0.0.1:{old_port}", f"old-{number}")
                    register_and_send(f"http://127.0.0.1:{new_port}", f"new-{number}")
                await_(lambda: [*states(database).values()] == ["delivered"] * 11)
                assert is_well(old_port)
                assert is_well(new_port)
            # The earlier one alone again, e.g. since the new one was taken back.
            register_and_send(f"http://127.0.0.1:{old_port}", "after")
            await_(lambda: states(database)["after"] == "delivered")
            assert old.poll() is None
        log = (tmp_path / f"{old_port}.log").read_text()
    assert '"log.level": "error"' not in log
    assert len({received.body for received in fk.received}) == 12
