"""The XPath 1.0 of the type files as Python over the index of answers, many times faster.

Covered is what the rules of the types say: paths of svar, delsvar and what is in them, predicates,
comparisons, arithmetic, and the functions in `_FUNCTIONS`. `quick_test` says None to anything else;
then libxml2 is asked. Values that are not of the usual form (a date with letters in it) go to
libxml2 one by one, so that the two never differ; `tests/schemas/test_intyg_quick.py` compares them.

Source: XPath 1.0, sections 3.3 to 3.5 (node-sets, booleans, numbers) and 4 (functions).
"""

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NoReturn, TypeAlias

from lxml import etree

from schemas.intyg_answers import Answers, Day, Part, Place, Row, Test
from schemas.intyg_kinds import BLANKS, is_real_date
from schemas.intyg_xpath import compile_xpath, write_out
from schemas.ns import CORE, TYPES

_Of: TypeAlias = Callable[[Answers, Any, Day], Any]
"""What an expression says at a place."""


@dataclass(frozen=True)
class _Value:
    """
    A compiled expression.

    Attributes:
        kind: `boolean`, `number`, `string`; for nodes `rows`, `parts`,
            `strings` (the texts of what is deeper) or `elements` (only
            counted).
        constant: What it always says, if it is written out.
    """

    kind: str
    of: _Of
    constant: str | float | None = None


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
        parser = _Parser(_tokens(expression), level)
        value = parser.expression()
        parser.take("end")
    except _OtherShapeError:
        return None
    return _boolean(value)


def _other_shape() -> NoReturn:
    raise _OtherShapeError


# --- numbers and dates ----------------------------------------------------------------------------

_PLAIN_NUMBER = re.compile(r"(-?)(\d{1,15})(?:\.(\d{0,15}))?\Z", re.ASCII)
_PLAIN_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?!\d)", re.ASCII)
_BLANKS = re.compile(f"[{BLANKS}]+")
_NOTHING: Final = etree.Element("nothing")
_ASK_NUMBER: Any = compile_xpath("number($s)")
_ASK_NUM: Any = compile_xpath(write_out("num($s)"))
_ASK_DAYS: Any = compile_xpath(write_out("days($s)"))
_ASK_BORN: Any = compile_xpath(write_out("born(.)"))
_ASK_BORN_YEAR: Any = compile_xpath(write_out("born_year(.)"))
_BORN = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)


def _number_of(text: str) -> float:
    """XPath's number() of a text."""
    plain = _PLAIN_NUMBER.match(text)
    if plain is None:
        return float(_ASK_NUMBER(_NOTHING, s=text))
    sign, whole, rest = plain.groups()
    # as libxml2 does it: the last bit of Python's own reading may differ
    value = int(whole) + int(rest) / 10.0 ** len(rest) if rest else float(whole)
    return -value if sign else value


def _normalized(text: str) -> str:
    """XPath's normalize-space(); of what is not ASCII, Python's split() would take more away."""
    return " ".join(text.split()) if text.isascii() else _BLANKS.sub(" ", text).strip(" ")


def _num(text: str) -> float:
    """`num()`: a date as a number that sorts."""
    plain = _PLAIN_DATE.match(text)
    return int(plain[1] + plain[2] + plain[3]) if plain else float(_ASK_NUM(_NOTHING, s=text))


def _days(text: str) -> float:
    """`days()`: a date as a day number."""
    plain = _PLAIN_DATE.match(text)
    if plain is None:
        return float(_ASK_DAYS(_NOTHING, s=text))
    return _day_number(int(plain[1]), int(plain[2]), int(plain[3]))


def _day_number(year: int, month: int, day: int) -> int:
    """As `intyg_xpath` writes it, so that a 31st of February is some day, too."""
    early = month < 3
    years = year - early
    months = (153 * (month + 12 * early) - 457) // 5
    return 365 * years + years // 4 - years // 100 + years // 400 + months + day - 306


