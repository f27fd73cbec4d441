"""Functions that share a commit: answered after it, undone one by one, lost together."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa

from intyg.adapter.audit.log import AuditKey, AuditLog, verify
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.store import AuditEntry, ConstraintError, DuplicateRow, Rows, Store, group_commit
from intyg.schemas.codes import ErrorId
from tests.adapter.full_disk import small_disk
from tests.adapter.samples import NOW, add_intyg

KEY: Final = AuditKey(b"k" * 32)
WAIT_SECONDS: Final = 20.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """On SQLite alone: PostgreSQL lets callers commit side by side."""
    store = Store(f"sqlite:///{tmp_path / 'adapter.sqlite'}", system_clock)
    store.migrate()
    yield store
    store.close()


@contextmanager
def commits(store: Store) -> Iterator[list[float]]:
    """When there was one while the block lasts."""
    seen: list[float] = []

    def note(_connection: sa.Connection) -> None:
        seen.append(time.monotonic())

    sa.event.listen(store._engine, "commit", note)
    try:
        yield seen
    finally:
        sa.event.remove(store._engine, "commit", note)


def together(store: Store, *functions: Callable[[Rows], Any]) -> list["Future[Any]"]:
    """Let callers come, in this order, while somebody else writes; returns when all are at an end.

    The first of them leads.
    """
    group = store._group
    assert group is not None
    with ThreadPoolExecutor(len(functions)) as callers, store.begin():
        told = []
        for count, function in enumerate(functions, start=1):
            told.append(callers.submit(store.write, function))
            until = time.monotonic() + WAIT_SECONDS
            while len(group._waiting) < count:
                assert time.monotonic() < until
                threading.Event().wait(0.001)
    return told


def adds(intygs_id: str) -> Callable[[Rows], str]:
    def add(rows: Rows) -> str:
        add_intyg(rows, intygs_id)
        return intygs_id

    return add


def fails(error: BaseException) -> Callable[[Rows], str]:
    """Writes first, and then cannot go on."""

    def fail(rows: Rows) -> str:
        add_intyg(rows, "of one that fails")
        raise error

    return fail


def stored(store: Store) -> set[str]:
    with store.read() as rows:
        return {one.intygs_id for one in rows.intyg.of_unit("SE1-ENHET", 100)}


def test_callers_who_wait_are_answered_after_one_commit(store: Store) -> None:
    with commits(store) as seen:
        told = together(store, *(adds(f"intyg-{n}") for n in range(8)))
    assert [one.result() for one in told] == [f"intyg-{n}" for n in range(8)]
    assert stored(store) == {f"intyg-{n}" for n in range(8)}
    assert len(seen) == 2  # of the one before whom they waited, and theirs


def test_a_group_has_an_end(store: Store) -> None:
    most = group_commit.MOST
    with commits(store) as seen:
        told = together(store, *(adds(f"intyg-{n}") for n in range(most + 1)))
    assert len({one.result() for one in told}) == most + 1
    assert len(seen) == 3


def test_nobody_is_answered_before_the_commit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered: list[str] = []
    at_commit: list[tuple[str, ...]] = []
    write = store.write

    def caller(function: Callable[[Rows], Any]) -> None:
        answered.append(write(function))

    monkeypatch.setattr(store, "write", caller)
    sa.event.listen(store._engine, "commit", lambda _: at_commit.append(tuple(answered)))
    together(store, *(adds(f"intyg-{n}") for n in range(4)))
    assert at_commit == [(), ()]
    assert len(answered) == 4


def test_what_is_answered_is_there_for_everybody(store: Store) -> None:
    def call(number: int) -> bool:
        store.write(adds(f"intyg-{number}"))
        return f"intyg-{number}" in stored(store)  # read on a connection of its own

    with ThreadPoolExecutor(8) as callers:
        assert all(callers.map(call, range(60)))


def test_one_bad_function_undoes_only_itself(store: Store) -> None:
    def refused(rows: Rows) -> None:
        add_intyg(rows, "refused by the database")
        rows.transaction.connection.execute(sa.text("INSERT INTO audit_head (chain) VALUES (1)"))

    def no_sql(rows: Rows) -> None:
        add_intyg(rows, "no SQL")
        rows.transaction.connection.execute(sa.text("INSERT INTO body (sha256) VALUES (:missing)"))

    first, bad, worse, worst, last = together(
        store, adds("first"), fails(ValueError("bad")), refused, no_sql, adds("last")
    )
    assert (first.result(), last.result()) == ("first", "last")
    with pytest.raises(ValueError, match="bad"):
        bad.result()
    with pytest.raises(ConstraintError):
        worse.result()
    with pytest.raises(StoreError):
        worst.result()
    assert stored(store) == {"first", "last"}


def test_the_first_of_a_group_may_be_the_bad_one(store: Store) -> None:
    bad, good = together(store, fails(ValueError("bad")), adds("good"))
    assert isinstance(bad.exception(), ValueError)
    assert good.result() == "good"
    assert stored(store) == {"good"}


def test_who_lost_a_race_is_run_once_more_and_sees_who_won(store: Store) -> None:
    seen: list[bool] = []

    def late(rows: Rows) -> bool:
        seen.append(rows.intyg.has("intyg-1"))
        if len(seen) == 1:
            raise DuplicateRow("intyg", "intyg-1")
        return seen[-1]

    first, second = together(store, adds("intyg-1"), late)
    assert (first.result(), second.result()) == ("intyg-1", True)
    always = together(store, fails(DuplicateRow("intyg", "x")), adds("intyg-2"))
    assert isinstance(always[0].exception(), DuplicateRow)
    assert stored(store) == {"intyg-1", "intyg-2"}


# --- the disk -------------------------------------------------------------------------------------


def disk_error(*_: object) -> None:
    raise sa.exc.OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))


def add_long(number: int, rows: Rows) -> None:
    """More than the room that a database has left within itself."""
    add_intyg(rows, f"full-{number}", typ="x" * (4096 if number else 1024 * 1024))


def assert_all_lost(told: list["Future[Any]"]) -> None:
    for one in told:
        error = one.exception()
        assert isinstance(error, StoreError)
        assert error.error_id is ErrorId.TECHNICAL_ERROR
    assert len({id(one.exception()) for one in told}) == len(told)  # each has its own


def test_a_commit_that_fails_fails_for_all_of_the_group(store: Store) -> None:
    def lost_from_here(rows: Rows) -> None:
        add_intyg(rows, "intyg-9")
        sa.event.listen(store._engine, "commit", disk_error)

    assert_all_lost(together(store, adds("intyg-1"), lost_from_here, adds("intyg-2")))
    sa.event.remove(store._engine, "commit", disk_error)
    assert stored(store) == set()
    assert store.write(adds("afterwards")) == "afterwards"


def test_a_disk_that_fails_in_a_function_fails_all_of_the_group(store: Store) -> None:
    *lost, later = together(store, adds("intyg-1"), disk_error, adds("intyg-2"))
    assert_all_lost(lost)
    assert later.result() == "intyg-2"  # the next group: it was not begun
    assert stored(store) == {"intyg-2"}
    assert store.write(adds("afterwards")) == "afterwards"


def test_a_full_disk_fails_all_of_the_group_and_keeps_what_was_there(tmp_path: Path) -> None:
    with small_disk(tmp_path, size=4 * 1024 * 1024) as disk:
        store = Store(f"sqlite:///{disk.folder / 'adapter.sqlite'}", system_clock)
        store.migrate()
        store.write(adds("before"))
        disk.fill()
        assert_all_lost(together(store, *(partial(add_long, number) for number in range(3))))
        disk.free()
        assert stored(store) == {"before"}
        assert store.write(adds("afterwards")) == "afterwards"
        store.close()


def test_a_leader_who_is_broken_off_leaves_nobody_waiting(store: Store) -> None:
    broken, other = together(store, fails(KeyboardInterrupt()), adds("intyg-2"))
    assert isinstance(broken.exception(), KeyboardInterrupt)
    assert other.result() == "intyg-2"  # the next group: it was not begun
    assert stored(store) == {"intyg-2"}
    one, broken = together(store, adds("intyg-3"), fails(KeyboardInterrupt()))
    assert isinstance(one.exception(), KeyboardInterrupt)  # who leads is the one broken off
    assert isinstance(broken.exception(), StoreError)
    assert stored(store) == {"intyg-2"}


# --- alone ----------------------------------------------------------------------------------------


def test_who_comes_alone_does_not_wait(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "LONGEST_SECONDS", 3600.0)
    with commits(store) as seen:
        for number in range(3):
            store.write(adds(f"intyg-{number}"))
    assert len(seen) == 3


def test_a_function_is_its_callers_whoever_runs_it(store: Store) -> None:
    caller: ContextVar[str] = ContextVar("caller", default="nobody")

    def call(name: str) -> str:
        caller.set(name)
        return store.write(lambda _: caller.get())

    with ThreadPoolExecutor(4) as callers, store.begin():
        told = [callers.submit(call, f"caller {n}") for n in range(4)]
    assert [one.result() for one in told] == [f"caller {n}" for n in range(4)]


def test_a_function_that_writes_by_another_is_refused_instead_of_hanging(store: Store) -> None:
    with pytest.raises(RuntimeError, match="wait for itself"):
        store.write(lambda _: store.write(adds("intyg-1")))


# --- the audit's rows -----------------------------------------------------------------------------


def test_the_chains_of_the_audit_hold_whoever_fails_in_the_group(store: Store) -> None:
    log = AuditLog(store, KEY)
    log.check_key()

    def fails_late() -> None:
        raise ValueError("late")

    def records(number: int) -> Callable[[Rows], None]:
        def record(rows: Rows) -> None:
            entry = AuditEntry(NOW, "x", "OK", "", f"i{number}", None, None, None, f"c{number}")
            log.add(rows, entry)
            if number % 5 == 3:
                rows.transaction.at_end.append(fails_late)

        return record

    told = together(store, *(records(number) for number in range(30)))
    assert sum(one.exception() is None for one in told) == 24
    found = verify(store.read, KEY)
    assert (found.rows, found.faults) == (24, ())


def test_there_is_no_answer_without_a_commit(store: Store) -> None:
    job = group_commit._Job(adds("intyg-1"))
    with store._transaction(write=True) as connection:
        job.run(connection, system_clock)
        with pytest.raises(StoreError, match="did not come to its end"):
            job.answer()
        job.is_kept = True
        assert job.answer() == "intyg-1"
