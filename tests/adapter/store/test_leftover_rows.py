"""What is finished for long leaves the queue's table, and is found all the same."""

from datetime import timedelta

from intyg.adapter.domain.delivery import Delivery, DeliveryState, Outcome, OutcomeKind
from intyg.adapter.flows.leftovers import STEP, Leftovers
from intyg.adapter.store import Rows, Store
from intyg.adapter.store.leftover_rows import Step
from tests.adapter.conftest import VirtualClock
from tests.adapter.samples import add_delivery, handelse

ENDS = {
    "delivered": Outcome(OutcomeKind.DELIVERED, http_status=200),
    "refused": Outcome(OutcomeKind.REFUSED, http_status=200),
}


def deliver(store: Store, *ends: str) -> list[Delivery]:
    """A certificate each, whose delivery ends so."""
    with store.begin() as rows:
        for n, _ in enumerate(ends):
            add_delivery(rows, f"i-{n}")
    claimed = store.claim("w", 100, 60.0)
    with store.begin() as rows:
        for one, end in zip(claimed, ends, strict=True):
            rows.deliveries.record_attempt(one, ENDS[end])
    return claimed


def hot(rows: Rows) -> int:
    """How many stand in the queue's table."""
    return sum(rows.deliveries.count().values())


def test_it_is_shown_with_its_attempts_and_its_event_as_before(
    store: Store, clock: VirtualClock
) -> None:
    (one,) = deliver(store, "delivered")
    with store.begin() as rows:
        rows.events.add(handelse(intygs_id="i-0", delivery_id=one.id))
    with store.read() as rows:
        before = rows.deliveries.find("i-0"), rows.deliveries.attempts(one.id)
        assert before[1]
        shown = rows.search.get(one.id)
    clock.advance(days=31)
    with store.begin() as rows:
        assert rows.leftovers.move(clock() - timedelta(days=30), 0, 10) == Step(1, None)
    with store.read() as rows:
        assert hot(rows) == 0
        assert (rows.deliveries.find("i-0"), rows.deliveries.attempts(one.id)) == before
        assert rows.deliveries.find(state=DeliveryState.DELIVERED) == before[0]
        assert rows.deliveries.get(one.id) == before[0][0]
        assert rows.search.get(one.id) == shown
        assert rows.ids.intyg_of(one.id) == "i-0"
        assert rows.events.of_intyg("i-0")[0].delivery_id == one.id


def test_what_can_be_sent_again_or_is_not_as_old_stays(store: Store, clock: VirtualClock) -> None:
    deliver(store, "delivered", "refused")
    clock.advance(days=1)
    with store.begin() as rows:
        add_delivery(rows, "waits")
    clock.advance(days=30)
    with store.begin() as rows:
        assert rows.leftovers.move(clock() - timedelta(days=32), 0, 10) == Step(0, None)
        assert rows.leftovers.move(clock() - timedelta(days=30), 0, 10) == Step(1, None)
        states = [one.state.value for one in rows.deliveries.find()]
    assert states == ["delivered", "refused", "queued"]
    with store.read() as rows:
        assert hot(rows) == 2


def test_steps_are_small_and_go_on_where_they_ended(store: Store, clock: VirtualClock) -> None:
    deliver(store, *["delivered"] * 5)
    clock.advance(days=31)
    moved, reached = [], 0
    while True:
        with store.begin() as rows:
            step = rows.leftovers.move(clock() - timedelta(days=30), reached, 2)
        moved.append(step.moved)
        if step.reached is None:
            break
        reached = step.reached
    assert moved == [2, 2, 1]


def test_they_go_on_the_adapters_clock_and_rest_between(store: Store, clock: VirtualClock) -> None:
    leftovers = Leftovers(store, clock, 30)
    deliver(store, "delivered")
    assert STEP <= 1000
    clock.advance(days=29)
    assert leftovers.run() == 0
    clock.advance(days=1, minutes=30)
    assert leftovers.run() == 1
    clock.advance(days=-60)  # put back: it does not wait to stand there again
    deliver_again = Leftovers(store, clock, 30)
    assert (leftovers.run(), deliver_again.run()) == (0, 0)


