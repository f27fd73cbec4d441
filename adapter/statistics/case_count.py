"""Counting cases in groups: those of one period alone in the database, the others here.

Most periods lie so far from the person's others that none can join them. Each is a case in every
part of a report that it overlaps, whatever is filtered, so that they are counted where they are.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final, TypeAlias

from intyg.adapter.rules.birth import Sex
from intyg.adapter.statistics import groups
from intyg.adapter.statistics.diagnoses import Icd10
from intyg.adapter.statistics.period import Period, days_of
from intyg.adapter.statistics.report import Cells, Level, Month, Shape, fold, months_of
from intyg.adapter.statistics.sjukfall import (
    Case,
    Days,
    cases_in,
    cases_of_all,
    days_until,
    joined,
    lone_case,
)
from intyg.adapter.statistics.wanted import Wanted
from intyg.adapter.store import Line, Rows

Of: TypeAlias = Callable[[Case], Iterable[str]]
"""The groups that a case counts in."""


@dataclass(frozen=True)
class Grouping:
    """
    How cases are put into groups.

    Attributes:
        of_line: A group of one line: the last one's in a time series, each one's in a
            cross-section; None: groups are of the whole case.
        of_one: The same, where a line may have several groups, or none.
        of_case: A group of a case as a whole.
        labels: Groups in their order, with zeros; None: those that are found.
        named: What they are called stands in certificates.
        column: What decides the group of a period that stands alone: a column of its own, or
            `length`; "": nothing.
        bounds: Of such numbers, the last of each group but the last; without, each for itself.
        unknown_women: Who is neither man nor woman counts with women, not with men, in a
            cross-section.
    """

    of_line: Callable[[Line], str] | None = None
    of_one: Callable[[Line], Iterable[str]] | None = None
    of_case: Callable[[Case], str] = lambda _: ""
    labels: Mapping[str, str] | None = None
    needs_length: bool = False
    named: bool = False
    column: str = ""
    bounds: tuple[int, ...] = ()
    unknown_women: bool = False

    def of(self, shape: Shape) -> Of:
        """The groups of a case in a report of this shape."""
        of_line, of_case, of_one = self.of_line, self.of_case, self.of_one
        if of_one is not None and shape is Shape.MONTHS:
            return lambda case: of_one(case.last)
        if of_one is not None:
            return lambda case: {group for line in case.lines for group in of_one(line)}
        if of_line is None:
            return lambda case: (of_case(case),)
        if shape is Shape.MONTHS:
            return lambda case: (of_line(case.last),)
        return lambda case: {of_line(line) for line in case.lines}

    def unknown(self, shape: Shape) -> Sex:
        """With whom somebody counts whose sex is not known."""
        women = self.labels == TOTAL or (self.unknown_women and shape is Shape.PERIOD)
        return Sex.FEMALE if women else Sex.MALE

    def examples(self, case: Case, shape: Shape) -> dict[str, int]:
        """Each group of a case, and a certificate that put it there."""
        if self.of_line is None or not self.named:
            return {}
        lines = (case.last,) if shape is Shape.MONTHS else case.lines
        return {self.of_line(line): line.intyg for line in lines}


TOTAL: Final[Mapping[str, str]] = {"": "Alla"}


def count(
    rows: Rows, wanted: Wanted, icd10: Icd10, grouping: Grouping
) -> tuple[Cells, dict[str, int]]:
    """
    Count cases.

    Returns:
        The cells; and for each group that is named in certificates, one of them.
    """
    months = months_of(wanted.period, wanted.shape)
    parts = {month: wanted.period.days if month is None else days_of(month) for month in months}
    [counter] = _count(rows, wanted, icd10, [grouping], parts)
    return counter.cells(), counter.examples


def count_each(
    rows: Rows,
    wanted: Wanted,
    icd10: Icd10,
    groupings: Sequence[Grouping],
    periods: Sequence[Period],
) -> list[Cells]:
    """
    Count cases once, in several groupings, in periods that follow each other without gaps.

    Returns:
        The cells of each grouping; in place of months they have the places of the periods.
    """
    parts: _Parts = {place: period.days for place, period in enumerate(periods)}
    return [one.cells() for one in _count(rows, wanted, icd10, groupings, parts)]


_Parts: TypeAlias = Mapping[Month, Days]
"""What cells are counted for, in order: the first and last day of each month, or of the period."""


def _count(
    rows: Rows, wanted: Wanted, icd10: Icd10, groupings: Sequence[Grouping], parts: _Parts
) -> list["_Counter"]:
    visible = wanted.visible(icd10)
    needs_length = any(grouping.needs_length for grouping in groupings)
    lines = rows.statistics.lines(
        _whole(parts),
        earlier=needs_length or bool(wanted.lengths) or visible is not None,
        later=visible is not None,
        of_units=wanted.units or None,
    )
    counters = [_Counter(wanted.shape, grouping, parts) for grouping in groupings]
    maker = _CaseMaker(wanted.lengths, visible, parts)
    for own in _of_each(lines):
        for near in joined(own):
            for case, first, last in maker.cases(near):
                for counter in counters:
                    counter.add(case, first, last)
    for alone in _lone(rows, wanted, icd10, groupings, parts):
        for counter in counters:
            counter.add_alike(alone)
    return counters


def _whole(parts: _Parts) -> Days:
    days = list(parts.values())
    return days[0][0], days[-1][1]


class _CaseMaker:
    """Makes the cases of lines that lie near each other, in each part of a report."""

    def __init__(
        self, lengths: Collection[str], visible: Callable[[Line], bool] | None, parts: _Parts
    ) -> None:
        self._lengths = lengths
        self._visible = visible
        self._parts = list(parts.values())
        self._first = self._parts[0][0]
        self._part_of_day = [
            part for part, (first, last) in enumerate(self._parts) for _ in range(first, last + 1)
        ]

    def cases(self, near: Sequence[Line]) -> Iterable[tuple[Case, int, int]]:
        """Each with the first and last part that it is the same in."""
        found = self._cases(near)
        if not self._lengths:
            return found
        return [one for one in found if groups.LENGTHS.of(one[0].length) in self._lengths]

    def _cases(self, near: Sequence[Line]) -> Sequence[tuple[Case, int, int]]:
        """Most stand alone, and are one case in each part."""
        first, last = self._touched(near)
        if first > last:
            return ()
        if len(near) == 1:
            seen = self._visible is None or self._visible(near[0])
            return ((lone_case(near[0]), first, last),) if seen else ()
        parts = range(first, last + 1)
        if self._visible is None:
            days = days_until(near)
            return [
                (case, part, part)
                for part in parts
                for case in cases_of_all(near, days, self._parts[part])
            ]
        return [
            (case, part, part)
            for part in parts
            for case in cases_in(near, self._parts[part], self._visible)
        ]

    def _touched(self, lines: Sequence[Line]) -> tuple[int, int]:
        """First and last part that lines overlap; none, where the first is after the last."""
        start = lines[0].first - self._first
        end = max(line.last for line in lines) - self._first
        if end < 0 or start >= len(self._part_of_day):
            return 1, 0
        return (
            self._part_of_day[max(start, 0)],
            self._part_of_day[min(end, len(self._part_of_day) - 1)],
        )


class _Counter:
    """Counts cases in the groups of one grouping."""

    def __init__(self, shape: Shape, grouping: Grouping, parts: _Parts) -> None:
        self.examples: dict[str, int] = {}
        self._shape = shape
        self._grouping = grouping
        self._of = grouping.of(shape)
        self._months = list(parts)
        self._room = len(parts) + 1
        # Care provider, group, sex → by how much more cases each part has than the one before.
        self._changed: dict[tuple[str, str, str], list[int]] = {}

    def add(self, case: Case, first: int, last: int) -> None:
        """Count a case in some parts."""
        for group in self._of(case):
            change = self._changes(case, group)
            change[first] += 1
            change[last + 1] -= 1

    def add_alike(self, alone: "_Alone") -> None:
        """Count many that are alike."""
        for group in self._of(alone.case):
            change = self._changes(alone.case, group)
            for first, last, number in alone.runs:
                change[first] += number
                change[last + 1] -= number

    def _changes(self, case: Case, group: str) -> list[int]:
        line = case.lines[-1]
        key = (line.vardgivare_id, group, line.sex)
        found = self._changed.get(key)
        if found is None:
            found = self._changed[key] = [0] * self._room
            if self._grouping.named:
                self.examples |= self._grouping.examples(case, self._shape)
        return found

    def cells(self) -> Cells:
        """What was counted."""
        unknown = self._grouping.unknown(self._shape)
        cells: Cells = Counter()
        for (vardgivare_id, group, sex), change in self._changed.items():
            folded = fold(sex, unknown)
            for month, number in zip(self._months, accumulate(change), strict=False):
                cells[vardgivare_id, month, group, folded] += number
        return +cells


def _of_each(lines: Iterable[Line]) -> Iterable[list[Line]]:
    """Lines of each person at each care provider, still in order."""
    found: defaultdict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        found[line.person, line.vardgivare_id].append(line)
    return found.values()


# --- counted in the database ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Alone:
    """
    Cases of one period each that no other can join, which count in the same groups.

    Attributes:
        case: One that stands for them.
        runs: First and last part of the report that they overlap, and how many do.
    """

    case: Case
    runs: Sequence[tuple[int, int, int]]


def _lone(
    rows: Rows, wanted: Wanted, icd10: Icd10, groupings: Sequence[Grouping], parts: _Parts
) -> Iterator[_Alone]:
    """They are counted in the database: most cases are among them."""
    by = _columns(groupings)
    found = rows.statistics.lone(
        list(parts.values()),
        by,
        wanted.chosen(rows, icd10),
        lengths=[groups.LENGTHS.span(name) for name in sorted(wanted.lengths)] or None,
        by_vardgivare=wanted.level is Level.NATION,
    )
    runs: defaultdict[tuple[Any, ...], list[tuple[int, int, int]]] = defaultdict(list)
    seen: dict[tuple[Any, ...], int] = {}
    for *key, first, last, number, intyg in found:
        alike = tuple(key)
        runs[alike].append((first, last, number))
        seen[alike] = intyg
    for alike, some in runs.items():
        yield _Alone(_case_of(alike, seen[alike], by), some)


def _columns(groupings: Sequence[Grouping]) -> dict[str, tuple[int, ...]]:
    """What decides the groups, and the bounds of all groupings by it; () where one wants it all."""
    by: dict[str, tuple[int, ...]] = {}
    for column in sorted({one.column for one in groupings} - {""}):
        bounds = [one.bounds for one in groupings if one.column == column]
        by[column] = tuple(sorted(set().union(*bounds))) if all(bounds) else ()
    return by


def _case_of(alike: Sequence[Any], intyg: int, by: Mapping[str, Sequence[int]]) -> Case:
    """One that stands for others of the same sex, care provider and values."""
    sex, vardgivare_id, *values = alike
    known: dict[str, Any] = {
        name: _number(value, by[name]) if by[name] else value
        for name, value in zip(by, values, strict=True)
    }
    length = known.pop("length", 0)
    return Case(
        (_ANY._replace(intyg=intyg, sex=sex, vardgivare_id=vardgivare_id, **known),), length, 1
    )


_ANY: Final = Line(0, "", "", "", "", "", 0, None, 0, 0, 0)


def _number(place: int, bounds: Sequence[int]) -> int:
    """One of the numbers that have a place among the bounds."""
    return bounds[place] if place < len(bounds) else bounds[-1] + 1
