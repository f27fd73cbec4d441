"""Plots as SVG, drawn here: lines, bars, and bars that are stacked.

A plot has its title and a reading in words for whoever cannot see it, an axis from zero with its
unit, and at most three series, which are never told apart by colour alone: the first is solid, the
second dashed or hatched, the third dotted. Presentation attributes and classes only, so that a
strict content security policy lets it stand in a page; `c1` to `c3` can be coloured there.

Figures that are not shown are left out, and never drawn as zero.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from xml.sax.saxutils import escape, quoteattr

Number = int | float | None
"""None: not known, or not shown."""

WIDTH: Final = 1060
MAX_SERIES: Final = 3
MAX_LINES: Final = 5
"""Of the grid, the axis among them."""

_COLOURS: Final = ("#0C5668", "#B26A00", "#8A3F74")
_INK, _GRID, _AXIS = "#47514D", "#DDDAD2", "#7F7B70"
_DASHES: Final = ("", "7 4", "1.5 5")
_FILLS: Final = ("#0C5668", "url(#h2)", "url(#h3)")
_FONT: Final = 'font-family="system-ui,Inter,Liberation Sans,sans-serif" font-size="12"'
_PATTERNS: Final = (
    '<defs><pattern id="h2" width="6" height="6" patternUnits="userSpaceOnUse"'
    ' patternTransform="rotate(45)"><rect width="6" height="6" fill="#B26A00"/>'
    '<path d="M0 0V6" stroke="#fff" stroke-width="2.5"/></pattern>'
    '<pattern id="h3" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect width="6" height="6" fill="#fff"/>'
    '<circle cx="3" cy="3" r="2" fill="#8A3F74"/></pattern></defs>'
)


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
        series: At most `MAX_SERIES`, each with a figure for every place.
    """

    title: str
    unit: str
    places: tuple[str, ...]
    series: tuple[Series, ...]

    def __post_init__(self) -> None:
        if len(self.series) > MAX_SERIES:
            raise ValueError(f"a plot has at most {MAX_SERIES} series")
        if any(len(one.values) != len(self.places) for one in self.series):
            raise ValueError("each series has a figure for every place")


