"""The one reader of expressions: XPath 1.0, with the abbreviations of type files.

What comes out is a tree of tokens. `quick` writes Python from it, `xpath2` XPath 2.0, and mocks
find in it what an expression may cost; all go through the tree and look at no text.

| token | its symbol | its operands |
|---|---|---|
| text, number, variable | `(string)`, `(number)`, `$` | |
| operation | `or`, `=`, `+`, `div`, `|`, …; `-` | two; or one, of the sign before a number |
| path | `/`, `//` | what stands before and after; only one, or none, of the root |
| condition | `[` | what it is asked of, and the condition |
| brackets | `(` | what is in them |
| step | `(name)`, `:` (a name with a prefix), `*`, `.`, `..` | |
| step with an axis | `@`, `child`, … | the step |
| kind of node, function, abbreviation | its name | its arguments |

A reader of our own, since elementpath, which could read them, too, takes longer to import than all
the rest that a check needs. `tests/schemas/rules/test_tree.py` compares the two.

Source: XML Path Language (XPath) 1.0, sections 2.1 to 3.7.
"""

import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from intyg.schemas.rules.xpath import ABBREVIATIONS, PREFIXES

STEPS: Final = frozenset({".", "..", "@", "(name)", ":", "*"})
"""What a step of a path may be, beside axes and kinds of node."""

AXES: Final = frozenset(
    {"ancestor", "ancestor-or-self", "attribute", "child", "descendant", "descendant-or-self"}
    | {"following", "following-sibling", "namespace", "parent", "preceding", "preceding-sibling"}
    | {"self"}
)

_KINDS_OF_NODE: Final = frozenset({"node", "text", "comment", "processing-instruction"})

_ARGUMENTS: Final[Mapping[str, range]] = {
    # how many a function takes (section 4), or a kind of node
    **dict.fromkeys(("true", "false", "last", "position", "node", "text", "comment"), range(1)),
    **dict.fromkeys(("string", "number", "string-length", "normalize-space"), range(2)),
    **dict.fromkeys(("local-name", "namespace-uri", "name", "processing-instruction"), range(2)),
    **dict.fromkeys(("boolean", "not", "count", "sum", "id", "lang"), range(1, 2)),
    **dict.fromkeys(("floor", "ceiling", "round"), range(1, 2)),
    **dict.fromkeys(("contains", "starts-with"), range(2, 3)),
    **dict.fromkeys(("substring-before", "substring-after"), range(2, 3)),
    "substring": range(2, 4),
    "translate": range(3, 4),
    "concat": range(2, sys.maxsize),
}

_BINDS: Final = {
    # the later, the closer; all of them to the left
    sign: strength
    for strength, signs in enumerate(
        (("or",), ("and",), ("=", "!="), ("<", ">", "<=", ">="), ("+", "-"), ("*", "div", "mod")), 1
    )
    for sign in signs
}

