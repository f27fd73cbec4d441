"""
Time: aware and in UTC inside, Swedish local time without a zone on the wire.

Every mock asks a `Clock`. `VirtualClock` is one that can be stopped and moved; what is to happen at
a moment of it stands in a `Timeline`.
"""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

Clock: TypeAlias = Callable[[], datetime]
"""Now, aware and in UTC."""

SWEDEN: Final = ZoneInfo("Europe/Stockholm")


def system_clock() -> datetime:
    """The machine's own clock."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """`types:TimeStampType`: YYYY-MM-DDThh:mm:ss, Swedish local time."""
    return moment.astimezone(SWEDEN).strftime("%Y-%m-%dT%H:%M:%S")


def swedish_day(moment: datetime) -> date:
    """The day in Sweden at a moment."""
    return moment.astimezone(SWEDEN).date()


FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2200
"""Far enough from where the calendar of a computer ends."""


class ClockError(ValueError):
    """A clock was asked for what it does not do; the text starts with the field."""


def checked(field: str, moment: datetime, after: timedelta = timedelta()) -> datetime:
    """
    A moment that a clock can be moved to, perhaps some time after the one given.

    Raises:
        ClockError: It has no zone, or lies outside `FIRST_YEAR` to `LAST_YEAR`.
    """
    if moment.tzinfo is None:
        raise ClockError(f"{field}: needs a zone, as in 2026-11-26T10:00:00+01:00 or …Z")
    if FIRST_YEAR <= moment.year <= LAST_YEAR and after < timedelta(days=366 * LAST_YEAR):
        later = moment + after
        if later.year <= LAST_YEAR:
            return later
    raise ClockError(f"{field}: a clock goes from {FIRST_YEAR} to {LAST_YEAR}")


class VirtualClock:
    """
    Runs as another clock does, ahead of it or behind, or stands still. A `Clock`.

    It never goes backwards, not even when the other clock does, unless it is moved there.

    Args:
        base: The clock that it follows while it runs.

    Attributes:
        moved: Notified whenever time jumps, stops or starts, so that nobody
            sleeps through it. Its lock guards the clock.
    """

    def __init__(self, base: Clock = system_clock) -> None:
        self.moved = threading.Condition()
        self._base = base
        self._ahead = timedelta()
        self._latest = base()
        self._frozen = False

    def __call__(self) -> datetime:
        with self.moved:
            if not self._frozen:
                self._latest = max(self._latest, self._base() + self._ahead)
            return self._latest

    @property
    def frozen(self) -> bool:
        """Whether it stands still."""
        with self.moved:
            return self._frozen

    def freeze(self) -> datetime:
        """Stand still; returns where."""
        with self.moved:
            now = self()
            self._frozen = True
            self.moved.notify_all()
            return now

    def run(self) -> None:
        """Go on from here; a clock that runs is not disturbed."""
        with self.moved:
            if self._frozen:
                self._ahead = self._latest - self._base()
                self._frozen = False
                self.moved.notify_all()

    def move_to(self, moment: datetime, *, backwards: bool = False) -> None:
        """
        Jump to a moment, and stand still or run there as before.

        Args:
            backwards: That it may lie in this clock's past.

        Raises:
            ClockError: It has no zone, or lies in the past.
        """
        checked("now", moment)
        with self.moved:
            now = self()
            if moment < now and not backwards:
                raise ClockError(f"now: it is {now.isoformat()} already; backwards must be meant")
            self._latest = moment.astimezone(UTC)
            self._ahead = self._latest - self._base()
            self.moved.notify_all()
