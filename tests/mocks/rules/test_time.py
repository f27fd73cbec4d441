"""Delays, and many of them at once."""

import contextlib
import resource
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from intyg.mocks.rules import parse_rule
from intyg.mocks.rules.waits import Ended, Waits
from intyg.mocks.server.serving import MockServer, serve
from tests import builders
from tests.mocks.calls import envelope, post, result
from tests.mocks.kinds import Kassan
from tests.mocks.rules.callers import (
    REGISTER,
    ZeepCaller,
    http_request,
    raw,
)

OK = {"kind": "normal"}
PENDING = 1000


@contextlib.contextmanager
def asked(server: MockServer, data: bytes | None = None) -> Iterator[socket.socket]:
    """A call under way."""
    with socket.create_connection((server.host, server.port), timeout=10) as connection:
        connection.sendall(http_request(envelope(REGISTER) if data is None else data))
        yield connection


def until(condition: Any, seconds: float = 10.0) -> None:
    """Wait for something that is about to happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def slow(seconds: float, when: str, **more: Any) -> dict[str, Any]:
    return {**OK, "delay": {"kind": "fixed", "seconds": seconds, "when": when}, **more}


def test_a_delay_before_keeps_the_mock_from_taking_the_call(
    server: MockServer, kassan: Kassan, by_zeep: ZeepCaller
) -> None:
    kassan.rules.add(parse_rule({"answers": slow(0.4, "before")}))
    started = time.monotonic()
    with asked(server) as connection:
        [waiting] = kassan.journal.wait(timeout_seconds=5, contract="RegisterCertificate")
        assert kassan.persona.all_intyg() == ()
        assert (waiting.answer, waiting.http_status, waiting.reply) == ("not_yet", None, b"")
        assert (waiting.request, waiting.rules[0].acted) == (envelope(REGISTER), True)
        assert b">OK<" in connection.recv(65536) + connection.recv(65536)
    [answered] = kassan.journal.entries()
    assert (answered.number, answered.answer, answered.result_code) == (1, "sent", "OK")
    assert answered.duration_seconds >= 0.4
    assert time.monotonic() - started >= 0.4
    assert by_zeep.call(server) == "INFO Certificate already exists"
    assert time.monotonic() - started >= 0.8


def test_a_delay_after_has_the_call_taken_and_in_the_journal_at_once(
    server: MockServer, kassan: Kassan, by_zeep: ZeepCaller
) -> None:
    kassan.rules.add(parse_rule({"answers": slow(5.0, "after")}))
    assert by_zeep.call(server, timeout=0.5) == "ReadTimeout"
    assert len(kassan.persona.all_intyg()) == 1
    assert [each.result_code for each in kassan.journal.entries()] == ["OK"]
    [gone] = kassan.journal.wait(timeout_seconds=5, where="answer=caller_gone")
    assert 0.3 < gone.duration_seconds < 5


def test_a_slow_mock_takes_a_call_also_when_the_caller_has_given_up(
    server: MockServer, kassan: Kassan
) -> None:
    kassan.rules.add(parse_rule({"answers": slow(0.4, "before")}))
    with asked(server):
        pass
    assert kassan.persona.all_intyg() == ()
    until(kassan.persona.all_intyg)
    [gone] = kassan.journal.wait(timeout_seconds=5, where="answer!=not_yet")
    assert (gone.answer, gone.result_code) == ("caller_gone", "OK")


def test_an_answer_can_drip(server: MockServer, kassan: Kassan, by_zeep: ZeepCaller) -> None:
    drip = {**OK, "delay": {"kind": "drip", "seconds": 0.5, "pieces": 6}}
    kassan.rules.add(parse_rule({"answers": drip}))
    pieces = []
    started = time.monotonic()
    with asked(server) as connection:
        while piece := connection.recv(65536):
            pieces.append((time.monotonic() - started, piece))
    assert b">OK<" in b"".join(piece for _, piece in pieces)
    assert len(pieces) >= 6
    assert pieces[-1][0] >= 0.5
    assert pieces[0][0] < pieces[-1][0] - 0.3
    [dripped] = kassan.journal.entries()
    assert dripped.answer == "sent"
    assert dripped.duration_seconds >= 0.5
    assert by_zeep.call(server) == "INFO Certificate already exists"


def test_a_once_only_rule_with_a_delay_acts_once_among_200_parallel_calls(
    server: MockServer, kassan: Kassan
) -> None:
    error = {"kind": "error", "error_id": "TECHNICAL_ERROR"}
    delay = {"kind": "fixed", "seconds": 0.5}
    kassan.rules.add(parse_rule({"id": "once", "answers": {**error, "delay": delay}, "count": 1}))
    bodies = [builders.register_certificate(f"id-{n}") for n in range(200)]
    with ThreadPoolExecutor(50) as pool:
        answers = Counter(pool.map(lambda body: result(post(server, body))[0], bodies))
    assert answers == {"ERROR": 1, "OK": 199}
    assert len(kassan.persona.all_intyg()) == 199
    acted = [entry for entry in kassan.journal.entries() if any(r.acted for r in entry.rules)]
    assert [entry.result_code for entry in acted] == ["ERROR"]
    why = Counter(str(each.why) for entry in kassan.journal.entries() for each in entry.rules)
    assert why == {"acted": 1, "used_up": 199}


def test_stopping_ends_every_wait_at_once_and_leaves_no_thread(kassan: Kassan) -> None:
    before = set(threading.enumerate())
    kassan.rules.add(parse_rule({"answers": slow(60, "before"), "match": {"intygs_id": "before"}}))
    kassan.rules.add(parse_rule({"answers": slow(60, "after"), "match": {"intygs_id": "after"}}))
    kassan.rules.add(parse_rule({"answers": {"kind": "hang"}, "match": {"intygs_id": "hang"}}))
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serve(kassan))
        open_calls = [
            stack.enter_context(asked(server, envelope(builders.register_certificate(name))))
            for name in ("before", "after", "hang")
        ]
        until(lambda: kassan.journal.count("answer=not_yet") == 3)
        started = time.monotonic()
        server.stop()
        assert time.monotonic() - started < 5
        assert [connection.recv(100) for connection in open_calls] == [b"", b"", b""]
    assert set(threading.enumerate()) <= before
    assert [each.intygs_id for each in kassan.persona.all_intyg()] == ["after"]
    stopped = [each for each in kassan.journal.entries() if each.step("stopped")]
    assert [(each.intygs_id, each.http_status) for each in stopped] == [("before", None)]
    assert kassan.journal.count("answer=stopped") == 3


def test_a_call_that_begins_to_wait_while_the_mock_stops_is_woken_too(
    kassan: Kassan, monkeypatch: pytest.MonkeyPatch
) -> None:
    kassan.rules.add(parse_rule({"answers": slow(60, "before")}))
    choose, chosen, go_on = kassan.rules.book.choose, threading.Event(), threading.Event()

    def held_up(facts: Any) -> Any:
        chosen.set()
        go_on.wait()
        return choose(facts)

    monkeypatch.setattr(kassan.rules.book, "choose", held_up)
    server = MockServer(kassan).start()
    with asked(server), ThreadPoolExecutor(1) as pool:
        assert chosen.wait(5)
        stopping = pool.submit(server.stop)
        time.sleep(0.2)  # it has woken everybody
        go_on.set()
        stopping.result(5)
    assert kassan.persona.all_intyg() == ()


def test_a_hanging_call_ends_when_its_caller_goes(server: MockServer, kassan: Kassan) -> None:
    kassan.rules.add(parse_rule({"answers": {"kind": "hang"}}))
    assert raw(server, timeout=0.1) == "silence"
    kassan.journal.wait(timeout_seconds=5, where="answer=caller_gone")
    assert [each.answer for each in kassan.journal.entries()] == ["caller_gone"]
    until(lambda: not kassan.rules.waits.waiting)


@pytest.mark.parametrize("answer", [slow(60, "before"), slow(60, "after"), {"kind": "hang"}])
def test_a_reset_lets_nobody_wait_on(
    server: MockServer, kassan: Kassan, answer: dict[str, Any]
) -> None:
    kassan.rules.add(parse_rule({"answers": answer}))
    with asked(server) as connection:
        until(lambda: kassan.rules.waits.waiting)
        kassan.reset()
        assert connection.recv(100) == b""
        assert (kassan.persona.all_intyg(), kassan.journal.entries()) == ((), ())


def test_a_call_that_was_forgotten_while_it_waited_stays_forgotten(
    server: MockServer, kassan: Kassan
) -> None:
    for when in ("before", "after"):
        kassan.rules.add(parse_rule({"id": when, "answers": slow(0.3, when)}))
        with asked(server) as connection:
            assert kassan.journal.wait(timeout_seconds=5)
            kassan.journal.clear()
            assert b">OK<" in connection.recv(65536) + connection.recv(65536)
        assert kassan.journal.entries() == ()
        kassan.reset()


def test_a_thousand_delayed_answers_hold_nobody_up(kassan: Kassan) -> None:
    """Others are answered in under 50 ms, and 1,000 waiting calls take less than 150 MB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        server = stack.enter_context(serve(kassan))
        result(post(server, REGISTER))
        resident = _resident_megabytes()
        late = envelope(builders.register_certificate("late"), "FK-SLOW-30S")
        for _ in range(PENDING):
            stack.enter_context(asked(server, late))
        until(lambda: kassan.rules.waits.waiting == PENDING, 60)
        assert _resident_megabytes() - resident < 150
        assert min(_seconds_of_a_call(server) for _ in range(30)) < 0.05
        server.stop()
    assert [each.intygs_id for each in kassan.persona.all_intyg()] == [builders.INTYGS_ID]


def _seconds_of_a_call(server: MockServer) -> float:
    started = time.perf_counter()
    assert isinstance(raw(server), bytes)
    return time.perf_counter() - started


def _resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def test_a_wait_is_over_for_one_of_three_reasons() -> None:
    waits = Waits()
    ours, theirs = socket.socketpair()
    with ours, ThreadPoolExecutor(2) as pool:
        assert waits.wait(0.01, ours) is Ended.TIME
        stopped = pool.submit(waits.wait, None, ours)
        until(lambda: waits.waiting == 1)
        waits.stop()
        assert stopped.result(5) is Ended.STOPPED
        gone = pool.submit(waits.wait, 60, ours)
        until(lambda: waits.waiting == 1)
        theirs.close()
        assert gone.result(5) is Ended.GONE
    assert waits.waiting == 0


@pytest.mark.parametrize("seconds", [0, -1])
def test_no_time_is_no_wait(seconds: float) -> None:
    assert Waits().wait(seconds) is Ended.TIME
