import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from intyg.mocks.journal import (
    AnswerState,
    Bounds,
    Dropped,
    Entry,
    Filter,
    Journal,
    Step,
    Verdict,
)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)

pytestmark = pytest.mark.wrong_on_purpose  # entries of nothing but a size


def entry(number: int, contract: str | None = "RegisterCertificate:3", size: int = 10) -> Entry:
    return Entry(
        number=number,
        received_at=NOW,
        duration_seconds=0.0,
        method="POST",
        path="/",
        headers=(),
        request=b"x" * size,
        reply=b"",
        http_status=200,
        contract=contract,
        intygs_id=f"id-{number}",
        result_code="OK",
        steps=(Step("xsd", Verdict.OK),),
    )


def test_calls_stand_in_order_of_arrival_however_they_finish() -> None:
    journal = Journal(Bounds(10, 1000))
    first, second = journal.number(), journal.number()
    journal.add(entry(second))
    journal.add(entry(first))
    assert [each.number for each in journal.entries()] == [1, 2]


def test_filters_narrow_down_by_contract_with_or_without_its_version() -> None:
    journal = Journal(Bounds(10, 1000))
    journal.add(entry(1))
    journal.add(entry(2, "RevokeCertificate:2"))
    journal.add(entry(3, None))
    assert [e.number for e in journal.entries(contract="RegisterCertificate")] == [1]
    assert [e.number for e in journal.entries(contract="RevokeCertificate:2")] == [2]
    assert [e.number for e in journal.entries(intygs_id="id-3")] == [3]
    assert journal.entries(result_code="ERROR") == ()


def test_beyond_its_bounds_the_oldest_calls_are_dropped_and_counted() -> None:
    by_count = Journal(Bounds(2, 1000))
    by_bytes = Journal(Bounds(10, 25))
    for number in (1, 2, 3):
        by_count.add(entry(number))
        by_bytes.add(entry(number))
    # 25 bytes hold two calls of 10
    for journal, dropped in ((by_count, Dropped(calls=1)), (by_bytes, Dropped(bytes=1))):
        assert [each.number for each in journal.entries()] == [2, 3]
        assert (journal.dropped, journal.dropped.total) == (dropped, 1)


def test_headers_count_as_bytes_that_are_kept() -> None:
    journal = Journal(Bounds(10, 100))
    for number in (1, 2):
        journal.add(replace(entry(number), headers=(("X-A", "x" * 60),)))
    assert [each.number for each in journal.entries()] == [2]


def test_one_call_larger_than_the_bound_is_still_kept() -> None:
    journal = Journal(Bounds(10, 5))
    journal.add(entry(1))
    assert [each.number for each in journal.entries()] == [1]


def test_clearing_forgets_calls_but_never_reuses_a_number() -> None:
    journal = Journal(Bounds(10, 1000))
    journal.add(entry(journal.number()))
    journal.clear()
    assert journal.entries() == ()
    assert journal.number() == 2


def test_waiting_ends_when_enough_calls_match() -> None:
    journal = Journal(Bounds(10, 1000))
    found: list[int] = []

    def wait() -> None:
        calls = journal.wait(2, timeout_seconds=5, contract="RegisterCertificate")
        found.extend(each.number for each in calls)

    waiter = threading.Thread(target=wait)
    waiter.start()
    for number in (1, 2):
        journal.add(entry(number))
    waiter.join(5)
    assert found == [1, 2]


def test_a_call_that_has_its_number_is_waited_for_until_it_is_kept() -> None:
    journal = Journal(Bounds(10, 1000))
    number = journal.number()
    assert journal.get(number) is None
    with ThreadPoolExecutor() as pool:
        found = pool.submit(journal.get, number, 30)
        time.sleep(0.05)  # so that it most likely waits
        journal.add(entry(number))
        kept = found.result()
    assert kept is not None
    assert kept.number == number


def test_a_number_that_nobody_has_is_not_waited_for() -> None:
    started = time.monotonic()
    assert Journal(Bounds(10, 1000)).get(1, 30) is None
    assert time.monotonic() - started < 10


def test_waiting_in_vain_gives_what_there_is() -> None:
    journal = Journal(Bounds(10, 1000))
    journal.add(entry(1))
    assert len(journal.wait(2, timeout_seconds=0.01)) == 1


def test_content_of_calls_is_not_shown_by_repr() -> None:
    assert "xxxx" not in repr(entry(1))


# --- age, pages, many who wait --------------------------------------------------------------------


def test_calls_that_are_too_old_are_dropped_and_counted_even_if_none_follows() -> None:
    now = [1000.0]
    journal = Journal(Bounds(max_age_seconds=60), now=lambda: now[0])
    journal.add(entry(1))
    now[0] = 1030
    journal.add(entry(2))
    now[0] = 1061  # the first is 61 s old, the second 31 s
    assert [each.number for each in journal.entries()] == [2]
    assert journal.dropped == Dropped(age=1)
    now[0] = 1091
    assert (journal.get(2), journal.count(), journal.dropped.age) == (None, 0, 2)


