"""Reports that count sick-leave cases."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from intyg.adapter.clients.staff_directory import StaffDirectory
from intyg.adapter.domain.errors import TechnicalError
from intyg.adapter.statistics import groups
from intyg.adapter.statistics.case_count import TOTAL, Grouping, count
from intyg.adapter.statistics.diagnoses import (
    CHAPTERS,
    GROUPS,
    SECTIONS,
    UNKNOWN,
    UNKNOWN_GROUP,
    Icd10,
)
from intyg.adapter.statistics.report import (
    BY_SEX,
    MissingRegisterError,
    Month,
    ReportError,
    Table,
    by_sex,
    found_groups,
    hide_small,
    months_of,
)
from intyg.adapter.statistics.sjukfall import (
    LONG_DAYS,
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
)
LONG: Final = Grouping(
    column="length",
    bounds=(LONG_DAYS,),
    of_case=lambda case: "long" if case.length > LONG_DAYS else "short",
    labels={"long": f"Mer än {LONG_DAYS} dagar"},
)
BY_LEVEL: Final = Grouping(
    column="level",
    of_line=lambda line: str(line.level),
    labels={str(level): f"{level} %" for level in groups.LEVELS},
    unknown_women=True,
)
BY_INTYG: Final = Grouping(
    column="intyg",
    bounds=tuple(range(1, groups.MOST_INTYG + 1)),
    of_case=lambda case: groups.intyg_count_group(case.intyg),
    labels={
        name: name if name != groups.INTYG_COUNTS[-1] else f"Fler än {groups.MOST_INTYG}"
        for name in groups.INTYG_COUNTS
    },
)


def _months(wanted: Wanted) -> Sequence[Month]:
    return months_of(wanted.period, wanted.shape)


def cases(rows: Rows, wanted: Wanted, registers: Registers, grouping: Grouping = TOTALS) -> Table:
    """Cases in groups that are known beforehand."""
    assert grouping.labels is not None
    cells, _ = count(rows, wanted, registers.icd10, grouping)
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
    cells, _ = count(rows, wanted, registers.icd10, grouping)
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
    cells, _ = count(rows, wanted, registers.icd10, grouping)
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
    cells, examples = count(rows, wanted, registers.icd10, grouping)
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
    cells, _ = count(rows, wanted, registers.icd10, grouping)
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
