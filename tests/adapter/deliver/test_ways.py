"""Ways that are stopped, tried and opened again; lanes; all of it over a real database."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from intyg.adapter.deliver.answer import Answer, AnswerKind
from intyg.adapter.deliver.decision import Exchange, Transfer, decide
from intyg.adapter.deliver.lanes import RouteLanes
from intyg.adapter.deliver.worker import Workers
from intyg.adapter.domain.delivery import Delivery, DeliveryState, Outcome
from intyg.adapter.domain.destination import Destination, DestinationKind, DestinationRole
from intyg.adapter.domain.way import NO_DESTINATION, Stop, Way, WayCause
from intyg.adapter.settings.settings import DeliverySettings
from intyg.adapter.store import Store
from tests.adapter.conftest import VirtualClock
from tests.adapter.draining import drain
from tests.adapter.samples import REGISTER, add_delivery

SETTINGS = DeliverySettings(workers=2, poll_seconds=0.05)
UPDATE = "CertificateStatusUpdateForCare:3"
PLATFORM = Destination(
    "platform", "http://vp/", DestinationKind.MOCK, DestinationRole.AUTHORITY, timeout_seconds=5
)


def _vp(code: str) -> Exchange:
    return Exchange(Transfer.ANSWERED, 500, Answer(AnswerKind.FAULT, vp_code=code))


OK = Exchange(Transfer.ANSWERED, 200, Answer(AnswerKind.RESULT, "OK"))
NO_PERMISSION, NOT_TLS = _vp("VP007"), _vp("VP011")
REFUSED = Exchange(Transfer.NOT_SENT, cause="connection refused")


class Network:
    """Receivers by logical address, that answer as the test says."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.at: dict[str, Exchange] = {}
        self.sent: list[tuple[str, str]] = []
        self.ids: list[str] = []

    def deliver(self, delivery: Delivery, destination: Destination) -> Outcome:  # noqa: ARG002
        new = delivery.new
        self.sent.append((new.logical_address, new.intygs_id))
        self.ids.append(delivery.id)
        exchange = self.at.get(new.logical_address, OK)
        return decide(new.contract, exchange, delivery.attempts, SETTINGS, self.clock())

    def longest_attempt_seconds(self, destination: Destination) -> float:  # noqa: ARG002
        return 10.0


@pytest.fixture
def network(clock: VirtualClock) -> Network:
    return Network(clock)


def workers(
    store: Store, network: Network, routes: Callable[..., Destination | None] | None = None
) -> Workers:
    find = routes or (lambda *_: PLATFORM)
    return Workers(store, network, find, lambda *_: lambda *_: None, SETTINGS, network.clock)


def queue(store: Store, intygs_id: str, address: str = "A", contract: str = UPDATE) -> str:
    with store.begin() as rows:
        return add_delivery(rows, intygs_id, logical_address=address, contract=contract)


def get(store: Store, delivery_id: str) -> Delivery:
    with store.read() as rows:
        found = rows.deliveries.get(delivery_id)
    assert found is not None
    return found


def stops(store: Store) -> Mapping[Way, Stop]:
    with store.read() as rows:
        return {stop.way: stop for stop in rows.ways.stopped()}


# --- parked ---------------------------------------------------------------------------------------


def test_one_unit_without_permission_stops_no_other(store: Store, network: Network) -> None:
    network.at["A"] = NO_PERMISSION
    a = [queue(store, f"a{n}") for n in range(5)]
    b = [queue(store, f"b{n}", "B") for n in range(5)]
    drain(workers(store, network))
    assert [get(store, one).state for one in b] == [DeliveryState.DELIVERED] * 5
    assert [get(store, one).state for one in a] == [DeliveryState.QUEUED] * 5
    assert network.sent.count(("A", "a0")) == 1
    assert len([one for one in network.sent if one[0] == "A"]) == 1  # the others were not tried
    (stop,) = stops(store).values()
    assert (stop.way, stop.cause) == (Way("platform", UPDATE, "A"), WayCause.PARKED)
    assert "VP007" in stop.detail