def test_pages_are_whole_and_the_last_one_says_so() -> None:
    journal = Journal()
    for number in range(1, 6):
        journal.add(entry(number))
    pages = [journal.page(Filter(), after, 2) for after in (0, 2, 4)]
    assert [[each.number for each in page.entries] for page in pages] == [[1, 2], [3, 4], [5]]
    assert [(page.count, page.next) for page in pages] == [(5, 2), (5, 4), (5, None)]
    assert journal.page(Filter(), 0, 5).next is None
    assert journal.page(Filter(), 0, 0).entries == ()
    pages = [journal.page(Filter(), after, 2, newest_first=True) for after in (0, 4, 2)]
    assert [[each.number for each in page.entries] for page in pages] == [[5, 4], [3, 2], [1]]
    assert [(page.count, page.next) for page in pages] == [(5, 4), (5, 2), (5, None)]


def test_everybody_who_waits_is_told_of_their_own_calls() -> None:
    journal = Journal()
    with ThreadPoolExecutor(max_workers=50) as pool:
        waits = [
            pool.submit(journal.wait, 1, timeout_seconds=20, intygs_id=f"id-{n}")
            for n in range(2, 50, 2)
        ]
        for number in range(1, 50):
            journal.add(entry(number))
        found = [[each.number for each in wait.result()] for wait in waits]
    assert found == [[n] for n in range(2, 50, 2)]


def test_a_call_that_was_forgotten_is_not_waited_for_any_more() -> None:
    journal = Journal()
    journal.add(entry(1))
    with ThreadPoolExecutor() as pool:
        wait = pool.submit(journal.wait, 2, timeout_seconds=10)
        while not journal._waiters:
            time.sleep(0.001)
        journal.clear()
        journal.add(entry(2))
        time.sleep(0.02)
        assert not wait.done()
        journal.add(entry(3))
        assert [each.number for each in wait.result()] == [2, 3]


# --- calls that wait for their answer -------------------------------------------------------------


def waiting(number: int) -> Entry:
    return replace(entry(number), answer=AnswerState.NOT_YET, http_status=None, result_code=None)


def test_a_waiting_call_is_found_at_once_and_keeps_its_place_when_it_is_answered() -> None:
    journal = Journal()
    journal.add(waiting(1))
    journal.add(entry(2))
    assert [each.number for each in journal.entries("answer=not_yet")] == [1]
    assert journal.count("result_code=OK") == 1
    journal.update(entry(1))
    assert journal.entries() == (entry(1), entry(2))
    journal.settle(1, AnswerState.CALLER_GONE, 2.5)
    [gone] = journal.entries("answer=caller_gone")
    assert gone == replace(entry(1), answer=AnswerState.CALLER_GONE, duration_seconds=2.5)


def test_an_answer_is_counted_by_the_bounds_and_ages_with_its_call() -> None:
    now = [1000.0]
    journal = Journal(Bounds(max_bytes=35, max_age_seconds=60), now=lambda: now[0])
    journal.add(waiting(1))
    journal.add(entry(2))
    now[0] = 1030
    journal.update(replace(entry(1), reply=b"x" * 10))  # 30 bytes in all
    assert journal.dropped.total == 0
    journal.add(entry(3))  # 40 bytes: the oldest goes, with its answer, and 20 are left
    assert [each.number for each in journal.entries()] == [2, 3]
    journal.add(entry(4))
    assert journal.dropped == Dropped(bytes=1)
    now[0] = 1061  # the second is 61 s old
    journal.update(entry(2))
    assert [each.number for each in journal.entries()] == [3, 4]


def test_a_call_that_was_dropped_while_it_waited_does_not_come_back() -> None:
    journal = Journal(Bounds(max_calls=1))
    journal.add(waiting(1))
    journal.add(entry(2))
    journal.update(entry(1))
    journal.settle(1, AnswerState.SENT, 1.0)
    assert journal.entries() == (entry(2),)
    journal.clear()
    journal.update(entry(2))
    assert (journal.entries(), journal.dropped.total) == ((), 0)


def test_who_waits_counts_a_call_once_and_sees_it_answered() -> None:
    journal = Journal()
    with ThreadPoolExecutor() as pool:
        two = pool.submit(journal.wait, 2, timeout_seconds=10)
        answered = pool.submit(journal.wait, 1, timeout_seconds=10, where="answer=sent")
        while len(journal._waiters) < 2:
            time.sleep(0.001)
        journal.add(waiting(1))
        assert not answered.done()
        version = journal.version
        journal.update(entry(1))
        assert answered.result() == (entry(1),)
        assert journal.version > version
        assert not two.done()  # it is one call
        journal.add(waiting(2))
        assert [each.number for each in two.result()] == [1, 2]
