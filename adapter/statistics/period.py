"""Periods of whole months, and the days and months in them as numbers."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from intyg.adapter.statistics.facts import month_number
from intyg.adapter.statistics.sjukfall import Days


@dataclass(frozen=True)
class Period:
    """
    Whole months, both inclusive.

    Attributes:
        first, last: Months from year 0, as `month_number`.
    """

    first: int
    last: int

    @classmethod
    def ending(cls, last: int, months: int) -> "Period":
        """So many months, of which `last` is the last."""
        return cls(last - months + 1, last)

    @cached_property
    def months(self) -> range:
        """Each month in it."""
        return range(self.first, self.last + 1)

    @property
    def days(self) -> Days:
        """Its first and last day."""
        return days_of(self.first)[0], days_of(self.last)[1]

    def before(self) -> "Period":
        """The period of the same length that ends where it begins."""
        return Period(self.first - len(self.months), self.first - 1)


def days_of(month: int) -> Days:
    """First and last day of a month."""
    return _first_day(month), _first_day(month + 1) - 1


def _first_day(month: int) -> int:
    return date(month // 12, month % 12 + 1, 1).toordinal()


def month_name(month: int) -> str:
    """`2026-01`."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def month_of(text: str) -> int:
    """
    A month that somebody wrote, `2026-01`.

    Raises:
        ValueError: It is none.
    """
    year, dash, month = text.partition("-")
    if not (dash and len(year) == 4 and len(month) == 2):
        raise ValueError(text)
    return month_number(date(int(year), int(month), 1))
