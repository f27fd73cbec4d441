"""Rules of a certificate type as XPath 1.0: the shorthand of the type files, written out.

The type files write conditions in XPath 1.0 with a few abbreviations, which are written out when a
file is read. What remains is plain XPath 1.0 with the prefixes `c` (core) and `t` (types), the
variables `$today` and `$day`, and nothing else, so that it also runs inside XSD 1.1 asserts and
Schematron.

| written | stands for |
|---|---|
| `svar(1)` | the `svar` children with id 1 |
| `delsvar(1.3)` | the `delsvar` children with id 1.3 |
| `*/delsvar(1.3)` | from `intyg`: `delsvar` with id 1.3, in whatever `svar` |
| `code(1.1)` | the codes (`cv/code`) inside `delsvar(1.1)` |
| `coded(1.1, A, B)` | `delsvar(1.1)` whose code, blanks around it aside, is A or B |
| `yes(27.1)`, `no(27.1)` | `delsvar(27.1)` that says yes (no), as the national rules read it |
| `yes()`, `no()` | the same test of the context node |
| `filled()` | the context node holds one piece of text that is not blank, and no elements |
| `text(X)` | the text of X without blanks around it |
| `real_date(X)` | X is a real date, YYYY-MM-DD |
| `decimal(X)` | number X, which may have a plus before it, as `xs:decimal` and `xs:int` may |
| `num(X)` | date X as a number that sorts, 20261123 |
| `order(X)` | date X as a number that sorts as its text does, with its time zone: 20261123.3 |
| `days(X)` | date X as a day number: 0001-01-01 is 1, as Python's `date.toordinal` |
| `born(X)`, `born_year(X)` | the patient's birth as day number, and its year; X leads to `intyg` |
| `birth(X)` | `born(X)` as the national rules work it out: no number where they cannot |
| `same_system(6.2, 6.4)` | two delsvar have one code system, as the rules on diagnoses ask |

`$today` is today's date as `num`, `$day` the same as `days`.

Yes and no are substring tests: the national Schematron files match `1|true` and `0|false` anywhere
in the text, so that `10` says yes and no.

`days` counts a time zone, and takes a date without one for one in UTC, as national rules do that
compare dates as dates. A rule that stops with an error there is broken here: `birth` is no number
for a samordningsnummer of day 61 to 69, of which those rules make a date like 1990-01-1.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from lxml import etree

from intyg.schemas.ns import CORE, TYPES

PREFIXES: Final[Mapping[str, str]] = {"c": CORE, "t": TYPES}
"""The prefixes that every expression uses."""

YES: Final = "(contains(., '1') or contains(., 'true'))"
NO: Final = "(contains(., '0') or contains(., 'false'))"
FILLED: Final = "(not(*) and count(text()) = 1 and normalize-space(text()) != '')"
"""Text that a comment splits in two is one of those that stop a national rule."""

ABBREVIATIONS: Final = frozenset(
    {"svar", "delsvar", "code", "coded", "yes", "no", "filled", "same_system", "text", "real_date"}
    | {"decimal", "num", "order", "days", "born", "born_year", "birth"}
)

_CALL = re.compile(rf"(?<![\w$@-])({'|'.join(sorted(ABBREVIATIONS))})\(")
_ID = re.compile(r"\d+(\.\d+)?\Z")
_BETWEEN_DOTS = re.compile(r"[^.]+")


def write_out(expression: str) -> str:
    """
    Write out the abbreviations of an expression.

    Args:
        expression: XPath 1.0 with the abbreviations of the module docstring.

    Returns:
        Plain XPath 1.0.

    Raises:
        ValueError: An abbreviation is used in a way that means nothing.
    """
    done, at = [], 0
    while match := _CALL.search(expression, at):
        end = _closing(expression, match.end())
        done.append(expression[at : match.start()])
        done.append(_written_out(match[1], expression[match.end() : end].strip()))
        at = end + 1
    done.append(expression[at:])
    # an element in the place of a svar, but not one, holds no answers
    return "".join(done).replace("*/c:delsvar[", "c:svar/c:delsvar[")


@lru_cache(maxsize=4096)
def compile_xpath(expression: str) -> etree.XPath:
    """
    Compile a written-out expression; `etree.XPathSyntaxError` when it is none.

    Types say the same thing in many places: each expression is compiled once. (Evaluating one from
    several threads is safe: lxml locks it.)
    """
    return etree.XPath(expression, namespaces=dict(PREFIXES))


def literal(text: str) -> str:
    """A text as XPath string literal."""
    if "'" not in text:
        return f"'{text}'"
    if '"' in text:
        raise ValueError("XPath 1.0 cannot write a text with both kinds of quotes")
    return f'"{text}"'


def one_of(subject: str, values: tuple[str, ...]) -> str:
    """`subject` equals one of the values."""
    return " or ".join(f"{subject} = {literal(value)}" for value in values)


def like(subject: str, value: str) -> str:
    """
    `subject` is the value, in which a dot stands for any one character.

    The national rules use code systems as patterns without escaping them: 1.2.752 also takes
    1-2x752.
    """
    if "." not in value:
        return f"{subject} = {literal(value)}"
    places = [(match.start(), match[0]) for match in _BETWEEN_DOTS.finditer(value)]
    pieces = ", ".join(f"substring({subject}, {at + 1}, {len(part)})" for at, part in places)
    told = literal("".join(part for _, part in places))
    return f"(string-length({subject}) = {len(value)} and concat({pieces}) = {told})"


def contains_like(subject: str, value: str) -> str:
    """
    `like`, anywhere in `subject`.

    It is looked for around the first place that has the value's longest part.
    """
    if "." not in value:
        return f"contains({subject}, {literal(value)})"
    longest = max(value.split("."), key=len)
    before = f"string-length(substring-before({subject}, {literal(longest)}))"
    start = 1 - value.index(longest)
    place = f"{before} - {-start}" if start < 0 else f"{before} + {start}"
    return like(f"substring({subject}, {place}, {len(value)})", value)


DIAGNOSIS_SYSTEMS: Final = ("1.2.752.116.1.1.1.1.3", "1.2.752.116.1.3.1.4.1")
"""ICD-10-SE and KSH97-P, as the older types write them."""


def _same_system(one: str, other: str) -> str:
    """
    The code system of a delsvar has that of another in it, as a pattern: none is in any.

    That of the other is no other pattern than those two, or the rule on it is broken.
    """
    system, pattern = (
        f"normalize-space({_node('delsvar', [node_id])}/t:cv/t:codeSystem)"
        for node_id in (one, other)
    )
    patterns = " or ".join(
        f"({pattern} = {literal(value)} and {contains_like(system, value)})"
        for value in DIAGNOSIS_SYSTEMS
    )
    return f"(contains({system}, {pattern}) or {patterns})"


def _closing(expression: str, start: int) -> int:
    """The place of the parenthesis that closes the one before `start`."""
    depth, quote = 1, ""
    for place in range(start, len(expression)):
        char = expression[place]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                return place
    raise ValueError(f"a parenthesis is not closed: {expression}")


def _written_out(name: str, argument: str) -> str:
    if name in ("svar", "delsvar", "code", "coded") or (name in ("yes", "no") and argument):
        return _node(name, [part.strip() for part in argument.split(",")])
    if name in ("yes", "no"):
        return YES if name == "yes" else NO
    if name == "filled" and not argument:
        return FILLED
    if name == "same_system":
        return _same_system(*_pair(argument))
    if name == "text" and not argument:
        return "text()"  # XPath's own
    inner = write_out(argument)
    if not inner:
        raise ValueError(f"{name}() needs an expression")
    date = f"normalize-space({inner})"
    match name:
        case "text":
            return date
        case "real_date":
            return real_date(date)
        case "num":
            return f"number(translate(substring({date}, 1, 10), '-', ''))"
        case "decimal":
            return f"number(translate({inner}, '+', ''))"
        case "order":
            return _order(date)
        case "days":
            return _moment(date)
    person = f"{inner}/c:patient/c:person-id/t:extension"
    year = f"number(substring({person}, 1, 4))"
    if name == "born_year":
        return year
    month, day = (f"number(substring({person}, {at}, 2))" for at in (5, 7))
    # a samordningsnummer writes the day plus 60
    birth = _day_number(year, month, f"({day} - 60 * number({day} > 60))")
    if name == "born":
        return birth
    digits = f"translate(substring({person}, 1, 8), '123456789', '000000000') = '00000000'"
    exists = _exists(year, month, f"({day} - 60 * number({day} >= 70))")
    return f"({birth} + 0 div number({digits} and {exists}))"


def _pair(argument: str) -> tuple[str, str]:
    one, comma, other = argument.partition(",")
    if not comma:
        raise ValueError(f"same_system({argument}) needs two delsvar")
    return one.strip(), other.strip()


def _node(name: str, arguments: list[str]) -> str:
    node_id = arguments[0]
    if not _ID.match(node_id) or ("." in node_id) == (name == "svar"):
        raise ValueError(
            f"{name}({node_id}): not the id of a {'svar' if name == 'svar' else 'delsvar'}"
        )
    node = f"c:{'svar' if name == 'svar' else 'delsvar'}[@id='{node_id}']"
    codes = tuple(arguments[1:])
    if (name == "coded") != bool(codes):
        raise ValueError(
            f"{name}({', '.join(arguments)}): only coded() takes codes, and needs them"
        )
    match name:
        case "code":
            return f"{node}/t:cv/t:code"
        case "coded":
            return f"{node}[t:cv/t:code[{one_of('normalize-space()', codes)}]]"
        case "yes":
            return f"{node}[{YES}]"
        case "no":
            return f"{node}[{NO}]"
    return node


def _day_number(year: str, month: str, day: str) -> str:
    """The proleptic Gregorian day number, years counted from March so that leap days come last."""
    early = f"number({month} < 3)"
    years = f"({year} - {early})"
    return (
        f"(365 * {years} + floor({years} div 4) - floor({years} div 100) + floor({years} div 400)"
        f" + floor((153 * ({month} + 12 * {early}) - 457) div 5) + {day} - 306)"
    )


def _moment(date: str) -> str:
    """The day number at which a date begins; as one quotient, so that the same moment is equal."""
    day = _day_number(
        f"number(substring({date}, 1, 4))",
        f"number(substring({date}, 6, 2))",
        f"number(substring({date}, 9, 2))",
    )
    hours, minutes = (f"number(concat('0', substring({date}, {at}, 2)))" for at in (12, 15))
    ahead = f"(1 - 2 * number(substring({date}, 11, 1) = '-')) * (60 * {hours} + {minutes})"
    return f"((1440 * {day} - {ahead}) div 1440)"


def _order(date: str) -> str:
    """
    A date as a number that sorts as its text does: where national rules compare texts, a time
    zone counts. Nothing sorts before +, + before -, and - before Z.
    """
    zone = f"translate(substring({date}, 11), '+-Z:', '123')"
    day = f"translate(substring({date}, 1, 10), '-', '')"
    return f"number(concat({day}, '.', substring(concat({zone}, '00000'), 1, 5)))"


def real_date(text: str) -> str:
    """`text` (blanks around it removed) is a real date YYYY-MM-DD, perhaps with a time zone."""
    year, month, day = (
        f"number(substring({text}, {start}, {length}))"
        for start, length in ((1, 4), (6, 2), (9, 2))
    )
    zone = f"substring({text}, 11)"
    return (
        f"(translate(substring({text}, 1, 10), '123456789', '000000000') = '0000-00-00'"
        f" and {_exists(year, month, day)}"
        f" and ({zone} = '' or {zone} = 'Z'"
        f" or (translate({zone}, '-123456789', '+000000000') = '+00:00'"
        f" and number(substring({zone}, 5, 2)) <= 59"
        f" and number(translate(substring({zone}, 2), ':', '')) <= 1400)))"
    )


def _exists(year: str, month: str, day: str) -> str:
    """There is such a day."""
    leap = f"number(({year} mod 4 = 0 and {year} mod 100 != 0) or {year} mod 400 = 0)"
    return (
        f"{year} >= 1 and {month} >= 1 and {month} <= 12 and {day} >= 1"
        f" and {day} <= 30 + ({month} + floor({month} div 8)) mod 2"
        f" - number({month} = 2) * (2 - {leap})"
    )
