"""Reports as plots: which figures are drawn, as what, and in which language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from intyg.adapter.statistics.catalogue import Report
from intyg.adapter.statistics.period import month_name
from intyg.adapter.statistics.report import Row, Shape
from intyg.adapter.statistics.texts import COLUMNS
from intyg.pages import chart
from intyg.pages.chart import MAX_SERIES, MOST_PANELS, WHOLE, Frame, Number, Plot, Series
from intyg.pages.words import Language

MOST_BARS: Final = 30
"""More groups than these are left to the table."""

NOT_ADDED: Final = ("procent", "timmar")
"""Units whose figures are no sum, and are not put on top of each other."""


@dataclass(frozen=True)
class Wording:
    """
    How a plot says what reports call by Swedish words and by numbers.

    Attributes:
        text: Of a title, a unit, a column or a group.
        month: What a month is called on the axis.
    """

    text: Callable[[str], str] = str
    month: Callable[[int], str] = month_name
    language: Language = "sv"


SWEDISH: Final = Wording()


def draw(report: Report, wording: Wording = SWEDISH, frame: Frame = WHOLE) -> str:
    """
    A report as SVG: its months as lines, or as stacked bars by group; its groups as lying bars.

    More than three groups by month are drawn each by itself, small and on one scale: those with
    the most, where there are many.
    """
    groups = list(dict.fromkeys(row.group for row in _drawn(report)))
    if report.wanted.shape is Shape.PERIOD:
        return chart.bars(_said(_by_group(report), wording), frame)
    if len(groups) <= 1:
        return chart.lines(_said(_by_month(report, wording), wording), frame)
    drawn = _said(_by_month_and_group(report, wording), wording)
    if len(groups) <= MAX_SERIES and report.table.unit not in NOT_ADDED:
        return chart.stacked(drawn, frame)
    return chart.multiples(drawn, frame)


def _plot(report: Report, places: tuple[str, ...], series: list[Series]) -> Plot:
    return Plot(title(report), report.table.unit, places, tuple(series))


def _said(plot: Plot, wording: Wording) -> Plot:
    if wording is SWEDISH:
        return plot
    series = tuple(Series(wording.text(one.name), one.values) for one in plot.series)
    places = tuple(map(wording.text, plot.places))
    name, comma, when = plot.title.rpartition(", ")
    heading = f"{wording.text(name)}{comma}{wording.text(when)}"
    unit = wording.text(plot.unit)
    return Plot(heading, unit, places, series, wording.language, plot.most)


def title(report: Report) -> str:
    """What it shows, and of when."""
    first, last = (
        month_name(month) for month in (report.wanted.period.first, report.wanted.period.last)
    )
    return f"{report.kind.title}, {first if first == last else f'{first} till {last}'}"


def _drawn(report: Report) -> tuple[Row, ...]:
    return tuple(row for row in report.table.rows if not row.unit)


def _by_group(report: Report) -> Plot:
    rows = _drawn(report)
    if len(rows) > MOST_BARS:
        rows = tuple(sorted(rows, key=lambda row: -(_whole(report, row) or 0))[:MOST_BARS])
    series = [
        Series(COLUMNS[name], tuple(_value(report, row, name) for row in rows))
        for name in report.table.shown
    ]
    return _plot(report, tuple(row.label for row in rows), series)


def _by_month(report: Report, wording: Wording) -> Plot:
    months, rows = _months(report, wording), report.table.rows
    nothing: tuple[Number, ...] = (None,) * len(months)
    series = [
        Series(COLUMNS[name], tuple(_value(report, row, name) for row in rows) or nothing)
        for name in report.table.shown
    ]
    return _plot(report, months, series)


def _by_month_and_group(report: Report, wording: Wording) -> Plot:
    by_group: dict[str, dict[int | None, Number]] = {}
    labels = {row.group: row.label for row in _drawn(report)}
    for row in _drawn(report):
        by_group.setdefault(row.group, {})[row.month] = _whole(report, row)
    series = [
        Series(labels[group], tuple(map(by_group[group].get, report.wanted.period.months)))
        for group in _largest(by_group)
    ]
    plot = _plot(report, _months(report, wording), [])
    return replace(plot, series=tuple(series), most=MOST_PANELS)


def _largest(by_group: Mapping[str, Mapping[int | None, Number]]) -> list[str]:
    """As many groups as there is room for, in the order of the report."""
    sums = {group: sum(value or 0 for value in found.values()) for group, found in by_group.items()}
    most = set(sorted(sums, key=lambda group: -sums[group])[:MOST_PANELS])
    return [group for group in by_group if group in most]


def _months(report: Report, wording: Wording) -> tuple[str, ...]:
    return tuple(wording.month(month) for month in report.wanted.period.months)


def _value(report: Report, row: Row, name: str) -> Number:
    return None if name in row.hidden else row.values[report.table.columns.index(name)]


def _whole(report: Report, row: Row) -> Number:
    """The figure that stands for a row: its total, or the first that is shown of it."""
    columns = report.table.columns
    name = next((one for one in _WHOLE if one in columns), report.table.shown[0])
    value = row.values[columns.index(name)]
    return value if value or not row.hidden else None


_WHOLE: Final = ("total", "total_percent")
