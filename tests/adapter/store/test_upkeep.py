"""A database beside its rows: full, gone, damaged, too new, copied, put back; its journal."""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from intyg.adapter.audit.log import verify
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.store import (
    AuditEntry,
    CannotWriteError,
    DamagedError,
    DiskFullError,
    NewerTablesError,
    Store,
    file_of,
    seen_of,
)
from intyg.adapter.store.faults import (
    CODES,
    DatabaseGoneError,
    DiskFailedError,
    ReadOnlyError,
    as_store_error,
)
from intyg.adapter.store.migrations.upgrade import known_revisions
from intyg.adapter.store.own_file import Seen, lock_of
from intyg.adapter.store.upkeep import MOST_WAL_BYTES, journal_of
from tests.adapter.audit import test_log
from tests.adapter.audit.test_log import KEY
from tests.adapter.conftest import VirtualClock
from tests.adapter.databases import SQLITE
from tests.adapter.full_disk import SmallDisk, small_disk
from tests.adapter.samples import NOW, add_intyg


def entry(at: datetime = NOW) -> AuditEntry:
    return replace(test_log.entry(), at=at)


DISK_BYTES = 2 * 1024 * 1024


@pytest.fixture
def empty_file(migrated_urls: dict[str, str]) -> bytes:
    """A database with tables and nothing in them."""
    return Path(str(file_of(migrated_urls[SQLITE]))).read_bytes()


@pytest.fixture
def path(tmp_path: Path, empty_file: bytes) -> Path:
    file = tmp_path / "adapter.sqlite"
    file.write_bytes(empty_file)
    return file


@contextlib.contextmanager
def opened(path: Path, clock: VirtualClock | None = None) -> Iterator[Store]:
    store = Store(f"sqlite:///{path}", clock or VirtualClock())
    with contextlib.closing(store):
        mark(store)
        yield store


def mark(store: Store) -> None:
    """As `migrate` marks a database for its environment; written again to see that it can be."""
    with store._engine.begin() as connection:
        connection.exec_driver_sql("INSERT OR IGNORE INTO environment VALUES ('test')")


@pytest.fixture
def told() -> list[CannotWriteError | None]:
    return []


def add_large(store: Store, number: int, size: int = 40_000) -> None:
    with store.begin() as rows:
        add_intyg(rows, f"intyg-{number}")
        rows.transaction.store_body(os.urandom(size))


# --- what an error is -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("SQLITE_FULL", DiskFullError),
        ("SQLITE_READONLY_DBMOVED", ReadOnlyError),
        ("SQLITE_CORRUPT_INDEX", DamagedError),
        ("SQLITE_NOTADB", DamagedError),
        ("SQLITE_IOERR_FSYNC", DiskFailedError),
        ("SQLITE_CANTOPEN", StoreError),
        ("SQLITE_BUSY", StoreError),
    ],
)
def test_an_error_is_told_by_its_code(code: str, kind: type[StoreError]) -> None:
    original = sqlite3.OperationalError("a text that may quote a row")
    original.sqlite_errorname = code
    with pytest.raises(StoreError, match=code) as caught, as_store_error():
        raise sa.exc.OperationalError("INSERT", {}, original)
    assert type(caught.value) is kind
    assert "quote" not in caught.value.text


def test_postgresqls_codes_are_told_too() -> None:
    kinds = {CODES[code][0] for code in ("53100", "25006", "58030", "XX001")}
    assert kinds == {DiskFullError, ReadOnlyError, DiskFailedError, DamagedError}


# --- no room --------------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path, DISK_BYTES) as disk:
        yield disk


