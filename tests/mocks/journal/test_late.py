"""A journal's file that somebody else holds: calls are answered, and written when it is let go."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from intyg.mocks import forsakringskassan
from intyg.mocks.forsakringskassan import SETTINGS
from intyg.mocks.journal import AnswerState, Journal
from intyg.mocks.journal.late import LateStore
from intyg.mocks.journal.store import FileStore
from intyg.mocks.server.serving import serve
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders
from tests.mocks.calls import post, result
from tests.mocks.journal.entries import entry

pytestmark = pytest.mark.wrong_on_purpose  # entries made by hand


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.sqlite"


@pytest.fixture
def holder(path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody else, who may hold the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        yield other


def late(path: Path) -> LateStore:
    return LateStore(FileStore(path, "FKASSA"), retry_seconds=0.02)


def in_file(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as other:
        return [number for (number,) in other.execute("SELECT number FROM calls")]


def ended(store: LateStore, path: Path) -> list[int]:
    """What the file has once everything is written that can be."""
    store.close()
    return in_file(path)


def test_a_call_is_answered_while_somebody_else_holds_the_file(
    path: Path,
    holder: sqlite3.Connection,
    contracts: Contracts,
    types: IntygTypes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = replace(SETTINGS, journal_file=path)
    kassan = forsakringskassan.PERSONA.make(contracts, types, settings)
    with serve(kassan) as server, caplog.at_level(logging.INFO):
        holder.execute("BEGIN EXCLUSIVE")
        answers = [post(server, builders.register_certificate(f"id-{n}")) for n in range(3)]
        in_a_run = post(server, builders.register_certificate("id-9"), path="/run/one/")
        assert [result(each)[0] for each in (*answers, in_a_run)] == ["OK"] * 4
        assert [each.intygs_id for each in kassan.journal.entries()] == ["id-0", "id-1", "id-2"]
        assert kassan.journal.entries()[2].request == answers[2].request.body
        assert in_file(path) == []
        holder.execute("COMMIT")
    kassan.runs.get("one").journal.close()
    kassan.journal.close()
    assert in_file(path) == [1, 2, 3, 1]
    said = [each.getMessage() for each in caplog.records if each.name.startswith("intyg.mocks")]
    assert said == [f"journal_waits file={path} cause=database is locked"] * 2  # one a journal


def test_what_becomes_of_a_late_call_is_kept_too(path: Path, holder: sqlite3.Connection) -> None:
    store = late(path)
    store.add(entry(1), 1.0)
    store.add(entry(2), 2.0)
    holder.execute("BEGIN IMMEDIATE")
    store.update(entry(1, answer=AnswerState.SENT, result_code="INFO"))
    store.add(entry(4, answer=AnswerState.NOT_YET), 4.0)
    store.update(entry(4, result_code="ERROR"))
    store.add(entry(3), 3.0)
    store.remove(2)
    store.add(entry(5), 5.0)
    store.remove(5)
    wanted = [entry(1, result_code="INFO"), entry(3), entry(4, result_code="ERROR")]
    assert list(store.scan(with_bytes=True)) == wanted
    assert [store.get(n) for n in range(1, 6)] == [wanted[0], None, wanted[1], wanted[2], None]
    holder.execute("COMMIT")
    assert ended(store, path) == [1, 3, 4]
    again = FileStore(path, "FKASSA")
    assert list(again.scan(with_bytes=True)) == wanted
    assert {each.number: each.kept_at for each in again.kept()} == {1: 1.0, 3: 3.0, 4: 4.0}
    again.close()


def test_a_journal_that_was_emptied_meanwhile_stays_empty(
    path: Path, holder: sqlite3.Connection
) -> None:
    journal = Journal(store=late(path))
    journal.add(entry(journal.number()))
    holder.execute("BEGIN IMMEDIATE")
    journal.add(entry(journal.number()))
    journal.clear()
    assert journal.entries() == ()
    journal.add(entry(journal.number()))
    assert [each.number for each in journal.entries()] == [3]
    holder.execute("COMMIT")
    journal.close()
    assert in_file(path) == [3]


def test_numbers_of_calls_that_were_never_written_are_not_used_again(
    path: Path, holder: sqlite3.Connection
) -> None:
    store = late(path)
    holder.execute("BEGIN IMMEDIATE")
    store.add(entry(7), 7.0)
    store.clear()
    holder.execute("COMMIT")
    assert ended(store, path) == []
    again = FileStore(path, "FKASSA")
    assert again.last_number == 7
    again.close()


def test_a_mock_that_ends_before_the_file_is_let_go_says_what_is_lost(
    path: Path,
    holder: sqlite3.Connection,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("intyg.mocks.journal.late._LAST_SECONDS", 0.0)
    store = late(path)
    holder.execute("BEGIN IMMEDIATE")
    store.add(entry(1), 1.0)
    store.close()
    assert f"journal_lost file={path} calls=1" in caplog.text
    holder.execute("COMMIT")
    assert in_file(path) == []
