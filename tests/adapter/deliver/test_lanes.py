"""Receivers that hang, over real sockets, beside one that answers."""

import time
from collections.abc import Sequence

from intyg.adapter.deliver import Deliverer
from intyg.adapter.deliver.worker import Workers
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.domain.destination import Destination, DestinationKind, DestinationRole
from intyg.adapter.settings.settings import DeliverySettings
from intyg.adapter.store import Store
from intyg.schemas.contract.contract import Contracts
from tests.adapter.deliver.test_deliverer import FixedGuard
from tests.adapter.receivers import HANG, OK, Received, Receiver, http, receiver, soap
from tests.adapter.samples import add_delivery

COUNT = 20
ANSWER_SECONDS = 0.3
SETTINGS = DeliverySettings(workers=4, stop_seconds=5)


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
        # Half of four workers; on PostgreSQL, where claims go on side by side, two that count at
        # the same moment may both take one.
        most = 4 if store.is_postgresql else 2
        assert all(2 <= len(one.received) <= most for one in receivers[:-1])
    finally:
        for one in receivers:
            one.stopping.set()
        workers.stop()
        deliverer.close()
    return seconds


def test_one_that_answers_keeps_its_rate_beside_others_that_hang(store: Store) -> None:
    """Bound by its own 0.3 s and two at a time: 20 take 3 s, whoever else hangs."""
    with receiver() as alone:
        alone.answer = _answers
        before = _seconds_for_the_one_that_answers(store, [alone])
    with receiver() as a, receiver() as b, receiver() as c, receiver() as d, receiver() as well:
        for one in (a, b, c, d):
            one.answer = lambda _: HANG
        well.answer = _answers
        beside = _seconds_for_the_one_that_answers(store, [a, b, c, d, well])
    # Alone it may be quicker than its bound, where claims at one moment let in one too many.
    usual = max(before, COUNT * ANSWER_SECONDS / 2)
    assert beside < usual / 0.9 + 0.5, f"{before:.2f} s alone, {beside:.2f} s beside others"
    with store.read() as rows:
        assert rows.deliveries.count()[DeliveryState.DELIVERED] == 2 * COUNT