def test_a_full_disk_is_told_once_and_heals_by_itself(
    disk: SmallDisk, empty_file: bytes, told: list[CannotWriteError | None]
) -> None:
    path = disk.folder / "adapter.sqlite"
    path.write_bytes(empty_file)
    with opened(path) as store:
        store.trouble.told.append(told.append)
        store.upkeep.must_write()
        assert store.upkeep._file is not None
        disk.fill()
        for number in range(3):
            with pytest.raises(DiskFullError, match="disk is full: nothing was stored"):
                add_large(store, number)
        store.upkeep.look()  # finds no room yet
        with pytest.raises(DiskFullError):
            store.upkeep.must_write()
        [first] = told
        assert first is not None
        assert "SQLITE_FULL" in first.text
        disk.free()
        store.upkeep.look()
        assert told[1:] == [None]
        store.upkeep.must_write()
        add_large(store, 1)
    with opened(path) as again, again.read() as rows:
        assert rows.intyg.get("intyg-1") is not None


def test_room_for_a_few_bytes_does_not_count(disk: SmallDisk, empty_file: bytes) -> None:
    """What looks whether something can be written is small; certificates are not."""
    path = disk.folder / "adapter.sqlite"
    path.write_bytes(empty_file)
    with opened(path) as store:
        disk.fill()
        with pytest.raises(DiskFullError):
            add_large(store, 1)
        disk.free(32 * 1024)
        store.upkeep.look()
        assert isinstance(store.trouble.now, DiskFullError)


