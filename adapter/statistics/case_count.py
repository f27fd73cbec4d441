"""Counting cases in groups: those that have rows in the database there, the others here.

What has no rows that count is somebody's of whom something is new, a case that the time cuts or
that a filter lets pass in part. See `case_rows.py`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, Final, TypeAlias

from intyg.adapter.rules.birth import Sex
from intyg.adapter.statistics import groups
from intyg.adapter.statistics.case_rows import LEVEL_BITS, all_near, is_counted
from intyg.adapter.statistics.diagnoses import Icd10
from intyg.adapter.statistics.period import Period, days_of
from intyg.adapter.statistics.report import Cells, Level, Month, Shape, fold, months_of
from intyg.adapter.statistics.sjukfall import (
    Case,
    Days,
    cases_in,
    cases_of_all,
    days_until,
    lone_case,
)
from intyg.adapter.statistics.wanted import Wanted
from intyg.adapter.store import Line, Rows
from intyg.adapter.store.sjukfall_rows import BETWEEN, WORDS, CaseFilter, Mixed, Unsure, Use

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
        column: What decides the group in the database: a column of `sjukfall`; "": nothing.
        bounds: Of such numbers, the last of each group but the last; without, each for itself.
        unknown_women: Who is neither man nor woman counts with women, not with men, in a
            cross-section.
    """

    of_line: Callable[[Line], str] | None = None
    of_one: Callable[[Line], Iterable[str]] | None = None
    of_case: Callable[[Case], str] = lambda _: ""
    labels: Mapping[str, str] | None = None
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
    cells = counter.cells()
    if not grouping.named:
        return cells, {}
    known = rows.sjukfall.examples(grouping.column, {group for _, _, group, _ in cells})
    return cells, counter.examples | known


def count_each(
    rows: Rows,
    wanted: Wanted,
    icd10: Icd10,
    groupings: Sequence[Grouping],
    periods: Sequence[Period],
) -> list[Cells]:
    """
    Count cases in several groupings and periods, each period as one.

    Returns:
        The cells of each grouping; in place of months they have the places of the periods.
    """
    found: list[Cells] = [Counter() for _ in groupings]
    for place, period in enumerate(periods):
        counters = _count(
            rows, replace(wanted, period=period), icd10, groupings, {place: period.days}
        )
        for cells, counter in zip(found, counters, strict=True):
            cells.update(counter.cells())
    return found


_Parts: TypeAlias = Mapping[Month, Days]
"""What cells are counted for, in order: the first and last day of each month, or of the period."""


def _count(
    rows: Rows, wanted: Wanted, icd10: Icd10, groupings: Sequence[Grouping], parts: _Parts
) -> list["_Counter"]:
    counters = [_Counter(wanted.shape, grouping, parts) for grouping in groupings]
    chosen = _chosen(rows, wanted, icd10)
    maker = _CaseMaker(wanted.lengths, wanted.visible(icd10), parts)
    unsure = rows.sjukfall.unsure()
    for near in _by_hand(rows, wanted, chosen, unsure):
        for case, first, last in maker.cases(near):
            for counter in counters:
                counter.add(case, first, last)
    for some in _together(counters):
        for alike in _in_database(rows, wanted, chosen, unsure, some):
            for counter in some:
                counter.add_alike(alike)
    return counters


def _by_hand(
    rows: Rows, wanted: Wanted, chosen: CaseFilter, unsure: Unsure
) -> Iterator[Sequence[Line]]:
    """Periods that hang together, and that rows in the database do not count."""
    days = wanted.period.days
    new = rows.sjukfall.lines_unsure(days, wanted.units or None, unsure)
    yield from all_near(new)
    persons = {line.person for line in new}
    whole = days if chosen.use is Use.WHOLE else None
    for near in all_near(rows.sjukfall.lines_beside(chosen, days)):
        if near[0].person not in persons and not is_counted(near, chosen.mask, whole):
            yield near


