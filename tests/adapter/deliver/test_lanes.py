"""Receivers that hang or hang up, over real sockets."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from intyg.adapter.deliver import Deliverer
from intyg.adapter.deliver.lanes import RouteLanes
from intyg.adapter.deliver.worker import Workers
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.domain.destination import Destination, DestinationKind, DestinationRole
from intyg.adapter.domain.way import WayCause
from intyg.adapter.settings.settings import DeliverySettings
from intyg.adapter.store import Store
from intyg.schemas.contract.contract import Contracts
from tests.adapter.conftest import VirtualClock
from tests.adapter.deliver.test_deliverer import FixedGuard
from tests.adapter.draining import drain
from tests.adapter.receivers import (
    CLOSE,
    HANG,
    NOBODY,
    OK,
    RESET,
    Received,
    Receiver,
    http,
    receiver,
    soap,
)
from tests.adapter.samples import add_delivery

COUNT = 10
ANSWER_SECONDS = 0.6
"""Long beside what a busy machine takes between one answer and the next request."""

SETTINGS = DeliverySettings(workers=4, stop_seconds=5)

THREE_AT_A_TIME = Destination(
    "r", NOBODY, DestinationKind.MOCK, DestinationRole.AUTHORITY, timeout_seconds=5, max_in_flight=3
)


def _answers(_: Received) -> bytes:
    time.sleep(ANSWER_SECONDS)
    return http(soap(OK))


def _seconds_for_the_one_that_answers(store: Store, receivers: Sequence[Receiver]) -> float:
    """Each has so many waiting; the last one is the one that answers."""
    there = {
        f"R{n}": Destination(
            f"r{n}", one.url, DestinationKind.MOCK, DestinationRole.AUTHORITY, timeout_seconds=30
        )
        for n, one in enumerate(receivers)
    }
    tag = len(receivers)
    with store.begin() as rows:
        for n in range(COUNT):
            for address in there:
                add_delivery(rows, f"{tag}-{address}-{n}", logical_address=address)
    deliverer = Deliverer(Contracts(), FixedGuard(), SETTINGS, system_clock)
    workers = Workers(
        store,
        deliverer,
        lambda _contract, _major, address: there.get(address),
        lambda *_: lambda *_: None,
        SETTINGS,
        system_clock,
    )
    began = time.monotonic()
    workers.start()
    try:
        while len(receivers[-1].received) < COUNT:
            assert time.monotonic() - began < 60
            time.sleep(0.01)
        seconds = time.monotonic() - began
        assert [len(one.received) for one in receivers[:-1]] == [2] * (tag - 1)  # half the workers
    finally:
        for one in receivers:
            one.stopping.set()
        workers.stop()
        deliverer.close()
    return seconds


def test_one_that_answers_keeps_its_rate_beside_others_that_hang(store: Store) -> None:
    """Bound by its own 0.6 s and two at a time: 10 take 3 s, whoever else hangs."""
    with receiver() as alone:
        alone.answer = _answers
        before = _seconds_for_the_one_that_answers(store, [alone])
    with receiver() as a, receiver() as b, receiver() as c, receiver() as d, receiver() as well:
        for one in (a, b, c, d):
            one.answer = lambda _: HANG
        well.answer = _answers
        beside = _seconds_for_the_one_that_answers(store, [a, b, c, d, well])
    usual = max(before, COUNT * ANSWER_SECONDS / 2)
    assert beside < usual / 0.9 + 0.5, f"{before:.2f} s alone, {beside:.2f} s beside others"
    with store.read() as rows:
        assert rows.deliveries.count()[DeliveryState.DELIVERED] == 2 * COUNT


def test_one_that_hangs_or_hangs_up_is_left_alone_until_it_answers_one(
    store: Store, clock: VirtualClock
) -> None:
    """Five in a row, timed out or cut off; then a single try, 30 seconds later; then all."""
    trouble = [HANG, CLOSE, RESET, HANG, CLOSE]
    with receiver() as there:
        there.answer = lambda _: trouble.pop(0) if trouble else http(soap(OK))
        place = Destination(
            "r", there.url, DestinationKind.MOCK, DestinationRole.AUTHORITY, timeout_seconds=0.2
        )
        with store.begin() as rows:
            for n in range(COUNT):
                add_delivery(rows, f"b-{n}", logical_address=f"A{n}")
        deliverer = Deliverer(Contracts(), FixedGuard(), SETTINGS, clock)
        workers = Workers(
            store, deliverer, lambda *_: place, lambda *_: lambda *_: None, SETTINGS, clock
        )
        drain(workers)
        assert len(there.received) == 5
        with store.read() as rows:
            (stop,) = rows.ways.stopped()
            assert (stop.cause, stop.failures) == (WayCause.SILENT, 5)
        clock.advance(seconds=29)
        drain(workers)
        assert len(there.received) == 5
        clock.advance(seconds=1)
        assert workers.run_once()
        assert len(there.received) == 6  # the single try, which was answered
        clock.advance(minutes=2)  # for the five that were tried: their own second attempt
        drain(workers)
        deliverer.close()
        there.stopping.set()
    assert len(there.received) == COUNT + 5
    with store.read() as rows:
        assert rows.ways.stopped() == ()
        assert rows.deliveries.count()[DeliveryState.DELIVERED] == COUNT


def test_no_more_than_a_destination_may_have_are_taken_at_one_moment(store: Store) -> None:
    """Sixteen claim at once, each on a connection of its own; three may be under way."""
    lanes = RouteLanes(lambda *_: THREE_AT_A_TIME, 4)
    with store.begin() as rows:
        for n in range(40):
            add_delivery(rows, f"m-{n}", logical_address=f"A{n}")
    assert store.claim("sorts them", 0, 60.0, lanes) == []
    start = threading.Barrier(16)

    def claim(number: int) -> int:
        start.wait()
        return len(store.claim(f"w{number}", 2, 60.0, lanes))

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(claim, range(16))) == 3
