"""Cards of statistics: a plot in three widths, and the same figures as a table under it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Final

from markupsafe import Markup

from intyg.adapter.console.pages.statistics_label_texts import english
from intyg.adapter.statistics import overview
from intyg.adapter.statistics.catalogue import Report
from intyg.adapter.statistics.plots import MOST_BARS, Wording, draw
from intyg.adapter.statistics.report import Row, Shape, Table
from intyg.adapter.statistics.texts import COLUMNS
from intyg.pages.chart import MOST_PANELS, Frame, number_text
from intyg.pages.words import Words

WIDTHS: Final = {"wide": 1060, "half": 520, "phone": 328}
"""Of the drawings of one plot; the stylesheet shows the one that fits."""

PARTS: Final = {
    overview.LENGTH: "sjukfall-length",
    overview.DIAGNOSIS: "sjukfall-diagnosis",
    overview.AGE: "sjukfall-age",
    overview.LEVEL: "sjukfall-level",
}
"""Parts of the overview that are drawn, and the report that tells more of each."""

_ASIDES: Final = (
    ("sjukfall", "gap"),
    ("intyg", "signed"),
    ("meddelanden-", "signed"),
    ("meddelanden", "sent"),
    ("completion-share", "share"),
    ("completion-fraga", "signed"),
    ("deliveries", "now"),
)
"""What one must know to read a report, by what its name begins with."""


@dataclass(frozen=True)
class Sheet:
    """
    Figures as people read them.

    Attributes:
        parts: Under a heading of their own each, where there are several: lines of cells.
        count: How many lines there are.
    """

    head: Sequence[str]
    parts: Sequence[tuple[str, Sequence[Sequence[str]]]]
    count: int


@dataclass(frozen=True)
class Card:
    """
    One report, or a part of it: a plot, and the same figures under it.

    Attributes:
        plots: By the width that they are drawn for.
        more: Where it is shown whole.
    """

    id: str
    title: str
    aside: str
    plots: Mapping[str, Markup]
    sheet: Sheet
    more: str = ""


@dataclass(frozen=True)
class Figure:
    """A number that stands alone, and what it is of."""

    label: str
    number: str
    note: str


def wording(say: Words, months: int = 0) -> Wording:
    """
    What reports call things, in the page's language.

    Args:
        months: How many there are on the axis; of more than twelve each says its year.
    """

    def month(number: int) -> str:
        name = say.month_short(first_of(number))
        return name if months > _YEAR else name.partition(" ")[0]

    return Wording(english if say.language == "en" else _as_it_is, month, say.language)


_YEAR: Final = 12


def _as_it_is(text: str) -> str:
    return text


def first_of(month: int) -> date:
    """Its first day."""
    return date(month // 12, month % 12 + 1, 1)


def card_of(say: Words, report: Report, cutoff: int) -> Card:
    """A report as one card."""
    said = wording(say, len(report.wanted.period.months))
    only = {row.label for row in report.table.rows if row.group}
    title = said.text(report.kind.title)
    return Card(
        report.name,
        f"{title}: {said.text(*only)}" if len(only) == 1 else title,
        _aside(say, report),
        {name: _drawn(report, said, name) for name in WIDTHS},
        _sheet(say, report, cutoff),
    )


def _aside(say: Words, report: Report) -> str:
    most = MOST_BARS if report.wanted.shape is Shape.PERIOD else MOST_PANELS
    if len({row.group for row in report.table.rows}) > most:
        return say("statistics.most_drawn", n=most)
    keys = (key for begins, key in _ASIDES if report.name.startswith(begins))
    key = next(keys, None)
    return say(f"statistics.{key}") if key else ""


def _drawn(report: Report, said: Wording, width: str) -> Markup:
    """Markup of our own making, whose texts are escaped."""
    frame = Frame(WIDTHS[width], heading=False, id=f"{report.name}-{width}-")
    return Markup(draw(report, said, frame))  # noqa: S704


def figures_of(say: Words, table: Table) -> Iterator[Figure]:
    """What stands over everything else of the overview."""
    [cases], [long] = (
        overview.rows_of(table, overview.ALL),
        overview.rows_of(table, overview.LONG_ONES),
    )
    [completed] = overview.rows_of(table, overview.COMPLETED)
    female, male, total, *_ = cases.values
    yield Figure(say("statistics.figure.cases"), _number(say, total), _change(say, cases))
    for sex, count in (("female", female), ("male", male)):
        share = say("statistics.of_cases", share=_share(count, total))
        yield Figure(say(f"statistics.figure.{sex}"), _number(say, count), share)
    yield Figure(say("statistics.figure.long"), _number(say, long.values[2]), _change(say, long))
    share, before = (_number(say, completed.values[place]) for place in (2, 3))
    known = completed.values[3] is not None
    note = say("statistics.before", before=before) if known else say("statistics.before.none")
    number = say("statistics.percent", share=share) if share != _NONE else share
    yield Figure(say("statistics.figure.completed"), number, note)


_NONE: Final = number_text(None)


def _change(say: Words, row: Row) -> str:
    before, _, change = row.values[3:]
    if not before:
        return say("statistics.before.none")
    return say("statistics.change", change=_number(say, change, signed=True))


def _share(part: float | None, whole: float | None) -> str:
    return str(round(100 * (part or 0) / whole)) if whole else "0"


def _number(say: Words, value: float | None, *, signed: bool = False) -> str:
    text = number_text(value, say.language).replace("-", "−")
    return f"+{text}" if signed and value and value > 0 else text


def parts_of(say: Words, report: Report, cutoff: int) -> Iterator[Card]:
    """Cards of the overview's groups: the total of each is drawn, and all of it told."""
    for part in PARTS:
        title = say(f"statistics.part.{part}")
        rows = overview.rows_of(report.table, part)
        table = replace(report.table, rows=rows, shown=("total",))
        of_part = replace(report, name=part, kind=replace(report.kind, title=title), table=table)
        aside = "" if part in _IN_ONE_GROUP else say("statistics.every")
        yield replace(card_of(say, of_part, cutoff), aside=aside)


