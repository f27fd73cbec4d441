"""The XPath 1.0 of the type files as Python over the index of answers, many times faster.

The tree of an expression is written as one Python expression: `count(svar(1)) >= 1` becomes
`len(answers.rows_by_id.get('1', ())) >= 1`. Covered is what the rules of the types say: paths of
svar, delsvar and what is in them, predicates, comparisons, arithmetic and some functions.
`quick_test` says None to anything else; then libxml2 is asked. `tests/schemas/rules/test_quick.py`
compares the two.

Nothing of a type file is written into Python but as a literal (`repr`) or as a name from the tables
below, so a file cannot say anything in Python.

Source: XPath 1.0, sections 3.3 to 3.5 (node-sets, booleans, numbers) and 4 (functions).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeAlias

from intyg.schemas.intyg_model import Rule
from intyg.schemas.rules import functions
from intyg.schemas.rules.answers import SAYS, Test
from intyg.schemas.rules.functions import number_of
from intyg.schemas.rules.kinds import is_real_date
from intyg.schemas.rules.tree import Token, read

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
        expression: XPath 1.0 with the abbreviations of `xpath`.
        level: What it is relative to: 0 intyg, 1 svar, 2 delsvar.

    Returns:
        None when it has another shape: ask libxml2.
    """
    constants: dict[str, Any] = {}
    try:
        return _python(_condition(expression, level, constants), constants)
    except _OtherShapeError:
        return None


def quick_failure(rule: Rule, level: int) -> Test | None:
    """Whether a rule applies to a place and does not hold there; None as for `quick_test`."""
    constants: dict[str, Any] = {}
    try:
        must, where = (
            _condition(expression, level, constants)
            for expression in (rule.must, rule.where or "1")
        )
    except _OtherShapeError:
        return None
    conditions = []
    for values, but in ((rule.is_, ""), (rule.is_not, "not ")):
        if len(values) == 1 and values[0] in SAYS:
            conditions.append(f"{but}place.{_says(values[0])}")
        elif values:
            constants[name := f"codes{len(constants)}"] = frozenset(values)
            conditions.append(f"any(c {but}in {name} for c in place.codes())")
    conditions += [where] if rule.where else []
    return _python(" and ".join([*conditions, f"not {must}"]), constants)


def _condition(expression: str, level: int, constants: dict[str, Any]) -> str:
    """Code whose truth is that of an expression; `constants` gets what it names."""
    try:
        token = read(expression)
    except ValueError:
        _other_shape()
    return _boolean(_Writer(level, constants).value(token))


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


# --- the tree -------------------------------------------------------------------------------------

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

_SIBLINGS: Final = {"preceding-sibling": "preceding", "following-sibling": "following"}
_VARIABLES: Final = ("today", "day")
_WORDS: Final = ("(name)", "(number)")
_LEVELS: Final = {"rows": 1, "parts": 2, "strings": 3}
"""The level of a predicate, by the nodes that it is asked of."""
_TWO_AT_ONCE: Final = {("intyg", "*"), ("part", ":"), ("parts", ":")}
"""Steps that say something only with the one after: `*/delsvar(1.1)`, `t:cv/t:code`."""

_Step: TypeAlias = tuple[Token, list[Token]]
"""A step without its predicates, and these."""


