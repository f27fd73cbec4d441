"""Deliveries from claim to recorded outcome, also when something dies in between."""

import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import structlog

from intyg.adapter.deliver.decision import Exchange, Transfer, decide
from intyg.adapter.deliver.desk import Consequence
from intyg.adapter.deliver.worker import WITHOUT_ROUTE, Workers
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.delivery import Delivery, DeliveryState, Outcome, OutcomeKind
from intyg.adapter.domain.destination import Destination, DestinationKind, DestinationRole
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.domain.intyg import IntygsStatus
from intyg.adapter.routing.table import Routes
from intyg.adapter.settings.settings import DeliverySettings, load_settings
from intyg.adapter.store import Rows, Store
from intyg.adapter.store.delivery_rows import MOST_CRASHES
from intyg.schemas.codes import Part, Status
from tests.adapter.conftest import VirtualClock
from tests.adapter.databases import sqlite_url
from tests.adapter.draining import drain
from tests.adapter.receivers import (
    Received,
    http,
    receiver,
    result,
)
from tests.adapter.samples import (
    NOW,
    add_delivery,
    add_intyg,
    new_delivery,
)

SETTINGS = DeliverySettings(workers=2, poll_seconds=0.05)
THERE = Destination(
    "fk", "http://fk/", DestinationKind.MOCK, DestinationRole.AUTHORITY, timeout_seconds=5
)
DELIVERED = Outcome(OutcomeKind.DELIVERED, http_status=200, result_code="OK")

Answer = Callable[[Delivery], Outcome]


class Scripted:
    """Makes attempts that come to what the test says."""

    def __init__(self, answer: Answer = lambda _: DELIVERED) -> None:
        self.answer = answer
        self.seen: list[tuple[str, int]] = []
        self.seconds = 10.0

    def deliver(self, delivery: Delivery, destination: Destination) -> Outcome:  # noqa: ARG002
        self.seen.append((delivery.id, delivery.attempts))
        return self.answer(delivery)

    def longest_attempt_seconds(self, destination: Destination) -> float:  # noqa: ARG002
        return self.seconds


