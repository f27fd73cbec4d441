"""What the functions and paths of XPath 1.0 say of a certificate's answers, in Python.

Values of the usual form are read here; all others (a date with letters in it, elements where text
should be) go to libxml2 one by one, so that the two never differ.

Source: XPath 1.0, section 4 (functions); `xpath` (abbreviations).
"""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import date
from operator import attrgetter
from typing import Any, Final

from lxml import etree

from intyg.schemas.ns import CORE, TYPES
from intyg.schemas.rules.answers import Answers, Part, Row
from intyg.schemas.rules.kinds import BLANKS
from intyg.schemas.rules.xpath import (
    DIAGNOSIS_SYSTEMS,
    FILLED,
    compile_xpath,
    write_out,
)

# --- numbers and dates ----------------------------------------------------------------------------

_PLAIN_NUMBER = re.compile(r"(-?)(\d{1,15})(?:\.(\d{0,15}))?\Z", re.ASCII)
_PLAIN_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?!\d)", re.ASCII)
_DATE_LENGTH: Final = 10
_BLANKS = re.compile(f"[{BLANKS}]+")
_NOTHING: Final = etree.Element("nothing")
_ASK_NUMBER: Any = compile_xpath("number($s)")
_ASK_NUM: Any = compile_xpath(write_out("num($s)"))
_ASK_ORDER: Any = compile_xpath(write_out("order($s)"))
_ASK_DAYS: Any = compile_xpath(write_out("days($s)"))
_ASK_BORN: Any = compile_xpath(write_out("born(.)"))
_ASK_BORN_YEAR: Any = compile_xpath(write_out("born_year(.)"))
_SYSTEM_PATTERNS: Final = {system: re.compile(system, re.DOTALL) for system in DIAGNOSIS_SYSTEMS}
_BORN = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)


def number_of(text: str) -> float:
    """XPath's number() of a text."""
    plain = _PLAIN_NUMBER.match(text)
    if plain is None:
        return float(_ASK_NUMBER(_NOTHING, s=text))
    sign, whole, rest = plain.groups()
    # as libxml2 does it: the last bit of Python's own reading may differ
    value = int(whole) + int(rest) / 10.0 ** len(rest) if rest else float(whole)
    return -value if sign else value


def decimal(text: str) -> float:
    """`decimal()`: a number that may have a plus before it."""
    return number_of(text.replace("+", ""))


def normalized(text: str) -> str:
    """XPath's normalize-space(); of what is not ASCII, Python's split() would take more away."""
    return " ".join(text.split()) if text.isascii() else _BLANKS.sub(" ", text).strip(" ")


def num(text: str) -> float:
    """`num()`: a date as a number that sorts."""
    plain = _PLAIN_DATE.match(text)
    return int(plain[1] + plain[2] + plain[3]) if plain else float(_ASK_NUM(_NOTHING, s=text))


def order(text: str) -> float:
    """`order()`: a date as a number that sorts as its text does."""
    plain = _PLAIN_DATE.match(text)
    if plain and len(text) == _DATE_LENGTH:
        return int(plain[1] + plain[2] + plain[3])
    return float(_ASK_ORDER(_NOTHING, s=text))


def days(text: str) -> float:
    """`days()`: a date as a day number."""
    plain = _PLAIN_DATE.match(text)
    if plain is None or len(text) != _DATE_LENGTH:
        return float(_ASK_DAYS(_NOTHING, s=text))
    return _day_number(int(plain[1]), int(plain[2]), int(plain[3]))


def _day_number(year: int, month: int, day: int) -> int:
    """As `xpath` writes it, so that a 31st of February is some day, too."""
    early = month < 3
    years = year - early
    months = (153 * (month + 12 * early) - 457) // 5
    return 365 * years + years // 4 - years // 100 + years // 400 + months + day - 306


def born(answers: Answers) -> float:
    plain = _BORN.match(answers.person_id())
    if plain is None:
        return float(_ASK_BORN(answers.intyg))
    day = int(plain[3])
    return _day_number(int(plain[1]), int(plain[2]), day - 60 * (day > 60))


def birth(answers: Answers) -> float:
    """`birth()`: the day number of the patient's birth, as the national rules work it out."""
    plain = _BORN.match(answers.person_id())
    if plain is None:
        return math.nan
    year, month, day = map(int, plain.groups())
    try:
        return date(year, month, day - 60 if day >= 70 else day).toordinal()
    except ValueError:
        return math.nan


