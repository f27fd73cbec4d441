"""The kinds of value that a delsvar may hold: each as XPath 1.0, as quick Python, and in words.

XPath is what counts: it is what exported schemas say. The Python twin answers the usual cases fast
and hands everything unusual (comments, stray elements, repeated parts) to the XPath.

Each kind obeys the national Schematron's abstract rule of the same purpose, quirks included: an
`xs:boolean` may have blanks around it, a date may carry a time zone but have no blank before.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from lxml import etree

from intyg.schemas.ns import TYPES
from intyg.schemas.rules.xpath import (
    FILLED,
    compile_xpath,
    real_date,
    write_out,
)

BLANKS: Final = " \t\r\n"
"""White space as XPath's normalize-space and XML Schema know it; not what `str.strip` strips."""

_PERIOD: Final = f"{{{TYPES}}}datePeriod"
_START: Final = f"{{{TYPES}}}start"
_PARTIAL_DATE: Final = f"{{{TYPES}}}partialDate"
_VALUE: Final = f"{{{TYPES}}}value"
_END: Final = f"{{{TYPES}}}end"

_DATE = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)?[ \t\r\n]*\Z", re.ASCII
)
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)\Z", re.ASCII)
_COMMA_DECIMAL = re.compile(r"(?:\d+,?\d*|,\d+)\Z", re.ASCII)
_INTEGER = re.compile(r"\d+\Z", re.ASCII)
_ZERO_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_DIAGNOSIS = re.compile(
    r"(?:[A-EG-Ya-eg-y]\d\d|[Zz](?:[0-689]\d|7[0-24-9])|(?:[Zz]73|[Ff]\d\d)(?=[A-Za-z0-9-]))"
    r"[A-Za-z0-9-]*\Z",
    re.ASCII,
)


@dataclass(frozen=True)
class Kind:
    """
    A kind of value.

    Attributes:
        xpath: True at a delsvar that holds one.
        words: What is right, after «must be».
        quick_text: The same in Python for a delsvar that holds nothing but
            text; None: ask the XPath.
    """

    xpath: str
    words: str
    compiled: etree.XPath
    quick_text: Callable[[str], bool] | None = None


@dataclass(frozen=True)
class Pattern:
    """A form of code, as XPath 1.0 over the trimmed code and as Python."""

    xpath: str
    quick: Callable[[str], bool]
    words: str


def is_real_date(text: str) -> bool:
    """YYYY-MM-DD, a day that exists; a time zone and blanks may follow, nothing may precede."""
    if len(text) == 10 and text[4] == text[7] == "-":
        day = text  # the usual form, without the cost of a pattern
    else:
        match = _DATE.match(text)
        if not match:
            return False
        day = match[1]
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def quick_period(element: etree._Element) -> tuple[str, str] | None:
    """The first and last day of a delsvar that holds a right period of the usual form."""
    if len(element) != 1:
        return None
    period = element[0]
    if len(period) != 2 or period.tag != _PERIOD:
        return None
    start, end = period
    if len(start) or len(end) or start.tag != _START or end.tag != _END:
        return None
    first, last = start.text or "", end.text or ""
    # a time zone, or a blank after, is not the usual form
    if len(first) != 10 or len(last) != 10 or first > last:
        return None
    return (first, last) if is_real_date(first) and is_real_date(last) else None


def quick_partial_date(element: etree._Element) -> str:
    """The value of a delsvar that holds a partialDate of the usual form; empty otherwise."""
    if len(element) != 1 or element[0].tag != _PARTIAL_DATE:
        return ""
    values = [child for child in element[0] if child.tag == _VALUE]
    return values[0].text or "" if len(values) == 1 and not len(values[0]) else ""


def _kind(xpath: str, words: str, quick_text: Callable[[str], bool] | None = None) -> Kind:
    return Kind(xpath, words, compile_xpath(xpath), quick_text)


BOOLEANS: Final = frozenset({"true", "false", "1", "0"})
_IS_BOOLEAN = (
    "(normalize-space() = 'true' or normalize-space() = 'false'"
    " or normalize-space() = '1' or normalize-space() = '0')"
)
_IS_CV = (
    "count(t:cv) = 1 and count(t:cv/t:codeSystem) = 1 and not(t:cv/t:codeSystem/*)"
    " and count(t:cv/t:code) = 1 and not(t:cv/t:code/*) and count(t:cv/t:displayName) <= 1"
)
_DIGITS = "'123456789', '000000000'"


def _date_xpath(node: str) -> str:
    """The national rule for a date: castable, and the text itself begins with the year."""
    return (
        f"{real_date(f'normalize-space({node})')}"
        f" and substring({node}, 1, 1) = substring(normalize-space({node}), 1, 1)"
    )


