"""A day in 24 bars, small enough for a row of a table.

The scale is each row's own: numbers compare receivers, the bars show when it was.
"""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

WIDTH: Final = 120
HEIGHT: Final = 28
_BAR, _STEP, _ROOM = 4, 5, 24
_LEAST_FAILED: Final = 3


def sparkline(hours: Sequence[tuple[int, int]], title: str) -> Markup:
    """
    Hours as bars, the oldest first.

    Args:
        hours: Of each how many there were, and how many of them failed.
        title: The same in words.
    """
    highest = max((count for count, _ in hours), default=0)
    parts = [
        Markup(
            '<svg class="spark" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img">'
            "<title>{2}</title>"
        ).format(WIDTH, HEIGHT, title)
    ]
    for place, (count, failed) in enumerate(hours):
        parts += _bar(place * _STEP, count, failed, highest)
    parts.append(
        Markup('<path class="spark-base" d="M0 {0}.5H{1}"/></svg>').format(_ROOM + 1, WIDTH)
    )
    return Markup("").join(parts)


def _bar(x: int, count: int, failed: int, highest: int) -> list[Markup]:
    if not count:
        return [
            Markup('<rect class="spark-none" x="{}" y="{}" width="4" height="1"/>').format(x, _ROOM)
        ]
    height = max(round(count / highest * (_ROOM - 2)), 2)
    red = min(max(round(failed / highest * (_ROOM - 2)), _LEAST_FAILED), _ROOM) if failed else 0
    height = max(height, red)
    rect = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>')
    bars = [rect.format("spark-all", x, _ROOM - height, _BAR, height - red)] if height > red else []
    return [*bars, rect.format("spark-no", x, _ROOM - red, _BAR, red)] if red else bars
