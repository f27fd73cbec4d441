"""In which line of a TOML file a key or table stands; `tomllib` reads values alone.

For texts that `tomllib` has read: nothing here says what is TOML and what is not.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, TypeAlias

Place: TypeAlias = tuple[int | str, ...]
"""Keys from the outside in; for one of several, its number from 0: `("routes", 0, "contract")`."""

_TOKEN: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"""'
    r"|'''.*?'''"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[\[\]{}\n]",
    re.DOTALL,
)
_KEY: Final = re.compile(r"""\s*("(?:\\.|[^"\\])*"|'[^']*'|[A-Za-z0-9_-]+)\s*(\.?)""")


class TomlLines:
    """
    The lines of a text's keys and tables; what stands in an inline table is where that begins.

    Args:
        text: Whole; an empty one has no places.
    """

    def __init__(self, text: str) -> None:
        self._lines: dict[Place, int] = {}
        self._rows: Counter[Place] = Counter()  # of arrays of tables, so far
        table: Place = ()
        for line, statement in _statements(text):
            if statement.startswith("["):
                table = self._header(statement)
                self._note(table, 0, line)
            else:
                self._note((*table, *_keys(statement)), len(table), line)

    def line(self, place: Place) -> int | None:
        """The line of a place, from 1, or of what is nearest around it; None: of neither."""
        for length in range(len(place), 0, -1):
            if place[:length] in self._lines:
                return self._lines[place[:length]]
        return None

    def _header(self, statement: str) -> Place:
        """The table that begins: `[a.b]`, or the next row of `[[a]]`."""
        place: Place = ()
        keys = _keys(statement.lstrip("["))
        for number, key in enumerate(keys, start=1):
            place = (*place, key)
            if number == len(keys) and statement.startswith("[["):
                self._rows[place] += 1
            if self._rows[place]:
                place = (*place, self._rows[place] - 1)
        return place

    def _note(self, place: Place, known: int, line: int) -> None:
        for length in range(known + 1, len(place) + 1):
            self._lines.setdefault(place[:length], line)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each header, and each key with its value, with the line in which it begins."""
    line, first, depth, start = 1, 1, 0, 0
    for token in _TOKEN.finditer(text + "\n"):
        if token[0] in ("[", "{"):
            depth += 1
        elif token[0] in ("]", "}"):
            depth -= 1
        elif token[0] == "\n" and depth == 0:
            statement = text[start : token.start()].strip()
            if statement and not statement.startswith("#"):
                yield first, statement
            start, first = token.end(), line + 1
        line += token[0].count("\n")


def _keys(text: str) -> tuple[str, ...]:
    """The dotted key that a text begins with."""
    keys, at = [], 0
    while found := _KEY.match(text, at):
        keys.append(found[1].strip("\"'"))
        at = found.end()
        if not found[2]:
            break
    return tuple(keys)
