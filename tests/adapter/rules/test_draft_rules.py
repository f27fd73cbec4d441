"""When a draft is locked and disposed of, on the days when that is not plain."""

from datetime import date, datetime

import pytest

from intyg.adapter.domain.clock import SWEDEN
from intyg.adapter.rules.draft_rules import disposed_until, locked_until, still_locks


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SWEDEN)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-12-07T23:59", "2026-11-23T00:00"),
        ("2026-12-08T00:00", "2026-11-24T00:00"),
        pytest.param("2026-04-05T12:00", "2026-03-22T00:00", id="over the change to summer time"),
    ],
)
def test_locked_until_the_midnight_fourteen_days_ago(now: str, until: str) -> None:
    assert locked_until(at(now), 14) == at(until)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-23T10:00", "2026-08-23T10:00"),
        pytest.param("2026-05-31T10:00", "2026-02-28T10:00", id="a shorter month"),
        pytest.param("2024-05-31T10:00", "2024-02-29T10:00", id="a leap day"),
        pytest.param("2027-02-15T10:00", "2026-11-15T10:00", id="over new year"),
        pytest.param("2027-03-31T10:00", "2026-12-31T10:00", id="December"),
    ],
)
def test_disposed_until_three_months_ago(now: str, until: str) -> None:
    assert disposed_until(at(now), 3) == at(until)


def test_locking_ends_on_its_day() -> None:
    ends = date(2024, 9, 5)
    assert still_locks(at("2024-09-04T23:59"), ends)
    assert not still_locks(at("2024-09-05T00:00"), ends)
    assert still_locks(at("2030-01-01T00:00"), None)
