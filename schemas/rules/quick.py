"""The XPath 1.0 of the type files as Python over the index of answers, many times faster.

An expression is read once and written as one Python expression: `count(svar(1)) >= 1` becomes
`len(answers.rows_by_id.get('1', ())) >= 1`. Covered is what the rules of the types say: paths of
svar, delsvar and what is in them, predicates, comparisons, arithmetic and some functions.
`quick_test` says None to anything else; then libxml2 is asked. `tests/schemas/rules/test_quick.py`
compares the two.

Nothing of a type file is written into Python but as a literal (`repr`) or as a name from the tables
below, so a file cannot say anything in Python.

Source: XPath 1.0, sections 3.3 to 3.5 (node-sets, booleans, numbers) and 4 (functions).
"""

import re
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeAlias

from intyg.schemas.intyg_model import Rule
from intyg.schemas.rules import functions
from intyg.schemas.rules.answers import Test
from intyg.schemas.rules.functions import number_of
from intyg.schemas.rules.kinds import is_real_date

NODES: Final = ("rows", "parts", "strings", "elements")


@dataclass(frozen=True)
class _Value:
    """
    An expression that has been read.

    Attributes:
        kind: `boolean`, `number` or `string`; for the place where it is
            asked or what that stands in `intyg`, `row`, `part` or `text`;
            for lists of nodes `rows`, `parts`, `strings` (the texts of what
            is deeper) or `elements` (only counted).
        code: Python that says it; the names are those of `_NAMES`,
            `answers`, `day`, and the variables of loops.
        constant: What it always says, if it is written out.
    """

    kind: str
    code: str
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
    constants: dict[str, Any] = {}
    try:
        return _python(_read(expression, level, constants), constants)
    except _OtherShapeError:
        return None


def quick_failure(rule: Rule, level: int) -> Test | None:
    """Whether a rule applies to a place and does not hold there; None as for `quick_test`."""
    constants: dict[str, Any] = {}
    try:
        must, where = (
            _read(expression, level, constants) for expression in (rule.must, rule.where or "1")
        )
    except _OtherShapeError:
        return None
    conditions = []
    for values, but in ((rule.is_, ""), (rule.is_not, "not ")):
        if len(values) == 1 and values[0] in SAYS:
            conditions.append(f"{but}place.says(*{SAYS[values[0]]!r})")
        elif values:
            constants[name := f"codes{len(constants)}"] = frozenset(values)
            conditions.append(f"any(c {but}in {name} for c in place.codes())")
    conditions += [where] if rule.where else []
    return _python(" and ".join([*conditions, f"not {must}"]), constants)


def _read(expression: str, level: int, constants: dict[str, Any]) -> str:
    """Code whose truth is that of an expression; `constants` gets what it names."""
    parser = _Parser(_tokens(expression), level, constants)
    value = parser.expression()
    parser.take("end")
    return _boolean(value)


def _python(code: str, constants: dict[str, Any]) -> Test:
    names = {**_NAMES, **constants}
    test: Test = eval(f"lambda answers, place, day: {code}", names)  # noqa: S307  see the top
    return test


def _other_shape() -> NoReturn:
    raise _OtherShapeError


# --- conversions, XPath 1.0 sections 4.2 to 4.4 ---------------------------------------------------


def _boolean(value: _Value) -> str:
    """Code whose truth is that of the value."""
    if value.kind == "boolean" or value.kind in NODES:
        return value.code
    if value.kind == "string":
        return f"({value.code} != '')"
    if value.kind == "number":
        return f"is_true({value.code})"
    _other_shape()


def _string(value: _Value) -> str:
    match value.kind:
        case "string" | "text":
            return value.code
        case "part":
            return f"{value.code}.string()"
        case "strings":
            return f"first({value.code})"
        case "parts":
            return f"first_string({value.code})"
    _other_shape()


def _number(value: _Value) -> str:
    if value.kind == "number":
        return value.code
    if isinstance(value.constant, str):
        return repr(number_of(value.constant))
    return f"number_of({_string(value)})"


def _strings(value: _Value) -> str:
    """The string of each node."""
    if value.kind == "strings":
        return value.code
    if value.kind == "parts":
        return f"[s.string() for s in {value.code}]"
    _other_shape()


