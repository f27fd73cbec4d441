"""XPath 1.0 written as XPath 2.0 that means the same, for the asserts of XSD 1.1.

XSD 1.1 evaluates XPath 2.0 without its compatibility mode, so what XPath 1.0 leaves to conversions
must be said:

| XPath 1.0 | XPath 2.0 | because |
|---|---|---|
| `normalize-space(t:code)` | `normalize-space((t:code)[1])` | several nodes are an error there |
| `number(X)` | `number(X[translate(…) = ''])` | `+1` and `INF` are numbers there |
| `delsvar > 3` | `(delsvar)/number(…) > 3` | other text is an error there |
| `delsvar < delsvar` | both with `number` | they are compared as text there |
| `count(*) div 0` | `number(count(*)) div 0` | whole numbers are no doubles there |

What means the same in both is left as it is, but for `normalize-space`: elementpath, which
evaluates the asserts for `xmlschema`, takes every blank of Unicode for white space. So what asks
whether there is text at all is written without it, and no-break spaces are replaced before it.

The schema must type nothing but as text, which is how `export/xsd11` writes it.

Source: XML Path Language (XPath) 1.0; XPath 2.0, appendix I (Backwards Compatibility).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, repeat
from typing import Final, Literal, TypeAlias

from intyg.schemas.rules.tree import STEPS, Token, read

_Kind: TypeAlias = Literal["nodes", "string", "number", "boolean"]

_ONE_NODE = re.compile(r"(?:\.|\.\.|@[\w:.\-]+|text\(\)\[1\])\Z")
"""Paths that never lead to more than one node."""

_OPERATORS: Final = frozenset(
    {"or", "and", "=", "!=", "<", ">", "<=", ">=", "+", "-", "*", "div", "mod", "|"}
)
_IN_NUMBERS: Final = "-.0123456789eE \t\r\n"
"""What libxml2 takes for a number holds nothing else."""

_BLANKS: Final = " \t\r\n"
_NO_BREAK_SPACE: Final = "\N{NO-BREAK SPACE}"

_FUNCTIONS: Final[Mapping[str, tuple[str, _Kind]]] = {
    # arguments: n nodes, 1 a node, s string, d number, b anything as boolean; the last letter
    # also stands for those that follow. How many there may be, the reader knows
    "boolean": ("b", "boolean"),
    "not": ("b", "boolean"),
    "true": ("", "boolean"),
    "false": ("", "boolean"),
    "contains": ("s", "boolean"),
    "starts-with": ("s", "boolean"),
    "count": ("n", "number"),
    "last": ("", "number"),
    "position": ("", "number"),
    "string-length": ("s", "number"),
    "floor": ("d", "number"),
    "ceiling": ("d", "number"),
    "round": ("d", "number"),
    "concat": ("s", "string"),
    "normalize-space": ("s", "string"),
    "string": ("s", "string"),
    "substring": ("sd", "string"),
    "substring-after": ("s", "string"),
    "substring-before": ("s", "string"),
    "translate": ("s", "string"),
    "local-name": ("1", "string"),
    "namespace-uri": ("1", "string"),
}


@dataclass(frozen=True)
class _Written:
    """
    XPath 2.0 and what it gives.

    Attributes:
        whole: A number that may be an integer or decimal there.
        compares: A comparison, which cannot be part of another without ().
        trims: The text that this is without the blanks around it.
    """

    text: str
    kind: _Kind
    whole: bool = False
    compares: bool = False
    trims: str | None = None


def to_xpath2(expression: str, variables: Mapping[str, str]) -> str:
    """
    Write an XPath 1.0 expression as XPath 2.0.

    Args:
        expression: Plain XPath 1.0, relative: an assert has no root above it.
        variables: What to write for each variable, a number.

    Returns:
        An expression whose effective boolean value is what `boolean()` makes
        of the original.

    Raises:
        ValueError: Not XPath 1.0, or something that an assert cannot ask.
    """
    return _in_xpath2(expression, tuple(variables.items()))


@lru_cache(maxsize=4096)
def _in_xpath2(expression: str, variables: tuple[tuple[str, str], ...]) -> str:
    """Types say the same thing in many places."""
    return _Writer(expression, dict(variables)).written(read(expression)).text


class _Writer:
    """Writes the tokens of an expression, from the leaves up."""

    def __init__(self, expression: str, variables: Mapping[str, str]) -> None:
        self._expression = expression
        self._variables = variables

    def written(self, token: Token) -> _Written:
        match token.symbol:
            case "(string)":
                return _Written(token.source, "string")
            case "(number)":
                return _Written(token.source, "number", whole=True)
            case "(":
                inner = self.written(token[0])
                return replace(inner, text=f"({inner.text})", compares=False)
            case "[":
                left, condition = map(self.written, token)
                return replace(left, text=f"{left.text}[{condition.text}]")
            case "$":
                return self._variable(token.value)
            case "-" if len(token) == 1:
                operand = _number(self.written(token[0]))
                return replace(operand, text=f"-{operand.text}")
            case sign if sign in _OPERATORS and len(token) == 2:
                left, right = map(self.written, token)
                return self._operation(left, sign, right)
        if token.label == "function":
            return self._function(token)
        return _Written(self._path(token), "nodes")

    def _operation(self, left: _Written, sign: str, right: _Written) -> _Written:
        match sign:
            case "or" | "and":
                return _Written(f"{left.text} {sign} {right.text}", "boolean")
            case "=" | "!=":
                return _equal(left, sign, right)
            case "<" | ">" | "<=" | ">=":
                return _less_or_more(left, sign, right)
            case "|" if left.kind == right.kind == "nodes":
                return _Written(f"{left.text} | {right.text}", "nodes")
            case "|":
                raise self._wrong("| joins nodes only")
        return _arithmetic(left, sign, right)

    def _variable(self, name: str) -> _Written:
        if name not in self._variables:
            raise self._wrong(f"unknown variable ${name}")
        return _Written(self._variables[name], "number")

    def _path(self, token: Token) -> str:
        """A path, or a step of one without its predicates."""
        match token.symbol:
            case "/" | "//" if len(token) < 2:
                raise self._wrong("an absolute path")
            case "/" | "//" as slash:
                return f"{self.written(token[0]).text}{slash}{self._step(token[1])}"
            case "@":
                return f"@{self._path(token[0])}"
            case symbol if symbol in STEPS:
                return token.value
        if token.label == "axis":
            return f"{token.symbol}::{self._path(token[0])}"
        if token.label == "kind test":
            return f"{token.symbol}({''.join(each.source for each in token)})"
        raise self._wrong(f"unexpected {token.symbol}")

    def _step(self, token: Token) -> str:
        """A step after another: no text, number or function."""
        step = token
        while step.symbol == "[":
            step = step[0]
        if step.symbol not in STEPS and step.label not in ("axis", "kind test"):
            raise self._wrong(f"unexpected {step.source}")
        return self.written(token).text

    def _function(self, token: Token) -> _Written:
        name, arguments = token.symbol, [self.written(each) for each in token]
        if name == "number":
            return _number(arguments[0] if arguments else _Written(".", "nodes"), always=True)
        if name == "sum" and arguments[0].kind == "nodes":
            return _Written(f"sum({_numbers(arguments[0])})", "number", whole=True)
        if name not in _FUNCTIONS:
            raise self._wrong(f"cannot be asked in an assert: {name}()")
        wanted, kind = _FUNCTIONS[name]
        texts = list(map(_argument, arguments, chain(wanted, repeat(wanted[-1:]))))
        if name == "normalize-space":
            return _without_blanks(texts[0] if texts else ".")
        whole = kind == "number" and all(argument.whole for argument in arguments)
        if name in ("count", "string-length"):
            whole = True
        return _Written(f"{name}({', '.join(texts)})", kind, whole=whole)

    def _wrong(self, reason: str) -> ValueError:
        return ValueError(f"{reason} in {self._expression}")


def _one(nodes: _Written) -> str:
    """The first of some nodes, which is the one that XPath 1.0 converts."""
    return nodes.text if _ONE_NODE.match(nodes.text) else f"({nodes.text})[1]"


def _argument(written: _Written, wants: str) -> str:
    if wants == "s":
        return _string(written)
    if wants == "d":
        return _number(written).text
    if wants == "1":
        return _one(written)
    return written.text


def _string(written: _Written) -> str:
    match written.kind:
        case "string":
            return written.text
        case "nodes":
            return _one(written)  # text by itself, as nothing has another type
    return f"string({written.text})"


def _number(written: _Written, *, always: bool = False) -> _Written:
    """As a number; `always` a double, too."""
    match written.kind:
        case "number" if not always or not written.whole:
            return written
        case "number" | "boolean":
            return _Written(f"number({written.text})", "number")
    return _Written(_text_as_number(_string(written)), "number")


def _without_blanks(text: str) -> _Written:
    written = f"normalize-space(translate({text}, '{_NO_BREAK_SPACE}', '_'))"
    return _Written(written, "string", trims=text)


def _text_as_number(text: str) -> str:
    # of nothing, the number is NaN; a text with other characters in it becomes nothing
    return f"number({text}[translate(., '{_IN_NUMBERS}', '') = ''])"


def _numbers(written: _Written) -> str:
    """For comparing: the number of each node, as some pair of them may fulfil the comparison."""
    if written.kind == "nodes":
        return f"({written.text})/{_text_as_number('.')}"
    return _number(_in_brackets(written)).text


def _in_brackets(written: _Written) -> _Written:
    return (
        replace(written, text=f"({written.text})", compares=False) if written.compares else written
    )


def _equal(left: _Written, sign: str, right: _Written) -> _Written:
    if left.trims is not None and right.text in ("''", '""'):
        left = replace(left, text=f"translate({left.trims}, '{_BLANKS}', '')")
    left, right = _in_brackets(left), _in_brackets(right)
    kinds = {left.kind, right.kind}
    if "boolean" in kinds:
        texts = [
            one.text if one.kind == "boolean" else f"boolean({one.text})" for one in (left, right)
        ]
    elif "number" in kinds:
        texts = [_numbers(left), _numbers(right)]
    else:
        texts = [left.text, right.text]
    return _Written(f"{texts[0]} {sign} {texts[1]}", "boolean", compares=True)


def _less_or_more(left: _Written, sign: str, right: _Written) -> _Written:
    if {left.kind, right.kind} == {"boolean", "nodes"}:  # then it is not about each node
        left, right = (_Written(f"number(boolean({one.text}))", "number") for one in (left, right))
    return _Written(f"{_numbers(left)} {sign} {_numbers(right)}", "boolean", compares=True)


def _arithmetic(left: _Written, sign: str, right: _Written) -> _Written:
    first, second = _number(_in_brackets(left)), _number(_in_brackets(right))
    if first.whole and second.whole:
        first = _number(first, always=True)
    return _Written(f"{first.text} {sign} {second.text}", "number")
