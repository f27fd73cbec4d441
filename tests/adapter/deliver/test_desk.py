"""Outcomes of several threads in one commit, with the deliveries that they take next."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

import pytest

from intyg.adapter.audit.log import AuditKey, AuditLog
from intyg.adapter.deliver.desk import Consequence, Desk, Done, Recorded
from intyg.adapter.deliver.lanes import RouteLanes
from intyg.adapter.domain.delivery import Delivery, DeliveryState, Outcome, OutcomeKind
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.domain.way import Way, WayCause, WayNews, WayPolicy
from intyg.adapter.flows import after_delivery
from intyg.adapter.store import Ended, LeaseLostError, Rows, Store, tables
from tests import builders
from tests.adapter.deliver.test_worker import DELIVERED, THERE, get, queue, wait_until
from tests.adapter.flows.rig import Rig, new_rig
from tests.adapter.flows.test_executions import executions
from tests.adapter.samples import add_delivery

BATCH = 8
MOST = 4
"""Executions for each delivery, from its claim to its outcome, of a batch."""

ANSWERED = Outcome(OutcomeKind.DELIVERED, result_code="OK", news=WayNews.ANSWERED)
SILENT = Outcome(OutcomeKind.UNKNOWN, news=WayNews.SILENT)
POLICY = WayPolicy(5, (60,), (30,))
KEY = AuditKey(b"k" * 32)


class Crowd:
    """
    Threads that come to the desk while one leads: it is held until all the others wait.

    Attributes:
        began: Called when those that waited are served.
    """

    def __init__(self, store: Store, workers: int = 100) -> None:
        self.began: Callable[[], object] = lambda: None
        self._expected = 0
        self.lanes = RouteLanes(lambda *_: THERE, workers)
        self.desk = Desk(store, self.lanes, POLICY, 60.0, self._goes_on)
        self._leader: int | None = None

    def swap(
        self, first: Done, others: Sequence[Done]
    ) -> list[tuple[Recorded | None, Delivery | None]]:
        """What the others get, that come while the first is served."""
        self._expected = len(others)
        with ThreadPoolExecutor(len(others) + 1) as pool:
            leads = pool.submit(self.desk.swap, "first", first)
            wait_until(lambda: self._leader is not None, 30)
            rest: list[Future[tuple[Recorded | None, Delivery | None]]] = []
            for n, one in enumerate(others):
                rest.append(pool.submit(self.desk.swap, f"w{n}", one))
                wait_until(lambda n=n: len(self.desk._calls) == n + 1, 30)  # type: ignore[misc]
            self._expected = 0
            assert leads.result()[0] is not None
            return [one.result() for one in rest]

    def _goes_on(self) -> bool:
        if self._leader is None:
            self._leader = threading.get_ident()
            wait_until(lambda: self._expected == 0, 30)
        elif self._leader != threading.get_ident():
            self.began, began = (lambda: None), self.began
            began()
        return True


def done(
    delivery: Delivery, outcome: Outcome = DELIVERED, follow: Consequence | None = None
) -> Done:
    return Done(Ended(delivery, outcome), follow or (lambda *_: None))


def claim(store: Store, crowd: Crowd, count: int) -> list[Delivery]:
    for n in range(count):
        queue(store, f"intyg-{n}")
    return store.claim("w", count, 60.0, crowd.lanes)


# --- how often the database is asked --------------------------------------------------------------


@pytest.fixture
def rig(store: Store) -> Rig:
    return new_rig(store)


def test_a_batch_takes_few_executions_for_each_delivery(rig: Rig) -> None:
    """Eight events are recorded, with the audit's rows, and eight others are taken."""
    store, crowd = rig.services.store, Crowd(rig.services.store)
    audit = AuditLog(store, KEY)

    def follow(delivery: Delivery, rows: Rows, recorded: Delivery) -> None:
        after_delivery.handle(delivery, ANSWERED, rig.services)(rows, recorded)
        audit.record_delivery(rows, recorded, ANSWERED)

    rig.ok(*(builders.register_certificate(intygs_id=f"intyg-{n}") for n in range(2 * BATCH + 2)))
    first, *others = store.claim("w", BATCH + 1, 60.0, crowd.lanes)
    with ExitStack() as counting:
        seen: list[list[str]] = []
        crowd.began = lambda: seen.append(counting.enter_context(executions(store)))
        got = crowd.swap(
            done(first, ANSWERED, partial(follow, first)),
            [done(one, ANSWERED, partial(follow, one)) for one in others],
        )
    assert all(recorded and taken for recorded, taken in got)
    assert len(seen[0]) <= MOST * BATCH, seen
    assert audit.verify().rows == BATCH + 1


def test_who_comes_alone_is_served_at_once(store: Store) -> None:
    crowd = Crowd(store)
    crowd.desk = Desk(store, crowd.lanes, POLICY, 60.0, lambda: True)
    (one,) = claim(store, crowd, 1)
    recorded, taken = crowd.desk.swap("w", done(one))
    assert recorded is not None
    assert (recorded.delivery.state, taken) == (DeliveryState.DELIVERED, None)


# --- as one by one --------------------------------------------------------------------------------


