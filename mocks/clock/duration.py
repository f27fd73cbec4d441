"""Durations as people write them: `5m`, `7d`, `1d 12h`."""

import re
from datetime import timedelta
from typing import Annotated, Final, TypeAlias

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PART: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])")
_LONGEST: Final = timedelta(days=36_525)  # a hundred years; more is a slip of the finger


def read_duration(text: object) -> timedelta:
    """
    Read a duration: numbers with a unit, added up. One that is read already stays.

    Raises:
        ValueError: It is none, or longer than a hundred years.
    """
    if isinstance(text, timedelta):
        return text
    text = str(text)
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


def write_duration(duration: timedelta) -> str:
    """As `read_duration` reads it: `1d 12h`."""
    seconds = duration.total_seconds()
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count:g}{unit}")
    if seconds or not parts:
        parts.append(f"{seconds:g}s")
    return " ".join(parts)


Duration: TypeAlias = Annotated[
    timedelta,
    BeforeValidator(read_duration),
    PlainSerializer(write_duration),
    WithJsonSchema({"type": "string", "examples": ["30s", "5m", "2h", "7d", "1d 12h"]}),
]
"""In a model: a text there, a `timedelta` here."""
