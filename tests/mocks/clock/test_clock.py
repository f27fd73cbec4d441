from datetime import UTC, datetime, timedelta

import pytest

from intyg.mocks.clock.clock import ClockError, VirtualClock

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


class Hand:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def hand() -> Hand:
    return Hand()


def test_it_runs_as_the_other_clock_does_from_where_it_was_moved_to(hand: Hand) -> None:
    clock = VirtualClock(hand)
    clock.move_to(NOON + timedelta(days=30))
    hand.now += timedelta(seconds=5)
    assert clock() == NOON + timedelta(days=30, seconds=5)


def test_it_stands_still_and_goes_on_from_there(hand: Hand) -> None:
    clock = VirtualClock(hand)
    assert clock.freeze() == NOON
    hand.now += timedelta(hours=1)
    assert clock() == NOON
    clock.move_to(NOON + timedelta(days=1))
    assert clock() == NOON + timedelta(days=1)
    clock.run()
    hand.now += timedelta(seconds=7)
    assert clock() == NOON + timedelta(days=1, seconds=7)


def test_it_never_goes_backwards_when_the_other_clock_does(hand: Hand) -> None:
    clock = VirtualClock(hand)
    hand.now += timedelta(seconds=10)
    before = clock()
    hand.now -= timedelta(seconds=8)
    assert clock() == before
    clock.freeze()
    clock.run()
    assert clock() == before


def test_it_goes_backwards_only_when_that_is_meant(hand: Hand) -> None:
    clock = VirtualClock(hand)
    with pytest.raises(ClockError, match="now: it is 2026-11-26T12:00:00"):
        clock.move_to(NOON - timedelta(seconds=1))
    assert clock() == NOON
    clock.move_to(NOON - timedelta(days=400), backwards=True)
    hand.now += timedelta(seconds=1)
    assert clock() == NOON - timedelta(days=400) + timedelta(seconds=1)


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(datetime(2027, 1, 1), id="no zone"),  # noqa: DTZ001
        pytest.param(datetime(9999, 12, 31, tzinfo=UTC), id="end of the calendar"),
    ],
)
def test_a_moment_that_no_clock_shows_is_refused(hand: Hand, moment: datetime) -> None:
    with pytest.raises(ClockError, match=r"^now: "):
        VirtualClock(hand).move_to(moment, backwards=True)
