"""Durations as people write them: `5m`, `7d`, `1d 12h`."""

import re
from datetime import timedelta
from typing import Final

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PART: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])")
_LONGEST: Final = timedelta(days=36_525)  # a hundred years; more is a slip of the finger


def read_duration(text: str) -> timedelta:
    """
    Read a duration: numbers with a unit, added up.

    Raises:
        ValueError: It is none, or longer than a hundred years.
    """
    place, total = 0, timedelta()
    while place < len(text.rstrip()):
        part = _PART.match(text, place)
        if part is None:
            break
        amount = float(part[1])
        if amount > _LONGEST.total_seconds():
            break
        total += timedelta(**{_UNITS[part[2]]: amount})
        place = part.end()
    else:
        if text.strip() and total <= _LONGEST:
            return total
    raise ValueError(f"{text[:40]!r} is no duration; write 30s, 5m, 2h, 7d, 4w or 1d 12h")