_IN_ONE_GROUP: Final = (overview.LENGTH, overview.AGE)


# --- as a table -----------------------------------------------------------------------------------


def _sheet(say: Words, report: Report, cutoff: int) -> Sheet:
    """Months the newest first, each with its groups under it, or a line each without."""
    table, text = report.table, wording(say).text
    shown = [place for place, name in enumerate(table.columns) if _says_something(table, name)]
    by_month = report.wanted.shape is Shape.MONTHS
    grouped = by_month and len({row.group for row in table.rows}) > 1
    first = "month" if by_month and not grouped else "group"
    columns = [text(COLUMNS[table.columns[place]]) for place in shown]

    def line(row: Row) -> list[str]:
        label = _month(say, row.month) if first == "month" else text(row.label)
        return [label, *(_cell(say, table, row, place, cutoff) for place in shown)]

    rows = sorted(table.rows, key=lambda row: -(row.month or 0))
    parts = [
        (_month(say, month), [line(row) for row in some])
        for month, some in groupby(rows, key=lambda row: row.month if grouped else None)
    ]
    return Sheet([say(f"statistics.{first}"), *columns], parts, len(rows))


def _says_something(table: Table, column: str) -> bool:
    place = table.columns.index(column)
    return column != "change" or any(row.values[place] is not None for row in table.rows)


def _cell(say: Words, table: Table, row: Row, place: int, cutoff: int) -> str:
    name = table.columns[place]
    if name in row.hidden:
        return say("statistics.too_few", n=cutoff)
    return _number(say, row.values[place], signed=name in ("difference", "change"))


def _month(say: Words, month: int | None) -> str:
    return say.month_short(first_of(month)) if month is not None else ""
