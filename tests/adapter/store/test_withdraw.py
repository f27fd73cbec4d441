"""Giving up a delivery that waits, for good."""

from datetime import timedelta

import pytest

from intyg.adapter.domain.delivery import DeliveryState, Outcome, OutcomeKind
from intyg.adapter.domain.way import WayNews
from intyg.adapter.store import Store
from intyg.adapter.store.delivery_rows import state_after
from tests.adapter.conftest import VirtualClock
from tests.adapter.samples import add_delivery, add_intyg

UNREACHED = OutcomeKind.RETRY


def test_those_behind_wait_no_longer(store: Store, clock: VirtualClock) -> None:
    with store.begin() as rows:
        add_intyg(rows)
        first, second = add_delivery(rows), add_delivery(rows)
    (claimed,) = store.claim("w", 10, 60.0)
    later = Outcome(UNREACHED, retry_at=clock() + timedelta(hours=1), detail="nothing was sent")
    with store.begin() as rows:
        rows.deliveries.record_attempt(claimed, later)
    assert store.claim("w", 10, 60.0) == []
    with store.begin() as rows:
        waits = rows.deliveries.get(first)
        assert waits is not None
        assert rows.deliveries.withdraw(waits, "revoked by c-1")
    with store.read() as rows:
        withdrawn = rows.deliveries.get(first)
        attempts = rows.deliveries.attempts(first)
    assert withdrawn is not None
    assert withdrawn.state is DeliveryState.WITHDRAWN
    assert withdrawn.last_outcome == Outcome(OutcomeKind.WITHDRAWN, detail="revoked by c-1")
    assert [one.outcome.kind for one in attempts] == [UNREACHED]
    assert [one.id for one in store.claim("w", 10, 60.0)] == [second]


def test_it_is_final(store: Store, clock: VirtualClock) -> None:
    with store.begin() as rows:
        add_intyg(rows)
        waits = rows.deliveries.get(add_delivery(rows))
        assert waits is not None
        assert rows.deliveries.withdraw(waits, "revoked")
    with store.begin() as rows:
        assert not rows.deliveries.withdraw(waits, "again")
        with pytest.raises(ValueError, match="does not go from withdrawn"):
            rows.deliveries.send_again(waits.id, clock())


def test_what_a_worker_has_is_left_to_it(store: Store) -> None:
    with store.begin() as rows:
        add_intyg(rows)
        waits = rows.deliveries.get(add_delivery(rows))
        assert waits is not None
    store.claim("w", 10, 60.0)
    with store.begin() as rows:
        assert not rows.deliveries.withdraw(waits, "too late")
        found = rows.deliveries.get(waits.id)
        assert found is not None
        assert found.state is DeliveryState.SENDING


@pytest.mark.parametrize(
    ("outcome", "may"),
    [
        (Outcome(OutcomeKind.DELIVERED, http_status=200), True),
        (Outcome(OutcomeKind.UNKNOWN), True),
        (Outcome(OutcomeKind.RETRY, http_status=503), True),
        (Outcome(OutcomeKind.RETRY, http_status=500, news=WayNews.STOPS_WAY), False),
        (Outcome(OutcomeKind.RETRY), False),
        (Outcome(OutcomeKind.REFUSED, http_status=200), False),
        (Outcome(OutcomeKind.HELD), False),
        (Outcome(OutcomeKind.BLOCKED), False),
        (Outcome(OutcomeKind.WITHDRAWN), False),
    ],
)
def test_which_attempts_may_have_arrived(outcome: Outcome, may: bool) -> None:
    assert outcome.may_have_arrived is may


def test_a_withdrawn_outcome_is_a_state_of_its_own() -> None:
    assert state_after(Outcome(OutcomeKind.WITHDRAWN)) is DeliveryState.WITHDRAWN
