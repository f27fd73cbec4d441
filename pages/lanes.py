"""Who sent what to whom, as lanes: a line down for each party, an arrow for each message.

Order is exact; time is not to scale: where nothing happened for long, a band says how long. The
same rows stand beside it as a table; the drawing is for eyes, and every row of it is a link.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from markupsafe import Markup

from intyg.pages.signs import SIGN_OF, SIGNS

WIDTH: Final = 1120
TIME_X: Final = 20
FIRST_X: Final = 232
OUTCOME_X: Final = 872
HEAD, ROW, DAY, GAP, FOOT = 54, 46, 32, 26, 10
_ARROW_Y: Final = 29
_RING: Final = 10
DETAIL: Final = 36
"""Characters that fit beside an outcome."""

Shape: TypeAlias = Literal["call", "status", "step", "lost", "unsure", "wall", "refused", "waits"]
"""What a row is: an arrow that arrived, a status update, a step of one party, an arrow that did not
arrive, that may have, that was stopped, that was answered no, and one that is still to come."""


@dataclass(frozen=True)
class Party:
    """A lane: its name, and its id under it."""

    name: str
    id: str


@dataclass(frozen=True)
class Row:
    """
    Something that happened.

    Attributes:
        number: As in the table.
        time: As it is shown.
        source, target: Lanes, from 0; the same for a step of one's own.
        label: What it was.
        colour: Of its outcome: a state's.
        word: What came of it.
        detail: A second line to that; may be empty.
        href: Where its row in the table is.
        of: Rows with the same text here are attempts of one delivery.
    """

    number: int
    time: str
    source: int
    target: int
    shape: Shape
    label: str
    colour: str
    word: str
    detail: str
    href: str
    of: str = ""


@dataclass(frozen=True)
class Day:
    """A new day begins."""

    text: str


@dataclass(frozen=True)
class Gap:
    """Nothing happened for so long."""

    text: str


Item: TypeAlias = Row | Day | Gap
_HEIGHTS: Final[dict[type, int]] = {Row: ROW, Day: DAY, Gap: GAP}
_LINE: Final = {"status": "status", "lost": "refused", "unsure": "unknown", "wall": "blocked",
                "refused": "refused", "waits": "status"}  # fmt: skip


def lanes(
    parties: Sequence[Party], items: Sequence[Item], title: str, heads: tuple[str, str]
) -> Markup:
    """
    Draw it.

    Args:
        parties: Two to four.
        title: What it shows.
        heads: Over the times and over the outcomes.
    """
    at = _places(len(parties))
    height = HEAD + sum(_HEIGHTS[type(item)] for item in items) + FOOT
    parts = [
        Markup(
            '<svg viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="group"><title>{2}</title>'
        )
        .format(WIDTH, height, title),
        *_heads(parties, at, heads),
    ]  # fmt: skip
    parts += _bands(items)
    parts += [Markup('<path class="ln-life" d="{}"/>').format(_life(x, items, height)) for x in at]
    parts += _brackets(items)
    y = HEAD
    for item in items:
        parts += _drawn(item, y, at)
        y += _HEIGHTS[type(item)]
    return Markup("").join([*parts, Markup("</svg>")])


def _places(count: int) -> list[int]:
    step = 264 if count <= 3 else 200
    return [FIRST_X + place * step for place in range(count)]


def _text(x: float, y: float, kind: str, text: str, anchor: str = "start") -> Markup:
    return Markup('<text x="{}" y="{}" class="{}" text-anchor="{}">{}</text>').format(
        x, y, kind, anchor, text
    )


def _heads(parties: Sequence[Party], at: Sequence[int], heads: tuple[str, str]) -> Iterator[Markup]:
    yield _text(TIME_X, 18, "ln-party", heads[0])
    yield _text(OUTCOME_X, 18, "ln-party", heads[1])
    for party, x in zip(parties, at, strict=True):
        yield _text(x, 18, "ln-party", party.name, "middle")
        yield _text(x, 36, "ln-sub", party.id, "middle")


def _life(x: int, items: Sequence[Item], height: int) -> str:
    """A line down, which zigzags where time is left out."""
    path, y = [f"M{x} {HEAD}"], HEAD
    for item in items:
        if isinstance(item, Gap):
            path.append(f"V{y + 4}l5 4l-10 5l10 5l-5 4")
        y += _HEIGHTS[type(item)]
    return "".join([*path, f"V{height - FOOT}"])


def _bands(items: Sequence[Item]) -> Iterator[Markup]:
    y = HEAD
    for item in items:
        if isinstance(item, Gap):
            yield Markup('<rect class="ln-gap" x="0" y="{}" width="{}" height="{}"/>').format(
                y, WIDTH, GAP
            )
            yield _text(TIME_X, y + 17, "ln-sub", item.text)
        y += _HEIGHTS[type(item)]


def _brackets(items: Sequence[Item]) -> Iterator[Markup]:
    """Attempts of one delivery belong together."""
    found: dict[str, list[int]] = {}
    y = HEAD
    for item in items:
        if isinstance(item, Row) and item.of:
            found.setdefault(item.of, []).append(y + _ARROW_Y - 6)
        y += _HEIGHTS[type(item)]
    for heights in found.values():
        if len(heights) > 1:
            yield Markup('<path class="ln-bracket" d="M{0} {1}h-8V{2}h8"/>').format(
                OUTCOME_X - 8, heights[0], heights[-1]
            )


def _drawn(item: Item, y: int, at: Sequence[int]) -> Iterator[Markup]:
    if isinstance(item, Day):
        yield _text(TIME_X, y + 21, "ln-day", item.text)
    elif isinstance(item, Row):
        yield Markup(
            '<a href="{}"><rect class="ln-row" x="2" y="{}" width="{}" height="{}"/>'
        ).format(item.href, y + 2, WIDTH - 4, ROW - 4)
        line = y + _ARROW_Y
        yield _text(TIME_X, line + 4, "ln-time", item.time)
        yield from _step(item, line, at) if item.shape == "step" else _arrow(item, line, at)
        yield from _outcome(item, line)
        yield Markup("</a>")


def _step(row: Row, y: int, at: Sequence[int]) -> Iterator[Markup]:
    """A pill on the party's own line."""
    x, width = at[row.source], 52 + 7 * len(row.label)
    pill = Markup(
        '<g class="c-{}"><rect class="ln-pill" x="{}" y="{}" width="{}" height="24" rx="12"/></g>'
    )
    yield pill.format(row.colour, x - width / 2, y - 16, width)
    yield _sign(row.colour, x - width / 2 + 12, y - 11)
    yield _text(x + 10, y, "", row.label, "middle")


