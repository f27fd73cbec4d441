"""Reports that count sick-leave cases."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from intyg.adapter.clients.staff_directory import StaffDirectory
from intyg.adapter.domain.errors import TechnicalError
from intyg.adapter.rules.birth import Sex
from intyg.adapter.statistics import groups
from intyg.adapter.statistics.diagnoses import (
    CHAPTERS,
    GROUPS,
    SECTIONS,
    UNKNOWN,
    UNKNOWN_GROUP,
    Icd10,
)
from intyg.adapter.statistics.period import Period, days_of
from intyg.adapter.statistics.report import (
    BY_SEX,
    Cells,
    Level,
    MissingRegisterError,
    Month,
    ReportError,
    Shape,
    Table,
    by_sex,
    fold,
    found_groups,
    hide_small,
    months_of,
)
from intyg.adapter.statistics.sjukfall import (
    LONG_DAYS,
    Case,
    Days,
    cases_in,
    joined,
    lone_case,
)
from intyg.adapter.statistics.wanted import Wanted
from intyg.adapter.store import Line, Rows

UNIT: Final = "sjukfall"


@dataclass(frozen=True)
class Registers:
    """
    What reports look up.

    Attributes:
        icd10: Diagnoses; without names where no list of codes is set up.
        staff: None: no staff directory is set up.
        cutoff: Smaller figures of a nation or region are not shown.
    """

    icd10: Icd10
    staff: StaffDirectory | None = None
    cutoff: int = 5


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
TOTALS: Final = Grouping(labels=TOTAL)
BY_AGE: Final = Grouping(
    column="age",
    bounds=groups.AGES.last[:-1],
    of_case=lambda case: groups.AGES.of(case.age),
    labels=dict(zip(groups.AGES.names, groups.AGES.labels, strict=True)),
)
BY_WIDE_AGE: Final = Grouping(
    column="age",
    bounds=groups.WIDE_AGES.last[:-1],
    of_case=lambda case: groups.WIDE_AGES.of(case.age),
    labels=dict(zip(groups.WIDE_AGES.names, groups.WIDE_AGES.labels, strict=True)),
)
BY_LENGTH: Final = Grouping(
    column="length",
    bounds=groups.LENGTHS.last[:-1],
    of_case=lambda case: groups.LENGTHS.of(case.length),
    labels=dict(zip(groups.LENGTHS.names, groups.LENGTHS.labels, strict=True)),
    needs_length=True,
)
LONG: Final = Grouping(
    column="length",
    bounds=(LONG_DAYS,),
    of_case=lambda case: "long" if case.length > LONG_DAYS else "short",
    labels={"long": f"Mer än {LONG_DAYS} dagar"},
    needs_length=True,
)
BY_LEVEL: Final = Grouping(
    column="level",
    of_line=lambda line: str(line.level),
    labels={str(level): f"{level} %" for level in groups.LEVELS},
    unknown_women=True,
)
BY_INTYG: Final = Grouping(
    of_case=lambda case: groups.intyg_count_group(case.intyg),
    labels={
        name: name if name != groups.INTYG_COUNTS[-1] else f"Fler än {groups.MOST_INTYG}"
        for name in groups.INTYG_COUNTS
    },
)


def count(
    rows: Rows, wanted: Wanted, registers: Registers, grouping: Grouping
) -> tuple[Cells, dict[str, int]]:
    """
    Count cases.

    Returns:
        The cells; and for each group that is named in certificates, one of them.
    """
    [counter] = _count(rows, wanted, registers, [grouping])
    return counter.cells(), counter.examples


def count_each(
    rows: Rows, wanted: Wanted, registers: Registers, groupings: Sequence[Grouping]
) -> list[Cells]:
    """The cells of each of several groupings; lines are read once."""
    return [one.cells() for one in _count(rows, wanted, registers, groupings)]


def _count(
    rows: Rows, wanted: Wanted, registers: Registers, groupings: Sequence[Grouping]
) -> list["_Counter"]:
    visible = wanted.visible(registers.icd10)
    needs_length = any(grouping.needs_length for grouping in groupings)
    lines = rows.statistics.lines(
        wanted.period.days,
        earlier=needs_length or bool(wanted.lengths) or visible is not None,
        later=visible is not None,
        of_units=wanted.units or None,
    )
    counters = [_Counter(wanted, grouping) for grouping in groupings]
    for own in _of_each(lines):
        for near in joined(own):
            for counter in counters:
                counter.add(near, visible)
    for alone in _lone(rows, wanted, registers, groupings):
        for counter in counters:
            counter.add_lone(alone)
    return counters


@dataclass(frozen=True)
class _Alone:
    """
    Cases of one period each that no other can join, which count in the same groups.

    Attributes:
        case: One that stands for them.
        first, last: Parts of the report that they overlap.
        number: How many they are.
    """

    case: Case
    first: int
    last: int
    number: int


def _lone(
    rows: Rows, wanted: Wanted, registers: Registers, groupings: Sequence[Grouping]
) -> Iterator[_Alone]:
    """They are counted in the database: most cases are among them."""
    by = _columns(groupings)
    found = rows.statistics.lone(
        [_days(month, wanted.period) for month in _months(wanted)],
        by,
        wanted.chosen(rows, registers.icd10),
        lengths=[groups.LENGTHS.span(name) for name in sorted(wanted.lengths)] or None,
        by_vardgivare=wanted.level is Level.NATION,
    )
    for row in found:
        line = _line_of(row, _number(row, by, "age"))
        case = Case((line,), _number(row, by, "length"), 1)
        yield _Alone(case, row["first"], row["last"], row["number"])


def _columns(groupings: Sequence[Grouping]) -> dict[str, tuple[int, ...]]:
    """What decides the groups, and the bounds of all groupings by it; () where one wants it all."""
    by: dict[str, tuple[int, ...]] = {}
    for column in sorted({one.column for one in groupings} - {""}):
        bounds = [one.bounds for one in groupings if one.column == column]
        by[column] = tuple(sorted(set().union(*bounds))) if all(bounds) else ()
    return by


def _line_of(row: Mapping[str, Any], age: int) -> Line:
    return Line(
        intyg=row["intyg_seq"],
        person="",
        vardgivare_id=row["vardgivare_id"],
        enhets_id=row.get("enhets_id", ""),
        personal_id=row.get("personal_id", ""),
        sex=row["sex"],
        age=age,
        diagnosis=row.get("diagnosis"),
        level=row.get("level", 0),
        first=0,
        last=0,
    )


def _number(row: Mapping[str, Any], by: Mapping[str, Sequence[int]], name: str) -> int:
    """One of the numbers that a row stands for, where it has only their place among the bounds."""
    value, bounds = int(row.get(name, 0)), by.get(name, ())
    if not bounds:
        return value
    return bounds[value] if value < len(bounds) else bounds[-1] + 1


class _Counter:
    """Counts the cases of lines that lie near each other: no others can change them."""

    def __init__(self, wanted: Wanted, grouping: Grouping) -> None:
        self.examples: dict[str, int] = {}
        self._wanted = wanted
        self._grouping = grouping
        self._of = grouping.of(wanted.shape)
        self._parts = [_days(month, wanted.period) for month in _months(wanted)]
        self._first = wanted.period.days[0]
        self._part_of_day = [
            part for part, (first, last) in enumerate(self._parts) for _ in range(first, last + 1)
        ]
        # Care provider, group, sex, first and last of the parts in a row → cases.
        self._runs: Counter[tuple[str, str, str, int, int]] = Counter()

    def add(self, lines: list[Line], visible: Callable[[Line], bool] | None) -> None:
        """Count one person's lines; most stand alone, and are one case in each month."""
        first, last = self._touched(lines)
        if first > last:
            return
        if len(lines) > 1:
            for part in range(first, last + 1):
                for case in cases_in(lines, self._parts[part], visible):
                    self._count(case, part, part)
        elif visible is None or visible(lines[0]):
            self._count(lone_case(lines[0]), first, last)

    def add_lone(self, alone: "_Alone") -> None:
        """Count cases of one period each."""
        self._count_in(alone.case, alone.first, alone.last, alone.number)

    def _touched(self, lines: list[Line]) -> tuple[int, int]:
        """First and last part that lines overlap; none, where the first is after the last."""
        start = lines[0].first - self._first
        end = max(line.last for line in lines) - self._first
        if end < 0 or start >= len(self._part_of_day):
            return 1, 0
        return (
            self._part_of_day[max(start, 0)],
            self._part_of_day[min(end, len(self._part_of_day) - 1)],
        )

    def _count(self, case: Case, first: int, last: int) -> None:
        lengths = self._wanted.lengths
        if not lengths or groups.LENGTHS.of(case.length) in lengths:
            self._count_in(case, first, last, 1)

    def _count_in(self, case: Case, first: int, last: int, number: int) -> None:
        line = case.last
        for group in self._of(case):
            self._runs[line.vardgivare_id, group, line.sex, first, last] += number
        if self._grouping.named:
            self.examples |= self._grouping.examples(case, self._wanted.shape)

    def cells(self) -> Cells:
        """What was counted."""
        months = _months(self._wanted)
        unknown = self._grouping.unknown(self._wanted.shape)
        cells: Cells = Counter()
        for (vardgivare_id, group, sex, first, last), number in self._runs.items():
            for part in range(first, last + 1):
                cells[vardgivare_id, months[part], group, fold(sex, unknown)] += number
        return cells


