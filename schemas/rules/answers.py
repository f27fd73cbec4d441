"""A certificate's answers, indexed once, so that no rule need search the document by itself.

This runs for every certificate: what is asked of lxml is asked once and in bulk, since each `tag`,
`text` and `get` makes a new string.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeAlias

from lxml import etree

from intyg.schemas.ns import TYPES
from intyg.schemas.rules.kinds import BLANKS, quick_period
from intyg.schemas.rules.xpath import compile_xpath, write_out

_ROWS: Any = compile_xpath("c:svar")
_PARTS: Any = compile_xpath("c:svar/c:delsvar")
_CV: Final = f"{{{TYPES}}}cv"
_CODE: Final = f"{{{TYPES}}}code"
_SYSTEM: Final = f"{{{TYPES}}}codeSystem"
_DISPLAY: Final = f"{{{TYPES}}}displayName"
_PERSON = compile_xpath("string(c:patient/c:person-id/t:extension)")
_STRING = compile_xpath("string()")
_CODES = compile_xpath("t:cv/t:code")
_ID_AS_NUMBER = compile_xpath("number(@id)")
_NORMALIZED = compile_xpath("normalize-space()")
_NUM = compile_xpath(write_out("num(.)"))
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)

SAYS: Final = {"yes": ("true", "1"), "no": ("false", "0")}
"""What a delsvar holds, as word or digit, when it says yes or no."""


class Part:
    """
    One delsvar.

    Attributes:
        row: Place of its svar in `Answers.rows`. (Not the svar itself: with
            that in a circle, every check would leave work to the collector.)
        text: Its text when it holds nothing else, otherwise None.
        plain_cv: It holds exactly one cv of the usual form, whose code
            (without blanks around it, and as written) and system (as written)
            follow.
    """

    __slots__ = (
        "_period",
        "code",
        "element",
        "id",
        "plain_cv",
        "row",
        "system",
        "text",
        "written_code",
    )
    text: str | None
    _period: tuple[int, int] | None

    def __init__(self, element: etree._Element, row: int = 0) -> None:
        self.element = element
        self.row = row
        self.id = element.get("id", "")
        self.text = None
        self.plain_cv = False
        self.code = self.written_code = self.system = ""
        children = len(element)
        if not children:
            self.text = element.text or ""
        elif children == 1:
            cv = element[0]
            if cv.tag == _CV:
                self._read(cv)

    def string(self) -> str:
        """All text in it, as XPath's string() has it."""
        return self.text if self.text is not None else str(_STRING(self.element))

    def says(self, word: str, digit: str) -> bool:
        """The national reading of yes and no: `true` or `1` anywhere in it, or `false` or `0`."""
        text = self.string()
        return digit in text or word in text

    def period(self) -> tuple[int, int] | None:
        """Start and end of a period of the usual form, as numbers that sort; otherwise None."""
        try:
            return self._period
        except AttributeError:  # not looked for yet
            days = quick_period(self.element)
            self._period = days and (_sorting(days[0]), _sorting(days[1]))
            return self._period

    def date_number(self) -> float:
        """Its date as a number that sorts, 20261123; not a number when it is no date."""
        if self.text is not None and _DATE.match(self.text):
            return int(self.text[:4] + self.text[5:7] + self.text[8:10])
        number: Any = _NUM(self.element)
        return float(number)

    def has_code(self, wanted: frozenset[str]) -> bool:
        """Whether it holds one of some codes."""
        if self.plain_cv:
            return self.code in wanted
        return not wanted.isdisjoint(self.codes())

    def codes(self) -> Sequence[str]:
        """Every code in it, normally one, without blanks around it."""
        if self.plain_cv:
            return (self.code,)
        if self.text is not None:
            return ()
        found: Any = _CODES(self.element)
        return [str(_NORMALIZED(code)) for code in found]

    def _read(self, cv: etree._Element) -> None:
        children = iter(cv)
        code, system = next(children, None), next(children, None)
        if code is None or code.tag != _CODE or len(code):
            return  # libxml2 reads what is not in the order of the schema
        if system is None or system.tag != _SYSTEM or len(system):
            return
        for name in children:
            if name.tag != _DISPLAY or next(children, None) is not None:
                return
        self.plain_cv = True
        self.system = system.text or ""
        self.written_code = code.text or ""
        # blanks inside a code stay, as several or as one: no code has any
        self.code = self.written_code.strip(BLANKS)


def _sorting(day: str) -> int:
    """A real date as a number that sorts."""
    return int(day.replace("-", ""))


class Row:
    """One svar; `parts` are its delsvar, `place` is its place among the svar."""

    __slots__ = ("element", "id", "part_ids", "parts", "place")

    def __init__(self, element: etree._Element, place: int) -> None:
        self.element = element
        self.id = element.get("id", "")
        self.parts: list[Part] = []
        self.part_ids: list[str] = []
        self.place = place

    def number(self) -> float:
        """The id as XPath reads it: digits of other scripts are no number, a blank before is."""
        if self.id.isascii() and self.id.isdecimal():
            return int(self.id)
        number: Any = _ID_AS_NUMBER(self.element)
        return float(number)


Place: TypeAlias = Part | Row | str | None
"""Where a rule is asked: a delsvar, a svar, a text inside a delsvar, or None for the intyg."""


class Answers:
    """
    The svar and delsvar of an intyg, by id.

    Attributes:
        rows: All svar, in document order.
    """

    __slots__ = ("_person_id", "_rows_from", "intyg", "parts_by_id", "rows", "rows_by_id")
    _person_id: str | None

    def __init__(self, intyg: etree._Element) -> None:
        self.intyg = intyg
        self._person_id = None
        self._rows_from: dict[int, list[Row]] = {}
        self.rows = rows = [Row(svar, n) for n, svar in enumerate(_ROWS(intyg))]
        self.rows_by_id: dict[str, list[Row]] = {}
        self.parts_by_id: dict[str, list[Part]] = {}
        for row in rows:
            self.rows_by_id.setdefault(row.id, []).append(row)
        place, parts_by_id = 0, self.parts_by_id
        for element in _PARTS(intyg):
            svar = element.getparent()
            while (row := rows[place]).element is not svar:
                place += 1
            part = Part(element, place)
            row.parts.append(part)
            row.part_ids.append(part.id)
            parts_by_id.setdefault(part.id, []).append(part)

    def rows_from(self, first: int) -> Sequence[Row]:
        """The svar with this number or a higher one; asked by several rules on the same ones."""
        found = self._rows_from.get(first)
        if found is None:
            digits = len(str(first))
            found = self._rows_from[first] = [
                row
                for row in self.rows
                if (len(row.id) >= digits or not row.id.isdecimal()) and row.number() >= first
            ]
        return found

    def person_id(self) -> str:
        """The patient's number, as written; empty when there is none."""
        if self._person_id is None:
            self._person_id = str(_PERSON(self.intyg))
        return self._person_id


@dataclass(frozen=True)
class Day:
    """Today, as rules ask for it."""

    today: int  # 20261123
    day: int  # date.toordinal

    @classmethod
    def of(cls, day: date) -> "Day":
        return cls(day.year * 10000 + day.month * 100 + day.day, day.toordinal())


Test: TypeAlias = Callable[[Answers, Place, Day], bool]
"""Whether a rule holds at a place."""