def _born(answers: Answers) -> float:
    plain = _BORN.match(answers.person_id())
    if plain is None:
        return float(_ASK_BORN(answers.intyg))
    day = int(plain[3])
    return _day_number(int(plain[1]), int(plain[2]), day - 60 * (day > 60))


def _born_year(answers: Answers) -> float:
    plain = _BORN.match(answers.person_id())
    return int(plain[1]) if plain else float(_ASK_BORN_YEAR(answers.intyg))


# --- what nodes hold ------------------------------------------------------------------------------

_INSTANS: Final = f"{{{CORE}}}instans"
_STRING: Any = compile_xpath("string()")
_FIRST_TEXT: Any = compile_xpath("string(text()[1])")


def _first_text(part: Part) -> str:
    return part.text if part.text is not None else str(_FIRST_TEXT(part.element))


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


def _codes(part: Part) -> Sequence[str]:
    return (part.written_code,) if part.plain_cv else _ASK_CODES(part)


def _systems(part: Part) -> Sequence[str]:
    return (part.system,) if part.plain_cv else _ASK_SYSTEMS(part)


_ASK_CODES = _leaf("cv", "code")
_ASK_SYSTEMS = _leaf("cv", "codeSystem")
_LEAVES: Final[dict[str, Callable[[Part], Sequence[str]]]] = {
    "t:cv/t:code": _codes,
    "t:cv/t:codeSystem": _systems,
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


# --- conversions, XPath 1.0 sections 4.2 to 4.4 ---------------------------------------------------


def _boolean(value: _Value) -> Test:
    of = value.of
    if value.kind == "intyg":
        raise _OtherShapeError
    if value.kind == "boolean":
        return of
    if value.kind == "number":
        return lambda answers, place, day: bool(n := of(answers, place, day)) and not math.isnan(n)
    return lambda answers, place, day: bool(of(answers, place, day))


def _string(value: _Value) -> _Of:
    of = value.of
    match value.kind:
        case "string":
            return of
        case "strings":
            return lambda answers, place, day: next(iter(of(answers, place, day)), "")
        case "parts":
            return lambda answers, place, day: (
                parts[0].string() if (parts := of(answers, place, day)) else ""
            )
    _other_shape()


def _number(value: _Value) -> _Of:
    if value.kind == "number":
        return value.of
    string = _string(value)
    return lambda answers, place, day: _number_of(string(answers, place, day))


def _texts(value: _Value) -> Callable[[Answers, Place, Day], Sequence[str]]:
    """The string of each node."""
    of = value.of
    if value.kind == "strings":
        return of
    if value.kind != "parts":
        raise _OtherShapeError
    return lambda answers, place, day: [part.string() for part in of(answers, place, day)]


_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_NODES: Final = ("rows", "parts", "strings", "elements")


def _compared(one: _Value, sign: str, other: _Value) -> _Value:
    """Section 3.4: with nodes on one side, true when it is true of any of them."""
    compare = _COMPARE[sign]
    kinds = {one.kind, other.kind}
    if sign == "=" and one.kind in _NODES and other.kind in _NODES:
        left, right = _texts(one), _texts(other)
        return _Value("boolean", lambda *at: not set(left(*at)).isdisjoint(right(*at)))
    if "boolean" in kinds and sign in ("=", "!="):
        first, second = _boolean(one), _boolean(other)
        return _Value("boolean", _applied(compare, first, second))
    if kinds & {"boolean", "rows", "elements"} or (one.kind in _NODES and other.kind in _NODES):
        _other_shape()
    if one.kind not in _NODES and other.kind not in _NODES:
        as_text = kinds == {"string"} and sign in ("=", "!=")
        convert = _string if as_text else _number
        if other.constant is not None and as_text is isinstance(other.constant, str):
            return _Value("boolean", _with_constant(compare, convert(one), other.constant))
        return _Value("boolean", _applied(compare, convert(one), convert(other)))
    return _Value("boolean", _any_of(one, compare, sign, other))


def _any_of(one: _Value, compare: Callable[[Any, Any], bool], sign: str, other: _Value) -> _Of:
    as_text = "string" in (one.kind, other.kind) and sign in ("=", "!=")
    read: Callable[[str], Any] = str if as_text else _number_of
    if one.kind in _NODES:
        nodes, single = _texts(one), other.of if as_text else _number(other)
        return lambda answers, place, day: any(
            compare(read(text), single(answers, place, day)) for text in nodes(answers, place, day)
        )
    nodes, single = _texts(other), one.of if as_text else _number(one)
    return lambda answers, place, day: any(
        compare(single(answers, place, day), read(text)) for text in nodes(answers, place, day)
    )


def _applied(operation: Callable[[Any, Any], Any], one: _Of, other: _Of) -> _Of:
    return lambda answers, place, day: operation(
        one(answers, place, day), other(answers, place, day)
    )


def _with_constant(compare: Callable[[Any, Any], bool], one: _Of, constant: Any) -> _Of:
    return lambda answers, place, day: compare(one(answers, place, day), constant)


def _floor(number: float) -> float:
    return math.floor(number) if math.isfinite(number) else number


_FUNCTIONS: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "text": ("string", _normalized),
    "normalize-space": ("string", _normalized),
    "real_date": ("boolean", lambda text: is_real_date(_normalized(text))),
    "num": ("number", _num),
    "days": ("number", _days),
    "number": ("number", _number_of),
    "string-length": ("number", len),
}
"""Functions of one text, and the kind of what they say."""
_OF_THE_PLACE: Final = ("normalize-space", "number", "string-length")
"""Those that may be called without argument."""


