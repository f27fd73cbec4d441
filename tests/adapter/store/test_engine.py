"""Transactions, durability, errors, and who may open the database."""

import contextlib
import hashlib
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time
import traceback
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import make_url

from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.store import (
    ConstraintError,
    Store,
    UnreleasedTablesError,
    database_version,
    tables,
)
from intyg.adapter.store.faults import FAULTS, as_store_error
from intyg.adapter.store.migrations.upgrade import UNRELEASED
from tests.adapter.conftest import VirtualClock
from tests.adapter.databases import make_unreleased, sqlite_url
from tests.adapter.samples import (
    NOW,
    add_delivery,
    add_intyg,
    handelse,
    inbound,
    intyg,
)


def test_migrations_and_tables_agree(store: Store) -> None:
    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_migrations_and_tables_agree_on_every_index(tmp_path: Path, clock: VirtualClock) -> None:
    """Alembic's comparison does not look at the conditions of partial indexes."""
    migrated = Store(sqlite_url(tmp_path / "migrated"), clock)
    migrated.migrate()
    created = Store(sqlite_url(tmp_path / "created"), clock)
    tables.metadata.create_all(created._engine)
    statements = []
    for store in (migrated, created):
        with store._engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master ORDER BY name")
            statements.append(
                {row.name: _parts(row.sql) for row in rows if "alembic" not in row.name}
            )
        store.close()
    assert statements[0] == statements[1]
    assert "state IN" in "".join(statements[0]["ix_delivery_due"])


def _parts(sql: str | None) -> list[str]:
    """The parts of a statement; they may come in any order: a migration adds columns last."""
    parts = (part.strip(" \t()") for part in re.split(r"[,\n]", sql or ""))
    return sorted(part for part in parts if part)