def _months(wanted: Wanted) -> Sequence[Month]:
    return months_of(wanted.period, wanted.shape)


def _days(month: Month, period: Period) -> Days:
    return period.days if month is None else days_of(month)


def _of_each(lines: Iterable[Line]) -> Iterable[list[Line]]:
    """Lines of each person at each care provider, still in order."""
    found: defaultdict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        found[line.person, line.vardgivare_id].append(line)
    return found.values()


def cases(rows: Rows, wanted: Wanted, registers: Registers, grouping: Grouping = TOTALS) -> Table:
    """Cases in groups that are known beforehand."""
    assert grouping.labels is not None
    cells, _ = count(rows, wanted, registers, grouping)
    summed, hidden = hide_small(cells, wanted.level, registers.cutoff)
    rows_ = by_sex(summed, hidden, _months(wanted), grouping.labels)
    return Table(BY_SEX, rows_, UNIT)


# --- by diagnosis ---------------------------------------------------------------------------------


def by_diagnosis(rows: Rows, wanted: Wanted, registers: Registers) -> Table:
    """
    Cases by groups of diagnoses; or by what a chapter, section or category consists of.

    Raises:
        MissingRegisterError: Codes are asked for, and no list of them is set up.
    """
    icd10, within = registers.icd10, wanted.within
    if within is None:
        grouping, labels = by_diagnosis_group(icd10), dict(GROUPS)
    else:
        part = _part_of(within, icd10)
        grouping = Grouping(column="diagnosis", of_line=lambda line: part(line.diagnosis))
        labels = {}
    cells, _ = count(rows, wanted, registers, grouping)
    cells = Counter({key: number for key, number in cells.items() if key[2]})
    summed, hidden = hide_small(cells, wanted.level, registers.cutoff)
    found = found_groups([*summed, *hidden])
    labels = labels or {group: icd10.label(group) for group in found}
    if UNKNOWN_GROUP not in found:
        labels.pop(UNKNOWN_GROUP, None)  # shown when it has cases
    return Table(BY_SEX, by_sex(summed, hidden, _months(wanted), labels), UNIT)


