"""Plots as SVG, drawn here: lines, bars, bars that are stacked, and many small lines.

A plot has its title and a reading in words for whoever cannot see it, an axis from zero with its
unit, and at most three series, which are never told apart by colour alone: the first is solid, the
second dashed or hatched, the third dotted. Presentation attributes and classes only, so that a
strict content security policy lets it stand in a page, whose stylesheet may colour it anew.

Letters keep their size: what is to be shown narrower is drawn narrower, in a frame of its own.
Figures that are not shown are left out, and never drawn as zero.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from intyg.pages.words import Language

Number = int | float | None
"""None: not known, or not shown."""

WIDTH: Final = 1060
MAX_SERIES: Final = 3
MAX_LINES: Final = 5
"""Of the grid, the axis among them."""

_WIDE: Final = 900
_NARROW: Final = 400
_COLOURS: Final = ("#0C5668", "#B26A00", "#8A3F74")
_INK, _GRID, _AXIS = "#47514D", "#DDDAD2", "#7F7B70"
_DASHES: Final = ("", "7 4", "1.5 5")
_FONT: Final = 'font-family="system-ui,Inter,Liberation Sans,sans-serif" font-size="12"'
_PATTERNS: Final = (
    '<defs><pattern id="{id}2" width="6" height="6" patternUnits="userSpaceOnUse"'
    ' patternTransform="rotate(45)"><rect class="p2" width="6" height="6" fill="#B26A00"/>'
    '<path class="gap" d="M0 0V6" stroke="#fff" stroke-width="2.5"/></pattern>'
    '<pattern id="{id}3" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect class="ground" width="6" height="6" fill="#fff"/>'
    '<circle class="p3" cx="3" cy="3" r="2" fill="#8A3F74"/></pattern></defs>'
)
_SAID: Final[Mapping[Language, tuple[str, str]]] = {
    "sv": (
        "{name}: {first} {unit} ({first_place}), {last} ({last_place}); högst {most} ({place}).",
        "{name}: inga tal.",
    ),
    "en": (
        "{name}: {first} {unit} ({first_place}), {last} ({last_place}); highest {most} ({place}).",
        "{name}: no figures.",
    ),
}


@dataclass(frozen=True)
class Series:
    """Figures under a name, one for each place of the plot."""

    name: str
    values: tuple[Number, ...]


@dataclass(frozen=True)
class Plot:
    """
    What is to be drawn.

    Attributes:
        title: What it shows, in a few words.
        unit: Of the figures: `sjukfall`.
        places: Names along the other axis, in order: months, or groups.
        series: Each with a figure for every place.
        language: Of its numbers and its reading.
        most: Series that it may have.
    """

    title: str
    unit: str
    places: tuple[str, ...]
    series: tuple[Series, ...]
    language: Language = "sv"
    most: int = MAX_SERIES

    def __post_init__(self) -> None:
        if len(self.series) > self.most:
            raise ValueError(f"a plot has at most {self.most} series")
        if any(len(one.values) != len(self.places) for one in self.series):
            raise ValueError("each series has a figure for every place")

    def number(self, value: Number) -> str:
        """A figure as it is written."""
        return number_text(value, self.language)


@dataclass(frozen=True)
class Frame:
    """
    Where it is drawn.

    Attributes:
        width: In pixels.
        heading: Its title stands over it; False: what it stands in has one.
        id: What its patterns are called; of several in one page, each another.
    """

    width: int = WIDTH
    heading: bool = True
    id: str = "h"

    def fill(self, number: int) -> str:
        """What the bars of a series are filled with."""
        return f"url(#{self.id}{number + 1})" if number else _COLOURS[0]

    @property
    def right(self) -> int:
        """Room for names at the ends of lines."""
        return 150 if self.width >= _WIDE else 112

    @property
    def names(self) -> int:
        """Room for names beside bars; 0: they stand above."""
        return 0 if self.width < _NARROW else 300 if self.width >= _WIDE else 190


WHOLE: Final = Frame()


def axis(highest: float) -> list[float]:
    """Where the grid's lines stand: from zero to above the highest figure, in round steps."""
    step = _round_step(max(highest, 1) / (MAX_LINES - 1))
    count = next(n for n in itertools.count(1) if n * step >= highest)
    return [step * place for place in range(count + 1)]


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, … that is not below `least`; whole numbers only."""
    steps = (10.0**power * factor for power in itertools.count() for factor in (1, 2, 5))
    return next(step for step in steps if step >= least)


def number_text(value: Number, language: Language = "sv") -> str:
    """With thousands apart and a decimal comma, in English a point; `–` for one there is not."""
    if value is None:
        return "–"
    text = f"{Decimal(str(round(value, 1))).normalize():,f}"
    return text if language == "en" else text.replace(",", "\u00a0").replace(".", ",")


def reading(plot: Plot) -> str:
    """A sentence for each series: its first, last and highest figure."""
    return " ".join(_reading(plot, series) for series in plot.series)


def _reading(plot: Plot, series: Series) -> str:
    said, none = _SAID[plot.language]
    known = [
        (place, value)
        for place, value in zip(plot.places, series.values, strict=True)
        if value is not None
    ]
    if not known:
        return none.format(name=series.name)
    (first_place, first), (last_place, last) = known[0], known[-1]
    place, most = max(known, key=lambda pair: pair[1])
    return said.format(
        name=series.name, unit=plot.unit, first=plot.number(first), first_place=first_place,
        last=plot.number(last), last_place=last_place, most=plot.number(most), place=place,
    )  # fmt: skip


# --- lines ----------------------------------------------------------------------------------------

_HEADING: Final = 30
_LEFT, _TOP, _BOTTOM = 64, 28, 34
_HEIGHT: Final = 300
_SIGN: Final = 7.2
"""About how wide a sign is."""


@dataclass(frozen=True)
class _Field:
    """What figures are drawn on: from `left` to `right`, `height` down from `top`."""

    left: float
    right: float
    top: float
    height: float
    grid: Sequence[float]

    def y(self, value: float) -> float:
        return self.top + self.height * (1 - value / self.grid[-1])


def lines(plot: Plot, frame: Frame = WHOLE) -> str:
    """A line for each series, with its name and last figure at its end, or above where narrow."""
    labels = [f"{one.name} {plot.number(_last(one.values))}" for one in plot.series]
    beside = frame.width >= _NARROW and all(len(one) * _SIGN <= frame.right for one in labels)
    legend, deep = ([], 0) if beside else _legend(plot, frame, of_lines=True)
    field = _field(plot, frame, deep, frame.right if beside else 28)
    step = (field.right - field.left) / max(len(plot.places) - 1, 1)
    middles = [field.left + place * step for place in range(len(plot.places))]
    parts = [*legend, *_grid(plot, field), *_along(plot.places, middles, field)]
    for number, series in enumerate(plot.series):
        parts += _line(
            [
                None if value is None else (x, field.y(value))
                for x, value in zip(middles, series.values, strict=True)
            ],
            number,
        )
    if beside:
        parts += _ends(plot, field, labels)
    return _svg(plot, frame, field.top + field.height + _BOTTOM, parts)


def _field(plot: Plot, frame: Frame, deep: float, right: float) -> _Field:
    grid = axis(_highest(value for series in plot.series for value in series.values))
    return _field_of(grid, plot, frame, deep, right)


def _field_of(grid: Sequence[float], plot: Plot, frame: Frame, deep: float, right: float) -> _Field:
    widest = max(len(plot.number(value)) for value in grid) * _SIGN + 16
    left = _LEFT if frame.width >= _WIDE else widest
    return _Field(left, frame.width - right, _TOP + deep, _HEIGHT - _TOP - _BOTTOM, grid)


def _ends(plot: Plot, field: _Field, labels: Sequence[str]) -> Iterable[str]:
    ends = _apart([field.y(_last(series.values) or 0) for series in plot.series])
    for number, (label, y) in enumerate(zip(labels, ends, strict=True)):
        yield _text(field.right + 12, y + 4, label, bold=True, series=number)


def _line(points: Sequence[tuple[float, float] | None], number: int) -> Iterable[str]:
    """Unbroken where figures are; a point that stands alone is a dot."""
    path = ""
    for before, point in zip([None, *points], points, strict=False):
        if point is not None:
            path += f"{'L' if before else 'M'}{_n(point[0])} {_n(point[1])}"
    yield f'<path d="{path}" fill="none" {_stroke(number)}/>'
    known = [point for point in points if point is not None]
    for x, y in known if len(known) == 1 else known[-1:]:
        fill = f'class="d{number + 1}" fill="{_COLOURS[number]}"'
        yield f'<circle cx="{_n(x)}" cy="{_n(y)}" r="3.5" {fill}/>'


def _stroke(number: int) -> str:
    dash = f' stroke-dasharray="{_DASHES[number]}"' if _DASHES[number] else ""
    return f'class="c{number + 1}" stroke="{_COLOURS[number]}" stroke-width="2.25"{dash}'


def _apart(heights: Sequence[float], least: float = 15) -> list[float]:
    """Heights of labels, moved down until none covers another."""
    moved = list(heights)
    for above, here in zip(*(lambda o: (o, o[1:]))(_order(heights)), strict=False):
        moved[here] = max(moved[here], moved[above] + least)
    return moved


def _order(heights: Sequence[float]) -> list[int]:
    return sorted(range(len(heights)), key=lambda place: heights[place])


# --- bars -----------------------------------------------------------------------------------------

_BAR, _PITCH = 22, 34
_ABOVE: Final = 18
"""Height of a name that stands above its bars."""


def bars(plot: Plot, frame: Frame = WHOLE) -> str:
    """Lying bars, of one series or of two or three side by side; the figure at the bar's end."""
    many = len(plot.series)
    legend, deep = _legend(plot, frame) if many > 1 else ([], 0)
    above = 0 if frame.names else _ABOVE
    pitch = above + (_PITCH if many == 1 else 12 * many + 14)
    top = _TOP + deep
    highest = axis(_highest(value for series in plot.series for value in series.values))[-1]
    scale = (frame.width - frame.names - 72) / highest
    parts = [*legend, _text(frame.names, top - 8, plot.unit)]
    for place, name in enumerate(plot.places):
        y = top + place * pitch
        parts.append(_name(name, y, pitch, frame))
        figures = [series.values[place] for series in plot.series]
        parts += _row(plot, frame, figures, y + above, pitch - above, scale)
    height = top + len(plot.places) * pitch
    parts.append(_rule(frame.names + 0.5, top, frame.names + 0.5, height, _AXIS))
    return _svg(plot, frame, height + 12, parts)


