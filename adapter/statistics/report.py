"""A report as a value: rows of figures, and what it says about itself; and small numbers hidden.

Figures are counted in cells, one for each care provider, month, group and sex. On the level of the
nation each cell below the cutoff becomes 0 before care providers are added up; on that of a region
it does afterwards; a unit's own figures (`verksamhet`) are whole. Totals are sums of what is left,
so that nothing hidden can be had by subtraction.

Source: small numbers of the national statistics service.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from intyg.adapter.rules.birth import Sex
from intyg.adapter.statistics.period import Period, month_name


class ReportError(ValueError):
    """
    A report cannot be made as it was asked for; the text says why, and what would be right.

    Attributes:
        reason: The same as a key, for pages that have sentences of their own.
        values: What stands in such a sentence.
    """

    def __init__(self, text: str, reason: str = "other", **values: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.values = values


class MissingRegisterError(ReportError):
    """A report needs a register that is not set up, or does not answer; the text says which."""


class Shape(StrEnum):
    """Shape of a report."""

    MONTHS = "months"  # one figure a month (`tidsserie`)
    PERIOD = "period"  # the whole period as one (`tvärsnitt`)


class Level(StrEnum):
    """Whose figures a report holds, which decides what small numbers become."""

    VERKSAMHET = "verksamhet"  # one's own units: whole
    REGION = "region"
    NATION = "nation"


Month: TypeAlias = int | None
"""None: the whole period."""

Cells: TypeAlias = Counter[tuple[str, Month, str, str]]
"""Care provider, month, group and sex → how many."""

Summed: TypeAlias = Counter[tuple[Month, str, str]]
"""The same without care providers."""


_NONE: Final[frozenset[str]] = frozenset()


class Row(NamedTuple):
    """
    One line of a report; of a large one there are hundreds of thousands.

    Attributes:
        month: None in a cross-section.
        group: Its name; "" without groups.
        label: The group's, for people.
        values: In order of the report's columns; None: there is none, as the share of nothing.
        hidden: Columns whose figure was too small to be shown; it is 0.
        unit: Of its figures, where they are not what the report counts, and so not in its plot.
    """

    month: Month
    group: str
    label: str
    values: tuple[int | float | None, ...]
    hidden: frozenset[str] = _NONE
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """
    What a report counts.

    Attributes:
        columns: Names of the figures in each row.
        unit: What is counted, for people: `sjukfall`.
        notes: What one must know to read it, for people.
        shown: The columns that a plot shows.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    unit: str
    notes: tuple[str, ...] = ()
    shown: tuple[str, ...] = field(default=("female", "male"))


_FEMALE, _MALE = Sex.FEMALE.value, Sex.MALE.value

BY_SEX: Final = ("female", "male", "total")
PART_OF: Final = tuple(f"{of}_{what}" for of in BY_SEX for what in ("part", "whole", "percent"))


def fold(sex: str, unknown: Sex) -> str:
    """Sex as it has a column; an unknown one is added where the national reports add it."""
    return unknown.value if sex == Sex.UNKNOWN else sex


def hide_small(
    cells: Cells, level: Level, cutoff: int
) -> tuple[Summed, set[tuple[Month, str, str]]]:
    """
    Add up care providers, small numbers hidden as the level wants it.

    Returns:
        The sums, and those of them that are 0 since something was hidden.
    """
    if level is Level.VERKSAMHET:
        return _added(cells), set()
    summed: Summed = Counter()
    lost: set[tuple[Month, str, str]] = set()
    of_each = cells if level is Level.NATION else _without_providers(_added(cells))
    for (_, month, group, sex), count in of_each.items():
        place = (month, group, sex)
        if count >= cutoff:
            summed[place] += count
        elif count:
            lost.add(place)
    return summed, {place for place in lost if not summed[place]}


def _without_providers(summed: Summed) -> Cells:
    return Counter({("", *place): count for place, count in summed.items()})


def _added(cells: Cells) -> Summed:
    added: Summed = Counter()
    for (_, month, group, sex), count in cells.items():
        place = (month, group, sex)
        added[place] = added.get(place, 0) + count  # a counter that misses one is slow
    return added


def months_of(period: Period, shape: Shape) -> Sequence[Month]:
    """The months that a report has rows for: all, or the period as one."""
    return period.months if shape is Shape.MONTHS else (None,)


def by_sex(
    summed: Summed,
    hidden: Collection[tuple[Month, str, str]],
    months: Sequence[Month],
    labels: Mapping[str, str],
) -> tuple[Row, ...]:
    """A row for each month and group, with women, men and both."""
    rows = []
    for month in months:
        for group, label in labels.items():
            female = summed.get((month, group, _FEMALE), 0)
            male = summed.get((month, group, _MALE), 0)
            small = _small(hidden, month, group) if hidden else _NONE
            rows.append(Row(month, group, label, (female, male, female + male), small))
    return tuple(rows)


def _small(hidden: Collection[tuple[Month, str, str]], month: Month, group: str) -> frozenset[str]:
    by_name = (("female", _FEMALE), ("male", _MALE))
    return frozenset(name for name, sex in by_name if (month, group, sex) in hidden)


def parts(
    part: Summed, whole: Summed, months: Sequence[Month], labels: Mapping[str, str]
) -> tuple[Row, ...]:
    """A row for each month and group: part, whole and share for women, men and both."""
    rows = []
    for month in months:
        for group, label in labels.items():
            values: list[int | None] = []
            numbers = [
                (part[month, group, sex.value], whole[month, group, sex.value])
                for sex in (Sex.FEMALE, Sex.MALE)
            ]
            for some, of_all in (*numbers, tuple(map(sum, zip(*numbers, strict=True)))):
                values += (some, of_all, percent(some, of_all))
            rows.append(Row(month, group, label, tuple(values)))
    return tuple(rows)


def percent(part: int, whole: int) -> int | None:
    """A share in whole per cent, cut off as nationally; None of nothing."""
    return 100 * part // whole if whole else None


def found_groups(summed: Iterable[tuple[Month, str, str]]) -> list[str]:
    """Groups that have a figure, sorted."""
    return sorted({group for _, group, _ in summed})


def month_label(month: Month) -> str | None:
    """`2026-01`; None for the whole period."""
    return None if month is None else month_name(month)