def test_a_parked_way_is_tried_by_its_oldest_and_uses_up_no_attempt(
    store: Store, network: Network, clock: VirtualClock
) -> None:
    """Probes after 1, 2, 5 and 10 minutes, then each 15: 14 + 64 × 15 minutes are 16 hours."""
    network.at["A"] = NO_PERMISSION
    oldest, newer = queue(store, "a0"), queue(store, "a1")
    at_work = workers(store, network)
    drain(at_work)
    begun, probes = clock(), []
    for minutes in (*[1] * 60, *[5] * (15 * 12)):
        clock.advance(minutes=minutes)
        if drain(at_work):
            probes.append((clock() - begun) // timedelta(minutes=1))
    assert probes[:6] == [1, 3, 8, 18, 33, 48]
    assert len(probes) > 60  # more than there are attempts
    assert {intyg for _, intyg in network.sent} == {"a0"}
    assert (get(store, oldest).attempts, get(store, newer).attempts) == (0, 0)
    with store.read() as rows:
        assert len(rows.deliveries.attempts(oldest)) <= 1


def test_what_was_parked_goes_by_itself_and_in_order(
    store: Store, network: Network, clock: VirtualClock
) -> None:
    network.at["A"] = NO_PERMISSION
    ids = [queue(store, f"a{n // 2:02}") for n in range(20)]  # two about each certificate
    at_work = workers(store, network)
    drain(at_work)
    clock.advance(hours=1)
    drain(at_work)
    network.ids.clear()
    network.at.clear()
    clock.advance(minutes=15)
    drain(at_work)
    assert sorted(network.ids) == sorted(ids)  # each once
    assert [one for one in network.ids if one in ids[::2]] == ids[::2]
    places = {one: place for place, one in enumerate(network.ids)}
    assert all(places[first] < places[ids[n + 1]] for n, first in enumerate(ids) if n % 2 == 0)
    assert stops(store) == {}


def test_the_whole_destination_stops_for_what_is_the_destinations(
    store: Store, network: Network, clock: VirtualClock
) -> None:
    network.at = {"A": NOT_TLS, "B": NOT_TLS}
    queue(store, "a")
    b = queue(store, "b", "B", REGISTER)
    at_work = workers(store, network)
    drain(at_work)
    assert network.sent == [("A", "a")]
    assert list(stops(store)) == [Way("platform")]
    network.at.clear()
    clock.advance(minutes=1)
    drain(at_work)
    assert get(store, b).state is DeliveryState.DELIVERED
    assert stops(store) == {}


def test_a_unit_without_permission_does_not_keep_a_repaired_destination_stopped(
    store: Store, network: Network, clock: VirtualClock
) -> None:
    """The probe is A's, whose own way is stopped too: an answer all the same."""
    network.at = {"A": NOT_TLS}
    a, b = queue(store, "a"), queue(store, "b", "B")
    at_work = workers(store, network)
    drain(at_work)
    network.at["A"] = NO_PERMISSION
    clock.advance(minutes=1)
    drain(at_work)
    assert (get(store, a).state, get(store, b).state) == (
        DeliveryState.QUEUED,
        DeliveryState.DELIVERED,
    )
    assert list(stops(store)) == [Way("platform", UPDATE, "A")]


def test_a_probe_whose_process_died_is_made_again(
    store: Store, network: Network, clock: VirtualClock
) -> None:
    network.at["A"] = NO_PERMISSION
    queue(store, "a")
    at_work = workers(store, network)
    drain(at_work)
    clock.advance(minutes=1)
    (lost,) = store.claim("doomed", 1, 60.0)
    assert lost.new.intygs_id == "a"
    assert not at_work.run_once()  # one probe at a time
    network.at.clear()
    clock.advance(minutes=2)
    at_work.recover()
    drain(at_work)
    assert get(store, lost.id).state is DeliveryState.DELIVERED


def test_another_process_sees_what_is_stopped(store: Store, network: Network) -> None:
    network.at["A"] = NO_PERMISSION
    queue(store, "a0")
    drain(workers(store, network))
    queue(store, "a1")
    assert drain(workers(store, network)) == 0


# --- the breaker ----------------------------------------------------------------------------------


def test_five_without_an_answer_stop_a_contract_until_one_has(
    store: Store, network: Network, clock: VirtualClock
) -> None:
    network.at = {"A": REFUSED, "B": REFUSED}
    ids = [queue(store, f"a{n}", "AB"[n % 2]) for n in range(12)]
    other = queue(store, "r", "A", REGISTER)
    at_work = workers(store, network)
    drain(at_work)
    assert len([one for one in network.sent if one[1] != "r"]) == 5
    assert get(store, other).attempts == 1  # another contract is another way
    stop = stops(store)[Way("platform", UPDATE)]
    assert (stop.cause, stop.failures) == (WayCause.SILENT, 5)
    clock.advance(seconds=30)
    assert drain(at_work) == 1  # half open: one probe
    assert drain(at_work) == 0
    network.at.clear()
    clock.advance(seconds=60)
    drain(at_work)
    assert stops(store) == {}
    clock.advance(minutes=5)  # those that had failed wait for their time
    drain(at_work)
    assert {get(store, one).state for one in ids} == {DeliveryState.DELIVERED}


def test_an_answer_in_between_begins_the_count_anew(store: Store, network: Network) -> None:
    at_work = workers(store, network)
    for n in range(12):
        network.at["A"] = OK if n % 5 == 4 else REFUSED
        queue(store, f"a{n:02}")
        drain(at_work)
    assert len(network.sent) == 12
    assert stops(store) == {}


def test_a_lonely_delivery_keeps_the_national_schedule_behind_the_breaker(
    store: Store, network: Network, clock: VirtualClock
) -> None:
    """30 attempts in 25 days and no more, though the way is stopped from the fifth on."""
    network.at["A"] = REFUSED
    one = queue(store, "a")
    at_work, begun = workers(store, network), clock()
    for _ in range(30 * 12):
        drain(at_work)
        clock.advance(hours=2)
        if get(store, one).state is not DeliveryState.QUEUED:
            break
    assert get(store, one).state is DeliveryState.FAILED
    assert len(network.sent) == 30
    assert timedelta(days=24) < clock() - begun < timedelta(days=27)


# --- pause ----------------------------------------------------------------------------------------


def test_a_paused_destination_gets_nothing_until_it_is_resumed(
    store: Store, network: Network, clock: VirtualClock
) -> None:
    with store.begin() as rows:
        rows.ways.pause(Way("platform"), "moves to another hall", "operator")
    one = queue(store, "a")
    at_work = workers(store, network)
    clock.advance(days=3)
    assert drain(at_work) == 0
    (stop,) = stops(store).values()
    assert (stop.cause, stop.reason, stop.by) == (
        WayCause.PAUSED,
        "moves to another hall",
        "operator",
    )
    with store.begin() as rows:
        assert [stop.way for stop in rows.ways.resume("platform")] == [Way("platform")]
    drain(at_work)
    assert get(store, one).state is DeliveryState.DELIVERED


def test_a_pause_is_not_ended_by_what_was_under_way(store: Store, network: Network) -> None:
    queue(store, "a")
    at_work = workers(store, network)

    def pause_meanwhile(delivery: Delivery, destination: Destination) -> Outcome:
        with store.begin() as rows:
            rows.ways.pause(Way("platform"), "why", "who")
        return Network.deliver(network, delivery, destination)

    network.deliver = pause_meanwhile  # type: ignore[method-assign]
    drain(at_work)
    assert [stop.cause for stop in stops(store).values()] == [WayCause.PAUSED]


# --- lanes ----------------------------------------------------------------------------------------


def _to(name: str, **more: int | float) -> Destination:
    return Destination(
        name,
        f"http://{name}/",
        DestinationKind.MOCK,
        DestinationRole.AUTHORITY,
        5,
        **more,  # type: ignore[arg-type]
    )


def _by_address(_contract: str, _major: int, address: str) -> Destination | None:
    return None if address == "nowhere" else _to(address)


def test_a_destination_has_half_the_workers_at_a_time(store: Store) -> None:
    for n in range(9):
        queue(store, f"a{n}", "A")
        queue(store, f"b{n}", "B")
    lanes = RouteLanes(_by_address, 4)
    claimed = store.claim("w", 100, 60.0, lanes)
    assert sorted(one.destination or "" for one in claimed) == ["A", "A", "B", "B"]
    assert store.claim("w", 100, 60.0, lanes) == []
    assert store.claim("w", 100, 60.0, RouteLanes(_by_address, 6))  # three each


def test_destinations_have_their_turns(store: Store) -> None:
    for name in "ABC":
        for n in range(3):
            queue(store, f"{name}{n}", name)
    lanes = RouteLanes(_by_address, 100)
    turns = []
    for _ in range(9):
        (one,) = store.claim("w", 1, 60.0, lanes)
        lanes.used(one.destination)
        turns.append(one.destination)
    assert turns == ["A", "B", "C"] * 3


def test_a_rate_lets_one_begin_at_a_time() -> None:
    now = [100.0]
    lanes = RouteLanes(lambda *_: _to("A", max_per_second=4, max_in_flight=3), 4, lambda: now[0])
    assert lanes.of(UPDATE, "x") == "A"
    assert lanes.room("A", 0) == 1
    lanes.used("A")
    assert lanes.room("A", 1) == 0
    assert lanes.wait_seconds(5.0) == pytest.approx(0.25)
    now[0] += 0.25
    assert lanes.room("A", 1) == 1
    assert lanes.room("A", 3) == 0
    assert lanes.wait_seconds(5.0) == 5.0


def test_what_has_no_route_stands_in_nobodys_way(store: Store, network: Network) -> None:
    for n in range(50):
        queue(store, f"n{n}", "nowhere")
    one = queue(store, "a", "A")
    drain(workers(store, network, _by_address))
    assert get(store, one).state is DeliveryState.DELIVERED
    with store.read() as rows:
        waiting = rows.deliveries.find(state=DeliveryState.QUEUED)
    assert {one.destination for one in waiting} == {NO_DESTINATION}


def test_a_route_that_changes_takes_what_waits_along(
    store: Store, network: Network, clock: VirtualClock
) -> None:
    """Also from a way that is stopped, and not past a pause."""
    network.at["A"] = NO_PERMISSION
    one = queue(store, "a")
    drain(workers(store, network))
    network.at.clear()
    with store.begin() as rows:
        rows.ways.pause(Way("new"), "not yet", "who")
    moved = workers(store, network, lambda *_: _to("new"))
    clock.advance(minutes=1)
    drain(moved)
    assert get(store, one).destination == "new"
    assert get(store, one).state is DeliveryState.QUEUED
    with store.begin() as rows:
        rows.ways.resume("new")
    drain(moved)
    assert get(store, one).state is DeliveryState.DELIVERED


def test_one_that_the_routes_cannot_be_asked_about_stops_no_other(
    store: Store, network: Network
) -> None:
    def find(_contract: str, _major: int, address: str) -> Destination:
        if address == "damaged":
            raise KeyError(address)
        return PLATFORM

    damaged = queue(store, "d", "damaged")
    one = queue(store, "a", "A")
    drain(workers(store, network, find))
    assert get(store, one).state is DeliveryState.DELIVERED
    outcome = get(store, damaged).last_outcome
    assert outcome is not None
    assert outcome.detail == "internal error: KeyError"