def test_a_disk_that_is_full_before_anybody_writes_is_found_by_looking(
    disk: SmallDisk, empty_file: bytes
) -> None:
    """Health writes: reading alone would call it well."""
    path = disk.folder / "adapter.sqlite"
    path.write_bytes(empty_file)
    with opened(path) as store:
        disk.fill()
        with pytest.raises(DiskFullError):  # its journal has room for a few pages
            prove(store, DISK_BYTES // 4096)
        assert isinstance(store.trouble.now, DiskFullError)


def prove(store: Store, times: int) -> None:
    for _ in range(times):
        store.upkeep._proved_at = float("-inf")
        store.upkeep.must_write()


def test_a_quota_of_the_database_is_a_full_disk(path: Path) -> None:
    with opened(path) as store:
        with store._engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

        @sa.event.listens_for(store._engine, "checkout")
        def limit(connection: sqlite3.Connection, *_: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages + 4}")

        with pytest.raises(DiskFullError):
            add_large(store, 1)


def test_a_disk_that_became_read_only_is_told_for_what_it_is(
    disk: SmallDisk, empty_file: bytes
) -> None:
    path = disk.folder / "adapter.sqlite"
    path.write_bytes(empty_file)
    disk.read_only()
    with pytest.raises(StoreError, match=r"cannot be opened: Read-only file system; see that this"):
        Store(f"sqlite:///{path}", VirtualClock())


def test_a_file_that_is_read_only_is_told_for_what_it_is(path: Path) -> None:
    with opened(path) as store:

        @sa.event.listens_for(store._engine, "checkout")
        def read_only(connection: sqlite3.Connection, *_: object) -> None:
            connection.execute("PRAGMA query_only = ON")  # answers as a read-only file does

        with pytest.raises(ReadOnlyError, match="its file, its folder or the server is read-only"):
            store.upkeep.must_write()


def test_a_failed_sync_stops_the_store_for_good(path: Path) -> None:
    with opened(path) as store:
        store.trouble.begins(
            DiskFailedError("the disk failed (OperationalError SQLITE_IOERR_FSYNC)")
        )
        store.upkeep.look()
        with pytest.raises(DiskFailedError, match="FSYNC"), store.begin():
            pass
    with opened(path) as again:
        again.upkeep.must_write()


# --- the file -------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["deleted", "replaced by another"])
def test_a_file_that_is_gone_takes_nothing_more(
    path: Path, empty_file: bytes, what: str, told: list[CannotWriteError | None]
) -> None:
    with opened(path) as store:
        store.trouble.told.append(told.append)
        add_large(store, 1)
        path.rename(path.with_name("moved"))
        if what != "deleted":
            path.write_bytes(empty_file)
        with pytest.raises(DatabaseGoneError, match=f"was {what} while the adapter runs"):
            add_large(store, 2)
        with pytest.raises(DatabaseGoneError):
            store.upkeep.must_write()
        with store.read() as rows:  # on a connection that was open before
            assert rows.intyg.get("intyg-2") is None
        store._engine.dispose()
        with pytest.raises(DatabaseGoneError), store.read():
            pass  # no new file is made in its place
        assert path.exists() == (what != "deleted")
    assert [type(one) for one in told] == [DatabaseGoneError]


def test_a_file_that_is_gone_is_seen_without_a_call(path: Path) -> None:
    with opened(path) as store:
        path.unlink()
        store.upkeep.look()
        assert isinstance(store.trouble.now, DatabaseGoneError)


def test_damage_is_found_by_looking(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intyg.adapter.store.upkeep._STEPS", 1)
    with opened(path) as store:
        for number in range(20):
            add_large(store, number)
        assert store.upkeep.must_be_whole()
        assert not store.upkeep.must_be_whole(seconds=-1)
    with path.open("r+b") as file:
        file.seek(300_000)
        file.write(os.urandom(4096 * 100))
    store = Store(f"sqlite:///{path}", VirtualClock())
    with contextlib.closing(store), pytest.raises(DamagedError, match="put a backup back"):
        store.upkeep.must_be_whole()


def test_a_file_that_is_no_database_is_damaged(path: Path) -> None:
    path.write_bytes(b"x" * 10_000)
    store = Store(f"sqlite:///{path}", VirtualClock())
    with contextlib.closing(store), pytest.raises(DamagedError, match="SQLITE_NOTADB"):
        store.upkeep.must_be_whole()


def test_tables_of_a_newer_version_are_refused_and_left(database_url: str) -> None:
    store = Store(database_url, VirtualClock())
    with contextlib.closing(store):
        store.migrate()
        with store._engine.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'r9999'")
        newer = r"newer version \(tables r9999; .* up to"
        with pytest.raises(NewerTablesError, match=newer):
            store.migrate()
        with pytest.raises(NewerTablesError, match=newer):
            store.must_belong_to(Environment.TEST)
    assert max(known_revisions()) in {p.name[:5] for p in versions()}


def versions() -> Iterator[Path]:
    from intyg.adapter.store.migrations import versions as package

    return Path(str(package.__file__)).parent.glob("r*.py")


# --- the journal ----------------------------------------------------------------------------------


def size_of_journal(path: Path) -> int:
    return journal_of(path).stat().st_size


def test_the_journal_shrinks_when_who_read_is_done(path: Path) -> None:
    with opened(path) as store:
        with store.read() as reader:
            reader.intyg.get("intyg-1")
            for number in range(60):
                add_large(store, number, 400_000)
            assert size_of_journal(path) > MOST_WAL_BYTES
            store.upkeep.look()
            assert size_of_journal(path) > MOST_WAL_BYTES  # somebody may still read it
        store.upkeep.look()
        assert size_of_journal(path) <= MOST_WAL_BYTES
        with store.read() as rows:
            assert rows.intyg.get("intyg-59") is not None


def test_verifying_the_audit_log_reads_in_pieces(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the journal can be cut meanwhile, however many rows there are."""
    monkeypatch.setattr("intyg.adapter.audit.log.PIECE_ROWS", 2)
    with opened(path) as store:
        with store.begin() as rows:
            for _ in range(40):
                rows.audit.add(entry(), KEY)
        reads = 0

        @contextlib.contextmanager
        def read() -> Iterator[object]:
            nonlocal reads
            reads += 1
            add_large(store, reads, 2_000_000)
            store.upkeep.look()
            with store.read() as rows:
                yield rows

        found = verify(read, KEY)  # type: ignore[arg-type]
        assert (found.rows, found.faults) == (40, ())
        assert reads > 20
        assert size_of_journal(path) < 2 * MOST_WAL_BYTES  # of more than 40 MB written


# --- copies ---------------------------------------------------------------------------------------


def test_a_copy_is_whole_while_others_write(path: Path) -> None:
    target = path.with_name("copy.sqlite")
    going = threading.Event()
    with opened(path) as store:
        add_large(store, 0)

        def write() -> None:
            for number in range(1, 30):
                add_large(store, number)
                going.set()

        writing = threading.Thread(target=write)
        writing.start()
        going.wait(10)
        copied = store.upkeep.copy_to(target)
        writing.join()
    assert (copied.path, copied.bytes) == (target, target.stat().st_size)
    assert target.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in path.parent.iterdir() if "copy" in p.name) == ["copy.sqlite"]
    with opened(target) as copy, copy.read() as rows:
        assert copy.upkeep.must_be_whole()
        assert rows.intyg.get("intyg-1") is not None


def test_a_copy_overwrites_nothing_and_leaves_nothing_half(path: Path, disk: SmallDisk) -> None:
    there = path.with_name("there")
    there.write_text("mine")
    with opened(path) as store:
        with pytest.raises(StoreError, match="is there already"):
            store.upkeep.copy_to(there)
        disk.fill()
        with pytest.raises(StoreError, match="cannot be written"):
            store.upkeep.copy_to(disk.folder / "copy")
        assert store.trouble.now is None  # it is not the database's disk
    assert there.read_text() == "mine"
    assert [p.name for p in disk.folder.iterdir()] == ["ballast"]


# --- an older one put back ------------------------------------------------------------------------


def audited(store: Store, count: int) -> None:
    for _ in range(count):
        with store.begin() as rows:
            rows.audit.add(entry(rows.now), KEY)


def test_an_older_copy_says_from_when_to_when_something_is_missing(path: Path) -> None:
    clock, backup = VirtualClock(), path.with_name("backup.sqlite")
    with opened(path, clock) as store:
        audited(store, 2)
        copied_at = store.upkeep.copy_to(backup).at
        clock.advance(hours=1)
        audited(store, 3)
        store.upkeep.look()
        last = clock.now
        clock.advance(hours=5)
        store.upkeep.look()  # nothing came: the moment stays
    assert seen_of(path) == Seen(5, last)
    backup.replace(path)
    journal_of(path).unlink(missing_ok=True)
    with opened(path, clock) as store:
        missing = store.upkeep.missing()
        assert missing is not None
        assert (missing.since, missing.until, missing.rows) == (copied_at, last, 3)
        assert missing.text.endswith(
            "from 2026-11-23 09:00:00 until 2026-11-23 10:00:00 UTC is missing "
            "(3 rows of the audit log)"
        )
        store.upkeep.forget_missing()
        audited(store, 1)
        store.upkeep.look()
    with opened(path, clock) as store:
        assert store.upkeep.missing() is None


def test_a_copy_on_another_machine_knows_since_when(path: Path) -> None:
    clock, backup = VirtualClock(), path.with_name("backup.sqlite")
    with opened(path, clock) as store:
        audited(store, 1)
        store.upkeep.copy_to(backup)
    clock.advance(days=1)
    with opened(backup, clock) as there:
        missing = there.upkeep.missing()
    assert missing is not None
    assert (missing.since, missing.until) == (VirtualClock().now, None)


def test_an_older_state_that_was_no_copy_of_ours_is_noticed_too(path: Path) -> None:
    clock = VirtualClock()
    with opened(path, clock) as store:
        audited(store, 1)
    older = path.read_bytes()
    clock.advance(minutes=7)
    with opened(path, clock) as store:
        audited(store, 1)
        store.upkeep.look()
    path.write_bytes(older)
    with opened(path, clock) as store:
        missing = store.upkeep.missing()
    assert missing is not None
    assert (missing.since, missing.until) == (VirtualClock().now, clock.now)


def test_a_database_that_goes_on_misses_nothing(path: Path) -> None:
    with opened(path) as store:
        audited(store, 2)
        store.upkeep.look()
    with opened(path) as store:
        assert store.upkeep.missing() is None


def test_a_lock_of_an_earlier_version_says_nothing(path: Path) -> None:
    lock_of(path).write_text("4711")
    with opened(path) as store:
        assert store.upkeep.missing() is None


def test_nothing_is_asked_of_postgresql(store: Store) -> None:
    if store.is_postgresql:
        store.upkeep.look()
        assert store.upkeep.missing() is None
        assert store.upkeep.must_be_whole()
        with pytest.raises(StoreError, match="pg_dump"):
            store.upkeep.copy_to(Path("nowhere"))