def test_of_one_certificate_and_receiver_one_is_taken_in_a_batch(store: Store) -> None:
    crowd = Crowd(store)
    heads = [queue(store, f"intyg-{n}") for n in range(3)]
    for n in range(3):
        queue(store, f"intyg-{n}")
    assert [one.id for one in store.claim("w", BATCH, 60.0, crowd.lanes)] == heads


def test_a_batch_has_a_like_share_of_each_destination(store: Store) -> None:
    """And of those that have more what the others do not need."""
    there = {name: replace(THERE, name=name) for name in ("a", "b", "c")}
    lanes = RouteLanes(lambda _name, _major, address: there[address], 100)
    for address, count in (("a", 20), ("b", 20), ("c", 1)):
        with store.begin() as rows:
            for n in range(count):
                add_delivery(rows, f"{address}-{n}", logical_address=address)
    claimed = Counter(one.destination for one in store.claim("w", 9, 60.0, lanes))
    assert claimed == {"a": 5, "b": 3, "c": 1}
    lanes.used("a")  # the last that had its turn
    assert [one.destination for one in store.claim("w", 1, 60.0, lanes)] == ["b"]


def test_a_batch_gives_a_rated_destination_one_at_a_time(store: Store) -> None:
    lanes = RouteLanes(lambda *_: replace(THERE, max_per_second=1.0), 100)
    for n in range(BATCH):
        queue(store, f"intyg-{n}")
    assert len(store.claim("w", BATCH, 60.0, lanes)) == 1


def test_outcomes_in_one_commit_stop_a_way_as_one_by_one(store: Store) -> None:
    crowd = Crowd(store)
    first, *others = claim(store, crowd, BATCH + 1)
    got = crowd.swap(done(first), [done(one, SILENT) for one in others])
    stops = [recorded.stop for recorded, _ in got if recorded]
    assert [stop.failures for stop in stops if stop] == list(range(1, BATCH + 1))
    with store.read() as rows:
        (stop,) = rows.ways.stopped()
    assert (stop.way, stop.cause) == (Way("fk", "RegisterCertificate:3"), WayCause.SILENT)


def test_one_whose_consequences_fail_keeps_no_other_from_being_recorded(store: Store) -> None:
    """With it nothing is kept; each is recorded by itself."""
    crowd = Crowd(store)

    def fail(*_: object) -> None:
        raise KeyError("189001019802")

    first, bad, good = claim(store, crowd, 3)
    assert crowd.swap(done(first), [done(bad, follow=fail), done(good)]) == [(None, None)] * 2
    assert get(store, good.id).state is DeliveryState.SENDING
    crowd.desk.record(done(good))
    with pytest.raises(KeyError):
        crowd.desk.record(done(bad, follow=fail))
    assert get(store, good.id).state is DeliveryState.DELIVERED
    assert get(store, bad.id).state is DeliveryState.SENDING


def test_one_that_is_no_longer_held_keeps_no_other_from_being_recorded(store: Store) -> None:
    crowd = Crowd(store)
    first, lost, good = claim(store, crowd, 3)
    with store.begin() as rows:
        rows.deliveries.take_back(tables.delivery.c.id == lost.id, ())  # as if its worker were gone
    assert crowd.swap(done(first), [done(lost), done(good)]) == [(None, None)] * 2
    crowd.desk.record(done(good))
    with pytest.raises(LeaseLostError):
        crowd.desk.record(done(lost))
    assert get(store, good.id).state is DeliveryState.DELIVERED


def test_no_certificate_is_waited_for_while_others_are_locked(store: Store) -> None:
    """On SQLite nobody else writes meanwhile."""
    crowd = Crowd(store)
    first, busy, good = claim(store, crowd, 3)
    if not store.is_postgresql:
        assert all(recorded for recorded, _ in crowd.swap(done(first), [done(busy), done(good)]))
        return
    with store.begin() as rows:
        assert rows.intyg.lock(busy.new.intygs_id)
        (alone, _), (together, _) = crowd.swap(done(first), [done(busy), done(good)])
    assert alone is None
    assert together is not None
    assert get(store, busy.id).state is DeliveryState.SENDING


def test_what_the_database_refuses_is_told_to_each(store: Store) -> None:
    crowd = Crowd(store)
    desk = Desk(store, crowd.lanes, POLICY, 60.0, lambda: True)
    store.claim = refuse  # type: ignore[assignment, method-assign]
    with pytest.raises(StoreError, match="no"):
        desk.take("w")


def refuse(*_: object) -> list[Delivery]:
    raise StoreError("no")


# --- what there is no use in asking ---------------------------------------------------------------


def test_after_a_claim_that_came_short_only_news_are_asked_for(store: Store) -> None:
    desk = Desk(store, RouteLanes(lambda *_: THERE, 100), POLICY, 60.0, lambda: True)
    assert not desk.has_nothing()
    queue(store, "intyg-1")
    taken = desk.take("w")
    assert taken is not None
    assert not desk.has_nothing()  # it was as many as were asked for
    assert desk.take("w") is None
    assert desk.has_nothing()
    queue(store, "intyg-2")
    assert not desk.has_nothing()
    assert desk.take("w") is not None
    assert desk.take("w") is None
    desk.record(done(taken))  # there is room in its lane again
    assert not desk.has_nothing()