class Consequences:
    """Adds a status for what is delivered, and remembers what it was told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.told: list[tuple[DeliveryState, OutcomeKind]] = []

    def __call__(self, _delivery: Delivery, outcome: Outcome) -> Consequence:
        return partial(self._write, outcome)

    def _write(self, outcome: Outcome, rows: Rows, delivery: Delivery) -> None:
        self.told.append((delivery.state, outcome.kind))
        if outcome.kind is OutcomeKind.DELIVERED:
            status = IntygsStatus(Status.SENTTO, Part.FKASSA, NOW)
            rows.intyg.add_status(delivery.new.intygs_id, status)
        if self.failures:
            self.failures -= 1
            raise KeyError("189001019802")


def make_workers(
    store: Store,
    clock: VirtualClock,
    deliverer: Scripted | None = None,
    after: Consequences | None = None,
    *,
    route: Destination | None = THERE,
    settings: DeliverySettings = SETTINGS,
) -> Workers:
    return Workers(
        store,
        deliverer or Scripted(),
        lambda *_: route,
        after or Consequences(),
        settings,
        clock,
    )


def queue(store: Store, intygs_id: str = "intyg-1") -> str:
    with store.begin() as rows:
        return add_delivery(rows, intygs_id)


def get(store: Store, delivery_id: str) -> Delivery:
    with store.read() as rows:
        found = rows.deliveries.get(delivery_id)
    assert found is not None
    return found


# --- outcomes -------------------------------------------------------------------------------------


def test_a_delivery_is_made_and_what_follows_is_stored_with_it(
    store: Store, clock: VirtualClock
) -> None:
    delivery_id = queue(store)
    after = Consequences()
    workers = make_workers(store, clock, after=after)
    assert workers.run_once()
    assert not workers.run_once()
    assert get(store, delivery_id).state is DeliveryState.DELIVERED
    assert after.told == [(DeliveryState.DELIVERED, OutcomeKind.DELIVERED)]
    with store.read() as rows:
        assert [s.status for s in rows.intyg.statuses("intyg-1")] == [Status.SENTTO]


def test_routes_are_asked_by_name_version_and_logical_address(
    store: Store, clock: VirtualClock
) -> None:
    asked: list[tuple[str, int, str]] = []

    def find(name: str, major: int, logical_address: str) -> Destination:
        asked.append((name, major, logical_address))
        return THERE

    queue(store)
    drain(Workers(store, Scripted(), find, Consequences(), SETTINGS, clock))
    assert set(asked) == {("RegisterCertificate", 3, "FKORG")}


def test_without_a_route_it_waits_for_one_and_uses_up_no_attempt(
    store: Store, clock: VirtualClock
) -> None:
    delivery_id = queue(store)
    nowhere = make_workers(store, clock, route=None)
    for _ in range(40):  # more often than there are attempts
        drain(nowhere)
        clock.advance(minutes=1)
    waiting = get(store, delivery_id)
    assert (waiting.state, waiting.attempts) == (DeliveryState.QUEUED, 0)
    assert waiting.last_outcome is not None
    assert waiting.last_outcome.detail == WITHOUT_ROUTE
    drain(make_workers(store, clock))
    assert get(store, delivery_id).state is DeliveryState.DELIVERED


def test_without_a_route_it_says_why(store: Store, clock: VirtualClock) -> None:
    settings = load_settings(
        environment="test",
        destinations={"ehr": {"url": "http://127.0.0.1:9", "kind": "test", "role": "care"}},
        routes=[{"contract": "*", "logical_address": "FKORG", "destination": "ehr"}],
    )
    routes = Routes(settings, clock)
    delivery_id = queue(store)
    workers = Workers(
        store, Scripted(), routes.find, Consequences(), SETTINGS, clock, routes.why_not
    )
    drain(workers)
    outcome = get(store, delivery_id).last_outcome
    assert outcome is not None
    assert outcome.detail == "no route: ehr is not for the role authority"
    assert routes.why_not("RegisterCertificate", "FKORG ").startswith("VP004: There is white space")
    own = routes.why_not("RegisterCertificate", settings.logical_address)
    assert own == "the adapter itself stands at this address"


def test_thirty_failures_over_25_days_end_in_failed(store: Store, clock: VirtualClock) -> None:
    refused = Exchange(Transfer.NOT_SENT, cause="connection refused")
    deliverer = Scripted(lambda d: decide(d.new.contract, refused, d.attempts, SETTINGS, clock()))
    workers = make_workers(store, clock, deliverer)
    delivery_id = queue(store)
    start = clock()
    while get(store, delivery_id).state is DeliveryState.QUEUED:
        clock.now = get(store, delivery_id).due_at
        assert drain(workers) == 1
    assert get(store, delivery_id).state is DeliveryState.FAILED
    assert [number for _, number in deliverer.seen] == list(range(1, 31))
    # 1 min + 5 min + 1 h + 6 h + 12 h, then 24 times a day
    assert clock() - start == timedelta(days=24, hours=19, minutes=6)
    with store.read() as rows:
        assert len(rows.deliveries.attempts(delivery_id)) == 30


def test_what_the_guard_holds_is_asked_again_until_it_knows(
    store: Store, clock: VirtualClock
) -> None:
    delivery_id = queue(store)
    deliverer = Scripted(
        lambda _: Outcome(OutcomeKind.HELD, retry_at=clock() + timedelta(minutes=1))
    )
    workers = make_workers(store, clock, deliverer)
    for _ in range(40):
        drain(workers)
        clock.advance(minutes=1)
    assert get(store, delivery_id).state is DeliveryState.HELD
    deliverer.answer = lambda _: DELIVERED
    drain(workers)
    assert get(store, delivery_id).state is DeliveryState.DELIVERED
    assert deliverer.seen[-1] == (delivery_id, 1)  # holding used up nothing


def test_deliveries_about_one_certificate_stay_in_order_through_failures(
    store: Store, clock: VirtualClock
) -> None:
    register, revoke = queue(store), queue(store)
    failures = iter([True, True, False, False])
    deliverer = Scripted(
        lambda _: (
            Outcome(OutcomeKind.RETRY, retry_at=clock() + timedelta(minutes=1))
            if next(failures)
            else DELIVERED
        )
    )
    workers = make_workers(store, clock, deliverer)
    for _ in range(4):
        drain(workers)
        clock.advance(minutes=1)
    assert [which for which, _ in deliverer.seen] == [register, register, register, revoke]


# --- what our own code does not foresee -----------------------------------------------------------


def test_an_error_in_our_code_is_tried_again_and_told_by_its_class(
    store: Store, clock: VirtualClock
) -> None:
    def fail(_: Delivery) -> Outcome:
        raise KeyError("189001019802")

    delivery_id = queue(store)
    with structlog.testing.capture_logs() as lines:
        drain(make_workers(store, clock, Scripted(fail)))
    waiting = get(store, delivery_id)
    assert (waiting.state, waiting.attempts) == (DeliveryState.QUEUED, 1)
    assert waiting.due_at == NOW + timedelta(minutes=1)
    assert "KeyError" in str(lines)
    assert "189001019802" not in str(lines) + repr(waiting)


def test_nothing_counts_as_done_before_what_follows_is_stored(
    store: Store, clock: VirtualClock
) -> None:
    """The consequences fail once: the message goes out again, which the receiver answers INFO."""
    delivery_id = queue(store)
    deliverer = Scripted()
    workers = make_workers(store, clock, deliverer, Consequences(failures=1))
    with structlog.testing.capture_logs() as lines:
        drain(workers)
    waiting = get(store, delivery_id)
    assert waiting.state is DeliveryState.QUEUED
    assert waiting.last_outcome is not None
    assert waiting.last_outcome.kind is OutcomeKind.UNKNOWN
    assert "189001019802" not in str(lines)
    with store.read() as rows:
        assert rows.intyg.statuses("intyg-1") == ()
    clock.advance(minutes=1)
    drain(workers)
    assert get(store, delivery_id).state is DeliveryState.DELIVERED
    assert len(deliverer.seen) == 2
    with store.read() as rows:
        assert len(rows.intyg.statuses("intyg-1")) == 1


def test_what_may_not_go_twice_is_left_unknown_when_what_follows_fails(
    store: Store, clock: VirtualClock
) -> None:
    with store.begin() as rows:
        delivery_id = add_delivery(rows, contract="SomethingElse:1")
    drain(make_workers(store, clock, after=Consequences(failures=1)))
    assert get(store, delivery_id).state is DeliveryState.UNKNOWN


def test_a_message_that_kills_every_process_is_given_up(store: Store, clock: VirtualClock) -> None:
    delivery_id = queue(store)
    for _ in range(MOST_CRASHES):
        assert store.claim("doomed", 1, 1.0)
        clock.advance(seconds=2)
        store.recover_expired(["RegisterCertificate:3"])
    deliverer = Scripted()
    drain(make_workers(store, clock, deliverer))
    assert deliverer.seen == []
    assert get(store, delivery_id).state is DeliveryState.UNKNOWN


def test_a_long_attempt_has_a_long_lease(store: Store, clock: VirtualClock) -> None:
    delivery_id = queue(store)
    deliverer = Scripted()
    deliverer.seconds = 500.0

    def slow(_: Delivery) -> Outcome:
        clock.advance(seconds=500)
        assert store.recover_expired(["RegisterCertificate:3"]) == ()
        return DELIVERED

    deliverer.answer = slow
    drain(make_workers(store, clock, deliverer))
    assert get(store, delivery_id).state is DeliveryState.DELIVERED


def test_an_outcome_that_comes_after_the_lease_is_dropped(
    store: Store, clock: VirtualClock
) -> None:
    """Another worker has taken it meanwhile: its outcome counts."""
    delivery_id = queue(store)
    other = make_workers(store, clock)

    def overtaken(_: Delivery) -> Outcome:
        clock.advance(hours=1)
        assert drain(other) == 1
        return Outcome(OutcomeKind.REFUSED)

    with structlog.testing.capture_logs() as lines:
        drain(make_workers(store, clock, Scripted(overtaken)))
    assert get(store, delivery_id).state is DeliveryState.DELIVERED
    assert "delivery.lease_lost" in [line["event"] for line in lines]


def test_an_outcome_is_recorded_although_the_database_fails_at_first(
    store: Store, clock: VirtualClock
) -> None:
    delivery_id = queue(store)
    failures = [StoreError("busy"), StoreError("busy")]
    deliverer = Scripted()

    def fail(_rows: Rows, _delivery: Delivery) -> None:
        if failures:
            raise failures.pop()

    drain(Workers(store, deliverer, lambda *_: THERE, lambda *_: fail, SETTINGS, clock))
    assert get(store, delivery_id).state is DeliveryState.DELIVERED
    assert len(deliverer.seen) == 1


def test_log_lines_name_ids_and_no_person(store: Store, clock: VirtualClock) -> None:
    with store.begin() as rows:
        add_intyg(rows, "189001019802")
        rows.deliveries.add(new_delivery("189001019802"), "correlation-1")
    refused = Outcome(OutcomeKind.REFUSED, remote_text="Personen 189001019802", detail="no")
    with structlog.testing.capture_logs() as lines:
        drain(make_workers(store, clock, Scripted(lambda _: refused)))
    (line,) = [line for line in lines if line["event"] == "delivery.attempt"]
    assert (line["intyg.outcome"], line["intyg.detail"], line["trace.id"]) == (
        "refused",
        "no",
        "correlation-1",
    )
    assert "189001019802" not in str(lines)


# --- threads --------------------------------------------------------------------------------------


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def test_running_workers_take_what_comes(store: Store, clock: VirtualClock) -> None:
    deliverer = Scripted()
    workers = make_workers(store, clock, deliverer)
    workers.start()
    try:
        ids = [queue(store, f"intyg-{n}") for n in range(5)]
        wait_until(lambda: len(deliverer.seen) == 5)
    finally:
        workers.stop()
    assert all(get(store, one).state is DeliveryState.DELIVERED for one in ids)
    assert not [t for t in threading.enumerate() if t.name.startswith("worker-")]


def test_a_database_that_refuses_is_told_of_once_and_not_at_each_look(
    store: Store, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[str] = []

    def claim(*_: object) -> list[Delivery]:
        refused.append("busy" if len(refused) < 20 else "full")
        raise StoreError(refused[-1])

    monkeypatch.setattr(store, "claim", claim)
    settings = DeliverySettings(workers=1, poll_seconds=0.01)
    workers = make_workers(store, clock, settings=settings)
    with structlog.testing.capture_logs() as lines:
        workers.start()
        wait_until(lambda: len(refused) > 40)
        workers.stop()
    told = [line["error.message"] for line in lines if line["event"] == "delivery.store_failed"]
    assert told == ["busy", "full"]


def test_stopping_finishes_what_is_under_way(store: Store, clock: VirtualClock) -> None:
    started, go_on = threading.Event(), threading.Event()

    def slow(_: Delivery) -> Outcome:
        started.set()
        assert go_on.wait(10)
        return DELIVERED

    delivery_id = queue(store)
    workers = make_workers(store, clock, Scripted(slow))
    workers.start()
    assert started.wait(10)
    stopping = threading.Thread(target=workers.stop)
    stopping.start()
    go_on.set()
    stopping.join()
    assert get(store, delivery_id).state is DeliveryState.DELIVERED


def test_starting_again_takes_back_what_an_earlier_process_left(
    tmp_path: Path, clock: VirtualClock
) -> None:
    old = Store(sqlite_url(tmp_path), clock)
    old.migrate()
    delivery_id = queue(old)
    assert old.claim("w", 1, 120)
    old.close()
    new = Store(sqlite_url(tmp_path), clock)
    workers = make_workers(new, clock)
    workers.start()
    try:
        wait_until(lambda: get(new, delivery_id).state is DeliveryState.DELIVERED)
    finally:
        workers.stop()
        new.close()


# --- kill -9 --------------------------------------------------------------------------------------


def test_kill_9_loses_nothing_and_repeats_only_what_was_under_way(tmp_path: Path) -> None:
    """
    120 certificates, a process with 3 workers that is killed twice in the middle: the receiver gets
    all; again it gets at most what the 3 workers had in hand when they were killed, byte for byte.
    """
    count, workers, kills = 120, 3, 2
    url = sqlite_url(tmp_path)
    store = Store(url, system_clock)
    store.migrate()
    with store.begin() as rows:
        for n in range(count):
            add_delivery(rows, f"intyg-{n}", body=f"<intyg>intyg-{n}</intyg>".encode())
    store.close()

    got: Counter[bytes] = Counter()

    def answer(request: Received) -> bytes:
        found = re.search(rb"<intyg>[^<]*</intyg>", request.body)
        assert found
        seen_before = found[0] in got
        got[found[0]] += 1
        return http(result("INFO" if seen_before else "OK"))

    with receiver() as there:
        there.answer = answer
        program = [sys.executable, "-m", "tests.adapter.kill_me", url, there.url]
        for kill_at in (count // 4, count // 2, count):
            with subprocess.Popen(program, stderr=subprocess.DEVNULL) as process:
                try:
                    wait_until(lambda at=kill_at: len(got) >= at, 30)  # type: ignore[misc]
                    if kill_at == count:
                        wait_until(lambda: _all_delivered(url, count))
                finally:
                    process.send_signal(signal.SIGKILL)

    assert sorted(got) == sorted(f"<intyg>intyg-{n}</intyg>".encode() for n in range(count))
    assert sum(got.values()) - count <= kills * workers
    with_statuses = Store(url, system_clock, read_only=True)
    with with_statuses.read() as rows:
        counts = [len(rows.intyg.statuses(f"intyg-{n}")) for n in range(count)]
    with_statuses.close()
    assert counts == [1] * count  # what follows is stored once, however often it was sent


def _all_delivered(url: str, count: int) -> bool:
    store = Store(url, system_clock, read_only=True)
    with store.read() as rows:
        delivered = rows.deliveries.count()[DeliveryState.DELIVERED]
    store.close()
    return delivered == count
