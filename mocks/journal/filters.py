"""
The one language in which calls are looked for.

    contract=RegisterCertificate&result_code!=OK&duration_seconds>=0.5

A filter is criteria joined by `&`, all of which must hold; a field that is named twice with the
same operator needs only one of its values. It is at the same time the query of a URL, so characters
that mean something there are percent-encoded (`%26` for `&`). A bare word is a contract.

    =    is        (a contract with or without its version)
    !=   is not
    ~=   contains, upper or lower case
    xpath=//tns:amne[types:code='KOMPLT']   an expression that holds for the request element
    >=   <=        numbers and times

A field that a call does not have is an empty text, so `error_id=` finds calls without one.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeAlias
from urllib.parse import quote, unquote

from intyg.mocks.journal.entry import Entry
from intyg.mocks.rules.xpath import ask, check_xpath, is_large
from intyg.mocks.wire import envelope

Value: TypeAlias = str | float | datetime


class FilterError(ValueError):
    """
    A filter that cannot be.

    Attributes:
        field: The field or, for a text that is none, the text.
        position: Where in the filter, from 1; 0 when it came in pieces.
        known: The names that `field` may have meant.
    """

    def __init__(
        self, field: str, text: str, position: int = 0, known: tuple[str, ...] = ()
    ) -> None:
        super().__init__(f"{field}: {text}" + (f" (at character {position})" if position else ""))
        self.field = field
        self.text = text
        self.position = position
        self.known = known


class Operator(StrEnum):
    """How a criterion compares."""

    IS = "="
    IS_NOT = "!="
    CONTAINS = "~="
    AT_LEAST = ">="
    AT_MOST = "<="


class Kind(StrEnum):
    """What a field's values are."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"  # ISO 8601; without a zone it is UTC
    BYTES = "bytes"  # looked through as UTF-8
    XPATH = "xpath"  # asked of the request element


@dataclass(frozen=True)
class Field:
    """What can be asked of a call; `read` gives its values, none if the call has none."""

    kind: Kind
    about: str
    read: Callable[[Entry], Iterable[object]]


def _attribute(name: str, kind: Kind, about: str) -> Field:
    return Field(kind, about, lambda entry: [getattr(entry, name)])


FIELDS: Final[Mapping[str, Field]] = {
    name: _attribute(name, kind, about)
    for name, kind, about in (
        ("number", Kind.NUMBER, "in order of arrival, from 1"),
        ("received_at", Kind.TIME, "when it arrived"),
        ("duration_seconds", Kind.NUMBER, "how long the answer took"),
        ("method", Kind.TEXT, "of HTTP"),
        ("path", Kind.TEXT, "that was called"),
        ("contract", Kind.TEXT, "`RegisterCertificate` or `RegisterCertificate:3`"),
        ("logical_address", Kind.TEXT, "of the header"),
        ("sender", Kind.TEXT, "HSA-id of who called"),
        ("tls_subject", Kind.TEXT, "of the client certificate"),
        ("intygs_id", Kind.TEXT, "of the certificate that it is about"),
        ("meddelande_id", Kind.TEXT, "of the message"),
        ("typ", Kind.TEXT, "of that certificate, e.g. `LISJP`"),
        ("version", Kind.TEXT, "of its type"),
        ("unit", Kind.TEXT, "HSA-id of the care unit"),
        ("amne", Kind.TEXT, "subject of a message, e.g. `KOMPLT`"),
        ("handelse", Kind.TEXT, "event code of a status update, e.g. `NYFRFM`"),
        ("answer", Kind.TEXT, "`sent`, `not_yet`, `broken`, `caller_gone` or `stopped`"),
        ("http_status", Kind.NUMBER, "that was answered"),
        ("result_code", Kind.TEXT, "`OK`, `INFO` or `ERROR`; empty for a fault"),
        ("error_id", Kind.TEXT, "of a result `ERROR`"),
        ("result_text", Kind.TEXT, "of the result"),
        ("size", Kind.NUMBER, "bytes of request and reply"),
        ("request", Kind.BYTES, "the bytes that arrived"),
        ("reply", Kind.BYTES, "the bytes that were answered"),
    )
} | {
    "rule": Field(
        Kind.TEXT,
        "id of the rule that acted",
        lambda entry: [each.rule_id for each in entry.rules if each.acted],
    ),
    "xpath": Field(
        Kind.XPATH,
        "holds for the request element; the prefixes are those of rules, `tns` its own namespace",
        lambda entry: [entry.request],
    ),
}
"""Beside these there are `header.<name>` and `step.<name>`."""