def _arrow(row: Row, y: int, at: Sequence[int]) -> Iterator[Markup]:
    start, end = at[row.source], at[row.target]
    way = 1 if end > start else -1
    colour = _LINE.get(row.shape, "call")
    yield Markup('<g class="c-{}">').format(colour)
    yield from _line(row.shape, start + way * _RING, end - way * 2, y, way)
    yield Markup('<circle class="ln-ring" cx="{}" cy="{}" r="{}"/></g>').format(start, y, _RING)
    yield _text(start, y + 4, "ln-number", str(row.number), "middle")
    if row.shape == "wall":
        yield _text(start + way * 76, y + 4, "ln-label", row.label, "start" if way > 0 else "end")
    else:
        yield _text((start + end) / 2, y - 9, "ln-label", row.label, "middle")


def _line(shape: Shape, start: float, end: float, y: int, way: int) -> Iterator[Markup]:
    stroke = Markup('<path class="ln-line {}" d="M{} {}H{}"/>')
    match shape:
        case "wall":
            yield stroke.format("", start, y, start + way * 46)
            yield Markup('<rect class="ln-wall" x="{}" y="{}" width="4" height="24"/>').format(
                start + way * 46 - 2, y - 12
            )
        case "lost":
            yield stroke.format("", start, y, end - way * 42)
            yield from _ringed(end - way * 32, y, SIGNS["cross"])
        case "unsure":
            bend = start + (end - start) * 0.55
            yield stroke.format("", start, y, bend)
            yield stroke.format("ln-dots", bend, y, end - way * 20)
            yield from _ringed(end - way * 8, y, SIGNS["question"])
        case _:
            dash = "ln-dash" if shape in ("status", "waits") else ""
            yield stroke.format(dash, start, y, end - way * 9)
            kind = "ln-open" if shape == "waits" else "ln-head"
            yield Markup('<path class="{}" d="M{} {}l{} -5v10Z"/>').format(kind, end, y, -way * 9)


def _ringed(x: float, y: int, path: str) -> Iterator[Markup]:
    yield Markup('<circle class="ln-ring" cx="{}" cy="{}" r="9"/>').format(x, y)
    yield Markup('<path class="ln-sign" transform="translate({} {}) scale(.62)" d="{}"/>').format(
        x - 5, y - 5, path
    )


def _sign(colour: str, x: float, y: float) -> Markup:
    drawn = Markup(
        '<g class="c-{}"><path class="ln-sign" transform="translate({} {}) scale(.85)" d="{}"/></g>'
    )
    return drawn.format(colour, x, y, SIGNS[SIGN_OF[colour]])


def _outcome(row: Row, y: int) -> Iterator[Markup]:
    if row.word:
        yield _sign(row.colour, OUTCOME_X, y - 12)
        yield _text(OUTCOME_X + 22, y - 1, f"ln-word c-{row.colour}", row.word)
    if row.detail:
        yield _text(OUTCOME_X + 22, y + 14, "ln-sub", _clipped(row.detail))


def _clipped(text: str) -> str:
    """As much as there is room for; the table has the whole."""
    return text if len(text) <= DETAIL else f"{text[: DETAIL - 1]}…"
