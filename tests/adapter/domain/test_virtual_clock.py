from datetime import UTC, datetime, timedelta

from intyg.adapter.domain.virtual_clock import VirtualClock

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def test_it_runs_as_the_machines_clock_from_where_it_is_put() -> None:
    now = NOON
    clock = VirtualClock(lambda: now)
    assert clock() == NOON
    clock.put(NOON + timedelta(days=30), frozen=False)
    now += timedelta(seconds=2)
    assert clock() == NOON + timedelta(days=30, seconds=2)


def test_it_stands_still_where_it_is_put() -> None:
    now = NOON
    clock = VirtualClock(lambda: now)
    clock.put(datetime.fromisoformat("2026-12-24T15:00:00+01:00"), frozen=True)
    now += timedelta(seconds=2)
    assert clock.frozen
    assert clock().isoformat() == "2026-12-24T14:00:00+00:00"
