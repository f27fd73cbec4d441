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

The schema must type nothing but as text, which is how `intyg_xsd11` writes it.

Source: XML Path Language (XPath) 1.0; XPath 2.0, appendix I (Backwards Compatibility).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

_Kind: TypeAlias = Literal["nodes", "string", "number", "boolean"]

_TOKEN = re.compile(
    r"\s*(\"[^\"]*\"|'[^']*'|\d+(?:\.\d*)?|\.\d+|\.\.|::|//|!=|<=|>=|[()\[\].@,/|+\-=<>*$:]"
    r"|[^\W\d][\w.\-]*)"
)
_NAME = re.compile(r"[^\W\d][\w.\-]*\Z")
_ONE_NODE = re.compile(r"(?:\.|\.\.|@[\w:.\-]+|text\(\)\[1\])\Z")
"""Paths that never lead to more than one node."""

_NODE_TYPES: Final = frozenset({"text", "node", "comment", "processing-instruction"})
_IN_NUMBERS: Final = "-.0123456789eE \t\r\n"
"""What libxml2 takes for a number holds nothing else."""

_BLANKS: Final = " \t\r\n"
_NO_BREAK_SPACE: Final = "\N{NO-BREAK SPACE}"

_FUNCTIONS: Final[Mapping[str, tuple[str, _Kind]]] = {
    # arguments: n nodes, 1 a node, s string, d number, b anything as boolean;
    # those after | may be left out; + any number
    "boolean": ("b", "boolean"),
    "not": ("b", "boolean"),
    "true": ("", "boolean"),
    "false": ("", "boolean"),
    "contains": ("ss", "boolean"),
    "starts-with": ("ss", "boolean"),
    "count": ("n", "number"),
    "last": ("", "number"),
    "position": ("", "number"),
    "string-length": ("|s", "number"),
    "floor": ("d", "number"),
    "ceiling": ("d", "number"),
    "round": ("d", "number"),
    "concat": ("ss+", "string"),
    "normalize-space": ("|s", "string"),
    "string": ("|s", "string"),
    "substring": ("sd|d", "string"),
    "substring-after": ("ss", "string"),
    "substring-before": ("ss", "string"),
    "translate": ("sss", "string"),
    "local-name": ("|1", "string"),
    "namespace-uri": ("|1", "string"),
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
    return _Translator(expression, variables).whole()


class _Translator:
    """Reads by recursive descent, one method a production, and writes as it goes."""

    def __init__(self, expression: str, variables: Mapping[str, str]) -> None:
        self._expression = expression
        self._variables = variables
        self._tokens = list(self._split())
        self._at = 0

    def whole(self) -> str:
        written = self._or()
        if self._peek():
            raise self._wrong(f"unexpected {self._peek()}")
        return written.text

    def _split(self) -> list[str]:
        tokens, at = [], 0
        end = len(self._expression.rstrip())
        while at < end:
            match = _TOKEN.match(self._expression, at)
            if match is None:
                raise self._wrong(f"unexpected {self._expression[at]}")
            tokens.append(match[1])
            at = match.end()
        return tokens

    def _wrong(self, reason: str) -> ValueError:
        return ValueError(f"{reason} in {self._expression}")

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ""

    def _take(self, word: str | None = None) -> str:
        found = self._peek()
        if not found or (word is not None and found != word):
            raise self._wrong(f"expected {word or 'more'}, found {found or 'the end'}")
        self._at += 1
        return found

    # --- operators, loosest first ---

    def _or(self) -> _Written:
        left = self._and()
        while self._peek() == "or":
            self._take()
            left = _Written(f"{left.text} or {self._and().text}", "boolean")
        return left

    def _and(self) -> _Written:
        left = self._equality()
        while self._peek() == "and":
            self._take()
            left = _Written(f"{left.text} and {self._equality().text}", "boolean")
        return left

    def _equality(self) -> _Written:
        left = self._relational()
        while self._peek() in ("=", "!="):
            left = _equal(left, self._take(), self._relational())
        return left

    def _relational(self) -> _Written:
        left = self._additive()
        while self._peek() in ("<", ">", "<=", ">="):
            sign, right = self._take(), self._additive()
            left = _less_or_more(left, sign, right)
        return left

    def _additive(self) -> _Written:
        left = self._multiplicative()
        while self._peek() in ("+", "-"):
            left = _arithmetic(left, self._take(), self._multiplicative())
        return left

    def _multiplicative(self) -> _Written:
        left = self._unary()
        while self._peek() in ("*", "div", "mod"):
            left = _arithmetic(left, self._take(), self._unary())
        return left

    def _unary(self) -> _Written:
        if self._peek() != "-":
            return self._union()
        self._take()
        operand = _number(self._unary())
        return replace(operand, text=f"-{operand.text}")

    def _union(self) -> _Written:
        left = self._path()
        while self._peek() == "|":
            self._take()
            right = self._path()
            if left.kind != "nodes" or right.kind != "nodes":
                raise self._wrong("| joins nodes only")
            left = _Written(f"{left.text} | {right.text}", "nodes")
        return left

    # --- paths ---

    def _path(self) -> _Written:
        if not self._starts_primary():
            return _Written(self._steps(), "nodes")
        primary = self._primary()
        while self._peek() == "[":
            primary = replace(primary, text=primary.text + self._predicate())
        if self._peek() in ("/", "//"):
            slash = self._take()
            primary = replace(primary, text=primary.text + slash + self._steps())
        return primary

    def _starts_primary(self) -> bool:
        word = self._peek()
        if word in ("(", "$") or word[:1] in ("'", '"') or _is_number(word):
            return True
        return bool(_NAME.match(word)) and self._peek(1) == "(" and word not in _NODE_TYPES

    def _steps(self) -> str:
        if self._peek() in ("/", "//"):
            raise self._wrong("an absolute path")
        written = self._step()
        while self._peek() in ("/", "//"):
            written += self._take() + self._step()
        return written

    def _step(self) -> str:
        word = self._take()
        if word in (".", ".."):
            return word
        written = word
        if word == "@":
            written += self._node_test(self._take())
        elif self._peek() == "::":
            written += self._take() + self._node_test(self._take())
        else:
            written = self._node_test(word)
        while self._peek() == "[":
            written += self._predicate()
        return written

    def _node_test(self, word: str) -> str:
        if word in _NODE_TYPES and self._peek() == "(":
            written = word + self._take("(")
            while self._peek() != ")":
                written += self._take()
            return written + self._take(")")
        if word != "*" and not _NAME.match(word):
            raise self._wrong(f"unexpected {word}")
        if self._peek() == ":":
            word += self._take() + self._take()
        return word

    def _predicate(self) -> str:
        self._take("[")
        inner = self._or().text
        self._take("]")
        return f"[{inner}]"

    def _primary(self) -> _Written:
        word = self._take()
        if word == "(":
            inner = self._or()
            self._take(")")
            return replace(inner, text=f"({inner.text})", compares=False)
        if word == "$":
            name = self._take()
            if name not in self._variables:
                raise self._wrong(f"unknown variable ${name}")
            return _Written(self._variables[name], "number")
        if word[0] in "'\"":
            return _Written(word, "string")
        if _is_number(word):
            return _Written(word, "number", whole=True)
        return self._function(word)

    def _function(self, name: str) -> _Written:
        self._take("(")
        arguments: list[_Written] = []
        while self._peek() != ")":
            if arguments:
                self._take(",")
            arguments.append(self._or())
        self._take(")")
        if name == "number" and len(arguments) <= 1:
            return _number(arguments[0] if arguments else _Written(".", "nodes"), always=True)
        if name == "sum" and len(arguments) == 1 and arguments[0].kind == "nodes":
            return _Written(f"sum({_numbers(arguments[0])})", "number", whole=True)
        if name not in _FUNCTIONS:
            raise self._wrong(f"cannot be asked in an assert: {name}()")
        wanted, kind = _FUNCTIONS[name]
        kinds = wanted.replace("|", "")
        if kinds.endswith("+"):
            kinds = kinds[:-1] + kinds[-2] * max(0, len(arguments) - 2)
        if not len(wanted.partition("|")[0].rstrip("+")) <= len(arguments) <= len(kinds):
            raise self._wrong(f"wrong number of arguments of {name}()")
        texts = [
            _argument(argument, wants) for argument, wants in zip(arguments, kinds, strict=False)
        ]
        if name == "normalize-space":
            return _without_blanks(texts[0] if texts else ".")
        whole = kind == "number" and all(argument.whole for argument in arguments)
        if name in ("count", "string-length"):
            whole = True
        return _Written(f"{name}({', '.join(texts)})", kind, whole=whole)


def _is_number(word: str) -> bool:
    return word[:1].isdigit() or (word[:1] == "." and word[1:2].isdigit())


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
        left = _Written(f"translate({left.trims}, '{_BLANKS}', '')", "string")
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