def by_diagnosis_group(icd10: Icd10) -> Grouping:
    """By the widest groups of diagnoses."""
    return Grouping(column="diagnosis", of_line=lambda line: icd10.find(line.diagnosis).group)


def by_chapter(rows: Rows, wanted: Wanted, registers: Registers) -> Table:
    """Cases by chapter of their diagnosis."""
    icd10 = registers.icd10
    grouping = Grouping(column="diagnosis", of_line=lambda line: icd10.find(line.diagnosis).chapter)
    cells, _ = count(rows, wanted, registers, grouping)
    summed, hidden = hide_small(cells, wanted.level, registers.cutoff)
    found = set(found_groups([*summed, *hidden]))
    labels = {name: icd10.label(name) for name in (*CHAPTERS, UNKNOWN) if name in found}
    return Table(BY_SEX, by_sex(summed, hidden, _months(wanted), labels), UNIT)


def _part_of(within: str, icd10: Icd10) -> Callable[[str | None], str]:
    """Which part of a chapter, section or category a diagnosis is; "" for what lies outside."""
    if within in SECTIONS:
        name = "category"
    elif within in CHAPTERS or within == UNKNOWN:
        name = "section"
    elif icd10.names is None:
        raise MissingRegisterError(
            f"within: the codes of {within} are in no list here; set codes.icd10_file", "codes"
        )
    else:
        name = "code"

    def part(written: str | None) -> str:
        diagnosis = icd10.find(written)
        return str(getattr(diagnosis, name)) if diagnosis.is_in(within) else ""

    return part


def compare(rows: Rows, wanted: Wanted, registers: Registers) -> Table:
    """
    Cases of each diagnosis that was chosen, among all cases.

    Raises:
        ReportError: None was.
    """
    chosen, icd10 = sorted(wanted.diagnoses), registers.icd10
    if not chosen:
        raise ReportError("diagnosis: choose those to compare", "compare")

    def of(line: Line) -> Iterable[str]:
        diagnosis = icd10.find(line.diagnosis)
        return [one for one in chosen if diagnosis.is_in(one)]

    grouping = Grouping(
        column="diagnosis", of_one=of, labels={one: icd10.label(one) for one in chosen}
    )
    return cases(rows, replace(wanted, diagnoses=frozenset()), registers, grouping)