def axis(highest: float) -> list[float]:
    """Where the grid's lines stand: from zero to above the highest figure, in round steps."""
    step = _round_step(max(highest, 1) / (MAX_LINES - 1))
    count = next(n for n in itertools.count(1) if n * step >= highest)
    return [step * place for place in range(count + 1)]


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, … that is not below `least`; whole numbers only."""
    steps = (10.0**power * factor for power in itertools.count() for factor in (1, 2, 5))
    return next(step for step in steps if step >= least)


def number_text(value: Number) -> str:
    """With thousands apart and a decimal comma; `–` for one that there is not."""
    if value is None:
        return "–"
    text = f"{Decimal(str(round(value, 1))).normalize():,f}"
    return text.replace(",", "\u00a0").replace(".", ",")


def reading(plot: Plot) -> str:
    """A sentence for each series: its first, last and highest figure."""
    said = []
    for series in plot.series:
        known = [
            (place, value)
            for place, value in zip(plot.places, series.values, strict=True)
            if value is not None
        ]
        if not known:
            said.append(f"{series.name}: inga tal.")
            continue
        first, last = known[0], known[-1]
        highest = max(known, key=lambda pair: pair[1])
        said.append(
            f"{series.name}: {number_text(first[1])} {plot.unit} ({first[0]}), "
            f"{number_text(last[1])} ({last[0]}); högst {number_text(highest[1])} ({highest[0]})."
        )
    return " ".join(said)


# --- lines ----------------------------------------------------------------------------------------

_HEADING: Final = 30
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 150, 28, 34
_HEIGHT: Final = 300


def lines(plot: Plot) -> str:
    """A line for each series, with its name and last figure at its end."""
    grid = axis(_highest(value for series in plot.series for value in series.values))
    width, height = WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    step = width / max(len(plot.places) - 1, 1)

    def at(place: int, value: float) -> tuple[float, float]:
        return _LEFT + place * step, _TOP + height * (1 - value / grid[-1])

    parts = [*_grid(grid, plot.unit, _LEFT, WIDTH - _RIGHT, _TOP, height)]
    parts += _along(plot.places, [at(place, 0)[0] for place in range(len(plot.places))])
    ends = _apart([at(0, _last(series.values) or 0)[1] for series in plot.series])
    for number, series in enumerate(plot.series):
        points = [
            None if value is None else at(place, value) for place, value in enumerate(series.values)
        ]
        parts += _line(points, number)
        value = number_text(_last(series.values))
        label = f"{series.name} {value}"
        parts.append(
            _text(WIDTH - _RIGHT + 12, ends[number] + 4, label, _COLOURS[number], bold=True)
        )
    return _svg(plot, WIDTH, _HEIGHT, parts)


def _line(points: Sequence[tuple[float, float] | None], number: int) -> Iterable[str]:
    """Unbroken where figures are; a point that stands alone is a dot."""
    dash = f' stroke-dasharray="{_DASHES[number]}"' if _DASHES[number] else ""
    path = ""
    for before, point in zip([None, *points], points, strict=False):
        if point is not None:
            path += f"{'L' if before else 'M'}{_n(point[0])} {_n(point[1])}"
    style = f'class="c{number + 1}" stroke="{_COLOURS[number]}"'
    yield f'<path d="{path}" fill="none" {style} stroke-width="2.25"{dash}/>'
    known = [point for point in points if point is not None]
    for x, y in known if len(known) == 1 else known[-1:]:
        yield f'<circle cx="{_n(x)}" cy="{_n(y)}" r="3.5" fill="{_COLOURS[number]}"/>'


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
_NAMES: Final = 300
"""Width of the names beside bars."""


def bars(plot: Plot) -> str:
    """Lying bars, of one series or of two or three side by side; the figure at the bar's end."""
    many = len(plot.series)
    pitch = _PITCH if many == 1 else 12 * many + 14
    thick = _BAR if many == 1 else 11
    top = _TOP + (22 if many > 1 else 0)
    height = pitch * len(plot.places)
    grid = axis(_highest(value for series in plot.series for value in series.values))
    scale = (WIDTH - _NAMES - 90) / grid[-1]
    parts = list(_legend(plot)) if many > 1 else []
    parts.append(_text(_NAMES, top - 8, plot.unit, _INK))
    for place, name in enumerate(plot.places):
        y = top + place * pitch
        parts.append(_text(_NAMES - 10, y + pitch / 2 + 4, _short(name), _INK, anchor="end"))
        for number, series in enumerate(plot.series):
            row = y + (pitch - thick * many - (many - 1)) / 2 + number * (thick + 1)
            parts += _bar(series.values[place], row, thick, scale, number)
    parts.append(_rule(_NAMES, top, _NAMES, top + height, _AXIS))
    return _svg(plot, WIDTH, top + height + 12, parts)


def _bar(value: Number, y: float, thick: int, scale: float, number: int) -> Iterable[str]:
    width = (value or 0) * scale
    if value:
        yield (
            f'<rect x="{_NAMES}" y="{_n(y)}" width="{_n(width)}" height="{thick}" rx="2"'
            f' class="c{number + 1}" fill="{_FILLS[number]}"/>'
        )
    text = number_text(value)
    yield _text(_NAMES + width + 8, y + thick / 2 + 4, text, _INK, bold=True)


# --- stacked bars ---------------------------------------------------------------------------------


