"""Reports that the national statistics do not have: how questions, deliveries and events fare.

Whole figures, not by sex: they tell of systems and units, not of patients.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Final

from intyg.adapter.domain.clock import SWEDEN
from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.domain.meddelande import Direction
from intyg.adapter.statistics.groups import FRAGA_GROUP, FRAGOR
from intyg.adapter.statistics.intyg_reports import AMNEN
from intyg.adapter.statistics.period import days_of
from intyg.adapter.statistics.report import Month, Row, Shape, Table, months_of
from intyg.adapter.statistics.sjukfall_reports import Registers
from intyg.adapter.statistics.wanted import Wanted
from intyg.adapter.store import Rows
from intyg.adapter.store.course_rows import Moments, Parts

_WHO: Final = {
    Direction.TO_CARE.value: "vården svarar",
    Direction.TO_RECIPIENT.value: "myndigheten svarar",
}
_WAITING: Final = frozenset({DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.HELD})
_HOUR: Final = 3600.0

Values = Sequence[int | float | None]

Measured = Mapping[tuple[int, str], Values]
"""By the place of the month, or 0 for the period, and the group."""


def lead_time(rows: Rows, wanted: Wanted, registers: Registers) -> Table:  # noqa: ARG001
    """
    Hours from a question's arrival to its answer's: care's answers, and authorities'.

    By when the question came; one that has no answer yet is in none of the figures.
    """

    def measure(parts: Parts) -> Measured:
        hours: defaultdict[tuple[int, str], list[float]] = defaultdict(list)
        for place, direction, amne, came, answered in rows.course.answers(parts, wanted.units):
            hours[place, f"{direction} {amne}"].append((answered - came).total_seconds() / _HOUR)
        return {
            key: (len(found), quantile(found, 0.5), quantile(found, 0.9))
            for key, found in hours.items()
        }

    columns = ("count", "median_hours", "p90_hours")
    labels = {
        f"{direction} {amne}": f"{name}, {who}"
        for direction, who in _WHO.items()
        for amne, name in AMNEN.items()
    }
    return _table(wanted, columns, measure, "timmar", labels, ("median_hours", "p90_hours"))


def quantile(numbers: Iterable[float], share: float) -> float:
    """The smallest number that at least this share of them does not exceed; one decimal."""
    ordered = sorted(numbers)
    return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 1)


def reminders(rows: Rows, wanted: Wanted, registers: Registers) -> Table:  # noqa: ARG001
    """Questions and reminders that came, and reminders on a hundred questions; by who wrote."""

    def measure(parts: Parts) -> Measured:
        found = rows.course.fragor(parts, wanted.units)
        return {
            (place, part or "HSVARD"): (fragor, reminded, _per_hundred(reminded, fragor))
            for place, _, part, fragor, reminded in found
        }

    columns = ("fragor", "reminders", "per_100")
    return _table(wanted, columns, measure, "påminnelser", {}, ("reminders",))


def _per_hundred(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None


def by_fraga_and_type(rows: Rows, wanted: Wanted, registers: Registers) -> Table:
    """Questions that completion requests list, by type, and by when they were sent."""
    chosen = wanted.chosen(rows, registers.icd10)
    names = {name: label for name, _, label in FRAGOR}
    counted: Counter[tuple[Month, str]] = Counter()
    for sent_month, typ, frage_id, number, _ in rows.statistics.count_meddelanden(
        ("sent_month", "typ", "frage_id"), chosen, sent=wanted.period.days, fragor=True
    ):
        month = sent_month if wanted.shape is Shape.MONTHS else None
        counted[month, f"{typ} {FRAGA_GROUP.get(frage_id, frage_id)}"] += number
    groups = sorted({group for _, group in counted})
    labels = {one: _fraga_label(one, names) for one in groups}
    rows_ = tuple(
        Row(month, group, label, (counted[month, group],))
        for month in months_of(wanted.period, wanted.shape)
        for group, label in labels.items()
    )
    return Table(("count",), rows_, "kompletteringar", shown=("count",))


def _fraga_label(group: str, names: dict[str, str]) -> str:
    typ, _, fraga = group.partition(" ")
    return f"{typ}, {names.get(fraga, f'fråga {fraga}').lower()}"


def deliveries(rows: Rows, wanted: Wanted, registers: Registers) -> Table:  # noqa: ARG001
    """Deliveries by who gets them and when they were queued; as they stand now."""

    def measure(parts: Parts) -> Measured:
        found: defaultdict[tuple[int, str], Counter[str]] = defaultdict(Counter)
        for place, part, state, again, number in rows.course.deliveries(parts, wanted.units):
            of_part = found[place, part]
            of_part["total"] += number
            of_part["retried"] += number if again else 0
            of_part[_column(DeliveryState(state), again=bool(again))] += number
            of_part["delivered"] += number if state == DeliveryState.DELIVERED.value else 0
        return {key: [numbers[name] for name in columns] for key, numbers in found.items()}

    columns = ("total", "delivered", "first_time", "retried", "waiting", "lost")
    return _table(wanted, columns, measure, "leveranser", {}, ("first_time", "retried", "lost"))


def _column(state: DeliveryState, *, again: bool) -> str:
    if state is DeliveryState.DELIVERED:
        return "later" if again else "first_time"
    return "waiting" if state in _WAITING else "lost"


def blocked(rows: Rows, wanted: Wanted, registers: Registers) -> Table:  # noqa: ARG001
    """What the guard stopped, by contract and destination; test patients' too."""

    def measure(parts: Parts) -> Measured:
        found = rows.course.blocks(parts)
        return {(place, f"{contract} till {where}"): (n,) for place, contract, where, n in found}

    return _table(wanted, ("count",), measure, "spärrade", {}, ("count",))


def not_told(rows: Rows, wanted: Wanted, registers: Registers) -> Table:  # noqa: ARG001
    """Events by code: how many there were, and of how many no EHR was told, and why."""

    def measure(parts: Parts) -> Measured:
        found = rows.course.not_told(parts, wanted.units)
        return {
            (place, code): (number, nobody, lost) for place, code, number, nobody, lost in found
        }

    columns = ("total", "no_ehr", "did_not_arrive")
    return _table(wanted, columns, measure, "händelser", {}, ("no_ehr", "did_not_arrive"))


# --- by month -------------------------------------------------------------------------------------


def _table(
    wanted: Wanted,
    columns: tuple[str, ...],
    measure: Callable[[Parts], Measured],
    unit: str,
    labels: dict[str, str],
    shown: tuple[str, ...],
) -> Table:
    """Figures of each month, or of the period: a row for each group that is found in any."""
    spans = _spans(wanted)
    found = measure([_moments(days) for _, days in spans])
    groups = sorted({group for _, group in found})
    nothing = tuple(0 if name != "per_100" and "hours" not in name else None for name in columns)
    rows = tuple(
        Row(month, group, labels.get(group, group), tuple(found.get((place, group), nothing)))
        for place, (month, _) in enumerate(spans)
        for group in groups
    )
    return Table(columns, rows, unit, shown=shown)


def _spans(wanted: Wanted) -> list[tuple[Month, tuple[int, int]]]:
    return [
        (month, wanted.period.days if month is None else days_of(month))
        for month in months_of(wanted.period, wanted.shape)
    ]


def _moments(days: tuple[int, int]) -> Moments:
    """From the first day's midnight in Sweden to that after the last."""
    return _midnight(days[0]), _midnight(days[1] + 1)


def _midnight(day: int) -> datetime:
    return datetime.combine(date.fromordinal(day), time(), SWEDEN).astimezone(UTC)
