"""The one reader of expressions: elementpath's XPath 1.0, with the abbreviations of type files.

What comes out is elementpath's tree of tokens: a token has a `symbol` (`or`, `/`, `[`, `(string)`,
`count`, …) and its operands as items. `quick` writes Python from it, `xpath2` XPath 2.0; both go
through the tree and look at no text.

Whether an expression is XPath 1.0 at all, libxml2 has said before: this reader lets some pass that
are not (`a/count(b)`). Importing elementpath takes a quarter of a second and 25 MB, so who imports
this module does it when the first rule is asked.

Source: XML Path Language (XPath) 1.0, section 3.
"""

from typing import Final, TypeAlias

from elementpath import ElementPathError, XPath1Parser, XPathFunction, XPathToken
from elementpath.tdop import Parser

from intyg.schemas.rules.xpath import ABBREVIATIONS, PREFIXES

Token: TypeAlias = XPathToken

STEPS: Final = frozenset({".", "..", "@", "(name)", ":", "*"})
"""What a step of a path may be, beside axes and kinds of node."""


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


def read(expression: str) -> Token:
    """
    Read an expression, with abbreviations or written out.

    Raises:
        ValueError: It cannot be read; says why.
    """
    try:
        # not XPath1Parser.parse, which would go on and evaluate what it has read
        return Parser.parse(_Reader(dict(PREFIXES)), expression)
    except ElementPathError as exc:
        raise ValueError(f"{exc.message} in {expression}") from None
    except RecursionError:
        raise ValueError(f"too many brackets in {expression}") from None


def source(token: Token) -> str:
    """A literal, name or number as it is written: `1.10` is an id, too."""
    return token.parser.source[slice(*token.span)]