def stacked(plot: Plot) -> str:
    """Standing bars, the first series below; a gap of 1.5 between the parts."""
    totals = [
        sum(series.values[place] or 0 for series in plot.series)
        for place in range(len(plot.places))
    ]
    grid = axis(_highest(totals))
    top = _TOP + 22
    height = _HEIGHT - top - _BOTTOM
    pitch = (WIDTH - _LEFT - 24) / max(len(plot.places), 1)
    thick = min(44.0, pitch * 0.65)
    parts = [*_legend(plot), *_grid(grid, plot.unit, _LEFT, WIDTH - 24, top, height)]
    middles = [_LEFT + (place + 0.5) * pitch for place in range(len(plot.places))]
    parts += _along(plot.places, middles)
    for place, middle in enumerate(middles):
        floor = float(top + height)
        for number, series in enumerate(plot.series):
            tall = (series.values[place] or 0) * height / grid[-1]
            if tall:
                parts.append(
                    f'<rect x="{_n(middle - thick / 2)}" y="{_n(floor - tall)}"'
                    f' width="{_n(thick)}" height="{_n(max(tall - 1.5, 0.5))}"'
                    f' class="c{number + 1}" fill="{_FILLS[number]}"/>'
                )
            floor -= tall
    return _svg(plot, WIDTH, _HEIGHT, parts)


# --- what all have --------------------------------------------------------------------------------


def _svg(plot: Plot, width: float, height: float, parts: Iterable[str]) -> str:
    body = "".join(parts)
    heading = _text(0, 16, plot.title, _INK, bold=True)
    patterns = _PATTERNS if "url(#" in body else ""
    box = f"0 0 {_n(width)} {_n(height + _HEADING)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img"'
        f' class="chart" {_FONT}><title>{escape(plot.title)}</title>'
        f"<desc>{escape(reading(plot))}</desc>{patterns}"
        f'{heading}<g transform="translate(0 {_HEADING})">{body}</g></svg>'
    )


def _grid(
    grid: Sequence[float], unit: str, left: float, right: float, top: float, height: float
) -> Iterable[str]:
    for value in grid:
        y = top + height * (1 - value / grid[-1])
        yield _rule(left, y, right, y, _GRID if value else _AXIS)
        yield _text(left - 10, y + 4, number_text(value), _INK, anchor="end")
    yield _text(left - 10, top - 12, unit, _INK, anchor="start")


def _along(places: Sequence[str], middles: Sequence[float]) -> Iterable[str]:
    """Names under the axis: all, or every second, third … where all do not fit."""
    room = (middles[1] - middles[0]) if len(middles) > 1 else WIDTH
    widest = max((len(name) for name in places), default=1) * 7 + 14
    every = max(1, -int(-widest // room))
    for place, (name, x) in enumerate(zip(places, middles, strict=True)):
        if (len(places) - 1 - place) % every == 0:
            yield _text(x, _HEIGHT - _BOTTOM + 20, name, _INK, anchor="middle")


def _legend(plot: Plot) -> Iterable[str]:
    x = float(_LEFT)
    for number, series in enumerate(plot.series):
        yield (
            f'<rect x="{_n(x)}" y="4" width="22" height="11" rx="2" class="c{number + 1}"'
            f' fill="{_FILLS[number]}"/>'
        )
        yield _text(x + 28, 14, series.name, _INK)
        x += 28 + 8 * len(series.name) + 24


def _text(
    x: float, y: float, text: str, colour: str, *, anchor: str = "", bold: bool = False
) -> str:
    where = f' text-anchor="{anchor}"' if anchor else ""
    weight = ' font-weight="600"' if bold else ""
    place = f'x="{_n(x)}" y="{_n(y)}" fill={quoteattr(colour)}{where}{weight}'
    return f"<text {place}>{escape(text)}</text>"


def _rule(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<path d="M{_n(x1)} {_n(y1)}L{_n(x2)} {_n(y2)}" stroke="{colour}"/>'


def _short(name: str, most: int = 42) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _highest(values: Iterable[Number]) -> float:
    return max((value for value in values if value is not None), default=0)


def _last(values: Sequence[Number]) -> Number:
    return next((value for value in reversed(values) if value is not None), None)


def _n(value: float) -> str:
    """At most one decimal: a tenth of a pixel is enough."""
    return f"{value:.1f}".removesuffix(".0")