_LEFT = "translate(normalize-space(), '0123456789', '')"
_IS_DECIMAL = (
    f"not(*) and ({_LEFT} = '' or {_LEFT} = '.' or {_LEFT} = '+' or {_LEFT} = '-'"
    f" or {_LEFT} = '+.' or {_LEFT} = '-.')"
    " and translate(substring(normalize-space(), 2), '+-', '') = substring(normalize-space(), 2)"
    " and translate(normalize-space(), '+-.', '') != ''"
)

# How it works. Each kind is an abstract rule of the national Schematron, said in XPath and again in
# Python. It is asked of a delsvar wherever that stands: by `check` in Python where it has the usual
# form, otherwise in XPath, by libxml2; by exports and tests in XPath.

KINDS: Final[Mapping[str, Kind]] = {
    "text": _kind(
        FILLED,
        "text that is not blank, without elements or comments in it",
        lambda text: text.strip(BLANKS) != "",
    ),
    "boolean": _kind(
        f"not(*) and {_IS_BOOLEAN}",
        "true or false (or 1 or 0)",
        lambda text: text.strip(BLANKS) in BOOLEANS,
    ),
    "yes_no": _kind(
        _IS_BOOLEAN,
        "true or false (or 1 or 0)",
        lambda text: text.strip(BLANKS) in BOOLEANS,
    ),
    "date": _kind(f"not(*) and {_date_xpath('.')}", "a date that exists, YYYY-MM-DD", is_real_date),
    "zero_date": _kind(
        f"not(*) and translate(., {_DIGITS}) = '0000-00-00'",
        "a date YYYY-MM-DD, with zeros for what is not known",
        lambda text: _ZERO_DATE.match(text) is not None,
    ),
    "year": _kind(
        "count(t:partialDate/t:value) = 1"
        f" and translate(t:partialDate/t:value, {_DIGITS}) = '0000'",
        "a partialDate with a year, YYYY",
    ),
    "day": _kind(
        "count(t:partialDate/t:value) = 1 and not(t:partialDate/t:value/*)"
        f" and {_date_xpath('t:partialDate/t:value')}",
        "a partialDate with a date that exists, YYYY-MM-DD",
    ),
    "period": _kind(
        "count(t:datePeriod/t:start) = 1 and not(t:datePeriod/t:start/*)"
        f" and {_date_xpath('t:datePeriod/t:start')}"
        " and count(t:datePeriod/t:end) = 1 and not(t:datePeriod/t:end/*)"
        f" and {_date_xpath('t:datePeriod/t:end')}"
        f" and {write_out('order(t:datePeriod/t:start) <= order(t:datePeriod/t:end)')}",
        "a datePeriod whose start and end are dates that exist, YYYY-MM-DD, the start not after"
        " the end",
    ),
    "cv": _kind(_IS_CV, "a code: one cv with one code and one codeSystem"),
    "boolean_or_cv": _kind(
        f"({_IS_BOOLEAN} and not(*)) or (not({_IS_BOOLEAN}) and {_IS_CV})",
        "true, false, or a code",
    ),
    "decimal": _kind(
        _IS_DECIMAL,
        "a number with a decimal point",
        lambda text: _DECIMAL.match(text.strip(BLANKS)) is not None,
    ),
    "decimal_comma": _kind(
        f"not(*) and ({_LEFT} = '' or {_LEFT} = ',')"
        " and translate(normalize-space(), ',', '') != ''",
        "a number with a decimal comma",
        lambda text: _COMMA_DECIMAL.match(text.strip(BLANKS)) is not None,
    ),
    "integer": _kind(
        f"not(*) and normalize-space() != '' and {_LEFT} = ''",
        "a whole number",
        lambda text: _INTEGER.match(text.strip(BLANKS)) is not None,
    ),
    "pq": _kind(
        "count(t:pq/t:value) = 1 and not(t:pq/t:value/*)"
        " and count(t:pq/t:unit) = 1 and not(t:pq/t:unit/*)",
        "a quantity: one pq with value and unit",
    ),
}
"""By the name that type files use."""

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CODE_TEXT = "normalize-space(t:cv/t:code)"
_SHAPE = f"translate({_CODE_TEXT}, '{_LETTERS}0123456789', '{'A' * len(_LETTERS)}0000000000')"

PATTERNS: Final[Mapping[str, Pattern]] = {
    "diagnosis": Pattern(
        f"substring({_SHAPE}, 1, 3) = 'A00' and translate(substring({_SHAPE}, 4), 'A0-', '') = ''"
        f" and (string-length({_CODE_TEXT}) > 3"
        f" or not(translate(substring({_CODE_TEXT}, 1, 1), 'f', 'F') = 'F'"
        f" or translate({_CODE_TEXT}, 'z', 'Z') = 'Z73'))",
        lambda code: _DIAGNOSIS.match(code) is not None,
        "a letter, two digits, then letters, digits or hyphens; at least four characters when it"
        " starts with F or Z73",
    ),
}
"""By the name that type files use."""
