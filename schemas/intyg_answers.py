"""A certificate's answers, indexed once, so that no rule need search the document by itself.

The rules of the type files are XPath 1.0. Most have one of a few shapes (this svar is there, that
delsvar says yes); `quick_test` answers those from the index. For all others libxml2 is asked.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeAlias

from lxml import etree

from schemas.intyg_kinds import BLANKS, quick_period
from schemas.intyg_xpath import compile_xpath, write_out
from schemas.ns import CORE, TYPES

_SVAR: Final = f"{{{CORE}}}svar"
_DELSVAR: Final = f"{{{CORE}}}delsvar"
_CV: Final = f"{{{TYPES}}}cv"
_CODE: Final = f"{{{TYPES}}}code"
_SYSTEM: Final = f"{{{TYPES}}}codeSystem"
_DISPLAY: Final = f"{{{TYPES}}}displayName"
_STRING = compile_xpath("string()")
_CODES = compile_xpath("t:cv/t:code")
_NORMALIZED = compile_xpath("normalize-space()")
_NUM = compile_xpath(write_out("num(.)"))
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)


class Part:
    """
    One delsvar.

    Attributes:
        row: Place of its svar in `Answers.rows`. (Not the svar itself: with
            that in a circle, every check would leave work to the collector.)
        text: Its text when it holds nothing else, otherwise None.
        plain_cv: It holds exactly one cv of the usual form, whose code
            (without blanks around it) and system (as written) follow.
    """

    __slots__ = ("_period", "code", "element", "id", "plain_cv", "row", "system", "text")
    text: str | None
    _period: tuple[int, int] | None

    def __init__(self, element: etree._Element, row: int = 0) -> None:
        self.element = element
        self.row = row
        self.id = element.get("id", "")
        self.text = None
        self.plain_cv = False
        self.code = self.system = ""
        children = len(element)
        if not children:
            self.text = element.text or ""
        elif children == 1:
            cv = element[0]
            if cv.tag == _CV:
                self._read(cv)

    def says(self, word: str, digit: str) -> bool:
        """The national reading of yes and no: `true` or `1` anywhere in it, or `false` or `0`."""
        text = self.text if self.text is not None else str(_STRING(self.element))
        return digit in text or word in text

    def period(self) -> tuple[int, int] | None:
        """Start and end of a period of the usual form, as numbers that sort; otherwise None."""
        try:
            return self._period
        except AttributeError:  # not looked for yet
            self._period = None
            if quick_period(self.element):
                start, end = self.element[0]
                self._period = _sorting(start.text), _sorting(end.text)
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
        code = system = None
        names = 0
        for child in cv:
            if len(child):
                return
            tag = child.tag
            if tag == _CODE:
                if code is not None:
                    return
                code = child.text or ""
            elif tag == _SYSTEM:
                if system is not None:
                    return
                system = child.text or ""
            elif tag == _DISPLAY:
                names += 1
        if code is not None and system is not None and names <= 1:
            # blanks inside a code stay, as several or as one: no code has any
            self.plain_cv, self.code, self.system = True, code.strip(BLANKS), system


def _sorting(text: str | None) -> int:
    """A real date as a number that sorts."""
    return int((text or "")[:10].replace("-", ""))


class Row:
    """One svar, with its delsvar; `place` is its place among the svar."""

    __slots__ = ("element", "id", "parts")

    def __init__(self, element: etree._Element, place: int) -> None:
        self.element = element
        self.id = element.get("id", "")
        self.parts = [Part(part, place) for part in element.iterchildren(_DELSVAR)]


Place: TypeAlias = Part | Row | None
"""Where a rule is asked: a delsvar, a svar, or None for the intyg."""


class Answers:
    """
    The svar and delsvar of an intyg, by id.

    Attributes:
        rows, parts: All of them, in document order.
    """

    __slots__ = ("intyg", "parts_by_id", "rows", "rows_by_id")

    def __init__(self, intyg: etree._Element) -> None:
        self.intyg = intyg
        self.rows = [Row(svar, n) for n, svar in enumerate(intyg.iterchildren(_SVAR))]
        self.rows_by_id: dict[str, list[Row]] = {}
        self.parts_by_id: dict[str, list[Part]] = {}
        for row in self.rows:
            self.rows_by_id.setdefault(row.id, []).append(row)
            for part in row.parts:
                self.parts_by_id.setdefault(part.id, []).append(part)


@dataclass(frozen=True)
class Day:
    """Today, as rules ask for it."""

    today: int  # 20261123
    day: int  # date.toordinal

    @classmethod
    def of(cls, day: date) -> "Day":
        return cls(day.year * 10000 + day.month * 100 + day.day, day.toordinal())


Test: TypeAlias = Callable[[Answers, Place, Day], bool]
_Nodes: TypeAlias = Callable[[Answers, Place], Sequence[Any]]

_TOKEN = re.compile(
    r"\s*(?:(?P<name>svar|delsvar|yes|no|coded|not|count)\((?P<id>\s*\d+(?:\.\d+)?\s*(?:,[^()]*)?\))?"
    r"|(?P<value>num\(\.\)|\$today)"
    r"|(?P<word>and|or)\b|(?P<sign>\.\.|\*|/|\(|\)|<=|>=|!=|=|<|>)|(?P<number>\d+)(?![\w.]))"
)
_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "=": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
}


class _OtherShapeError(Exception):
    """Not one of the shapes that the index answers."""


def quick_test(expression: str, level: int) -> Test | None:
    """
    An expression of a type file as a test of the index.

    Args:
        expression: XPath 1.0 with the abbreviations of `intyg_xpath`.
        level: What it is relative to: 0 intyg, 1 svar, 2 delsvar.

    Returns:
        None when it has another shape: ask libxml2.
    """
    try:
        return _Parser(expression, level).whole()
    except _OtherShapeError:
        return None


class _Parser:
    """Reads `and`, `or`, `not()`, `count()` and paths of `..`, `*` and abbreviations; no more."""

    def __init__(self, expression: str, level: int) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._level = level
        place = 0
        expression = expression.strip()
        while place < len(expression):
            match = _TOKEN.match(expression, place)
            if match is None:
                raise _OtherShapeError
            if match["name"]:
                if match["id"]:
                    self._tokens.append((match["name"], match["id"].strip(" )")))
                else:
                    self._tokens.append((match["name"], ""))
            elif match["value"]:
                self._tokens.append((match["value"], ""))
            elif match["number"]:
                self._tokens.append(("number", match["number"]))
            else:
                self._tokens.append((match["word"] or match["sign"], ""))
            place = match.end()
        self._tokens.append(("end", ""))
        self._at = 0

    def whole(self) -> Test:
        test = self._either()
        self._take("end")
        return test

    def _peek(self) -> str:
        return self._tokens[self._at][0]

    def _take(self, name: str) -> str:
        found, value = self._tokens[self._at]
        if found != name:
            raise _OtherShapeError
        self._at += 1
        return value

    def _either(self) -> Test:
        test = self._both()
        while self._peek() == "or":
            self._take("or")
            test = _or(test, self._both())
        return test

    def _both(self) -> Test:
        test = self._one()
        while self._peek() == "and":
            self._take("and")
            test = _and(test, self._one())
        return test

    def _one(self) -> Test:
        match self._peek():
            case "(":
                self._take("(")
                test = self._either()
                self._take(")")
                return test
            case "not":
                if self._take("not"):
                    raise _OtherShapeError
                inner = self._either()
                self._take(")")
                return lambda answers, place, day: not inner(answers, place, day)
            case "count":
                if self._take("count"):
                    raise _OtherShapeError
                nodes = self._path()
                self._take(")")
                compare = _COMPARE.get(self._peek())
                if compare is None:
                    raise _OtherShapeError
                self._at += 1
                number = int(self._take("number"))
                return lambda answers, place, _day: compare(len(nodes(answers, place)), number)
            case "num(.)" if self._level == 2:
                return self._dated()
        found = self._path()
        return lambda answers, place, _day: bool(found(answers, place))

    def _dated(self) -> Test:
        """A date compared with today."""
        self._take("num(.)")
        compare = _COMPARE.get(self._peek())
        if compare is None:
            raise _OtherShapeError
        self._at += 1
        self._take("$today")

        def test(_answers: Answers, place: Place, day: Day) -> bool:
            assert isinstance(place, Part)
            return compare(place.date_number(), day.today)

        return test

    def _path(self) -> _Nodes:
        level, nodes = self._level, None
        while True:
            name, value = self._tokens[self._at]
            self._at += 1
            if name == ".." and nodes is None and level > 0:
                level -= 1
            elif level == 0 and name in ("svar", "*") and value.count(".") == 0:
                nodes = _all_rows if name == "*" else _rows_with(value)
                level = 1
            elif level == 1 and name in ("delsvar", "yes", "no", "coded") and "." in value:
                rows = nodes or (_row_itself if self._level == 1 else _row_of_part)
                nodes = _parts(rows, name, value)
                level = 3
            else:
                raise _OtherShapeError
            if self._peek() != "/":
                break
            self._take("/")
        if nodes is None:
            raise _OtherShapeError
        return nodes


def _or(one: Test, other: Test) -> Test:
    return lambda answers, place, day: one(answers, place, day) or other(answers, place, day)


def _and(one: Test, other: Test) -> Test:
    return lambda answers, place, day: one(answers, place, day) and other(answers, place, day)


def _all_rows(answers: Answers, _place: Place) -> Sequence[Row]:
    return answers.rows


def _rows_with(svar: str) -> _Nodes:
    return lambda answers, _place: answers.rows_by_id.get(svar, ())


def _row_itself(_answers: Answers, place: Place) -> Sequence[Row]:
    assert isinstance(place, Row)
    return (place,)


def _row_of_part(answers: Answers, place: Place) -> Sequence[Row]:
    assert isinstance(place, Part)
    return (answers.rows[place.row],)


def _parts(rows: _Nodes, name: str, value: str) -> _Nodes:
    node_id, *codes = (word.strip() for word in value.split(","))
    wanted = frozenset(codes)

    def parts(answers: Answers, place: Place) -> Sequence[Part]:
        return [part for row in rows(answers, place) for part in row.parts if part.id == node_id]

    def parts_anywhere(answers: Answers, _place: Place) -> Sequence[Part]:
        return answers.parts_by_id.get(node_id, ())

    found: _Nodes = parts_anywhere if rows is _all_rows else parts
    match name:
        case "yes":
            return lambda answers, place: [
                part for part in found(answers, place) if part.says("true", "1")
            ]
        case "no":
            return lambda answers, place: [
                part for part in found(answers, place) if part.says("false", "0")
            ]
        case "coded":
            return lambda answers, place: [
                part for part in found(answers, place) if part.has_code(wanted)
            ]
    return found