def _chosen(rows: Rows, wanted: Wanted, icd10: Icd10) -> CaseFilter:
    filters = {Mixed.UNIT: wanted.units, Mixed.DIAGNOSIS: wanted.diagnoses, Mixed.AGE: wanted.ages}
    mask = Mixed.WORDY
    for bit, values in filters.items():
        mask |= bit if values else Mixed(0)
    use = Use.MONTHS if mask is Mixed.WORDY else Use.SEEN
    return CaseFilter(
        use=Use.WHOLE if wanted.shape is Shape.PERIOD else use,
        months=(wanted.period.first, wanted.period.last),
        mask=mask,
        units=wanted.units or None,
        diagnoses=(
            wanted.written(icd10, rows.sjukfall.all_words("diagnosis"))
            if wanted.diagnoses
            else None
        ),
        ages=[groups.AGES.span(name) for name in sorted(wanted.ages)] or None,
        lengths=[groups.LENGTHS.span(name) for name in sorted(wanted.lengths)] or None,
    )


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
        self.grouping = grouping
        self._shape = shape
        self._of = grouping.of(shape)
        self._months = list(parts)
        self._room = len(parts) + 1
        # Care provider, group, sex → by how much more cases each part has than the one before.
        self._changed: dict[tuple[str, str, str], list[int]] = {}

    def add(self, case: Case, first: int, last: int) -> None:
        """Count a case in some parts."""
        line = case.lines[-1]
        for group in self._of(case):
            change = self._changes(line.vardgivare_id, group, line.sex)
            change[first] += 1
            change[last + 1] -= 1
        if self.grouping.named:
            self.examples |= self.grouping.examples(case, self._shape)

    def add_alike(self, alike: "_Alike") -> None:
        """Count many that are alike."""
        groups_ = list(self._of(alike.case))
        for vardgivare_id, sex, first, last, number in alike.runs:
            for group in groups_:
                change = self._changes(vardgivare_id, group, sex)
                change[first] += number
                change[last + 1] -= number

    def _changes(self, vardgivare_id: str, group: str, sex: str) -> list[int]:
        key = (vardgivare_id, group, sex)
        found = self._changed.get(key)
        if found is None:
            found = self._changed[key] = [0] * self._room
        return found

    def cells(self) -> Cells:
        """What was counted."""
        unknown = self.grouping.unknown(self._shape)
        cells: Cells = Counter()
        for (vardgivare_id, group, sex), change in self._changed.items():
            folded = fold(sex, unknown)
            for month, number in zip(self._months, accumulate(change), strict=False):
                cells[vardgivare_id, month, group, folded] += number
        return +cells


# --- counted in the database ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Alike:
    """
    Cases that count in the same groups.

    Attributes:
        case: One that stands for them.
        runs: Care provider, sex, first and last part of the report that they are in, and how many.
    """

    case: Case
    runs: Sequence[tuple[str, str, int, int, int]]


def _together(counters: Sequence[_Counter]) -> Iterator[Sequence[_Counter]]:
    """Those that one look at the rows serves: numbers have few places, and words have many."""
    words = [one for one in counters if one.grouping.column in WORDS]
    numbers = [one for one in counters if one not in words]
    if numbers:
        yield numbers
    yield from ([one] for one in words)


def _in_database(
    rows: Rows,
    wanted: Wanted,
    chosen: CaseFilter,
    unsure: Unsure,
    counters: Sequence[_Counter],
) -> Iterator[_Alike]:
    by = _columns([one.grouping for one in counters], chosen.use)
    of_nation = wanted.level is Level.NATION
    found = rows.sjukfall.count(by, chosen, unsure, by_vardgivare=of_nation)
    providers = rows.sjukfall.words(WORDS[0], {row[1] for row in found} if of_nation else ())
    start = 0 if chosen.use is Use.WHOLE else wanted.period.first
    runs: defaultdict[tuple[Any, ...], list[tuple[str, str, int, int, int]]] = defaultdict(list)
    for sex, provider, *values, first, last, number in found:
        vardgivare_id = providers.get(provider, "")
        runs[tuple(values)].append((vardgivare_id, sex, first - start, last - start, number))
    words = {
        place: rows.sjukfall.words(name, {values[place] for values in runs})
        for place, name in enumerate(by)
        if name in WORDS
    }
    for key, some in runs.items():
        values = [words[place][one] if place in words else one for place, one in enumerate(key)]
        yield _Alike(_case_of(dict(zip(by, values, strict=True)), by), some)


def _columns(groupings: Sequence[Grouping], use: Use) -> dict[str, tuple[int, ...]]:
    """What decides the groups, and the bounds of all groupings by it; () where one wants it all."""
    by: dict[str, tuple[int, ...]] = {}
    for column in sorted({one.column for one in groupings} - {""}):
        bounds = [one.bounds for one in groupings if one.column == column]
        name = "levels" if column == "level" and use is Use.WHOLE else column
        by[name] = tuple(sorted(set().union(*bounds))) if all(bounds) else ()
    return by


def _case_of(known: dict[str, Any], by: Mapping[str, Sequence[int]]) -> Case:
    """One that stands for others of the same values."""
    values = {name: _number(one, by[name]) for name, one in known.items()}
    length, intyg = values.pop("length", 0), values.pop("intyg", 1)
    levels = values.pop("levels", 0)
    lines = [_ANY._replace(**values)]
    if levels:
        lines = [lines[0]._replace(level=one) for one, bit in LEVEL_BITS.items() if levels & bit]
    for kind in WORDS[1:]:
        lines = [_with(one, kind, word) for one in lines for word in _words(one, kind)]
    return Case(lines, length, intyg)


def _with(line: Line, kind: str, word: Any) -> Line:
    return line._replace(**{kind: word})


def _words(line: Line, kind: str) -> list[str]:
    return str(getattr(line, kind) or "").split(BETWEEN)


_ANY: Final = Line(0, "", "", "", "", "", 0, None, 0, 0, 0)


def _number(place: Any, bounds: Sequence[int]) -> Any:
    """One of the numbers that have a place among the bounds; what has none as it is."""
    if not bounds:
        return place
    return bounds[place] if place < len(bounds) else bounds[-1] + 1