def _name(name: str, y: float, pitch: float, frame: Frame) -> str:
    if not frame.names:
        return _text(8, y + 14, _short(name, int(frame.width / _SIGN)))
    most = int(frame.names / _SIGN)
    return _text(frame.names - 10, y + pitch / 2 + 4, _short(name, most), anchor="end")


def _row(
    plot: Plot, frame: Frame, figures: Sequence[Number], y: float, pitch: float, scale: float
) -> Iterable[str]:
    thick = _BAR if len(figures) == 1 else 11
    first = y + (pitch - thick * len(figures) - (len(figures) - 1)) / 2
    for number, value in enumerate(figures):
        yield from _bar(plot, frame, value, first + number * (thick + 1), thick, scale, number)


def _bar(
    plot: Plot, frame: Frame, value: Number, y: float, thick: int, scale: float, number: int
) -> Iterable[str]:
    width = (value or 0) * scale
    if value:
        yield (
            f'<rect x="{frame.names}" y="{_n(y)}" width="{_n(width)}" height="{thick}" rx="2"'
            f' class="f{number + 1}" fill="{frame.fill(number)}"/>'
        )
    yield _text(frame.names + width + 8, y + thick / 2 + 4, plot.number(value), bold=True)


# --- stacked bars ---------------------------------------------------------------------------------