# --- the language ---------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<step>svar|delsvar|code|coded|yes|no)\((?P<argument>[^()]*)\)"
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|'(?P<literal>[^']*)'"
    r"|(?P<variable>\$today|\$day)\b"
    r"|(?P<axis>preceding-sibling|following-sibling)::"
    r"|(?P<first_text>text\(\)\[1\])"
    r"|(?P<id>@id\b)"
    r"|(?P<name>c:delsvar|c:instans|c:svar|[tc]:\w+/[tc]:\w+)"
    r"|(?P<function>[a-z][a-z_-]*)\("
    r"|(?P<word>and|or|div)\b"
    r"|(?P<sign>\.\.|<=|>=|!=|[.*/()\[\],=<>+-])"
    r")"
)
_Token: TypeAlias = tuple[str, str]


def _tokens(expression: str) -> list[_Token]:
    tokens: list[_Token] = []
    expression, place = expression.strip(), 0
    while place < len(expression):
        match = _TOKEN.match(expression, place)
        if match is None:
            raise _OtherShapeError
        kind = match.lastgroup or ""
        if kind == "argument":
            tokens.append((match["step"], match["argument"].strip()))
        elif kind in ("word", "sign"):
            tokens.append((match[kind], ""))
        else:
            tokens.append((kind, match[kind]))
        place = match.end()
    return [*tokens, ("end", "")]


