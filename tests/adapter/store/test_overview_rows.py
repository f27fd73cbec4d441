"""Counts of the overview and searching, on both kinds of database."""

from datetime import timedelta

from intyg.adapter.domain.delivery import DeliveryState, Outcome, OutcomeKind
from intyg.adapter.store import Store
from tests.adapter.conftest import VirtualClock
from tests.adapter.samples import FKORG, NOW, add_intyg, inbound, intyg, new_delivery

BUSY = "the receiver failed"


def attempt(store: Store, clock: VirtualClock, intygs_id: str, kind: OutcomeKind) -> None:
    """A delivery of its own, tried once; a retry is due in five minutes."""
    with store.begin() as rows:
        add_intyg(rows, intygs_id)
        rows.deliveries.add(new_delivery(intygs_id, due_at=clock()), "c")
    (claimed,) = store.claim("w", 1, 60.0)
    again = clock() + timedelta(minutes=5) if kind is OutcomeKind.RETRY else None
    outcome = Outcome(kind, retry_at=again, http_status=503, detail=BUSY)
    with store.begin() as rows:
        rows.deliveries.record_attempt(claimed, outcome)


def test_attempts_are_counted_by_receiver_hour_and_outcome(
    store: Store, clock: VirtualClock
) -> None:
    attempt(store, clock, "old", OutcomeKind.DELIVERED)
    clock.advance(hours=25)
    attempt(store, clock, "i1", OutcomeKind.DELIVERED)
    attempt(store, clock, "i2", OutcomeKind.DELIVERED)
    clock.advance(hours=3, minutes=10)
    attempt(store, clock, "i3", OutcomeKind.REFUSED)
    clock.advance(minutes=20)
    with store.read() as rows:
        hours = {(h.part, h.ago, h.kind, h.count) for h in rows.overview.hours(clock())}
        today = rows.overview.outcomes_since(clock() - timedelta(hours=4))
    assert hours == {
        ("FKASSA", 3, OutcomeKind.DELIVERED, 2),
        ("FKASSA", 0, OutcomeKind.REFUSED, 1),
    }
    assert today[OutcomeKind.DELIVERED] == 2
    assert today[OutcomeKind.REFUSED] == 1
    assert today[OutcomeKind.HELD] == 0


def test_what_waits_stands_in_groups_alike(store: Store, clock: VirtualClock) -> None:
    with store.read() as rows:
        assert rows.overview.waiting() == ()
    for intygs_id in ("i1", "i2"):
        attempt(store, clock, intygs_id, OutcomeKind.RETRY)
        clock.advance(minutes=1)
    attempt(store, clock, "i3", OutcomeKind.DELIVERED)
    with store.begin() as rows:
        rows.deliveries.add(new_delivery("i3", part="HSVARD", logical_address="U"), "c")
    with store.read() as rows:
        tried, untried = rows.overview.waiting()
    assert (tried.part, tried.logical_address, tried.count, tried.tried) == (
        "FKASSA", FKORG, 2, True,
    )  # fmt: skip
    assert (tried.oldest, tried.due) == (NOW, NOW + timedelta(minutes=5))
    assert (tried.kind, tried.http_status, tried.detail) == (OutcomeKind.RETRY, 503, BUSY)
    assert (untried.part, untried.count, untried.tried) == ("HSVARD", 1, False)
    assert untried.state is DeliveryState.QUEUED


def test_the_last_failure_of_each_receiver_is_told(store: Store, clock: VirtualClock) -> None:
    attempt(store, clock, "i1", OutcomeKind.REFUSED)
    clock.advance(minutes=1)
    attempt(store, clock, "i2", OutcomeKind.RETRY)
    clock.advance(minutes=1)
    attempt(store, clock, "i3", OutcomeKind.DELIVERED)
    with store.read() as rows:
        (last,) = rows.overview.last_failures(NOW)
        assert (last.kind, last.at) == (OutcomeKind.RETRY, NOW + timedelta(minutes=1))
        assert rows.overview.last_failures(NOW + timedelta(minutes=2)) == ()


def test_certificates_and_blocks_are_counted_from_any_moment(
    store: Store, clock: VirtualClock
) -> None:
    """Every place where a day could begin among them, gaps in the keys too."""
    with store.read() as rows:
        assert rows.overview.received_since(NOW, NOW + timedelta(days=1)) == 0
    count = 9
    for number in range(count):
        at = NOW + timedelta(hours=number)
        with store.begin() as rows:
            call = inbound(received_at=at)
            rows.intyg.add(
                intyg(f"i{number}"), call, body=call.body, is_test=None, signature="ABSENT"
            )
            rows.blocks.add(f"i{number}", "RegisterCertificate:3", "real", "list", at)
    with store.read() as rows:
        for number in range(count + 1):
            since = NOW + timedelta(hours=number) - timedelta(minutes=1)
            found = rows.overview.received_since(since, NOW + timedelta(days=1))
            assert found == count - number
            blocked = rows.overview.blocked_since(since)
            assert blocked == ((("list", count - number),) if number < count else ())
        early = rows.overview.received_since(NOW, NOW + timedelta(hours=2))
    assert early == 2


def test_an_id_of_anything_leads_to_its_certificate(store: Store) -> None:
    with store.begin() as rows:
        add_intyg(rows, "a-b-1")
        delivery = rows.deliveries.add(new_delivery("a-b-1"), "call-2")
    with store.read() as rows:
        search = rows.ids
        assert [search.intyg_of(each) for each in ("A-B-1", delivery, "x")] == [
            "a-b-1", "a-b-1", None,
        ]  # fmt: skip
        assert search.intyg_of_call("x") is None


def test_a_units_certificates_come_newest_first_and_in_pages(store: Store) -> None:
    with store.begin() as rows:
        for number in range(3):
            add_intyg(rows, f"i{number}")
    with store.read() as rows:
        unit = intyg().skapad_av.enhet.enhets_id
        first = rows.intyg.of_unit(unit, 2)
        assert [each.intygs_id for each in first] == ["i2", "i1"]
        assert [each.intygs_id for each in rows.intyg.of_unit(unit, 2, first[-1].seq)] == ["i0"]
        assert rows.intyg.of_unit("another", 2) == ()
        received = rows.intyg.received("i1")
        assert received is not None
        assert received.correlation_id == "correlation-1"
        assert rows.intyg.received("x") is None