def stacked(plot: Plot, frame: Frame = WHOLE) -> str:
    """Standing bars, the first series below; a gap of 1.5 between the parts."""
    legend, deep = _legend(plot, frame)
    columns = [[one.values[place] or 0 for one in plot.series] for place in range(len(plot.places))]
    field = _field_of(axis(_highest(map(sum, columns))), plot, frame, deep, 24)
    pitch = (field.right - field.left) / max(len(plot.places), 1)
    middles = [field.left + (place + 0.5) * pitch for place in range(len(plot.places))]
    parts = [*legend, *_grid(plot, field), *_along(plot.places, middles, field)]
    thick = min(44.0, pitch * 0.65)
    for column, middle in zip(columns, middles, strict=True):
        parts += _column(column, middle - thick / 2, thick, field, frame)
    return _svg(plot, frame, field.top + field.height + _BOTTOM, parts)


def _column(
    figures: Sequence[float], x: float, thick: float, field: _Field, frame: Frame
) -> Iterable[str]:
    floor = field.top + field.height
    for number, figure in enumerate(figures):
        tall = figure * field.height / field.grid[-1]
        if tall:
            yield (
                f'<rect x="{_n(x)}" y="{_n(floor - tall)}" width="{_n(thick)}"'
                f' height="{_n(max(tall - 1.5, 0.5))}" class="f{number + 1}"'
                f' fill="{frame.fill(number)}"/>'
            )
        floor -= tall