class _Parser:
    """Reads an expression by recursive descent; XPath 1.0 section 3.5 has the precedence."""

    def __init__(self, tokens: list[_Token], level: int) -> None:
        self._tokens = tokens
        self._at = 0
        self._level = level

    @property
    def _next(self) -> str:
        return self._tokens[self._at][0]

    def take(self, name: str) -> str:
        found, value = self._tokens[self._at]
        if found != name:
            raise _OtherShapeError
        self._at += 1
        return value

    def _take_any(self, *names: str) -> str | None:
        if self._next not in names:
            return None
        self._at += 1
        return self._tokens[self._at - 1][0]

    def expression(self) -> _Value:
        value = self._both()
        while self._take_any("or"):
            value = _Value("boolean", _or(_boolean(value), _boolean(self._both())))
        return value

    def _both(self) -> _Value:
        value = self._comparison()
        while self._take_any("and"):
            value = _Value("boolean", _and(_boolean(value), _boolean(self._comparison())))
        return value

    def _comparison(self) -> _Value:
        value = self._sum()
        sign = self._take_any(*_COMPARE)
        return _compared(value, sign, self._sum()) if sign else value

    def _sum(self) -> _Value:
        value = self._quotient()
        while sign := self._take_any("+", "-"):
            apply = operator.add if sign == "+" else operator.sub
            operands = _number(value), _number(self._quotient())
            value = _Value("number", _applied(apply, *operands))
        return value

    def _quotient(self) -> _Value:
        value = self._one()
        while self._take_any("div"):
            by = _number_of(self.take("number"))
            if not by:
                raise _OtherShapeError
            value = _Value("number", _with_constant(operator.truediv, _number(value), by))
        return value

    def _one(self) -> _Value:
        name, value = self._tokens[self._at]
        match name:
            case "(":
                self.take("(")
                inner = self.expression()
                self.take(")")
                return inner
            case "number" | "literal" | "variable":
                self.take(name)
                return _constant(name, value)
            case "function":
                return self._function(self.take("function"))
            case "first_text" if self._level == 2:
                self.take("first_text")
                return _Value("string", lambda _answers, part, _day: _first_text(part))
            case "yes" | "no" if not value and self._level == 2:
                self.take(name)
                words = _SAYS[name]
                return _Value("boolean", lambda _answers, part, _day: part.says(*words))
        return self._path()

    def _function(self, name: str) -> _Value:
        if self._take_any(")"):
            if name not in _OF_THE_PLACE or self._level < 2:
                raise _OtherShapeError
            return self._called(name, _itself(self._level))
        argument = self.expression()
        match name:
            case "not" | "boolean":
                value, other = _boolean(argument), operator.not_ if name == "not" else bool
                result = _Value("boolean", _of_any(other, value))
            case "count" if argument.kind in _NODES:
                result = _Value("number", _of_any(len, argument.of))
            case "floor":
                result = _Value("number", _of_any(_floor, _number(argument)))
            case "born" | "born_year" if argument.kind == "intyg":
                born = _born if name == "born" else _born_year
                result = _Value("number", lambda answers, _place, _day: born(answers))
            case "contains" | "starts-with":
                self.take(",")
                other_argument = self.expression()
                holds: Callable[[str, str], bool] = (
                    operator.contains if name == "contains" else str.startswith
                )
                operands = _string(argument), _string(other_argument)
                result = _Value("boolean", _applied(holds, *operands))
            case "translate":
                result = self._translate(argument)
            case "substring":
                result = self._substring(argument)
            case _:
                result = self._called(name, argument)
        self.take(")")
        return result

    def _called(self, name: str, argument: _Value) -> _Value:
        if name not in _FUNCTIONS:
            raise _OtherShapeError
        kind, function = _FUNCTIONS[name]
        if name == "number" and argument.kind == "number":
            return argument
        return _Value(kind, _of_any(function, _string(argument)))

    def _translate(self, argument: _Value) -> _Value:
        self.take(",")
        old = self.take("literal")
        self.take(",")
        new = self.take("literal")
        table = {ord(char): new[at] if at < len(new) else None for at, char in enumerate(old)}
        if len(table) != len(old):
            raise _OtherShapeError
        return _Value("string", _of_any(lambda text: text.translate(table), _string(argument)))

    def _substring(self, argument: _Value) -> _Value:
        self.take(",")
        start = self._whole()
        self.take(",")
        end = start - 1 + self._whole()
        if start < 1:
            raise _OtherShapeError
        return _Value("string", _of_any(lambda text: text[start - 1 : end], _string(argument)))

    def _whole(self) -> int:
        text = self.take("number")
        return int(text) if text.isdecimal() else _other_shape()

    # --- paths ------------------------------------------------------------------------------------

    def _path(self) -> _Value:
        value = self._start()
        while self._take_any("/"):
            value = self._step(value)
        return value

    def _start(self) -> _Value:
        """The first step, and every `..` after it, which may only lead outwards."""
        if self._take_any("."):
            return _itself(self._level)
        level = self._level
        while self._take_any(".."):
            level -= 1
            if level < 0 or self._level > 2:
                raise _OtherShapeError
            if self._next != "/":
                return _Value("intyg", _always(None)) if level == 0 else _other_shape()
            self.take("/")
        return self._step(_outer(self._level, level))

    def _step(self, base: _Value) -> _Value:
        name, argument = self._tokens[self._at]
        self._at += 1
        match base.kind, name:
            case "intyg", "svar":
                found = _rows_with(argument)
            case "intyg", "*":
                # Every child; those that are no svar hold no answers, so only these may follow.
                self.take("/")
                node, ids = self._tokens[self._at]
                if node not in _PICKED or not ids:
                    raise _OtherShapeError
                self._at += 1
                found = _parts_anywhere(node, ids)
            case "row" | "rows", "delsvar" | "coded" | "yes" | "no" if argument:
                found = _parts(base, name, argument)
            case "row" | "rows", "code":
                found = _leaves(_parts(base, "delsvar", argument), _codes)
            case "row" | "rows", "name" if argument == "c:delsvar":
                found = _all_parts(base)
            case "row", "axis":
                name, svar = self._tokens[self._at]
                self._at += 1
                if name != "svar" and (name, svar) != ("name", "c:svar"):
                    raise _OtherShapeError
                found = _siblings(base, argument, svar if name == "svar" else None)
            case "row" | "rows", "name" if argument == "c:instans":
                found = _instans(base)
            case "row" | "rows", "id":
                found = _ids(base)
            case "part", "*":
                return _Value("elements", _children)
            case "part" | "parts", "name" if argument in _LEAVES:
                found = _leaves(base, _LEAVES[argument])
            case _:
                raise _OtherShapeError
        while self._take_any("["):
            found = self._only(found)
        return found

    def _only(self, nodes: _Value) -> _Value:
        """The nodes for which a predicate holds."""
        outer, self._level = self._level, {"rows": 1, "parts": 2, "strings": 3}[nodes.kind]
        condition = self.expression()
        self._level = outer
        self.take("]")
        if condition.kind == "number":  # a place in the list; constants only
            raise _OtherShapeError
        holds, of = _boolean(condition), nodes.of
        return _Value(
            nodes.kind,
            lambda answers, place, day: [
                node for node in of(answers, place, day) if holds(answers, node, day)
            ],
        )


