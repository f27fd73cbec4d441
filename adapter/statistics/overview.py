"""The overview: how many cases there are and of which kinds, beside the period before.

A row for all cases, one for those that are long, and one for each group of diagnoses, age, degree
and length; last, how many certificates are asked to be completed. `before` is the total of the
period of the same length that ends where this one begins. How much all and long cases have changed
is told in whole per cent, cut off, and is 0 where there was nothing before, as nationally.

Source: overview of the national statistics service.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from intyg.adapter.statistics.case_count import Grouping, count_each
from intyg.adapter.statistics.diagnoses import GROUPS, UNKNOWN_GROUP
from intyg.adapter.statistics.intyg_reports import completion_shares
from intyg.adapter.statistics.report import (
    BY_SEX,
    PART_OF,
    Level,
    Row,
    Table,
    by_sex,
    hide_small,
    percent,
)
from intyg.adapter.statistics.sjukfall_reports import (
    BY_LENGTH,
    BY_LEVEL,
    BY_WIDE_AGE,
    LONG,
    TOTALS,
    UNIT,
    Registers,
    by_diagnosis_group,
)
from intyg.adapter.statistics.wanted import Wanted
from intyg.adapter.store import Rows

ALL, LONG_ONES, COMPLETED = "all", "long", "completed"
"""Names of the rows that stand alone."""

DIAGNOSIS, AGE, LEVEL, LENGTH = "diagnosis", "age", "level", "length"
"""What the others begin with: `age 21-30`."""

COLUMNS: Final = (*BY_SEX, "before", "difference", "change")
NO_COUNTIES: Final = "Län saknas: inget register över enheters län är uppsatt."


def overview(rows: Rows, wanted: Wanted, registers: Registers) -> Table:
    """Cases of a period by group, and of the period before it."""
    before, now = _sums(rows, wanted, registers)
    made = [_row(group, row, before.get(group)) for group, row in now.items()]
    periods = (wanted.period.before(), wanted.period)
    earlier, later = (one.rows for one in completion_shares(rows, wanted, registers, periods))
    notes = (NO_COUNTIES,) if wanted.level is Level.NATION else ()
    return Table(COLUMNS, (*made, _completed(later, earlier)), UNIT, notes)


def _groupings(registers: Registers) -> Mapping[str, Grouping]:
    diagnosis = replace(by_diagnosis_group(registers.icd10), labels=GROUPS)
    return {
        ALL: replace(TOTALS, labels={"": "Sjukfall"}, unknown_women=True),
        LONG_ONES: LONG,
        DIAGNOSIS: diagnosis,
        AGE: BY_WIDE_AGE,
        LEVEL: BY_LEVEL,
        LENGTH: BY_LENGTH,
    }


def _sums(rows: Rows, wanted: Wanted, registers: Registers) -> tuple[dict[str, Row], ...]:
    """Rows of every grouping by their names in the overview: before, and now."""
    groupings = _groupings(registers)
    periods = (wanted.period.before(), wanted.period)
    every = list(groupings.values())
    counted = count_each(rows, wanted, registers.icd10, every, periods)
    found: tuple[dict[str, Row], ...] = ({}, {})
    for (name, grouping), cells in zip(groupings.items(), counted, strict=True):
        assert grouping.labels is not None
        summed, hidden = hide_small(cells, wanted.level, registers.cutoff)
        for place, rows_of_period in enumerate(found):
            for row in by_sex(summed, hidden, (place,), grouping.labels):
                if row.group != UNKNOWN_GROUP or any(row.values):
                    rows_of_period[_name(name, row.group)] = row._replace(month=None)
    return found


def _name(grouping: str, group: str) -> str:
    return grouping if grouping in (ALL, LONG_ONES) else f"{grouping} {group}"


def _row(name: str, row: Row, before: Row | None) -> Row:
    earlier, total = _total(before), _total(row)
    change = _change(earlier, total) if name in (ALL, LONG_ONES) else None
    values = (*row.values, earlier, total - earlier, change)
    return row._replace(group=name, values=values)


def _total(row: Row | None) -> int:
    return int(row.values[-1] or 0) if row else 0


def _change(before: int, now: int) -> int:
    return int(100 * (now - before) / before) if before else 0


def _completed(now: Sequence[Row], before: Sequence[Row]) -> Row:
    female, male, total = _shares(now)
    *_, earlier = _shares(before)
    difference = None if total is None or earlier is None else total - earlier
    label = "Intyg med kompletteringsbegäran, %"
    values = (female, male, total, earlier, difference, None)
    return Row(None, COMPLETED, label, values, unit="procent")


def _shares(rows: Sequence[Row]) -> Iterator[int | None]:
    """Of women's, men's and all certificates, whatever their type."""
    for of in BY_SEX:
        part, whole = (
            sum(int(row.values[PART_OF.index(f"{of}_{what}")] or 0) for row in rows)
            for what in ("part", "whole")
        )
        yield percent(part, whole)


def rows_of(table: Table, part: str) -> tuple[Row, ...]:
    """The rows of a part of the overview: `age`, or `all`."""
    return tuple(row for row in table.rows if row.group.partition(" ")[0] == part)