FAMILIES: Final[Mapping[str, str]] = {
    "header.": "an HTTP header of the request, e.g. `header.user-agent`",
    "step.": "verdict of a step of the check, e.g. `step.signature=failed`",
}
"""Fields whose names go on after the dot."""


@dataclass(frozen=True)
class Criterion:
    """One field compared with the values that it may have (or, for `!=`, may not)."""

    field: str
    operator: Operator
    values: tuple[str, ...]

    def met_by(self, entry: Entry) -> bool:
        """Whether it holds for a call."""
        kind = field_of(self.field).kind
        if kind is Kind.XPATH:
            held = any(_holds(entry.request, each) for each in self.values)
            return held is (self.operator is Operator.IS)
        actual = read(self.field, entry)
        if self.operator is Operator.IS_NOT:
            return not any(_is(self.field, kind, a, v) for a in actual for v in self.values)
        compare = _COMPARE[self.operator]
        return any(compare(self.field, kind, a, v) for a in actual for v in self.values)

    def __str__(self) -> str:
        return "&".join(f"{self.field}{self.operator}{quote(v, safe=_PLAIN)}" for v in self.values)


@dataclass(frozen=True)
class Filter:
    """Criteria, all of which must hold; none let every call through."""

    criteria: tuple[Criterion, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Filter":
        """
        Read a filter.

        Raises:
            FilterError: Says where.
        """
        pairs, at = [], 1
        for part in text.split("&"):
            if part.strip():
                pairs.append((*_split(part.strip(), at), at))
            at += len(part) + 1
        return cls(_gather(pairs))

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> "Filter":
        """
        From the pairs of a URL's query, which was cut at its `=`.

        Raises:
            FilterError: Names the field.
        """
        return cls(_gather((*_split_name(name, 0), value, 0) for name, value in pairs))

    def matches(self, entry: Entry) -> bool:
        """Whether every criterion holds for a call."""
        return all(each.met_by(entry) for each in self.criteria)

    @property
    def needs_bytes(self) -> bool:
        """Whether the calls' bytes are needed to decide."""
        return any(each.field in _OF_BYTES for each in self.criteria)

    def __str__(self) -> str:
        return "&".join(map(str, self.criteria))


_OF_BYTES: Final = ("request", "reply", "size", "xpath")


def field_of(name: str) -> Field:
    """
    The field of that name.

    Raises:
        FilterError: There is none; says which is nearest.
    """
    if name in FIELDS:
        return FIELDS[name]
    family, _, rest = name.partition(".")
    if rest and family == "header":
        return Field(Kind.TEXT, "", lambda entry: [v for k, v in entry.headers if _same(k, rest)])
    if rest and family == "step":
        return Field(
            Kind.TEXT, "", lambda entry: [s.verdict for s in entry.steps if s.name == rest]
        )
    raise FilterError(name, "no such field", known=(*FIELDS, *(f"{f}<name>" for f in FAMILIES)))


def read(name: str, entry: Entry) -> tuple[Value, ...]:
    """What a call has in a field; an empty text if it has nothing."""
    found = tuple(_value(each) for each in field_of(name).read(entry) if each is not None)
    return found or ("",)


def _value(value: object) -> Value:
    match value:
        case bytes():
            return value.decode("utf-8", "replace")
        case bool() | str():
            return str(value)
        case int() | float():
            return float(value)
        case datetime():
            return value
    raise TypeError(type(value).__name__)


# --- reading --------------------------------------------------------------------------------------

_PLAIN: Final = " :/,;@.*-_'()[]<>"
"""What need not be percent-encoded in a filter's values."""

_CRITERION: Final = re.compile(r"([\w.\-]+)\s*(!=|~=|>=|<=|=)\s*(.*)", re.DOTALL)
_NAME: Final = re.compile(r"([\w.\-]+)\s*([!~><]?)")
_WORD: Final = re.compile(r"[A-Za-z]\w*(?::\d+)?")


def _split(part: str, at: int) -> tuple[str, Operator, str]:
    """`contract=X` into its three pieces."""
    found = _CRITERION.fullmatch(part)
    if found is not None:
        return found[1], Operator(found[2]), unquote(found[3])
    if _WORD.fullmatch(part) and part not in FIELDS:
        return "contract", Operator.IS, part
    raise FilterError(part, f"a field and one of {' '.join(Operator)} and a value are wanted", at)


def _split_name(name: str, at: int) -> tuple[str, Operator]:
    """What stands before the `=` of a query: `result_code!`, or `contract`."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise FilterError(name, "no such field", at)
    return found[1], Operator(f"{found[2]}=")


def _gather(pairs: Iterable[tuple[str, Operator, str, int]]) -> tuple[Criterion, ...]:
    """Checked, and the values of one field together."""
    gathered: dict[tuple[str, Operator], list[str]] = {}
    for name, operator, value, at in pairs:
        _check(name, operator, value, at)
        gathered.setdefault((name, operator), []).append(value)
    return tuple(Criterion(*key, tuple(values)) for key, values in gathered.items())


def _check(name: str, operator: Operator, value: str, at: int) -> None:
    try:
        kind = field_of(name).kind
    except FilterError as exc:
        raise FilterError(name, exc.text, at, exc.known) from None
    if operator in (Operator.AT_LEAST, Operator.AT_MOST) and kind in (Kind.TEXT, Kind.BYTES):
        raise FilterError(name, f"{operator} compares numbers and times, and this is a text", at)
    if kind is Kind.BYTES and operator in (Operator.IS, Operator.IS_NOT):
        raise FilterError(name, "bytes are looked through with ~=", at)
    if kind is Kind.XPATH and operator not in (Operator.IS, Operator.IS_NOT):
        raise FilterError(name, "an expression holds, =, or does not, !=", at)
    if operator is Operator.CONTAINS and kind in (Kind.NUMBER, Kind.TIME):
        raise FilterError(name, f"~= looks into texts, and this is a {kind}", at)
    if kind is Kind.NUMBER and not _NUMBER.fullmatch(value):
        raise FilterError(name, "a number is wanted", at)
    if kind is Kind.XPATH:
        try:
            check_xpath(value)
        except ValueError as exc:
            raise FilterError(name, str(exc), at) from None
    if kind is Kind.TIME:
        try:
            _time(value)
        except ValueError:
            raise FilterError(name, "a time is wanted, e.g. 2026-11-23T09:00:00Z", at) from None


_NUMBER: Final = re.compile(r"-?\d{1,15}(\.\d{1,15})?")


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# --- comparing ------------------------------------------------------------------------------------


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _is(name: str, kind: Kind, actual: Value, wanted: str) -> bool:
    if name == "contract":
        return wanted in (actual, str(actual).partition(":")[0])
    return bool(actual == _wanted(kind, wanted))


def _holds(request: bytes, expression: str) -> bool:
    """Whether an XPath expression holds for a request; never for what is no envelope, or large."""
    if is_large(request):
        return False
    try:
        element = envelope.read(request, None).element
    except envelope.FaultError:
        return False
    return ask(expression, element)[0]


def _contains(_: str, __: Kind, actual: Value, wanted: str) -> bool:
    return wanted.casefold() in str(actual).casefold()


def _at_least(_: str, __: Kind, actual: Value, wanted: str) -> bool:
    above = _above(actual, wanted)
    return above is not None and above >= 0


def _at_most(_: str, __: Kind, actual: Value, wanted: str) -> bool:
    above = _above(actual, wanted)
    return above is not None and above <= 0


def _above(actual: Value, wanted: str) -> float | None:
    """How far a number or time (in seconds) is above another; None: there is none."""
    match actual:
        case float():
            return actual - float(wanted)
        case datetime():
            return (actual - _time(wanted)).total_seconds()
    return None


def _wanted(kind: Kind, text: str) -> Value:
    readers: dict[Kind, Callable[[str], Value]] = {Kind.NUMBER: float, Kind.TIME: _time}
    return readers.get(kind, str)(text)


_COMPARE: Final = {
    Operator.IS: _is,
    Operator.CONTAINS: _contains,
    Operator.AT_LEAST: _at_least,
    Operator.AT_MOST: _at_most,
}
