"""
Which XPath expressions are too dear to be asked of a message of any shape.

What an expression may cost grows with a power of the message's size. The power is found from the
expression alone, by counting how often it walks: `//` goes through all that is below a node, and a
condition in brackets is asked of every node that was reached, so walks multiply. Two are let
pass: what they cost is bounded by the size of messages that are asked at all.

A condition may look below and beside its node, but not at the whole message again: that has as many
nodes to compare for each node as there are, and as much text.

Source: XML Path Language (XPath) 1.0, sections 2 and 4; how libxml2 goes about it was measured: it
looks for duplicates one by one when nodes come together from several.
"""

from collections.abc import Collection, Iterable
from typing import Final

from intyg.schemas.rules.tree import Token, read

MAX_WALKS: Final = 2

_ABOVE: Final = frozenset({"ancestor", "ancestor-or-self"})
_UP: Final = frozenset({"..", "parent"}) | _ABOVE
_BELOW: Final = frozenset({"descendant", "descendant-or-self"})
_BESIDE: Final = frozenset({"following-sibling", "preceding-sibling"})
_EVERYWHERE: Final = frozenset({"following", "preceding", "namespace", "id"})
_COMPARED: Final = frozenset({"=", "!=", "<", ">", "<=", ">="})
_SEARCHED: Final = frozenset({"contains", "substring-before", "substring-after", "translate"})
_MANY: Final = frozenset({"/", "//", "[", "(", "(name)", ":", "*", "child", "|"}) | _BELOW | _BESIDE


def check_cost(expression: str, prefixes: Collection[str]) -> None:
    """
    Refuse an expression that may take long for a message that was made for it.

    Args:
        expression: XPath 1.0 that libxml2 compiles.
        prefixes: Those that it may use.

    Raises:
        ValueError: Says which part of it is too much.
    """
    try:
        _walks(read(expression, prefixes, abbreviations=()), 0)
    except RecursionError:
        raise ValueError(f"nested too deeply: {expression}") from None


def _walks(token: Token, before: int, *, first: bool = True) -> int:
    """
    How often the message may have been walked through when the nodes of a token are reached.

    Args:
        before: So often it was before; over 0 inside a condition.
        first: It is not a further step of a path.
    """
    symbol = token.symbol
    if symbol in _EVERYWHERE:
        raise _too_dear(token, f"`{symbol}` looks everywhere")
    if symbol in _SEARCHED and any(each.symbol != "(string)" for each in token.operands[1:]):
        raise _too_dear(token, f"{symbol}() looks for texts in quotes only")
    if symbol == "translate" and any(each.symbol in _UP for each in token.walk()):
        raise _too_dear(token, "translate() takes what is below its node only")
    if symbol in _BESIDE and not first:
        raise _too_dear(token, f"`{symbol}` can only begin a path, as in [{symbol}::…]")
    match symbol:
        case "[":
            walks = _walks(token[0], before, first=first)
            _walks(token[1], max(walks, 1))
        case "/" | "//":
            walks = _walks_of_path(token, before)
        case "|":
            walks = _walks_of_pairs([*_united(token)], before)
        case _ if symbol in _COMPARED:
            walks = _walks_of_pairs([*token], before)
        case _:
            walks = max((_walks(each, before) for each in token), default=before)
            walks += symbol in _BELOW or symbol in _BESIDE
            walks += 2 * (symbol in _ABOVE and before > 0)  # each holds all of its text
    return _allowed(walks, token)


def _walks_of_path(token: Token, before: int) -> int:
    """A step further, from what stands before it or from the root."""
    if before and len(token) < 2:
        raise _too_dear(token, "a condition in brackets cannot begin at the root")
    if not len(token):  # the root itself
        return before
    *left, right = token
    walks = _walks(left[0], before) if left else before
    goes_up = bool(left) and _last_step(left[0]).symbol in _UP
    if token.symbol == "//":
        # Below what is above a node may be everything again.
        walks += 2 if goes_up and before else 1
    elif goes_up and right.symbol != "@" and _last_step(right).symbol not in _UP:
        walks += 1
    _allowed(walks, token)
    return _walks(right, walks, first=False)


def _walks_of_pairs(operands: list[Token], before: int) -> int:
    """Each node of one is compared with each of the other."""
    walks = max(_walks(each, before) for each in operands)
    return walks + (sum(each.symbol in _MANY for each in operands) > 1)


def _allowed(walks: int, token: Token) -> int:
    if walks > MAX_WALKS:
        raise _too_dear(token, f"at most {MAX_WALKS} of `//` and the like may go together")
    return walks


def _united(token: Token) -> Iterable[Token]:
    for each in token:
        yield from _united(each) if each.symbol == "|" else (each,)


def _last_step(token: Token) -> Token:
    while token.symbol in ("[", "(") or (token.symbol == "/" and len(token)):
        token = token[-1] if token.symbol == "/" else token[0]
    return token


def _too_dear(token: Token, why: str) -> ValueError:
    return ValueError(f"{why}; here: {token.source}")
