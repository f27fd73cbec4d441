import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from intyg.mocks import forsakringskassan
from intyg.mocks.forsakringskassan import SETTINGS
from intyg.mocks.journal import (
    AnswerState,
    Bounds,
    Filter,
    Journal,
)
from intyg.mocks.journal.store import FileStore, MemoryStore, Store
from intyg.mocks.server.serving import serve
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders
from tests.mocks.calls import post, result
from tests.mocks.journal.entries import entry

pytestmark = pytest.mark.wrong_on_purpose  # entries made by hand

ROOMY = Bounds()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "calls.sqlite"


def in_file(path: Path, bounds: Bounds = ROOMY, journal: str = "FKASSA") -> Journal:
    return Journal(bounds, FileStore(path, journal))


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_a_call_comes_back_as_it_was(path: Path, kind: str) -> None:
    store: Store = MemoryStore() if kind == "memory" else FileStore(path, "FKASSA")
    store.add(entry(2), 17.0)
    store.add(entry(1, http_status=500, contract=None), 18.0)
    assert store.get(2) == entry(2)
    assert store.get(3) is None
    assert list(store.scan(with_bytes=True)) == [entry(1, http_status=500, contract=None), entry(2)]
    assert [(each.number, each.weight, each.kept_at) for each in store.kept()] == [
        (2, entry(2).weight, 17.0),
        (1, entry(1).weight, 18.0),
    ]
    answered = entry(2, reply=b"<much/>" * 9, answer=AnswerState.SENT, result_code="INFO")
    store.update(answered)
    assert list(store.scan(with_bytes=True))[1] == answered
    assert next(iter(store.kept())) == (2, answered.weight, 17.0)
    store.close()


def test_a_file_outlives_the_mock_and_goes_on_with_its_numbers(path: Path) -> None:
    first = in_file(path)
    first.add(entry(first.number()))
    first.add(entry(first.number()))
    first.close()
    second = in_file(path)
    assert [each.number for each in second.entries()] == [1, 2]
    assert second.number() == 3
    second.clear()
    second.close()
    third = in_file(path)
    assert (third.entries(), third.number()) == ((), 3)
    third.close()


def test_a_file_keeps_its_bounds_when_it_is_opened_again(path: Path) -> None:
    first = in_file(path)
    for _ in range(5):
        first.add(entry(first.number()))
    first.close()
    second = in_file(path, Bounds(max_calls=2))
    second.add(entry(second.number()))
    assert [each.number for each in second.entries()] == [5, 6]
    assert second.dropped.calls == 4
    second.close()


def test_journals_share_a_file_and_not_their_calls(path: Path) -> None:
    one, other = in_file(path), in_file(path, journal="SKV")
    one.add(entry(one.number()))
    other.add(entry(other.number(), logical_address="SKV"))
    other.clear()
    assert (one.count(), other.count()) == (1, 0)
    one.close()
    other.close()


def test_a_file_is_for_its_owner_and_for_other_tools(path: Path) -> None:
    journal = in_file(path)
    journal.add(entry(1))
    journal.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with closing(sqlite3.connect(path)) as other:
        [row] = other.execute("SELECT journal, contract, result_code, request FROM calls")
    assert row == ("FKASSA", "RegisterCertificate:3", "OK", entry(1).request)


def test_what_is_no_database_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, and long enough to be told from an empty file\n" * 20)
    with pytest.raises(OSError, match="file is not a database") as caught:
        FileStore(path, "FKASSA")
    assert caught.value.filename == str(path)


def test_bytes_are_read_from_the_file_only_where_they_are_asked_for(path: Path) -> None:
    journal = in_file(path)
    journal.add(entry(1))
    page = journal.page(Filter.parse("result_code=OK"))
    assert page.entries == (entry(1),)
    assert journal.count("request~=kvällar") == 1
    assert journal.count(f"size>={entry(1).size}") == 1
    journal.close()


def test_two_hundred_parallel_calls_are_all_in_the_file(
    path: Path, contracts: Contracts, types: IntygTypes
) -> None:
    kassan = forsakringskassan.PERSONA.make(contracts, types, replace(SETTINGS, journal_file=path))
    bodies = [builders.register_certificate(f"id-{n}") for n in range(200)]
    with serve(kassan) as server, ThreadPoolExecutor(max_workers=40) as pool:
        answers = {result(answer)[0] for answer in pool.map(lambda b: post(server, b), bodies)}
    assert answers == {"OK"}
    found = kassan.journal.entries()
    assert [each.number for each in found] == list(range(1, 201))
    assert {each.intygs_id for each in found} == {f"id-{n}" for n in range(200)}
    assert all(each.request.count(str(each.intygs_id).encode()) == 1 for each in found)
    kassan.journal.close()


def test_runs_are_in_the_file_as_long_as_they_last(
    path: Path, contracts: Contracts, types: IntygTypes
) -> None:
    def names() -> set[str]:
        with closing(sqlite3.connect(path)) as other:
            return {name for (name,) in other.execute("SELECT DISTINCT journal FROM calls")}

    settings = replace(SETTINGS, journal_file=path)
    kassan = forsakringskassan.PERSONA.make(contracts, types, settings)
    for run in ("one", "two"):
        kassan.runs.get(run).journal.add(entry(1))
    kassan.journal.add(entry(1))
    assert names() == {"FKASSA", "FKASSA/one", "FKASSA/two"}
    kassan.runs.end("one")
    assert names() == {"FKASSA", "FKASSA/two"}
    kassan.runs.get("two").journal.close()  # as if the process had died
    kassan.journal.close()
    again = forsakringskassan.PERSONA.make(contracts, types, settings)
    assert names() == {"FKASSA"}
    assert again.runs.get("two").journal.number() == 1
    again.close()


def test_a_call_that_finishes_when_its_run_is_over_is_not_kept(path: Path) -> None:
    journal = in_file(path)
    journal.add(entry(1))
    journal.close()
    journal.add(entry(2))
    again = in_file(path)
    assert [each.number for each in again.entries()] == [1]
    again.close()


def test_verifying_reads_no_bytes_unless_a_filter_asks_for_them(path: Path) -> None:
    journal = in_file(path)
    journal.add(entry(1))
    [head] = journal.heads(Filter.parse("typ=LISJP"))
    assert (head.request, head.intygs_id) == (b"", "id-1")
    assert journal.heads(Filter.parse("typ=LISJP"), Filter.parse("xpath=true()")) == (entry(1),)
    journal.close()


def test_a_call_that_waited_when_its_mock_died_is_not_taken_for_one_that_still_waits(
    path: Path,
) -> None:
    dead, other = in_file(path), in_file(path, journal="SKV")
    dead.add(entry(1, answer=AnswerState.NOT_YET, http_status=None))
    other.add(entry(1, answer=AnswerState.NOT_YET))
    dead.add(entry(2))
    again = in_file(path)
    assert [each.answer for each in again.entries()] == ["stopped", "sent"]
    assert [each.answer for each in other.entries()] == ["not_yet"]
    for each in (dead, other, again):
        each.close()


def test_what_becomes_of_a_call_when_its_run_is_over_is_not_kept(path: Path) -> None:
    journal = in_file(path)
    journal.add(entry(1, answer=AnswerState.NOT_YET))
    journal.close()
    journal.update(entry(1))
    journal.settle(1, AnswerState.SENT, 1.0)
    again = in_file(path)
    assert [each.answer for each in again.entries()] == ["stopped"]
    again.close()