def test_a_second_file_gets_what_the_steps_made_of_the_first(
    tmp_path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intyg.adapter.store.migrations.upgrade._made_before", ())
    made = []
    for name in ("by steps", "at once", "once more"):
        url = sqlite_url(tmp_path / name)
        with contextlib.closing(Store(url, clock)) as store:
            store.migrate(Environment.TEST)
        with contextlib.closing(sqlite3.connect(make_url(url).database or "")) as file:
            rows = file.execute("SELECT type, name, tbl_name, sql FROM sqlite_master")
            made.append((sorted(map(str, rows)), sorted(file.iterdump())))
        monkeypatch.setattr("alembic.command.upgrade", pytest.fail)
    assert made[0] == made[1] == made[2]
    assert "CREATE TABLE delivery" in "".join(made[0][1])


def test_migrating_again_changes_nothing(store: Store) -> None:
    with store.begin() as rows:
        add_intyg(rows)
    store.migrate()
    with store.read() as rows:
        assert rows.intyg.get("intyg-1") is not None


def test_processes_that_start_at_once_migrate_one_after_the_other(
    database_url: str, clock: VirtualClock
) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("a SQLite database has one process")
    stores = [Store(database_url, clock) for _ in range(3)]
    failures: list[Exception] = []

    def migrate(store: Store) -> None:
        try:
            store.migrate()
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=migrate, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        store.close()
    assert failures == []


def test_a_database_from_before_the_first_release_is_refused_and_left_as_it_is(
    database_url: str, clock: VirtualClock
) -> None:
    make_unreleased(database_url, "0003")
    before = contents(database_url)
    store = Store(database_url, clock)
    with pytest.raises(UnreleasedTablesError, match=r"first release \(tables 0003\)") as migrating:
        store.migrate(Environment.TEST)
    with pytest.raises(UnreleasedTablesError) as looking:
        store.must_belong_to(Environment.TEST)
    store.close()
    assert contents(database_url) == before
    assert migrating.value.text == looking.value.text
    assert migrating.value.text.endswith(f": remove {what_to_remove(database_url)}")
    assert "\n" not in migrating.value.text


@pytest.mark.parametrize("revision", sorted(UNRELEASED))
def test_no_unreleased_revision_is_one_of_todays(revision: str, tmp_path: Path) -> None:
    """Otherwise it would be upgraded from tables that are not there."""
    make_unreleased(sqlite_url(tmp_path), revision)
    store = Store(sqlite_url(tmp_path), system_clock)
    with pytest.raises(UnreleasedTablesError):
        store.migrate()
    store.close()


def what_to_remove(url: str) -> str:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return f"the file {parsed.database}"
    schema = str(parsed.query["options"]).removeprefix("-csearch_path=")
    return f"the schema {schema} of the database {parsed.database}"


def contents(url: str) -> dict[str, list[sa.Row[tuple[object, ...]]]]:
    """Each table with its rows."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        return {name: list(connection.execute(sa.text(f"SELECT * FROM {name}"))) for name in names}


def test_everything_in_a_transaction_that_fails_is_gone(store: Store) -> None:
    def store_and_fail() -> None:
        with store.begin() as rows:
            add_delivery(rows)
            rows.events.add(handelse())
            raise KeyError("our own code fails after storing")

    with pytest.raises(KeyError):
        store_and_fail()
    with store.read() as rows:
        assert rows.intyg.get("intyg-1") is None
        assert rows.deliveries.find() == ()
        assert rows.events.of_intyg("intyg-1") == ()


def test_what_is_committed_survives_closing(database_url: str, clock: VirtualClock) -> None:
    first = Store(database_url, clock)
    first.migrate()
    with first.begin() as rows:
        add_intyg(rows)
    first.close()
    second = Store(database_url, clock)
    with second.read() as rows:
        assert rows.intyg.get("intyg-1") is not None
    second.close()


def test_reading_does_not_wait_for_a_writer(store: Store) -> None:
    with store.begin() as writing:
        add_intyg(writing)
        with store.read() as reading:
            assert reading.intyg.get("intyg-1") is None


def test_a_transaction_inside_another_is_refused_instead_of_hanging(tmp_path: Path) -> None:
    store = Store(sqlite_url(tmp_path), VirtualClock())
    with store.begin(), pytest.raises(RuntimeError), store.begin():
        pass
    store.close()


def test_decisions_about_one_certificate_come_one_at_a_time(store: Store) -> None:
    """Two threads take the lock, read, think, and write: neither overwrites the other."""
    with store.begin() as rows:
        add_intyg(rows)
    revoked_by: list[str] = []

    def revoke(name: str) -> None:
        with store.begin() as rows:
            found = rows.intyg.lock("intyg-1")
            assert found is not None
            time.sleep(0.05)
            if found.revoked_at is None:
                rows.intyg.set_revoked("intyg-1", NOW)
                revoked_by.append(name)

    threads = [threading.Thread(target=revoke, args=(f"t{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(revoked_by) == 1


def test_times_are_utc_in_and_out_whatever_zone_they_came_in(store: Store) -> None:
    swedish = datetime(2026, 7, 1, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    with store.begin() as rows:
        add_intyg(rows, signeringstidpunkt=swedish)
    with store.read() as rows:
        found = rows.intyg.get("intyg-1")
    assert found is not None
    assert found.intyg.signeringstidpunkt == swedish
    assert str(found.intyg.signeringstidpunkt) == "2026-07-01 10:00:00.123456+00:00"


def test_a_time_without_zone_is_refused(store: Store) -> None:
    with pytest.raises(StoreError), store.begin() as rows:
        add_intyg(rows, signeringstidpunkt=datetime(2026, 7, 1))  # noqa: DTZ001


def test_bodies_are_kept_once_and_byte_for_byte(store: Store) -> None:
    body = "<a>\r\n åäö &#xE5;<b ></b></a>".encode()
    with store.begin() as rows:
        for intygs_id in ("intyg-1", "intyg-2"):
            rows.intyg.add(
                intyg(intygs_id), inbound(body), body=body, is_test=None, signature="ABSENT"
            )
    with store.read() as rows:
        found = rows.intyg.get("intyg-2")
    with store._engine.connect() as connection:
        kept = sa.select(sa.func.count()).where(tables.body.c.data == body)
        bodies = connection.scalars(kept).one()
    assert found is not None
    assert found.body == body
    assert found.sha256 == hashlib.sha256(body).hexdigest()
    assert bodies == 1


def test_a_damaged_body_is_not_handed_out(store: Store) -> None:
    with store.begin() as rows:
        add_intyg(rows)
    with store._engine.begin() as connection:
        connection.execute(sa.update(tables.body).values(data=b"<intyg>intyg-9</intyg>"))
    with store.read() as rows, pytest.raises(StoreError, match="damaged"):
        rows.intyg.get("intyg-1")


# --- errors ---------------------------------------------------------------------------------------


def test_errors_of_the_database_quote_nothing_of_a_row(store: Store) -> None:
    secret = "189001019802"
    with pytest.raises(ConstraintError) as caught, store.begin() as rows:
        # No such certificate: the database's own text quotes the failing row.
        rows.transaction.connection.execute(
            sa.insert(tables.intygs_status).values(
                intygs_id=secret, status="RECEIV", part=None, tidpunkt=NOW
            )
        )
    assert secret not in "".join(traceback.format_exception(caught.value))


def test_every_error_of_the_libraries_is_mapped() -> None:
    errors = [value for value in vars(sa.exc).values() if isinstance(value, type)]
    kinds = [kind for kind in errors if issubclass(kind, sa.exc.SQLAlchemyError)]
    assert len(kinds) > 20
    for kind in kinds:
        error = kind.__new__(kind)
        with pytest.raises(StoreError), as_store_error():
            raise error
    assert all(issubclass(fault, StoreError) for fault, _ in FAULTS.values())


def test_a_server_that_is_not_there_is_a_store_error(clock: VirtualClock) -> None:
    store = Store("postgresql+psycopg://nobody@127.0.0.1:1/none", clock)
    with pytest.raises(StoreError), store.read():
        pass
    store.close()


def test_other_databases_are_refused(clock: VirtualClock) -> None:
    with pytest.raises(ValueError, match="mysql"):
        Store("mysql://somewhere/else", clock)


def test_the_version_is_that_of_the_library_or_server(database_url: str, tmp_path: Path) -> None:
    backend = make_url(database_url).get_backend_name()
    asked = {"sqlite": "SELECT sqlite_version()", "postgresql": "SHOW server_version"}[backend]
    told = database_version(database_url)
    assert list(tmp_path.iterdir()) == []  # no file was made
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        number = connection.exec_driver_sql(asked).scalar_one().split()[0]
    engine.dispose()
    assert told == f"{'SQLite' if backend == 'sqlite' else 'PostgreSQL'} {number}"


def test_the_version_of_a_server_that_is_not_there_is_a_store_error() -> None:
    with pytest.raises(StoreError):
        database_version("postgresql+psycopg://nobody@127.0.0.1:1/none")


# --- who may open a SQLite file -------------------------------------------------------------------


def test_a_second_process_on_the_same_file_is_refused(tmp_path: Path, clock: VirtualClock) -> None:
    url = sqlite_url(tmp_path)
    store = Store(url, clock)
    program = (
        "import sys\n"
        "from intyg.adapter.domain.errors import StoreError\n"
        "from intyg.adapter.domain.clock import system_clock\n"
        "from intyg.adapter.store import Store\n"
        "try: Store(sys.argv[1], system_clock)\n"
        "except StoreError as error: print(error)\n"
    )
    second = subprocess.run(
        [sys.executable, "-c", program, url], capture_output=True, text=True, check=True
    )
    store.close()
    assert f"in use by process {os.getpid()}" in second.stdout


def test_a_file_is_free_again_after_closing(tmp_path: Path, clock: VirtualClock) -> None:
    for _ in range(2):
        Store(sqlite_url(tmp_path), clock).close()


def test_reading_only_works_beside_the_owner_and_changes_nothing(
    tmp_path: Path, clock: VirtualClock
) -> None:
    owner = Store(sqlite_url(tmp_path), clock)
    owner.migrate()
    with owner.begin() as rows:
        add_intyg(rows)
    looker = Store(sqlite_url(tmp_path), clock, read_only=True)
    with looker.read() as rows:
        assert rows.intyg.get("intyg-1") is not None
        with pytest.raises(sa.exc.OperationalError):
            rows.intyg.set_revoked("intyg-1", NOW)
    with pytest.raises(StoreError, match="reading only"), looker.begin():
        pass
    looker.close()
    owner.close()


def test_reading_only_makes_no_database(tmp_path: Path, clock: VirtualClock) -> None:
    with pytest.raises(StoreError, match="there is no database"):
        Store(sqlite_url(tmp_path), clock, read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_only_the_owner_can_read_the_file(tmp_path: Path, clock: VirtualClock) -> None:
    store = Store(sqlite_url(tmp_path), clock)
    store.migrate()
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}
    store.close()
    assert "adapter.sqlite-wal" in modes
    assert set(modes.values()) == {"0o600"}


def test_sqlite_syncs_every_commit_to_disk(tmp_path: Path, clock: VirtualClock) -> None:
    store = Store(sqlite_url(tmp_path), clock)
    with store._engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    store.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}  # 2: FULL


def test_a_sqlite_write_transaction_has_the_lock_from_its_start(
    tmp_path: Path, clock: VirtualClock
) -> None:
    """One that took it only at its first write could fail in its middle."""
    store = Store(sqlite_url(tmp_path), clock)
    store.migrate()
    with contextlib.closing(sqlite3.connect(tmp_path / "adapter.sqlite", timeout=0)) as backup:
        with store.read():
            backup.execute("BEGIN IMMEDIATE")
            backup.rollback()
        with store.begin(), pytest.raises(sqlite3.OperationalError, match="locked"):
            backup.execute("BEGIN IMMEDIATE")
    store.close()


def test_in_memory_is_one_database_for_all_threads(clock: VirtualClock) -> None:
    store = Store("sqlite://", clock)
    store.migrate()
    with store.begin() as rows:
        add_intyg(rows)
    found: list[bool] = []

    def look() -> None:
        with store.read() as rows:
            found.append(rows.intyg.get("intyg-1") is not None)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    store.close()
    assert found == [True]


# --- waking ---------------------------------------------------------------------------------------


def test_a_committed_delivery_wakes_who_waits(store: Store) -> None:
    store.wait_for_work(0.2)  # lets the listener connect
    woken: list[bool] = []
    waiting = threading.Thread(target=lambda: woken.append(store.wait_for_work(10)))
    waiting.start()
    time.sleep(0.05)
    started = time.monotonic()
    with store.begin() as rows:
        add_delivery(rows)
    waiting.join()
    assert woken == [True]
    assert time.monotonic() - started < 2


def test_what_was_added_since_the_last_look_is_not_slept_through(store: Store) -> None:
    store.wait_for_work(0.2)
    seen = store.wakes
    with store.begin() as rows:
        add_delivery(rows)
    assert store.wait_for_work(5, seen)


def test_other_processes_are_woken_on_postgresql(database_url: str, clock: VirtualClock) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("a SQLite database has one process")
    here, there = Store(database_url, clock), Store(database_url, clock)
    here.migrate()
    there.wait_for_work(0.3)
    seen = there.wakes
    with here.begin() as rows:
        add_delivery(rows)
    woken = there.wait_for_work(5, seen)
    here.close()
    there.close()
    assert woken


def test_connections_that_the_server_has_ended_are_made_anew(store: Store) -> None:
    if not store.is_postgresql:
        pytest.skip("SQLite has no server")
    with store.read() as rows:
        pid = rows.transaction.connection.scalar(sa.text("SELECT pg_backend_pid()"))
    server = sa.create_engine(store._engine.url, poolclass=sa.NullPool)
    with server.begin() as connection:
        connection.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    with store.read() as rows:  # the pool gives the one that was used last
        assert rows.transaction.connection.scalar(sa.text("SELECT pg_backend_pid()")) != pid