_COMPARE: Final = {"=": "==", "!=": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_MIRRORED: Final = {"=": "=", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


def _compared(one: _Value, sign: str, other: _Value) -> str:
    """Section 3.4: with nodes on one side, true when it is true of any of them."""
    compare, equality = _COMPARE[sign], sign in ("=", "!=")
    kinds = {one.kind, other.kind}
    if "boolean" in kinds and equality:
        return f"(bool({_boolean(one)}) {compare} bool({_boolean(other)}))"
    if kinds & {"boolean", "intyg", "row", "rows", "elements"}:
        _other_shape()
    if one.kind in NODES and other.kind in NODES:
        if sign != "=":
            _other_shape()
        return f"(not set({_strings(one)}).isdisjoint({_strings(other)}))"
    if other.kind in NODES:
        return _compared(other, _MIRRORED[sign], one)
    as_text = equality and "number" not in kinds
    right = _string(other) if as_text else _number(other)
    if one.kind not in NODES:
        return f"({_string(one) if as_text else _number(one)} {compare} {right})"
    read = "s" if as_text else "number_of(s)"
    return f"any({read} {compare} {right} for s in {_strings(one)})"


# --- the language ---------------------------------------------------------------------------------

_TEXT_FUNCTIONS: Final = {
    "text": ("string", "normalized({})"),
    "normalize-space": ("string", "normalized({})"),
    "real_date": ("boolean", "is_real_date(normalized({}))"),
    "decimal": ("number", "decimal({})"),
    "num": ("number", "num({})"),
    "order": ("number", "order({})"),
    "days": ("number", "days({})"),
    "number": ("number", "number_of({})"),
    "string-length": ("number", "len({})"),
}
"""Functions of one text: the kind of what they say, and their Python."""

_OF_THE_PLACE: Final = ("normalize-space", "number", "string-length")
"""Those that may be called without argument."""

_LEAF_NAMES: Final = {path: f"leaf{number}" for number, path in enumerate(functions.LEAVES)}
_NAMES: Final[dict[str, Any]] = {
    **{_LEAF_NAMES[path]: read for path, read in functions.LEAVES.items()},
    **{name: value for name, value in vars(functions).items() if not name.startswith("_")},
    "is_real_date": is_real_date,
    "nan": float("nan"),
}
"""What the Python of an expression may name."""

SAYS: Final = {"yes": ("true", "1"), "no": ("false", "0")}
_SIBLINGS: Final = {"preceding-sibling": "preceding", "following-sibling": "following"}

_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<step>svar|delsvar|code|coded|yes|no|filled|same_system)\((?P<argument>[^()]*)\)"
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|'(?P<literal>[^']*)'"
    r"|(?P<variable>\$today|\$day)\b"
    r"|(?P<axis>preceding-sibling|following-sibling)::"
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
    """
    Reads an expression by recursive descent; XPath 1.0 section 3.5 has the precedence.

    Args:
        constants: Gets names in the Python made, and what they stand for.
    """

    def __init__(self, tokens: list[_Token], level: int, constants: dict[str, Any]) -> None:
        self._tokens = tokens
        self._at = 0
        self._level = level
        self._here = "place"  # the variable of the context node
        self._constants = constants

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

    def _constant(self, value: Any) -> str:
        name = f"constant{len(self._constants)}"
        self._constants[name] = value
        return name

    def expression(self) -> _Value:
        value = self._both()
        while self._take_any("or"):
            value = _Value("boolean", f"({_boolean(value)} or {_boolean(self._both())})")
        return value

    def _both(self) -> _Value:
        value = self._comparison()
        while self._take_any("and"):
            value = _Value("boolean", f"({_boolean(value)} and {_boolean(self._comparison())})")
        return value

    def _comparison(self) -> _Value:
        value = self._sum()
        sign = self._take_any(*_COMPARE)
        return _Value("boolean", _compared(value, sign, self._sum())) if sign else value

    def _sum(self) -> _Value:
        value = self._quotient()
        while sign := self._take_any("+", "-"):
            value = _Value("number", f"({_number(value)} {sign} {_number(self._quotient())})")
        return value

    def _quotient(self) -> _Value:
        value = self._one()
        while self._take_any("div"):
            by = number_of(self.take("number"))
            if not by:
                raise _OtherShapeError
            value = _Value("number", f"({_number(value)} / {by!r})")
        return value

    def _one(self) -> _Value:
        name, value = self._tokens[self._at]
        match name:
            case "(":
                self.take("(")
                inner = self.expression()
                self.take(")")
                return inner
            case "literal":
                return _Value("string", repr(self.take(name)), value)
            case "number":
                number = number_of(self.take(name))
                # whole numbers are compared faster as such, and mean the same
                return _Value(
                    "number", f"{number:.0f}" if number % 1 == 0 else repr(number), number
                )
            case "variable":
                return _Value("number", f"day.{self.take(name).removeprefix('$')}")
            case "function":
                return self._function(self.take(name))
            case "yes" | "no" if not value and self._level == 2:
                self.take(name)
                word, digit = SAYS[name]
                return _Value("boolean", f"{self._here}.says({word!r}, {digit!r})")
            case "filled" if not value and self._level == 2:
                self.take(name)
                return _Value("boolean", f"filled({self._here})")
            case "same_system" if self._level == 1:
                one, other = (word.strip() for word in self.take(name).split(","))
                return _Value("boolean", f"same_system({self._here}, {one!r}, {other!r})")
        return self._path()

    def _function(self, name: str) -> _Value:
        if self._take_any(")"):
            if name not in _OF_THE_PLACE:
                raise _OtherShapeError
            return _called(name, self._itself())
        argument = self.expression()
        match name:
            case "not":
                result = _Value("boolean", f"(not {_boolean(argument)})")
            case "boolean":
                result = _Value("boolean", f"bool({_boolean(argument)})")
            case "count" if argument.kind in NODES:
                result = _Value("number", f"len({argument.code})")
            case "floor":
                result = _Value("number", f"floor({_number(argument)})")
            case "born" | "born_year" | "birth" if argument.kind == "intyg":
                result = _Value("number", f"{name}(answers)")
            case "contains":
                self.take(",")
                part = _string(self.expression())
                result = _Value("boolean", f"({part} in {_string(argument)})")
            case "starts-with":
                self.take(",")
                start = _string(self.expression())
                result = _Value("boolean", f"{_string(argument)}.startswith({start})")
            case "translate":
                result = self._translate(argument)
            case "substring":
                result = self._substring(argument)
            case _:
                result = _called(name, argument)
        self.take(")")
        return result

    def _translate(self, argument: _Value) -> _Value:
        self.take(",")
        old = self.take("literal")
        self.take(",")
        new = self.take("literal")
        table = {ord(char): new[at] if at < len(new) else None for at, char in enumerate(old)}
        if len(table) != len(old):
            raise _OtherShapeError
        return _Value("string", f"{_string(argument)}.translate({self._constant(table)})")

    def _substring(self, argument: _Value) -> _Value:
        self.take(",")
        start = self._whole()
        self.take(",")
        end = start - 1 + self._whole()
        if start < 1:
            raise _OtherShapeError
        return _Value("string", f"{_string(argument)}[{start - 1}:{end}]")

    def _whole(self) -> int:
        text = self.take("number")
        return int(text) if text.isdecimal() else _other_shape()

    # --- paths ------------------------------------------------------------------------------------

    def _path(self) -> _Value:
        value = self._itself() if self._take_any(".") else self._start()
        while self._take_any("/"):
            value = self._step(value)
        return value

    def _itself(self) -> _Value:
        """The context node."""
        if self._level < 2:
            raise _OtherShapeError
        return _Value("part" if self._level == 2 else "text", self._here)

    def _start(self) -> _Value:
        """The first step, and every `..` after it, which may only lead outwards."""
        level = self._level
        while self._take_any(".."):
            level -= 1
            if level < 0 or self._level > 2:
                raise _OtherShapeError
            if self._next != "/":
                return self._outer(level) if level == 0 else _other_shape()
            self.take("/")
        return self._step(self._outer(level))

    def _outer(self, level: int) -> _Value:
        """The context node, or what it stands in."""
        if level == 0:
            return _Value("intyg", "answers")
        if level == 1 and self._level == 2:
            return _Value("row", f"answers.rows[{self._here}.row]")
        if level == self._level and level < 3:
            return _Value("row" if level == 1 else "part", self._here)
        _other_shape()

    def _step(self, base: _Value) -> _Value:
        name, argument = self._tokens[self._at]
        self._at += 1
        rows = f"({base.code},)" if base.kind == "row" else base.code
        match base.kind, name:
            case "intyg", "svar":
                found = _Value("rows", f"answers.rows_by_id.get({argument!r}, ())")
            case "intyg", "*":
                # Every child; those that are no svar hold no answers, so only these may follow.
                self.take("/")
                found = self._parts_anywhere(*self._tokens[self._at])
                self._at += 1
            case "row" | "rows", "delsvar" | "coded" | "yes" | "no" if argument:
                found = self._parts(base, name, argument)
            case "row" | "rows", "code":
                found = _leaves(self._parts(base, "delsvar", argument), "t:cv/t:code")
            case "row" | "rows", "name" if argument == "c:delsvar":
                found = _Value("parts", f"[p for r in {rows} for p in r.parts]")
            case "row" | "rows", "name" if argument == "c:instans":
                found = _Value("strings", f"instans({rows})")
            case "row" | "rows", "id":
                found = _Value("strings", f"ids({rows})")
            case "row", "axis":
                found = self._siblings(base, argument)
            case "part", "*":
                return _Value("elements", f"children({base.code})")
            case "part" | "parts", "name" if argument in _LEAF_NAMES:
                found = _leaves(base, argument)
            case _:
                raise _OtherShapeError
        while self._take_any("["):
            found = self._only(found)
        return found

    def _only(self, nodes: _Value) -> _Value:
        """The nodes for which a predicate holds."""
        level, here = self._level, self._here
        self._level = {"rows": 1, "parts": 2, "strings": 3}[nodes.kind]
        self._here = f"n{self._at}"
        condition = self.expression()
        self.take("]")
        if condition.kind == "number":  # a place in the list
            raise _OtherShapeError
        found = f"[{self._here} for {self._here} in {nodes.code} if {_boolean(condition)}]"
        self._level, self._here = level, here
        return _Value(nodes.kind, found)

    def _siblings(self, row: _Value, axis: str) -> _Value:
        name, svar = self._tokens[self._at]
        self._at += 1
        if name != "svar" and (name, svar) != ("name", "c:svar"):
            raise _OtherShapeError
        wanted = svar if name == "svar" else None
        return _Value("rows", f"{_SIBLINGS[axis]}(answers, {row.code}, {wanted!r})")

    def _parts_anywhere(self, name: str, argument: str) -> _Value:
        node_id, picked = self._picked(name, argument)
        parts = f"answers.parts_by_id.get({node_id!r}, ())"
        return _Value("parts", f"[p for p in {parts} if {picked}]" if picked else parts)

    def _parts(self, base: _Value, name: str, argument: str) -> _Value:
        node_id, picked = self._picked(name, argument)
        condition = f"p.id == {node_id!r}" + (f" and {picked}" if picked else "")
        if base.kind == "row":
            return _Value("parts", f"[p for p in {base.code}.parts if {condition}]")
        return _Value("parts", f"[p for r in {base.code} for p in r.parts if {condition}]")

    def _picked(self, name: str, argument: str) -> tuple[str, str]:
        """The id that a step names, and what else it asks of a delsvar `p`."""
        node_id, *codes = (word.strip() for word in argument.split(","))
        if not node_id or bool(codes) is not (name == "coded"):
            raise _OtherShapeError
        if name == "coded":
            return node_id, f"p.has_code({self._constant(frozenset(codes))})"
        if name in SAYS:
            word, digit = SAYS[name]
            return node_id, f"p.says({word!r}, {digit!r})"
        return (node_id, "") if name == "delsvar" else _other_shape()


def _called(name: str, argument: _Value) -> _Value:
    if name not in _TEXT_FUNCTIONS:
        raise _OtherShapeError
    if name == "number":
        return _Value("number", _number(argument))
    kind, code = _TEXT_FUNCTIONS[name]
    return _Value(kind, code.format(_string(argument)))


def _leaves(base: _Value, path: str) -> _Value:
    """The texts of what is in delsvar."""
    read = _LEAF_NAMES[path]
    if base.kind == "part":
        return _Value("strings", f"{read}({base.code})")
    return _Value("strings", f"[t for p in {base.code} for t in {read}(p)]")