_LEXEME: Final = re.compile(
    r"""[ \t\r\n]* (?:
        (?P<string> "[^"]*" | '[^']*' )
      | (?P<number> [0-9]+ (?:\.[0-9]*)? | \.[0-9]+ )
      | (?P<name> [^\W\d][\w.-]* (?: : (?: [^\W\d][\w.-]* | \* ) )? )
      | (?P<sign> \.\. | :: | // | != | <= | >= | [][()@,|/.+=<>*$-] )
      | (?P<end> \Z ) )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """
    A part of an expression.

    Attributes:
        symbol: What it is; see the table above.
        source: How it is written, whole: `1.10` is an id, too.
        operands: What stands below it in the tree.
        label: `function`, also of an abbreviation, `axis`, `kind test`; else empty.
        value: Of a text what it says, of a variable or prefixed name its name; else as `source`.
    """

    symbol: str
    source: str
    operands: tuple["Token", ...] = ()
    label: str = ""
    value: str = ""

    def __len__(self) -> int:
        return len(self.operands)

    def __getitem__(self, place: int) -> "Token":
        return self.operands[place]

    def __iter__(self) -> Iterator["Token"]:
        return iter(self.operands)

    def walk(self) -> Iterator["Token"]:
        """Itself, and all below it."""
        yield self
        for each in self.operands:
            yield from each.walk()


def read(
    expression: str,
    prefixes: Collection[str] = PREFIXES,
    abbreviations: Collection[str] = ABBREVIATIONS,
) -> Token:
    """
    Read an expression, with abbreviations or written out.

    Args:
        prefixes: Those that names may have.
        abbreviations: Functions that may also be a step of a path, as in `../svar(1)[yes()]`.

    Raises:
        ValueError: It cannot be read; says why.
    """
    try:
        return _Reader(expression, _lexemes(expression), prefixes, abbreviations).whole()
    except RecursionError:
        raise ValueError(f"nested too deeply: {expression}") from None


class _Lexeme(NamedTuple):
    kind: str  # the name of its group above
    text: str
    start: int
    end: int


def _lexemes(expression: str) -> list[_Lexeme]:
    """Section 3.7. A name is no operator yet: that goes by its place."""
    found: list[_Lexeme] = []
    at = 0
    while not found or found[-1].kind != "end":
        match = _LEXEME.match(expression, at)
        if match is None:
            raise ValueError(f"unexpected {expression[at:].strip()[:1]} in {expression}")
        kind, at = match.lastgroup or "", match.end()
        found.append(_Lexeme(kind, match[kind], match.start(kind), at))
    return found


class _Reader:
    """Reads from left to right; a method is a production of the grammar, named as it is there."""

    def __init__(
        self,
        expression: str,
        lexemes: Sequence[_Lexeme],
        prefixes: Collection[str],
        abbreviations: Collection[str],
    ) -> None:
        self._expression = expression
        self._lexemes = lexemes
        self._prefixes = prefixes
        self._abbreviations = abbreviations
        self._at = 0

    def whole(self) -> Token:
        found = self._expr()
        if self._next.kind != "end":
            raise self._unexpected()
        return found

    # --- section 3: expressions -------------------------------------------------------------------

    def _expr(self, binds: int = 0) -> Token:
        """Operations that bind closer than that."""
        start, left = self._next.start, self._unary_expr()
        while (strength := _BINDS.get(self._next.text, 0)) > binds:
            sign = self._take()
            left = self._token(start, sign, left, self._expr(strength))
        return left

    def _unary_expr(self) -> Token:
        start = self._next.start
        if self._takes("-"):
            return self._token(start, "-", self._unary_expr())
        left = self._path_expr()
        while self._takes("|"):
            left = self._token(start, "|", left, self._path_expr())
        return left

    def _path_expr(self) -> Token:
        start = self._next.start
        if self._next.text in ("/", "//"):
            slash = self._take()
            root_alone = slash == "/" and not self._is_step()
            found = self._token(start, slash, *(() if root_alone else (self._step(),)))
        else:
            found = self._step() if self._is_step() else self._filter_expr()
        while self._next.text in ("/", "//"):
            found = self._token(start, self._take(), found, self._step())
        return found

    def _filter_expr(self) -> Token:
        start = self._next.start
        return self._predicates(start, self._primary_expr(start))

    def _primary_expr(self, start: int) -> Token:
        if self._next.kind == "number":
            self._take()
            return self._token(start, "(number)")
        if self._next.kind == "string":
            text = self._take()
            return self._token(start, "(string)", value=text[1:-1])
        if self._takes("("):
            inner = self._expr()
            self._must(")")
            return self._token(start, "(", inner)
        if self._takes("$"):
            return self._token(start, "$", value=self._name())
        return self._function_call(start, self._name())

    def _function_call(self, start: int, name: str) -> Token:
        """Its name has been read; that of a kind of node, too."""
        arguments: list[Token] = []
        self._must("(")
        while not self._takes(")"):
            if arguments:
                self._must(",")
            arguments.append(self._expr())
        if name not in self._abbreviations:
            self._check_count(name, len(arguments))
        label = "kind test" if name in _KINDS_OF_NODE else "function"
        return self._token(start, name, *arguments, label=label)

    def _check_count(self, name: str, count: int) -> None:
        if name not in _ARGUMENTS:
            raise self._wrong(f"unknown function: {name}()")
        if count not in _ARGUMENTS[name]:
            raise self._wrong(f"{name}() takes another number of arguments than {count}")

    # --- section 2: steps -------------------------------------------------------------------------

    def _is_step(self) -> bool:
        """A step comes, and no function or value."""
        if self._next.kind != "name":
            return self._next.text in (".", "..", "@", "*")
        return self._next.text in _KINDS_OF_NODE or self._after_next != "("

    def _step(self) -> Token:
        start = self._next.start
        if self._next.text in (".", ".."):
            return self._token(start, self._take())
        if self._takes("@"):
            found = self._token(start, "@", self._node_test())
        elif self._next.kind == "name" and self._after_next == "::":
            found = self._with_axis(start)
        else:
            found = self._node_test()
        return self._predicates(start, found)

    def _with_axis(self, start: int) -> Token:
        axis = self._take()
        if axis not in AXES:
            raise self._wrong(f"no such axis: {axis}")
        self._must("::")
        return self._token(start, axis, self._node_test(), label="axis")

    def _node_test(self) -> Token:
        start = self._next.start
        if self._takes("*"):
            return self._token(start, "*")
        name = self._name()
        if self._next.text == "(":
            if name not in _KINDS_OF_NODE and name not in self._abbreviations:
                raise self._wrong(f"no step of a path: {name}()")
            return self._function_call(start, name)
        prefix, colon, _ = name.partition(":")
        if colon and prefix not in self._prefixes:
            raise self._wrong(f"unknown prefix: {prefix}")
        return self._token(start, colon or "(name)")

    def _predicates(self, start: int, found: Token) -> Token:
        while self._takes("["):
            condition = self._expr()
            self._must("]")
            found = self._token(start, "[", found, condition)
        return found

    # --- lexemes and tokens -----------------------------------------------------------------------

    @property
    def _next(self) -> _Lexeme:
        return self._lexemes[self._at]

    @property
    def _after_next(self) -> str:
        return self._lexemes[self._at + 1].text

    def _take(self) -> str:
        self._at += 1
        return self._lexemes[self._at - 1].text

    def _takes(self, sign: str) -> bool:
        """Whether it comes; then it is taken."""
        comes = self._next.text == sign
        self._at += comes
        return comes

    def _must(self, sign: str) -> None:
        if not self._takes(sign):
            raise self._unexpected()

    def _name(self) -> str:
        if self._next.kind != "name":
            raise self._unexpected()
        return self._take()

    def _token(
        self, start: int, symbol: str, *operands: Token, label: str = "", value: str | None = None
    ) -> Token:
        source = self._expression[start : self._lexemes[self._at - 1].end]
        return Token(symbol, source, operands, label, source if value is None else value)

    def _unexpected(self) -> ValueError:
        return self._wrong(f"unexpected {self._next.text or 'end'}")

    def _wrong(self, why: str) -> ValueError:
        return ValueError(f"{why} in {self._expression}")