# --- many small ones ------------------------------------------------------------------------------

MOST_PANELS: Final = 12
_PANEL_TOP, _PANEL, _PANEL_PITCH = 20, 64, 120
_BETWEEN: Final = 28


def multiples(plot: Plot, frame: Frame = WHOLE) -> str:
    """A small line for each of up to `MOST_PANELS` series, all on one scale from zero."""
    highest = axis(_highest(value for one in plot.series for value in one.values))[-1]
    across = 4 if frame.width >= _WIDE else 2
    left = len(plot.number(highest)) * _SIGN + 12
    wide = (frame.width - 4 - left + _BETWEEN) / across - _BETWEEN
    parts = [_text(0, 12, plot.unit)]
    for place, series in enumerate(plot.series):
        x = left + (place % across) * (wide + _BETWEEN)
        top = _TOP + (place // across) * _PANEL_PITCH + _PANEL_TOP
        field = _Field(x, x + wide, top, _PANEL, (0, highest))
        parts += _panel(plot, series, field, first=place % across == 0)
    rows = -(-len(plot.series) // across)
    return _svg(plot, frame, _TOP + rows * _PANEL_PITCH, parts)


def _panel(plot: Plot, series: Series, field: _Field, *, first: bool) -> Iterable[str]:
    bottom, last = field.top + field.height, plot.number(_last(series.values))
    most = int((field.right - field.left) / _SIGN) - len(last) - 1
    yield _text(field.left, field.top - 10, _short(series.name, most), bold=True)
    yield _text(field.right, field.top - 10, last, anchor="end", bold=True, series=0)
    for value in field.grid:
        yield _rule(
            field.left, field.y(value), field.right, field.y(value), _AXIS if not value else _GRID
        )
        if first:
            yield _text(field.left - 6, field.y(value) + 4, plot.number(value), anchor="end")
    step = (field.right - field.left) / max(len(plot.places) - 1, 1)
    yield from _line(
        [
            None if value is None else (field.left + place * step, field.y(value))
            for place, value in enumerate(series.values)
        ],
        0,
    )
    for x, name, anchor in (
        (field.left, plot.places[0], "start"), (field.right, plot.places[-1], "end"),
    ):  # fmt: skip
        yield _text(x, bottom + 16, name, anchor=anchor)


# --- what all have --------------------------------------------------------------------------------


def _svg(plot: Plot, frame: Frame, height: float, parts: Iterable[str]) -> str:
    body, down = "".join(parts), _HEADING if frame.heading else 0
    heading = _text(0, 16, plot.title, bold=True) if frame.heading else ""
    patterns = _PATTERNS.format(id=frame.id) if "url(#" in body else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {frame.width} {_n(height + down)}"'
        f' role="img" class="chart" {_FONT}><title>{escape(plot.title)}</title>'
        f"<desc>{escape(reading(plot))}</desc>{patterns}"
        f'{heading}<g transform="translate(0 {down})">{body}</g></svg>'
    )


def _grid(plot: Plot, field: _Field) -> Iterable[str]:
    for value in field.grid:
        y = field.y(value)
        yield _rule(field.left, y, field.right, y, _GRID if value else _AXIS)
        yield _text(field.left - 10, y + 4, plot.number(value), anchor="end")
    yield _text(0, field.top - 12, plot.unit)


def _along(places: Sequence[str], middles: Sequence[float], field: _Field) -> Iterable[str]:
    """Names under the axis: all, or every second, third … where all do not fit."""
    room = (middles[1] - middles[0]) if len(middles) > 1 else WIDTH
    widest = max((len(name) for name in places), default=1) * 7 + 14
    every = max(1, -int(-widest // room))
    for place, (name, x) in enumerate(zip(places, middles, strict=True)):
        if (len(places) - 1 - place) % every == 0:
            yield _text(x, field.top + field.height + 20, name, anchor="middle")


def _legend(plot: Plot, frame: Frame, *, of_lines: bool = False) -> tuple[list[str], float]:
    """What each series looks like, on as many lines as it takes; and how deep that is."""
    start = 0.0 if frame.width < _WIDE else float(_LEFT)
    x, y, parts = start, 0.0, []
    for number, series in enumerate(plot.series):
        wide = 28 + _SIGN * len(series.name) + 20
        if x > start and x + wide > frame.width:
            x, y = start, y + 20
        parts += [
            _swatch(frame, x, y, number, of_lines=of_lines),
            _text(x + 28, y + 14, series.name),
        ]
        x += wide
    return parts, y + 26


def _swatch(frame: Frame, x: float, y: float, number: int, *, of_lines: bool) -> str:
    if of_lines:
        return f'<path d="M{_n(x)} {_n(y + 10)}h22" fill="none" {_stroke(number)}/>'
    return (
        f'<rect x="{_n(x)}" y="{_n(y + 4)}" width="22" height="11" rx="2" class="f{number + 1}"'
        f' fill="{frame.fill(number)}"/>'
    )


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "",
    bold: bool = False,
    series: int | None = None,
) -> str:
    where = f' text-anchor="{anchor}"' if anchor else ""
    weight = ' font-weight="600"' if bold else ""
    colour = _INK if series is None else _COLOURS[series]
    look = "" if series is None else f' class="t{series + 1}"'
    place = f'x="{_n(x)}" y="{_n(y)}" fill={quoteattr(colour)}{look}{where}{weight}'
    return f"<text {place}>{escape(text)}</text>"


def _rule(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    look = "axis" if colour == _AXIS else "grid"
    return f'<path class="{look}" d="M{_n(x1)} {_n(y1)}L{_n(x2)} {_n(y2)}" stroke="{colour}"/>'


def _short(name: str, most: int = 42) -> str:
    """A name that fits: without what stands in brackets at its end, or cut."""
    if len(name) > most and name.endswith(")"):
        name = name.partition(" (")[0]
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _highest(values: Iterable[Number]) -> float:
    return max((value for value in values if value is not None), default=0)


def _last(values: Sequence[Number]) -> Number:
    return next((value for value in reversed(values) if value is not None), None)


def _n(value: float) -> str:
    """At most one decimal: a tenth of a pixel is enough."""
    return f"{value:.1f}".removesuffix(".0")