def test_a_process_dies_at_one_three_times_and_it_is_parked_with_the_cause(
    store: Store, clock: VirtualClock
) -> None:
    with store.begin() as rows:
        poison = add_delivery(rows, "poison")
        behind = add_delivery(rows, "poison", contract="RevokeCertificate:2")
    for number in range(1, 4):
        assert [one.id for one in store.claim("w", 1, 60.0)] == [poison]
        clock.advance(seconds=61)
        assert store.recover_expired(["RegisterCertificate:3"]) == (poison,)
        with store.read() as rows:
            found = rows.deliveries.get(poison)
            assert found is not None
            assert (found.state.value, found.attempts) == (
                "unknown" if number == 3 else "queued",
                number,
            )
    with store.read() as rows:
        shown = rows.search.get(poison)
    assert shown is not None
    assert (shown.stopped, shown.detail) == ("parked", "parked: 3 processes in a row died at it")
    assert [one.id for one in store.claim("w", 1, 60.0)] == [behind]  # they go on
    with store.begin() as rows:
        rows.deliveries.send_again(poison, clock())  # somebody mended it: all its tries anew
    clock.advance(seconds=61)
    store.recover_expired(["RevokeCertificate:2"])
    assert [one.id for one in store.claim("w", 1, 60.0)] == [poison]
    clock.advance(seconds=61)
    store.recover_expired(["RegisterCertificate:3"])
    with store.read() as rows:
        found = rows.deliveries.get(poison)
        assert found is not None
        assert found.state is DeliveryState.QUEUED


def test_an_attempt_that_comes_to_an_end_clears_the_count(
    store: Store, clock: VirtualClock
) -> None:
    with store.begin() as rows:
        add_delivery(rows)
    for _ in range(3):
        for _ in range(2):
            store.claim("w", 1, 60.0)
            clock.advance(seconds=61)
            store.recover_expired(["RegisterCertificate:3"])
        (one,) = store.claim("w", 1, 60.0)
        with store.begin() as rows:
            again = Outcome(OutcomeKind.RETRY, retry_at=clock())
            assert rows.deliveries.record_attempt(one, again).state is DeliveryState.QUEUED


def test_what_is_left_under_way_by_a_process_that_ends_as_it_should_is_nobodys_death(
    store: Store, clock: VirtualClock
) -> None:
    with store.begin() as rows:
        add_delivery(rows)
    for _ in range(4):
        assert len(store.claim("w", 1, 60.0)) == 1
        store.leave_under_way()
        clock.advance(seconds=61)
        store.recover_expired(["RegisterCertificate:3"])


def test_those_beside_a_poison_are_tried_apart_from_it(store: Store, clock: VirtualClock) -> None:
    with store.begin() as rows:
        poison, beside = add_delivery(rows, "a"), add_delivery(rows, "b")
    for _ in range(2):
        assert len(store.claim("w", 2, 60.0)) == 2
        clock.advance(seconds=61)
        store.recover_expired(["RegisterCertificate:3"])
    assert [one.id for one in store.claim("w", 2, 60.0)] == [poison]
    clock.advance(seconds=61)
    store.recover_expired(["RegisterCertificate:3"])
    (one,) = store.claim("w", 2, 60.0)
    assert one.id == beside
    with store.begin() as rows:
        done = rows.deliveries.record_attempt(one, ENDS["delivered"])
    assert done.state is DeliveryState.DELIVERED


def test_the_queues_table_on_postgresql_has_room_and_is_cleaned_often(store: Store) -> None:
    if not store.is_postgresql:
        return
    with store.read() as rows:
        options = rows.transaction.connection.exec_driver_sql(
            "SELECT reloptions FROM pg_class WHERE oid = 'delivery'::regclass"
        ).scalar_one()
    assert {"fillfactor=70", "autovacuum_vacuum_scale_factor=0.01"} <= set(options)


def test_the_oldest_transaction_is_told(store: Store) -> None:
    with store.read() as one, store.read() as other:
        one.deliveries.count()
        told = other.overview.oldest_transaction_seconds()
    if store.is_postgresql:
        assert told is not None
        assert 0 < told < 60
    else:
        assert told is None
