"""The one list of reports: what each counts, for whom, and by what it can be filtered.

Titles are those of the national statistics, for people; names are what commands and addresses say.
Small numbers and filters follow the level, as `report.py` and `wanted.py` say.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Final

from intyg.adapter.statistics import intyg_reports as intyg
from intyg.adapter.statistics import overview
from intyg.adapter.statistics import own_reports as own
from intyg.adapter.statistics import sjukfall_reports as sjukfall
from intyg.adapter.statistics.case_count import Grouping
from intyg.adapter.statistics.facts import month_number
from intyg.adapter.statistics.report import Level, ReportError, Shape, Table
from intyg.adapter.statistics.sjukfall_reports import Registers
from intyg.adapter.statistics.wanted import Wanted, must_know_units, read_wanted
from intyg.adapter.store import Rows

Make = Callable[[Rows, Wanted, Registers], Table]

_BOTH: Final = (Shape.MONTHS, Shape.PERIOD)
_MONTHS: Final = (Shape.MONTHS,)
_PERIOD: Final = (Shape.PERIOD,)
_ALL_LEVELS: Final = frozenset(Level)
_NO_REGION: Final = frozenset({Level.VERKSAMHET, Level.NATION})
_OWN: Final = frozenset({Level.VERKSAMHET})
_ONLY_UNITS: Final = frozenset({"unit"})
_INTYG: Final = frozenset({"unit", "diagnosis", "age"})
_SJUKFALL: Final = _INTYG | {"length"}
_MEDDELANDEN: Final = _INTYG | {"type"}


@dataclass(frozen=True)
class Kind:
    """
    A report that can be asked for.

    Attributes:
        make: Counts.
        shapes: The first one counts where none is said.
        levels: For whom it is made.
        filters: Parameters that it takes.
    """

    title: str
    make: Make
    shapes: Sequence[Shape] = _BOTH
    levels: frozenset[Level] = _NO_REGION
    filters: frozenset[str] = _SJUKFALL


@dataclass(frozen=True)
class Report:
    """A report that was made."""

    name: str
    kind: Kind
    wanted: Wanted
    table: Table

    @property
    def notes(self) -> tuple[str, ...]:
        """What one must know to read it."""
        return (*self.wanted.notes, *self.table.notes)


def _cases(grouping: Grouping) -> Make:
    return partial(sjukfall.cases, grouping=grouping)


REPORTS: Final[Mapping[str, Kind]] = {
    "overview": Kind("Översikt", overview.overview, _PERIOD, filters=_INTYG),
    "sjukfall": Kind("Antal sjukfall", _cases(sjukfall.TOTALS), levels=_ALL_LEVELS),
    "sjukfall-diagnosis": Kind("Sjukfall per diagnosgrupp", sjukfall.by_diagnosis),
    "sjukfall-chapter": Kind("Sjukfall per diagnoskapitel", sjukfall.by_chapter),
    "sjukfall-compare": Kind("Jämförelse av diagnoser", sjukfall.compare, levels=_OWN),
    "sjukfall-age": Kind("Sjukfall per åldersgrupp", _cases(sjukfall.BY_AGE)),
    "sjukfall-level": Kind("Sjukfall per sjukskrivningsgrad", _cases(sjukfall.BY_LEVEL)),
    "sjukfall-length": Kind("Sjukfallens längd", _cases(sjukfall.BY_LENGTH)),
    "sjukfall-long": Kind("Sjukfall längre än 90 dagar", _cases(sjukfall.LONG), levels=_OWN),
    "sjukfall-intyg": Kind(
        "Antal intyg per sjukfall", _cases(sjukfall.BY_INTYG), levels=_ALL_LEVELS
    ),
    "sjukfall-unit": Kind(
        "Sjukfall per enhet",
        sjukfall.by_unit,
        levels=frozenset({Level.VERKSAMHET, Level.REGION}),
    ),
    "sjukfall-doctor": Kind("Sjukfall per läkare", sjukfall.by_doctor, levels=_OWN),
    "sjukfall-title": Kind("Sjukfall per läkares befattning", sjukfall.by_title, levels=_OWN),
    "sjukfall-doctor-age": Kind(
        "Sjukfall per läkares ålder och kön", sjukfall.by_doctor_age, levels=_OWN
    ),
    "sjukfall-county": Kind(
        "Sjukfall per län", sjukfall.by_county, levels=frozenset({Level.NATION})
    ),
    "intyg": Kind("Antal intyg", intyg.issued, levels=_OWN, filters=_INTYG),
    "intyg-type": Kind(
        "Antal utfärdade intyg per typ", intyg.by_type, levels=_ALL_LEVELS, filters=_INTYG
    ),
    "meddelanden": Kind(
        "Inkomna meddelanden", intyg.meddelanden, levels=_OWN, filters=_MEDDELANDEN
    ),
    "meddelanden-amne": Kind(
        "Meddelanden per ämne", intyg.by_amne, levels=_ALL_LEVELS, filters=_MEDDELANDEN
    ),
    "meddelanden-unit": Kind(
        "Meddelanden per ämne och enhet",
        intyg.by_amne_and_unit,
        levels=frozenset({Level.VERKSAMHET, Level.REGION}),
        filters=_MEDDELANDEN,
    ),
    "meddelanden-doctor": Kind(
        "Meddelanden per ämne och läkare",
        intyg.by_amne_and_doctor,
        levels=_OWN,
        filters=_MEDDELANDEN,
    ),
    "completion-share": Kind(
        "Andel intyg med kompletteringsbegäran",
        intyg.completion_share,
        levels=_ALL_LEVELS,
        filters=_MEDDELANDEN,
    ),
    "completion-fraga": Kind(
        "Kompletteringar per fråga", intyg.by_fraga, levels=_ALL_LEVELS, filters=_MEDDELANDEN
    ),
    "lead-time": Kind("Tid från fråga till svar", own.lead_time, _BOTH, _OWN, _ONLY_UNITS),
    "reminders": Kind("Påminnelser per fråga", own.reminders, _BOTH, _OWN, _ONLY_UNITS),
    "completion-type": Kind(
        "Kompletteringar per fråga och intygstyp", own.by_fraga_and_type, _BOTH, _OWN, _ONLY_UNITS
    ),
    "deliveries": Kind("Leveranser per mottagare", own.deliveries, _BOTH, _OWN, _ONLY_UNITS),
    "blocked": Kind("Spärrade sändningar", own.blocked, _BOTH, _OWN, frozenset()),
    "not-told": Kind(
        "Händelser som inget journalsystem fick", own.not_told, _BOTH, _OWN, _ONLY_UNITS
    ),
}
"""Reports by name; those from `lead-time` on the national statistics do not have."""


def kind_of(name: str) -> Kind:
    """
    A report by its name.

    Raises:
        ReportError: There is none.
    """
    if name not in REPORTS:
        raise ReportError(f"{name}: no such report; there are {', '.join(REPORTS)}")
    return REPORTS[name]


def make_report(
    rows: Rows,
    name: str,
    said: Mapping[str, Sequence[str]],
    registers: Registers,
    today: date,
) -> Report:
    """
    Make a report.

    Args:
        said: Values by parameter, as somebody wrote them.
        today: In Sweden.

    Raises:
        ReportError: There is no such report, or it cannot be made so.
    """
    kind = kind_of(name)
    wanted = read_wanted(said, month_number(today), registers.icd10, kind.shapes)
    if wanted.level not in kind.levels:
        known = ", ".join(level for level in Level if level in kind.levels)
        raise ReportError(f"level: {name} is made for {known} alone", "level", levels=known)
    beside = sorted(set(wanted.filters()) - kind.filters)
    if beside:
        raise ReportError(f"{beside[0]}: {name} has no such filter")
    if wanted.within is not None and kind.make is not sjukfall.by_diagnosis:
        raise ReportError("within: sjukfall-diagnosis alone has it")
    rows.statistics.get_ready()
    must_know_units(rows, wanted)
    table = kind.make(rows, wanted, registers)
    return Report(name, kind, wanted, _noted(table, wanted, registers))


def _noted(table: Table, wanted: Wanted, registers: Registers) -> Table:
    if wanted.level is Level.VERKSAMHET or registers.cutoff == 0:
        return table
    hidden = f"Tal under {registers.cutoff} visas inte. Summorna är räknade efter det."
    return replace(table, notes=(*table.notes, hidden))
