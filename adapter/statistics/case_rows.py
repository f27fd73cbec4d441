"""Cases as rows that reports count: made a little after certificates came, of whole persons.

Reports are right without them, and faster with them. Registering a certificate does not wait.

A case of one period counts alike in each month and in any longer time. One of several has rows for
the months, in which it may have one last period after the other, or come apart; others for what a
filter lets pass whole, since then the rest of the case lengthens it; and one for longer times that
all of its periods overlap, where it counts under each degree, diagnosis, doctor and unit that it
has. What these leave out, `is_counted` says, and is made one person at a time.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from itertools import groupby
from typing import Any, Final, NamedTuple

from intyg.adapter.statistics.facts import month_number
from intyg.adapter.statistics.period import days_of
from intyg.adapter.statistics.sjukfall import (
    Case,
    Days,
    cases_in,
    cases_of_all,
    days_until,
    joined,
    lone_case,
)
from intyg.adapter.store import Line, Rows
from intyg.adapter.store.sjukfall_rows import BETWEEN, WORDS, CaseRow, Mixed, Span, Use

LEVEL_BITS: Final = {25: 1, 50: 2, 75: 4, 100: 8}
MOST_IN_WORDS: Final = 1200
"""Letters of a case's words, each as often as it stands there; an index has an end."""


def look(rows: Rows, limit: int) -> int:
    """Make the cases of persons of whom something is new. Returns how many periods were."""
    looked, lines = rows.sjukfall.take(limit)
    made: list[CaseRow] = []
    examples: dict[tuple[str, str], int] = {}
    for near in all_near(lines):
        for row in rows_of(near):
            made.append(row)
            examples |= {(kind, getattr(row, kind)): row.intyg_seq for kind in WORDS}
        for line in near:
            examples |= {(kind, _word(line, kind)[:MOST_IN_WORDS]): line.intyg for kind in WORDS}
    if made:
        rows.sjukfall.add(made, examples)
    return looked


def all_near(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Periods in order, as those of each person at each care provider that hang together."""
    of_each: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        of_each.setdefault((line.person, line.vardgivare_id), []).append(line)
    for own in of_each.values():
        yield from joined(own)


def is_counted(near: Sequence[Line], mask: Mixed, whole: Days | None) -> bool:
    """
    Whether rows say how periods that hang together count, once they are made.

    Args:
        mask: What may not be mixed.
        whole: The longer time that they are to count in; None: months.
    """
    if len(near) > 1 and whole is not None:
        first, last = whole
        if any(line.first > last or line.last < first for line in near):
            return False
    return not (mixed_in(near) if mask != Mixed.WORDY else _wordy(near)) & mask


def mixed_in(near: Sequence[Line]) -> Mixed:
    """Of what periods that hang together have several."""
    found = _wordy(near)
    if len(near) > 1:
        for kind, bit in (("enhets_id", Mixed.UNIT), ("diagnosis", Mixed.DIAGNOSIS)):
            if len({_word(line, kind) for line in near}) > 1:
                found |= bit
        if len({line.age for line in near}) > 1:
            found |= Mixed.AGE
    return found


def _wordy(near: Sequence[Line]) -> Mixed:
    letters = sum(
        len(one.vardgivare_id)
        + len(one.enhets_id)
        + len(one.personal_id)
        + len(one.diagnosis or "")
        for one in near
    )
    return Mixed.WORDY if letters > MOST_IN_WORDS else Mixed(0)


def rows_of(near: Sequence[Line]) -> Iterator[CaseRow]:
    """All rows of periods that hang together."""
    mixed = mixed_in(near)
    ends = near[0].first, max(line.last for line in near)
    if len(near) == 1 and not mixed:
        months = _month(ends[0]), _month(ends[1])
        alone = _alike(lone_case(near[0]))
        yield _row(alone, Use.MONTHS | Use.SEEN | Use.WHOLE, mixed, months, ends)
        return
    for alike, uses, months in _runs(near, ends) if not mixed & Mixed.WORDY else ():
        yield _row(alike, uses, mixed, months, ends)
    # All of them overlap what reaches from the first one's end to the last one's beginning.
    inner = _month(max(line.first for line in near)), _month(min(line.last for line in near))
    all_of_it = Case(near, days_until(near)[-1], len({line.intyg for line in near}))
    row = _row(_alike(all_of_it), Use.WHOLE, mixed, inner, ends)
    words: dict[str, Any] = {kind: _words(near, kind)[:MOST_IN_WORDS] for kind in WORDS}
    yield row._replace(levels=sum({LEVEL_BITS[line.level] for line in near}), **words)


class _Alike(NamedTuple):
    """What a case counts by in a month, and which of the month's it is."""

    last: Line
    age: int
    length: int
    intyg: int
    place: int = 0


def _alike(case: Case, place: int = 0) -> _Alike:
    return _Alike(case.last, case.age, case.length, case.intyg, place)


def _runs(near: Sequence[Line], ends: Span) -> Iterator[tuple[_Alike, Use, Span]]:
    """The months in which a case is the same, one run of them after the other."""
    months_of: defaultdict[tuple[Use, _Alike], list[int]] = defaultdict(list)
    days = days_until(near)
    for month in range(_month(ends[0]), _month(ends[1]) + 1):
        part = days_of(month)
        for place, case in enumerate(cases_of_all(near, days, part)):
            months_of[Use.MONTHS, _alike(case, place)].append(month)
        for case in cases_in(near, part, lambda _: True):
            months_of[Use.SEEN, _alike(case)].append(month)
    uses: defaultdict[tuple[_Alike, Span], Use] = defaultdict(lambda: Use(0))
    for (use, alike), months in months_of.items():
        for span in _spans(months):
            uses[alike, span] |= use
    return ((alike, use, span) for (alike, span), use in uses.items())


def _spans(numbers: Sequence[int]) -> Iterator[Span]:
    """Numbers in order, as runs without gaps."""
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        found = [number for _, number in run]
        yield found[0], found[-1]


def _row(alike: _Alike, uses: Use, mixed: Mixed, months: Span, ends: Span) -> CaseRow:
    last = alike.last
    words = {kind: _word(last, kind)[:MOST_IN_WORDS] for kind in WORDS}
    return CaseRow(
        intyg_seq=last.intyg,
        uses=int(uses),
        mixed=int(mixed),
        **words,
        sex=last.sex,
        age=alike.age,
        level=last.level,
        levels=LEVEL_BITS[last.level],
        length=alike.length,
        intyg=alike.intyg,
        first_month=months[0],
        last_month=months[1],
        from_day=ends[0],
        to_day=ends[1],
    )


def _word(line: Line, kind: str) -> str:
    return getattr(line, kind) or ""


def _words(near: Sequence[Line], kind: str) -> str:
    if len(near) == 1:
        return _word(near[0], kind)
    return BETWEEN.join(sorted({_word(line, kind) for line in near}))


@lru_cache(maxsize=10_000)
def _month(day: int) -> int:
    return month_number(date.fromordinal(day))
