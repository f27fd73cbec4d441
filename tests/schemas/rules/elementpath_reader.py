"""Another reader of the same expressions, on elementpath: what ours is compared with."""

from typing import Any, Final, TypeAlias

from elementpath import ElementPathError, XPath1Parser, XPathFunction, XPathToken
from elementpath.tdop import Parser

from intyg.schemas.rules.tree import Token
from intyg.schemas.rules.xpath import ABBREVIATIONS, PREFIXES

Tree: TypeAlias = tuple[Any, ...]
"""A token: symbol, label, how it is written if it is a leaf, and its operands, which are trees."""

_LABELS: Final = ("function", "axis", "kind test")
_NUMBERS: Final = ("(integer)", "(decimal)")
_LEAVES: Final = (":", "$")
"""Two or three tokens there, one here."""


class _Reader(XPath1Parser):
    """An abbreviation is a function, and may be a step of a path: `../svar(1)[code(1.1)]`."""

    PATH_STEP_LABELS = ("axis", "kind test", "function")
    PATH_STEP_SYMBOLS = XPath1Parser.PATH_STEP_SYMBOLS | {"("}

    def expected_next(self, *symbols: str, message: str | None = None) -> None:
        if not isinstance(self.next_token, XPathFunction):
            super().expected_next(*symbols, message=message)


del _Reader.symbol_table["text"]  # here it may have an argument
_Reader.register("text", bases=(XPathFunction,), label="kind test", nargs=(0, 1), lbp=90, rbp=90)
for _name in ABBREVIATIONS - {"text"}:
    _Reader.function(_name, nargs=(0, None))
for _sign, _binds in {"=": 30, "!=": 30, "<": 35, ">": 35, "<=": 35, ">=": 35}.items():
    del _Reader.symbol_table[_sign]  # which refuses `1 < 2 = true()`, as XPath 2.0 does
    _Reader.infix(_sign, _binds)
_Reader.build()


def read_by_elementpath(expression: str) -> Tree:
    """
    Read an expression, with abbreviations or written out.

    Raises:
        ValueError: It cannot be read.
    """
    try:
        # not XPath1Parser.parse, which would go on and evaluate what it has read
        return _tree(Parser.parse(_Reader(dict(PREFIXES)), expression))
    except ElementPathError as exc:
        raise ValueError(f"{exc.message} in {expression}") from None


def tree_of(token: Token) -> Tree:
    """The same of what our reader has read."""
    leaf = "" if len(token) or token.label else token.value
    return token.symbol, token.label, leaf, *map(tree_of, token)


def _tree(token: XPathToken) -> Tree:
    symbol = "(number)" if token.symbol in _NUMBERS else token.symbol
    operands = () if symbol in _LEAVES else tuple(map(_tree, token))
    label = str(token.label) if token.label in _LABELS else ""
    leaf = "" if operands or label else str(token.value)
    if symbol == "(number)":
        leaf = token.parser.source[slice(*token.span)]
    return symbol, label, leaf, *operands
