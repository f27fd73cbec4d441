"""What somebody wants of a report: period, shape, level and filters, as they wrote it.

Periods are whole months. One that begins before there is anything, or ends after this month, is cut
and says so; one that lies outside altogether, or ends before it begins, is refused.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from intyg.adapter.domain.hsa_id import hsa_key
from intyg.adapter.statistics.diagnoses import Icd10
from intyg.adapter.statistics.facts import plain_code
from intyg.adapter.statistics.groups import AGES, LENGTHS
from intyg.adapter.statistics.period import Period, month_name, month_of
from intyg.adapter.statistics.report import Level, ReportError, Shape
from intyg.adapter.store import FactFilter, Line, Rows

_Named = TypeVar("_Named", Shape, Level)

BEGINNING: Final = 12 * 2013 + 9
"""October 2013: the national statistics have nothing before."""

MONTHS: Final = {Shape.MONTHS: 18, Shape.PERIOD: 12}
"""How long a period is that nobody has chosen."""

PARAMETERS: Final = (
    "from", "to", "shape", "level", "unit", "type", "diagnosis", "age", "length", "within",
)  # fmt: skip
"""What can be said of a report; all but the first four and the last may be said several times."""


@dataclass(frozen=True)
class Wanted:
    """
    One report, as it was asked for.

    Attributes:
        units, typer, diagnoses, ages, lengths: Only these; empty: all. HSA-ids and types in upper
            case; chapters, sections, categories and codes; names of groups.
        within: A chapter, section or category whose parts are the groups.
        notes: What was changed of it, for people.
    """

    period: Period
    shape: Shape
    level: Level = Level.VERKSAMHET
    units: frozenset[str] = frozenset()
    typer: frozenset[str] = frozenset()
    diagnoses: frozenset[str] = frozenset()
    ages: frozenset[str] = frozenset()
    lengths: frozenset[str] = frozenset()
    within: str | None = None
    notes: tuple[str, ...] = ()

    def filters(self) -> dict[str, Collection[str]]:
        """Each filter that is set, by the name of its parameter."""
        named = {
            "unit": self.units,
            "type": self.typer,
            "diagnosis": self.diagnoses,
            "age": self.ages,
            "length": self.lengths,
        }
        return {name: sorted(values) for name, values in named.items() if values}

    def chosen(self, rows: Rows, icd10: Icd10) -> FactFilter:
        """The filters on certificates, for the database."""
        return FactFilter(
            units=self.units or None,
            typer=self.typer or None,
            diagnoses=(
                self.written(icd10, rows.statistics.diagnoses()) if self.diagnoses else None
            ),
            ages=tuple(AGES.span(name) for name in sorted(self.ages)) or None,
        )

    def written(self, icd10: Icd10, found: Iterable[str]) -> frozenset[str]:
        """Of diagnoses as they are written those that one of the wanted ones takes in."""
        return frozenset(one for one in found if self._is_wanted(icd10, one))

    def _is_wanted(self, icd10: Icd10, written: str | None) -> bool:
        diagnosis = icd10.find(written)
        return any(diagnosis.is_in(wanted) for wanted in self.diagnoses)

    def visible(self, icd10: Icd10) -> Callable[[Line], bool] | None:
        """The filters on lines of sick leave; None: every line is looked at."""
        if not (self.units or self.diagnoses or self.ages):
            return None

        def looked_at(line: Line) -> bool:
            return (
                (not self.units or line.enhets_id in self.units)
                and (not self.ages or AGES.of(line.age) in self.ages)
                and (not self.diagnoses or self._is_wanted(icd10, line.diagnosis))
            )

        return looked_at


def read_wanted(
    said: Mapping[str, Sequence[str]], this_month: int, icd10: Icd10, shapes: Sequence[Shape]
) -> Wanted:
    """
    Read what somebody wrote.

    Args:
        said: Values by parameter, of `PARAMETERS`.
        this_month: In Sweden.
        shapes: Those that the report has; the first one counts where none is said.

    Raises:
        ReportError: A parameter that there is not, or a value that cannot be.
    """
    unknown = sorted(set(said) - set(PARAMETERS))
    if unknown:
        raise ReportError(f"{unknown[0]}: no such parameter; there are {', '.join(PARAMETERS)}")
    shape = _one_of(Shape, _single(said, "shape"), shapes[0], "shape")
    if shape not in shapes:
        raise ReportError(f"shape: this report is made by {shapes[0]} alone")
    level = _one_of(Level, _single(said, "level"), Level.VERKSAMHET, "level")
    last = this_month - (level is Level.NATION)
    period, notes = _period(_single(said, "from"), _single(said, "to"), last, MONTHS[shape])
    within = _single(said, "within")
    wanted = Wanted(
        period=period,
        shape=shape,
        level=level,
        units=frozenset(hsa_key(one.strip()) for one in said.get("unit", ()) if one.strip()),
        typer=_upper(said.get("type", ())),
        diagnoses=frozenset(_diagnosis(one, icd10) for one in said.get("diagnosis", ())),
        ages=_names(said.get("age", ()), AGES.names, "age"),
        lengths=_names(said.get("length", ()), LENGTHS.names, "length"),
        within=None if within is None else _diagnosis(within, icd10),
        notes=notes,
    )
    return wanted if level is not Level.NATION else _without_filters(wanted)


def must_know_units(rows: Rows, wanted: Wanted) -> Wanted:
    """
    The same, if each unit in it has had a certificate.

    Raises:
        ReportError: One has not.
    """
    for unit in sorted(wanted.units):
        if not rows.statistics.has_unit(unit):
            text = f"unit: no certificate of {unit} counts here; give its HSA-id"
            raise ReportError(text, "unit", unit=unit)
    return wanted


def _without_filters(wanted: Wanted) -> Wanted:
    if wanted.filters():
        name = next(iter(wanted.filters()))
        raise ReportError(f"level: the nation's figures have no filter {name}", "nation")
    return wanted


def _single(said: Mapping[str, Sequence[str]], name: str) -> str | None:
    values = said.get(name, ())
    if len(values) > 1:
        raise ReportError(f"{name}: give one")
    return values[0] if values else None


def _one_of(kind: type[_Named], said: str | None, usual: _Named, name: str) -> _Named:
    try:
        return usual if said is None else kind(said)
    except ValueError:
        raise ReportError(f"{name}: give one of {', '.join(kind)}") from None


def _period(
    first: str | None, to: str | None, latest: int, months: int
) -> tuple[Period, tuple[str, ...]]:
    last = latest if to is None else _month(to, "to")
    start = last - months + 1 if first is None else _month(first, "from")
    if start > last:
        raise ReportError("from, to: the period ends before it begins", "backwards")
    if last < BEGINNING:
        beginning = month_name(BEGINNING)
        text = f"to: there is nothing before {beginning}"
        raise ReportError(text, "early", month=beginning)
    if start > latest:
        text = f"from: the last month that can be shown is {month_name(latest)}"
        raise ReportError(text, "late", month=month_name(latest))
    cut = Period(max(start, BEGINNING), min(last, latest))
    if cut == Period(start, last) or (first is None and cut.last == last):
        return cut, ()
    shown = f"{month_name(cut.first)} till {month_name(cut.last)}"
    return cut, (f"Perioden är avkortad till {shown}.",)


def _month(text: str, name: str) -> int:
    try:
        return month_of(text.strip())
    except ValueError:
        text = f"{name}: give a month, as 2026-01; periods are whole months"
        raise ReportError(text, "month") from None


def _upper(values: Iterable[str]) -> frozenset[str]:
    return frozenset(one.strip().upper() for one in values if one.strip())


def _names(values: Iterable[str], known: Sequence[str], name: str) -> frozenset[str]:
    said = frozenset(one.strip() for one in values)
    if not said <= set(known):
        raise ReportError(f"{name}: give one of {', '.join(known)}")
    return said


def _diagnosis(text: str, icd10: Icd10) -> str:
    """A range `M50-M54`, or a code with or without its dot."""
    first, dash, last = text.partition("-")
    wanted = f"{plain_code(first)}-{plain_code(last)}" if dash else plain_code(text) or ""
    if not icd10.is_known(wanted):
        raise ReportError(
            f"diagnosis: no code begins with {wanted or text}; "
            "give a chapter (M00-M99), section (M50-M54), category (M54) or code (M545)",
            "diagnosis",
            diagnosis=wanted or text,
        )
    return wanted