_SAYS: Final = {"yes": ("true", "1"), "no": ("false", "0")}
_PICKED: Final = ("delsvar", "coded", "yes", "no")


def _always(value: Any) -> _Of:
    return lambda _answers, _place, _day: value


def _constant(name: str, value: str) -> _Value:
    match name:
        case "literal":
            return _Value("string", _always(value), value)
        case "number":
            number = _number_of(value)
            return _Value("number", _always(number), number)
    if value == "$today":
        return _Value("number", lambda _answers, _place, day: day.today)
    return _Value("number", lambda _answers, _place, day: day.day)


def _of_any(function: Callable[[Any], Any], of: _Of) -> _Of:
    return lambda answers, place, day: function(of(answers, place, day))


def _or(one: Test, other: Test) -> Test:
    return lambda answers, place, day: one(answers, place, day) or other(answers, place, day)


def _and(one: Test, other: Test) -> Test:
    return lambda answers, place, day: one(answers, place, day) and other(answers, place, day)


def _itself(level: int) -> _Value:
    """The context node."""
    if level < 2:
        raise _OtherShapeError
    return _Value("parts" if level == 2 else "strings", lambda _answers, place, _day: (place,))


def _outer(level: int, target: int) -> _Value:
    """The context node, or what it stands in."""
    if target == 0:
        return _Value("intyg", _always(None))
    if level == 2 and target == 1:
        return _Value("row", lambda answers, part, _day: (answers.rows[part.row],))
    if level == target and level < 3:
        return _Value("row" if level == 1 else "part", lambda _answers, place, _day: (place,))
    raise _OtherShapeError


