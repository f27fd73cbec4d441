"""Sick-leave cases (`sjukfall`), as the national statistics build them from certificates.

A case is one person's at one care provider (`vårdgivare`). Lines, which are periods of sick leave,
are taken by start; one joins the case before it when at most five days lie between them without.

    in a period  a case is made of the lines that overlap the period, whole, not cut at its borders;
                 so two cases in two months may be one in the year
    length       days with sick leave, each once; with them the days before the period that belong
                 to the same case, but none of a line that begins after it
    last         the last line by start, then certificate, then level, says unit, doctor, level and
                 diagnosis in a time series; in a cross-section every line does
    age          the highest among its lines

Where only some lines are looked at (a unit's, of a diagnosis, of an age), cases are built of those,
and then the person's other lines are asked:

    an earlier line that reaches the case, or ends at most five days before it, moves its start
    back; of several, the one that begins first. One that sticks out at both ends does not;
    cases that another line joins are one;
    days of other lines inside the case count; what sticks out at one end is cut, and what sticks
    out at both adds nothing;
    a certificate counts when all of it lies strictly inside, or when it moved the start;
    none of this adds a diagnosis, unit, doctor, level or age.

Source: case calculation of the national statistics service.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from intyg.adapter.store import Line

MAX_GAP: Final = 5
"""Days without sick leave that a case may have in between."""

LONG_DAYS: Final = 90
"""A case of more days is a long one."""

Days: TypeAlias = tuple[int, int]
"""First and last, both inclusive."""


class Case(NamedTuple):
    """
    A sick-leave case as it is seen in one period.

    Attributes:
        lines: Its visible lines, in order.
        length: Days.
        intyg: How many certificates it has.
    """

    lines: Sequence[Line]
    length: int
    intyg: int

    @property
    def last(self) -> Line:
        """The line that speaks for it in a time series."""
        return self.lines[-1]

    @property
    def sex(self) -> str:
        return self.lines[-1].sex

    @property
    def age(self) -> int:
        return max(line.age for line in self.lines)


def cases_in(
    lines: Sequence[Line], period: Days, visible: Callable[[Line], bool] | None = None
) -> list[Case]:
    """
    One person's cases at one care provider in a period.

    Args:
        lines: All active lines of the person there, in order: by start, certificate, level. Where
            all are looked at, those that begin after the period may be missing; those before it
            too, where nobody asks for the length.
        visible: Which lines are looked at; None: all.
    """
    seen = lines if visible is None else [line for line in lines if visible(line)]
    first, last = period
    inside = [line for line in seen if line.first <= last and line.last >= first]
    if not inside:
        return []
    if len(lines) == 1:
        return [lone_case(lines[0])]
    known = [line for line in seen if line.first <= last]
    found = [_Open(case, _with_earlier(case, known)) for case in joined(inside)]
    if visible is not None and len(inside) < len(lines):
        found = list(_extended(found, lines))
    return [one.closed() for one in found]


def cases_of_all(near: Sequence[Line], days: Sequence[int], period: Days) -> list[Case]:
    """
    The same where every line is looked at, of lines that lie near each other.

    Args:
        near: All of them that begin until the period's end make one case together.
        days: Of `days_until`.
    """
    first, last = period
    found: list[list[Line]] = []
    end, known = 0, 0
    for line in near:
        if line.first > last:
            break
        known += 1
        if line.last < first:
            continue
        if found and line.first <= end + MAX_GAP + 1:
            found[-1].append(line)
            end = max(end, line.last)
        else:
            found.append([line])
            end = line.last
    return [Case(one, days[known - 1], _count_intyg(one)) for one in found]


def _count_intyg(lines: Sequence[Line]) -> int:
    return len({line.intyg for line in lines}) if len(lines) > 1 else 1


def days_until(near: Iterable[Line]) -> list[int]:
    """Days with sick leave of lines in order, each once: until the first line, the second, …"""
    until: list[int] = []
    total, reached = 0, 0
    for line in near:
        if line.last > reached:
            total += line.last - max(line.first, reached + 1) + 1
            reached = line.last
        until.append(total)
    return until


def lone_case(line: Line) -> Case:
    """The case of a line that no other joins: the same in every period that it overlaps."""
    return Case((line,), line.last - line.first + 1, 1)


@dataclass(slots=True)
class _Open:
    """A case that may yet grow."""

    lines: list[Line]
    days: list[Days]  # with sick leave; they may overlap
    more: frozenset[int] = frozenset()  # certificates of other lines

    def closed(self) -> Case:
        own = {line.intyg for line in self.lines}
        return Case(self.lines, _count(self.days), len(own | self.more))


def joined(lines: Iterable[Line]) -> list[list[Line]]:
    """One person's lines in order, cut where more than five days lie between two of them."""
    cases: list[list[Line]] = []
    end = 0
    for line in lines:
        if cases and line.first <= end + MAX_GAP + 1:
            cases[-1].append(line)
            end = max(end, line.last)
        else:
            cases.append([line])
            end = line.last
    return cases


def _with_earlier(case: list[Line], known: Sequence[Line]) -> list[Days]:
    """The days of a case, and of what came before the period and belongs to it."""
    wholes = joined(known) if len(known) > len(case) else ()
    whole = next((each for each in wholes if case[0] in each), case)
    return [(line.first, line.last) for line in whole]


def _count(days: Iterable[Days]) -> int:
    """Days, each once."""
    total, reached = 0, 0
    for first, last in sorted(days):
        if last > reached:
            total += last - max(first, reached + 1) + 1
            reached = last
    return total


# --- lines that are not looked at -----------------------------------------------------------------


def _extended(cases: list[_Open], every: Sequence[Line]) -> Iterator[_Open]:
    for whole in joined(every):
        start, end = whole[0].first, max(line.last for line in whole)
        touched = [one for one in cases if one.lines[0].first <= end and _end(one) >= start]
        if touched:
            yield _extend(_merged(touched), whole)


def _end(case: _Open) -> int:
    return max(line.last for line in case.lines)


def _merged(cases: list[_Open]) -> _Open:
    lines = sorted((line for one in cases for line in one.lines), key=_order)
    return _Open(lines, [days for one in cases for days in one.days])


def _order(line: Line) -> tuple[int, int, int]:
    return line.first, line.intyg, line.level


def _extend(case: _Open, whole: Sequence[Line]) -> _Open:
    others = [line for line in whole if line not in case.lines]
    if not others:
        return case
    end = _end(case)
    moved = _moving(others, case.lines[0].first, end)
    start = moved[-1].first if moved else case.lines[0].first
    inside = [line for line in others if start <= line.first or line.last <= end]
    days = [(max(line.first, start), min(line.last, end)) for line in inside]
    within = {line.intyg for line in others}
    within -= {line.intyg for line in others if not (start < line.first and line.last < end)}
    return _Open(
        case.lines,
        case.days + [span for span in days if span[0] <= span[1]],
        frozenset(within | {line.intyg for line in moved}),
    )


def _moving(others: Sequence[Line], start: int, end: int) -> list[Line]:
    """Lines that move the start back, one after the other: of those that can, the earliest."""
    moved: list[Line] = []
    while True:
        able = (
            line
            for line in others
            if line.first < start and start <= line.last + MAX_GAP + 1 and line.last <= end
        )
        earliest = min(able, key=_order, default=None)
        if earliest is None:
            return moved
        moved.append(earliest)
        start = earliest.first
