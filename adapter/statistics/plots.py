"""Reports as plots: which figures are drawn, as what, and in which language."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from intyg.adapter.statistics.catalogue import Report
from intyg.adapter.statistics.period import month_name
from intyg.adapter.statistics.report import Row, Shape
from intyg.adapter.statistics.texts import COLUMNS
from intyg.pages import chart
from intyg.pages.chart import MAX_SERIES, WHOLE, Frame, Number, Plot, Series
from intyg.pages.words import Language

MOST_BARS: Final = 30
"""More groups than these are left to the table."""


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

    Of more than three groups by month those with the most are drawn, all others as one.
    """
    groups = list(dict.fromkeys(row.group for row in _drawn(report)))
    if report.wanted.shape is Shape.PERIOD:
        return chart.bars(_said(_by_group(report), wording), frame)
    if len(groups) <= 1:
        return chart.lines(_said(_by_month(report, wording), wording), frame)
    return chart.stacked(_said(_by_month_and_group(report, wording), wording), frame)


def _plot(report: Report, places: tuple[str, ...], series: list[Series]) -> Plot:
    return Plot(title(report), report.table.unit, places, tuple(series))


def _said(plot: Plot, wording: Wording) -> Plot:
    if wording is SWEDISH:
        return plot
    series = tuple(Series(wording.text(one.name), one.values) for one in plot.series)
    places = tuple(map(wording.text, plot.places))
    name, comma, when = plot.title.rpartition(", ")
    heading = f"{wording.text(name)}{comma}{wording.text(when)}"
    return Plot(heading, wording.text(plot.unit), places, series, wording.language)


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
        rows = tuple(sorted(rows, key=lambda row: -_whole(report, row))[:MOST_BARS])
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
    by_group: dict[str, dict[int | None, float]] = {}
    labels = {row.group: row.label for row in report.table.rows}
    for row in report.table.rows:
        by_group.setdefault(row.group, {})[row.month] = _whole(report, row)
    most = sorted(by_group, key=lambda group: -sum(by_group[group].values()))
    own = most if len(most) <= MAX_SERIES else most[: MAX_SERIES - 1]
    months = report.wanted.period.months
    series = [
        Series(labels[group], tuple(by_group[group].get(month, 0) for month in months))
        for group in own
    ]
    if len(own) < len(most):
        rest = most[len(own) :]
        others = tuple(sum(by_group[one].get(month, 0) for one in rest) for month in months)
        series.append(Series("Övriga", others))
    return _plot(report, _months(report, wording), series)


def _months(report: Report, wording: Wording) -> tuple[str, ...]:
    return tuple(wording.month(month) for month in report.wanted.period.months)


def _value(report: Report, row: Row, name: str) -> Number:
    return None if name in row.hidden else row.values[report.table.columns.index(name)]


def _whole(report: Report, row: Row) -> float:
    """The figure that stands for a row: its total, or the sum of what is shown of it."""
    columns = report.table.columns
    if "total" in columns:
        return row.values[columns.index("total")] or 0
    return sum(row.values[columns.index(name)] or 0 for name in report.table.shown)
