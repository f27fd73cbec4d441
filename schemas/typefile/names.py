"""The names that authorities, forms and people have for a certificate type.

`Dödsbevis`, `TSTRK 1007`, `Läkarintyg för sjukpenning`, `FK 7804 (005 F 001)`: case, blanks,
diacritics, punctuation and words that only hold a title together do not count.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from intyg.schemas.intyg_model import IntygHeader

MOST_NEAREST: Final = 5

_SMALL_WORDS: Final = frozenset(
    (
        *("att", "av", "avseende", "eller", "enligt", "ett", "for", "fran", "har", "i"),
        *("inte", "och", "om", "pa", "som", "till", "vid"),
    )
)
_ON_PAPER: Final = re.compile(r"^\s*SKR\b|\(?\b[0-9]{3}\s*F\s*[0-9]{3}\b\)?", re.IGNORECASE)
"""What a printed form has beside its name: `SKR AG7804`, `FK 7804 (005 F 001)`."""

_NUMBERED: Final = re.compile(r"(?:fk|tstrk|ts)([0-9]{4})")
"""Forms that are also called by their number alone."""

_WITH_VERSION: Final = re.compile(r"(.+?)[\s,/]+(?:v|ver|version)?\.?\s*([0-9]+(?:\.[0-9]+)*)")


def plain(name: str) -> str:
    """A name as it is compared: letters and digits without case, marks and small words."""
    letters = unicodedata.normalize("NFKD", _ON_PAPER.sub(" ", name))
    bare = "".join(char for char in letters if not unicodedata.combining(char)).casefold()
    words = re.findall(r"[^\W_]+", bare)
    return "".join(word for word in words if word not in _SMALL_WORDS) or "".join(words)


def names_of(header: IntygHeader) -> set[str]:
    """Everything that a type is called, as `plain` has it."""
    numbers = (header.code, header.xml_code, *header.aliases, *header.former)
    names = {plain(name) for name in (*numbers, header.name, header.xml_display)}
    return names | {match[1] for name in names if (match := _NUMBERED.fullmatch(name))}


def name_and_version(text: str) -> tuple[str, str] | None:
    """`FK7804/2.0` or `FK 7804 version 2` in two; None where no version stands at the end."""
    match = _WITH_VERSION.fullmatch(text.strip())
    return (match[1], match[2]) if match else None


def nearest(name: str, headers: Iterable[IntygHeader]) -> tuple[IntygHeader, ...]:
    """One header of each type that may have been meant, the likeliest first, at most five."""
    of_code = {header.code: header for header in headers}
    likeness = {code: max(_likenesses(name, header)) for code, header in of_code.items()}
    likely = sorted(
        (code for code in of_code if likeness[code] >= 0.65),
        key=lambda code: (-likeness[code], code),
    )
    return tuple(of_code[code] for code in likely[:MOST_NEAREST])


def _likenesses(name: str, header: IntygHeader) -> Iterator[float]:
    """From 0 to 1; a whole piece of a name is as good as a name with a slip of the pen."""
    wanted = plain(name)
    for each in names_of(header):
        yield difflib.SequenceMatcher(None, wanted, each).ratio()
        if len(wanted) >= 4 and wanted in each:
            yield 0.8