def _rows_with(svar: str) -> _Value:
    return _Value("rows", lambda answers, _place, _day: answers.rows_by_id.get(svar, ()))


def _siblings(base: _Value, axis: str, svar: str | None) -> _Value:
    """The svar with an id, or all, before or after this one, in document order."""
    row_of = base.of

    def siblings(answers: Answers, place: Place, day: Day) -> Sequence[Row]:
        at = row_of(answers, place, day)[0].place
        rows = answers.rows if svar is None else answers.rows_by_id.get(svar, ())
        if axis == "preceding-sibling":
            return [row for row in rows if row.place < at]
        return [row for row in rows if row.place > at]

    return _Value("rows", siblings)


def _ids(base: _Value) -> _Value:
    """The `@id` of svar."""
    rows = base.of
    return _Value(
        "strings",
        lambda answers, place, day: [
            row.id
            for row in rows(answers, place, day)
            if row.id or row.element.get("id") is not None
        ],
    )


def _instans(base: _Value) -> _Value:
    """The texts of the `instans` of svar."""
    rows = base.of
    return _Value(
        "strings",
        lambda answers, place, day: [
            _text(instans)
            for row in rows(answers, place, day)
            for instans in row.element
            if instans.tag == _INSTANS
        ],
    )


def _parts_anywhere(name: str, argument: str) -> _Value:
    node_id, picked = _pick(name, argument)
    if picked is None:
        return _Value("parts", lambda answers, _place, _day: answers.parts_by_id.get(node_id, ()))
    return _Value(
        "parts",
        lambda answers, _place, _day: [
            part for part in answers.parts_by_id.get(node_id, ()) if picked(part)
        ],
    )


def _parts(base: _Value, name: str, argument: str) -> _Value:
    node_id, picked = _pick(name, argument)
    rows = base.of

    def parts(answers: Answers, place: Place, day: Day) -> Sequence[Part]:
        return [
            part
            for row in rows(answers, place, day)
            for part in row.parts
            if part.id == node_id and (picked is None or picked(part))
        ]

    return _Value("parts", parts)


def _pick(name: str, argument: str) -> tuple[str, Callable[[Part], bool] | None]:
    """The id that a step names, and what else it asks."""
    node_id, *codes = (word.strip() for word in argument.split(","))
    if bool(codes) is not (name == "coded"):
        raise _OtherShapeError
    if name == "coded":
        return node_id, partial(_has_code, frozenset(codes))
    return node_id, partial(_says, *_SAYS[name]) if name in _SAYS else None


def _has_code(wanted: frozenset[str], part: Part) -> bool:
    return part.has_code(wanted)


def _says(word: str, digit: str, part: Part) -> bool:
    return part.says(word, digit)


def _all_parts(base: _Value) -> _Value:
    rows = base.of
    return _Value(
        "parts",
        lambda answers, place, day: [
            part for row in rows(answers, place, day) for part in row.parts
        ],
    )


def _leaves(base: _Value, texts: Callable[[Part], Sequence[str]]) -> _Value:
    parts = base.of
    return _Value(
        "strings",
        lambda answers, place, day: [
            text for part in parts(answers, place, day) for text in texts(part)
        ],
    )


def _children(_answers: Answers, part: Place, _day: Day) -> Sequence[object]:
    assert isinstance(part, Part)
    return () if part.text is not None else list(part.element.iterchildren(etree.Element))