class _Writer:
    """
    Writes the tokens of an expression, from the leaves up.

    Args:
        level: Of the context node: 0 intyg, 1 svar, 2 delsvar, 3 a text in it.
        constants: Gets names in the Python made, and what they stand for.
        here: The Python variable of the context node.
    """

    def __init__(self, level: int, constants: dict[str, Any], here: str = "place") -> None:
        self._level = level
        self._constants = constants
        self._here = here

    def value(self, token: Token) -> _Value:
        match token.symbol:
            case "or" | "and" as word if len(token) == 2:
                one, other = (_boolean(self.value(each)) for each in token)
                return _Value("boolean", f"({one} {word} {other})")
            case sign if sign in _COMPARE:
                code = _compared(self.value(token[0]), sign, self.value(token[1]))
                return _Value("boolean", code)
            case "+" | "-" as sign if len(token) == 2:
                one, other = (_number(self.value(each)) for each in token)
                return _Value("number", f"({one} {sign} {other})")
            case "div" if len(token) == 2:
                return self._quotient(*token)
            case "*" if len(token) == 2:  # a product, and no step to any child
                _other_shape()
            case "(":
                return self.value(token[0])
            case "(string)":
                return _Value("string", repr(token.value), token.value)
            case "(number)":
                return _number_written(token.source)
            case "$" if token.value in _VARIABLES:
                return _Value("number", f"day.{token.value}")
        if token.label == "function" or (token.symbol == "text" and len(token)):
            return self._function(token)
        return self._path(token)

    def _quotient(self, dividend: Token, divisor: Token) -> _Value:
        by = self.value(divisor).constant
        if not by or isinstance(by, str):
            _other_shape()
        return _Value("number", f"({_number(self.value(dividend))} / {float(by)!r})")

    def _constant(self, value: Any) -> str:
        name = f"constant{len(self._constants)}"
        self._constants[name] = value
        return name

    def _function(self, token: Token) -> _Value:
        name, level = token.symbol, self._level
        match name:
            case "yes" | "no" if not len(token) and level == 2:
                return _Value("boolean", f"{self._here}.{_says(name)}")
            case "filled" if not len(token) and level == 2:
                return _Value("boolean", f"filled({self._here})")
            case "same_system" if level == 1 and len(token) == 2:
                one, other = _words(token)
                return _Value("boolean", f"same_system({self._here}, {one!r}, {other!r})")
            case "svar" | "delsvar" | "code" | "coded" | "yes" | "no":
                return self._path(token)
        arguments = [self.value(each) for each in token]
        if not arguments and name in _OF_THE_PLACE:
            arguments = [self._itself()]
        return self._called(name, *arguments) if arguments else _other_shape()

    def _called(self, name: str, argument: _Value, *others: _Value) -> _Value:
        match name:
            case "not":
                return _Value("boolean", f"(not {_boolean(argument)})")
            case "boolean":
                return _Value("boolean", f"bool({_boolean(argument)})")
            case "count" if argument.kind in NODES:
                return _Value("number", f"len({argument.code})")
            case "floor":
                return _Value("number", f"floor({_number(argument)})")
            case "number":
                return _Value("number", _number(argument))
            case "born" | "born_year" | "birth" if argument.kind == "intyg":
                return _Value("number", f"{name}(answers)")
            case "contains":
                return _Value("boolean", f"({_string(others[0])} in {_string(argument)})")
            case "starts-with":
                return _Value("boolean", f"{_string(argument)}.startswith({_string(others[0])})")
            case "translate":
                return self._translate(argument, *others)
            case "substring" if len(others) == 2:
                return _substring(argument, *others)
        if others or name not in _TEXT_FUNCTIONS:
            _other_shape()
        kind, code = _TEXT_FUNCTIONS[name]
        return _Value(kind, code.format(_string(argument)))

    def _translate(self, argument: _Value, old: _Value, new: _Value) -> _Value:
        chars, others = old.constant, new.constant
        if not isinstance(chars, str) or not isinstance(others, str):
            _other_shape()
        table = dict(zip(map(ord, chars), [*others, *[None] * len(chars)], strict=False))
        if len(table) != len(chars):
            _other_shape()
        return _Value("string", f"{_string(argument)}.translate({self._constant(table)})")

    # --- paths ------------------------------------------------------------------------------------

    def _path(self, token: Token) -> _Value:
        steps = list(_steps(token))
        value = self._start(steps)
        while steps:
            value = self._step(value, steps)
        return value

    def _itself(self) -> _Value:
        """The context node."""
        if self._level < 2:
            _other_shape()
        return _Value("part" if self._level == 2 else "text", self._here)

    def _start(self, steps: list[_Step]) -> _Value:
        """The context node or, by `..`, which may only lead outwards, what it stands in."""
        if _taken(".", steps):
            return self._itself()
        level = self._level
        while _taken("..", steps):
            level -= 1
        if level < 0 or self._level > 2 or (level and not steps):
            _other_shape()
        if level == 0:
            return _Value("intyg", "answers")
        if level < self._level:
            return _Value("row", f"answers.rows[{self._here}.row]")
        return _Value("row" if level == 1 else "part", self._here)

    def _step(self, base: _Value, steps: list[_Step]) -> _Value:
        """Go on from `base` by the first of the steps, which is taken away, or by two at once."""
        token, conditions = steps.pop(0)
        if (base.kind, token.symbol) in _TWO_AT_ONCE and steps and not conditions:
            below, conditions = steps.pop(0)
            found = self._below(base, token, below)
        else:
            found = self._nodes(base, token)
        for condition in conditions:
            found = self._only(found, condition)
        return found

    def _below(self, base: _Value, token: Token, below: Token) -> _Value:
        if base.kind != "intyg":
            return _leaves(base, f"{token.value}/{below.value}")
        node_id, picked = self._picked(below)  # children that are no svar hold no answers
        parts = f"answers.parts_by_id.get({node_id!r}, ())"
        return _Value("parts", f"[p for p in {parts} if {picked}]" if picked else parts)

    def _nodes(self, base: _Value, token: Token) -> _Value:
        rows = f"({base.code},)" if base.kind == "row" else base.code
        match base.kind, token.symbol:
            case "intyg", "svar":
                return _Value("rows", f"answers.rows_by_id.get({_svar(token)!r}, ())")
            case "row" | "rows", "delsvar" | "coded" | "yes" | "no":
                return self._parts(base, token)
            case "row" | "rows", "code":
                return _leaves(self._parts(base, token), "t:cv/t:code")
            case "row" | "rows", ":" if token.value == "c:delsvar":
                return _Value("parts", f"[p for r in {rows} for p in r.parts]")
            case "row" | "rows", ":" if token.value == "c:instans":
                return _Value("strings", f"instans({rows})")
            case "row" | "rows", "@" if token[0].value == "id":
                return _Value("strings", f"ids({rows})")
            case "row", "preceding-sibling" | "following-sibling" as axis:
                code = f"{_SIBLINGS[axis]}(answers, {base.code}, {_svar(token[0])!r})"
                return _Value("rows", code)
            case "part", "*":
                return _Value("elements", f"children({base.code})")
        _other_shape()

    def _only(self, nodes: _Value, condition: Token) -> _Value:
        """The nodes for which a predicate holds."""
        if nodes.kind not in _LEVELS:
            _other_shape()
        here = f"{self._here}_"  # another name in each predicate of a predicate
        holds = _Writer(_LEVELS[nodes.kind], self._constants, here).value(condition)
        if holds.kind == "number":  # a place in the list
            _other_shape()
        found = f"[{here} for {here} in {nodes.code} if {_boolean(holds)}]"
        return _Value(nodes.kind, found)

    def _parts(self, base: _Value, token: Token) -> _Value:
        node_id, picked = self._picked(token)
        condition = f"p.id == {node_id!r}" + (f" and {picked}" if picked else "")
        if base.kind == "row":
            return _Value("parts", f"[p for p in {base.code}.parts if {condition}]")
        return _Value("parts", f"[p for r in {base.code} for p in r.parts if {condition}]")

    def _picked(self, token: Token) -> tuple[str, str]:
        """The id that a step names, and what else it asks of a delsvar `p`."""
        node_id, *codes = _words(token)
        if token.symbol == "coded":
            return node_id, f"p.has_code({self._constant(frozenset(codes))})"
        if token.symbol in SAYS:
            return node_id, f"p.{_says(token.symbol)}"
        return (node_id, "") if token.symbol in ("delsvar", "code") else _other_shape()