def same_system(row: Row, one: str, other: str) -> bool:
    """`same_system()`: whether one delsvar's code system holds another's, as a pattern."""
    system, pattern = (normalized(_first_system(row, node_id)) for node_id in (one, other))
    if pattern in system:
        return True
    return pattern in _SYSTEM_PATTERNS and _SYSTEM_PATTERNS[pattern].search(system) is not None


def _first_system(row: Row, node_id: str) -> str:
    of_parts = (systems(part) for part in row.parts if part.id == node_id)
    return next((system for several in of_parts for system in several), "")


def born_year(answers: Answers) -> float:
    plain = _BORN.match(answers.person_id())
    return int(plain[1]) if plain else float(_ASK_BORN_YEAR(answers.intyg))


def floor(number: float) -> float:
    return math.floor(number) if math.isfinite(number) else number


def is_true(number: float) -> bool:
    """Whether a number counts as true."""
    return number != 0 and not math.isnan(number)


# --- what nodes hold ------------------------------------------------------------------------------

_INSTANS: Final = f"{{{CORE}}}instans"
_STRING: Any = compile_xpath("string()")
_ASK_FILLED: Any = compile_xpath(FILLED)


def first(texts: Sequence[str]) -> str:
    """The string of some nodes: that of the first; empty when there is none."""
    return texts[0] if texts else ""


def first_string(parts: Sequence[Part]) -> str:
    return parts[0].string() if parts else ""


def filled(part: Part) -> bool:
    """`filled()`: one piece of text that is not blank."""
    if part.text is not None:
        return part.text.strip(BLANKS) != ""
    return bool(_ASK_FILLED(part.element))


def _leaf(parent: str, child: str) -> Callable[[Part], Sequence[str]]:
    """The texts of `parent/child` in a delsvar, both in namespace `TYPES`."""
    asked: Any = compile_xpath(f"t:{parent}/t:{child}")
    parent, child = f"{{{TYPES}}}{parent}", f"{{{TYPES}}}{child}"

    def texts(part: Part) -> Sequence[str]:
        if part.text is not None:
            return ()
        if len(part.element) == 1 and part.element[0].tag == parent:
            return [_text(element) for element in part.element[0] if element.tag == child]
        return [_text(element) for element in asked(part.element)]

    return texts


def _text(element: etree._Element) -> str:
    return str(_STRING(element)) if len(element) else element.text or ""


def codes(part: Part) -> Sequence[str]:
    return (part.written_code,) if part.plain_cv else _ASK_CODES(part)


def systems(part: Part) -> Sequence[str]:
    return (part.system,) if part.plain_cv else _ASK_SYSTEMS(part)


_ASK_CODES = _leaf("cv", "code")
_ASK_SYSTEMS = _leaf("cv", "codeSystem")
LEAVES: Final[dict[str, Callable[[Part], Sequence[str]]]] = {
    "t:cv/t:code": codes,
    "t:cv/t:codeSystem": systems,
    **{
        f"t:{parent}/t:{child}": _leaf(parent, child)
        for parent, child in (
            ("datePeriod", "start"),
            ("datePeriod", "end"),
            ("partialDate", "value"),
            ("pq", "value"),
        )
    },
}
"""What may be read of a delsvar, by its path from there."""


def children(part: Part) -> Sequence[etree._Element]:
    """The elements in a delsvar."""
    return () if part.text is not None else list(part.element.iterchildren(etree.Element))


def ids(rows: Sequence[Row]) -> Sequence[str]:
    """The `@id` of svar."""
    return [row.id for row in rows if row.id or row.element.get("id") is not None]


def instans(rows: Sequence[Row]) -> Sequence[str]:
    """The texts of the `instans` of svar."""
    return [_text(child) for row in rows for child in row.element if child.tag == _INSTANS]


_PLACE: Final = attrgetter("place")  # rows are in the order of their places


def preceding(answers: Answers, row: Row, svar: str | None) -> Sequence[Row]:
    """The svar with an id, or all, before this one."""
    rows = answers.rows if svar is None else answers.rows_by_id.get(svar, ())
    return rows[: bisect_left(rows, row.place, key=_PLACE)]


def following(answers: Answers, row: Row, svar: str | None) -> Sequence[Row]:
    """The svar with an id, or all, after this one."""
    rows = answers.rows if svar is None else answers.rows_by_id.get(svar, ())
    return rows[bisect_right(rows, row.place, key=_PLACE) :]
