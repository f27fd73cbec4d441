"""Now, and Swedish time.

The contracts write Swedish local time without a zone; inside every datetime is aware and in UTC.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

SWEDEN: Final = ZoneInfo("Europe/Stockholm")
"""Whose local time the contracts write."""

Clock: TypeAlias = Callable[[], datetime]
"""Now, aware and in UTC. Passed in, so that tests and demonstrations can run on a virtual one."""


def system_clock() -> datetime:
    """The machine's own clock."""
    return datetime.now(UTC)


def swedish_day(moment: datetime) -> date:
    """The day in Sweden at an aware moment: what rules and routes mean by today."""
    return moment.astimezone(SWEDEN).date()


def swedish_midnight(day: date) -> datetime:
    """When a day begins in Sweden."""
    return datetime(day.year, day.month, day.day, tzinfo=SWEDEN)