def _steps(token: Token) -> Iterator[_Step]:
    if token.symbol == "/" and len(token) == 2:
        yield from _steps(token[0])
        yield from _steps(token[1])
        return
    conditions: list[Token] = []
    while token.symbol == "[":
        conditions.insert(0, token[1])
        token = token[0]
    yield token, conditions


def _taken(symbol: str, steps: list[_Step]) -> bool:
    """Whether the first step is a bare `symbol`; then it is taken away."""
    found = bool(steps) and steps[0][0].symbol == symbol and not steps[0][1]
    if found:
        del steps[0]
    return found


def _words(token: Token) -> list[str]:
    """The arguments of an abbreviation that takes ids and codes."""
    if not len(token) or any(each.symbol not in _WORDS for each in token):
        _other_shape()
    return [each.source for each in token]


def _svar(token: Token) -> str | None:
    """The id of a step to svar; None: of any."""
    if token.symbol == ":" and token.value == "c:svar":
        return None
    return _words(token)[0] if token.symbol == "svar" else _other_shape()


def _says(word: str) -> str:
    return f"says({', '.join(map(repr, SAYS[word]))})"


def _number_written(text: str) -> _Value:
    number = number_of(text)
    # whole numbers are compared faster as such, and mean the same
    return _Value("number", f"{number:.0f}" if number % 1 == 0 else repr(number), number)


def _substring(argument: _Value, start: _Value, length: _Value) -> _Value:
    first, count = start.constant, length.constant
    if not isinstance(first, float) or not isinstance(count, float):
        _other_shape()
    if first < 1 or first % 1 or count % 1:
        _other_shape()
    return _Value("string", f"{_string(argument)}[{first - 1:.0f}:{first - 1 + count:.0f}]")


def _leaves(base: _Value, path: str) -> _Value:
    """The texts of what is in delsvar."""
    if path not in _LEAF_NAMES:
        _other_shape()
    read = _LEAF_NAMES[path]
    if base.kind == "part":
        return _Value("strings", f"{read}({base.code})")
    return _Value("strings", f"[t for p in {base.code} for t in {read}(p)]")