# --- by unit and doctor ---------------------------------------------------------------------------


def by_unit(rows: Rows, wanted: Wanted, registers: Registers) -> Table:
    """Cases by unit."""
    grouping = Grouping(column="enhets_id", of_line=lambda line: line.enhets_id, named=True)
    return _named(rows, wanted, registers, grouping, "enhetsnamn")


def by_doctor(rows: Rows, wanted: Wanted, registers: Registers) -> Table:
    """Cases by doctor; where two have one name, with their HSA-ids."""
    grouping = Grouping(column="personal_id", of_line=lambda line: line.personal_id, named=True)
    return _named(rows, wanted, registers, grouping, "fullstandigt_namn")


def _named(
    rows: Rows, wanted: Wanted, registers: Registers, grouping: Grouping, column: str
) -> Table:
    cells, examples = count(rows, wanted, registers, grouping)
    summed, hidden = hide_small(cells, wanted.level, registers.cutoff)
    found = set(found_groups([*summed, *hidden]))
    named = {group: intyg for group, intyg in examples.items() if group in found}
    labels = name_groups(rows, named, column)
    return Table(BY_SEX, by_sex(summed, hidden, _months(wanted), labels), UNIT)


def name_groups(rows: Rows, examples: Mapping[str, int], column: str) -> dict[str, str]:
    """
    Names of units or doctors by HSA-id, in order of names; with the id where two have one name.

    Args:
        examples: HSA-id → a certificate of it.
        column: `enhetsnamn` or `fullstandigt_namn`.
    """
    by_intyg = rows.statistics.names(column, examples.values())
    names = {one: by_intyg[intyg] for one, intyg in examples.items()}
    often = Counter(names.values())
    labels = {one: name if often[name] == 1 else f"{name} ({one})" for one, name in names.items()}
    return dict(sorted(labels.items(), key=lambda pair: (pair[1].casefold(), pair[0])))


def by_title(rows: Rows, wanted: Wanted, registers: Registers) -> Table:
    """
    Cases by their doctors' positions.

    Raises:
        MissingRegisterError: No staff directory is set up, or it does not answer.
    """
    titles = Titles(registers.staff)
    grouping = Grouping(column="personal_id", of_line=lambda line: titles.of(line.personal_id))
    labels = {
        **groups.TITLES,
        groups.OTHER_TITLE: "Ej läkarbefattning",
        groups.UNKNOWN_TITLE: "Okänd befattning",
    }
    cells, _ = count(rows, wanted, registers, grouping)
    summed, hidden = hide_small(cells, wanted.level, registers.cutoff)
    return Table(BY_SEX, by_sex(summed, hidden, _months(wanted), labels), UNIT)


class Titles:
    """
    Doctors' positions, asked for once each.

    Raises:
        MissingRegisterError: There is nobody to ask.
    """

    def __init__(self, staff: StaffDirectory | None) -> None:
        if staff is None:
            text = "no staff directory is set up (staff.file or staff.url)"
            raise MissingRegisterError(text, "staff")
        self._staff = staff
        self._known: dict[str, str] = {}

    def of(self, personal_id: str) -> str:
        """A doctor's position: a code, or one of the two names for none."""
        if personal_id not in self._known:
            self._known[personal_id] = self._ask(personal_id)
        return self._known[personal_id]

    def _ask(self, personal_id: str) -> str:
        try:
            member = self._staff.find(personal_id)
        except TechnicalError as exc:
            raise MissingRegisterError(exc.text, "staff_down") from exc
        if member is None or not member.yrken.befattningar:
            return groups.UNKNOWN_TITLE
        found = sorted(member.yrken.befattningar & set(groups.TITLES))
        return found[0] if found else groups.OTHER_TITLE


def by_doctor_age(rows: Rows, wanted: Wanted, registers: Registers) -> Table:  # noqa: ARG001
    """
    Cases by their doctors' age and sex.

    Raises:
        MissingRegisterError: Always: a staff directory tells neither.
    """
    text = "the staff directory does not tell doctors' age and sex"
    raise MissingRegisterError(text, "doctors")


def by_county(rows: Rows, wanted: Wanted, registers: Registers) -> Table:  # noqa: ARG001
    """
    Cases by county.

    Raises:
        MissingRegisterError: Always: no register here knows a unit's county.
    """
    raise MissingRegisterError("no register of units with their counties is set up", "counties")
