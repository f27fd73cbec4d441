"""
A rule: which calls, and what becomes of them.

    {"match": {"contract": "RegisterCertificate", "typ": "LISJP"},
     "answers": [{"kind": "error", "error_id": "TECHNICAL_ERROR"}, {"kind": "normal"}],
     "count": 2}

Of the rules that fit a call the one with the highest priority acts, then the one with most
criteria, then the newest. `book` keeps them and counts.
"""

import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    field_validator,
)

from intyg.mocks.rules.answers import AnEffect, Part
from intyg.mocks.rules.facts import Facts
from intyg.mocks.rules.trace import Criterion
from intyg.mocks.rules.xpath import check_xpath
from intyg.mocks.wire.ids import hsa_key, id_key
from intyg.schemas import codes
from intyg.schemas.contract.contract import Contracts

AGENCIES: Final = tuple(part.value for part in codes.Part if part is not codes.Part.INVANA)
"""Parts that a mock can be; `HSVARD` is the EHR."""

KEYS: Final = ("all", "intygs_id", "person_id")
XPATH_KEY: Final = "xpath:"

_MAX_SHOWN: Final = 1000  # characters of what an expression found


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _one_or_several(value: tuple[str, ...]) -> Any:
    return value[0] if len(value) == 1 else list(value)


def _not_empty(value: tuple[Any, ...]) -> tuple[Any, ...]:
    # Not `min_length`: pydantic would say that a list is empty whose items are wrong.
    if not value:
        raise ValueError("must not be empty")
    return value


_TEXTS: Final = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_ONE_OF: Final = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
    ]
}

_T = TypeVar("_T")

Several: TypeAlias = Annotated[
    tuple[_T, ...],
    BeforeValidator(_several),
    PlainSerializer(_one_or_several),
    WithJsonSchema(_TEXTS),
]
"""One or several."""

OneOf: TypeAlias = Annotated[Several[str], AfterValidator(_not_empty), WithJsonSchema(_ONE_OF)]
"""A text or several, of which one must be it. `*` stands for any characters."""


def _contract(name: str) -> str:
    if name not in contract_names():
        raise ValueError(unknown(name, contract_names()))
    return name


def _agency(part: str) -> str:
    if part not in AGENCIES:
        raise ValueError(unknown(part, AGENCIES))
    return part


def _amne(text: str) -> str:
    return _checked(text, codes.Amne)


def _handelse(text: str) -> str:
    return _checked(text, codes.Handelse)


def _checked(text: str, known: Iterable[str]) -> str:
    """Calls may bear codes that there are not, but hardly one that a letter tells from one."""
    fault = not_nearly(text, known)
    if fault is not None:
        raise ValueError(fault)
    return text


def not_nearly(text: str, known: Iterable[str]) -> str | None:
    """What to say of a code that is nearly one that there is; None of others, and of patterns."""
    choices = {each.upper(): each for each in known}
    near = get_close_matches(text.upper(), choices, n=1, cutoff=0.75)
    if near and choices[near[0]] != text and "*" not in text:
        return f"{text} is unknown; the nearest is {choices[near[0]]}"
    return None


def _expression(text: str) -> str:
    check_xpath(text)
    return text


Amnen: TypeAlias = Annotated[
    Several[Annotated[str, AfterValidator(_amne)]],
    AfterValidator(_not_empty),
    WithJsonSchema(_ONE_OF),
]
Handelser: TypeAlias = Annotated[
    Several[Annotated[str, AfterValidator(_handelse)]],
    AfterValidator(_not_empty),
    WithJsonSchema(_ONE_OF),
]
Agencies: TypeAlias = Annotated[
    Several[Annotated[str, AfterValidator(_agency)]], AfterValidator(_not_empty)
]
ContractNames: TypeAlias = Annotated[
    Several[Annotated[str, AfterValidator(_contract)]], AfterValidator(_not_empty)
]
Expressions: TypeAlias = Several[Annotated[str, AfterValidator(_expression)]]


class Span(Part):
    """From one number to another, both included."""

    at_least: Annotated[int, Field(ge=1)] = 1
    at_most: Annotated[int, Field(ge=1)] | None = None

    def holds(self, number: int) -> bool:
        return self.at_least <= number and (self.at_most is None or number <= self.at_most)

    def __str__(self) -> str:
        if self.at_least == self.at_most:
            return str(self.at_least)
        return f"{self.at_least}-{self.at_most or ''}"


def _number_or_span(value: object) -> object:
    if isinstance(value, int):
        return {"at_least": value, "at_most": value}
    return value


def _span_json(span: Span | None) -> Any:
    if span is None or span.at_least == span.at_most:
        return None if span is None else span.at_least
    return span.model_dump(exclude_none=True)


Attempt: TypeAlias = Annotated[
    Span | None,
    BeforeValidator(_number_or_span),
    PlainSerializer(_span_json),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {
                    "type": "object",
                    "properties": {
                        "at_least": {"type": "integer", "minimum": 1},
                        "at_most": {"type": "integer", "minimum": 1},
                    },
                    "additionalProperties": False,
                },
                {"type": "null"},
            ]
        }
    ),
]
"""A number, or a span of them."""


class Match(Part):
    """What a call must be like; what is not said does not matter."""

    agency: Agencies | None = Field(
        default=None, description="the mock's part: `FKASSA`, `TRANSP`, `SKV`, `SOS`, `HSVARD`"
    )
    contract: ContractNames | None = Field(
        default=None, description="`RegisterCertificate`, or with its version"
    )
    sender: OneOf | None = Field(default=None, description="HSA-id of who calls")
    logical_address: OneOf | None = Field(
        default=None, description="of the header; one that a rule names is answered at"
    )
    intygs_id: OneOf | None = Field(
        default=None, description="of the certificate that the call is about"
    )
    typ: OneOf | None = Field(
        default=None,
        description="`LISJP`; of the certificate in the call, else of the one that is held",
    )
    version: OneOf | None = Field(default=None, description="`1.3`, in quotes; likewise")
    person: OneOf | None = Field(default=None, description="the patient's number, 12 digits")
    unit: OneOf | None = Field(default=None, description="HSA-id of the care unit")
    amne: Amnen | None = Field(default=None, description="subject of a message, `KOMPLT`")
    handelse: Handelser | None = Field(
        default=None, description="event of a status update, `SKICKA`"
    )
    attempt: Attempt = Field(
        default=None,
        description="which of the calls that are otherwise like this: `2`, or from and to "
        "(`at_least`, `at_most`); counted for each `key`",
    )
    headers: Mapping[str, OneOf] = Field(default={}, description="HTTP headers, by name")
    xpath: Expressions = Field(
        default=(), description="expressions that all hold, from the request element"
    )

    @property
    def specificity(self) -> int:
        """How many criteria there are."""
        plain = sum(getattr(self, name) is not None for name in (*_PLAIN, "contract", "attempt"))
        return plain + len(self.headers) + len(self.xpath)

    def look(self, facts: Facts) -> tuple[Criterion, ...]:
        """Every criterion but `attempt`, which takes counting."""
        found = []
        if self.contract is not None:
            found.append(_text("contract", self.contract, facts.contract.key, facts.contract.name))
        for name in _PLAIN:
            expected = getattr(self, name)
            if expected is not None:
                key = COMPARED_BY.get(name, str)
                found.append(_text(name, expected, getattr(facts, name), key=key))
        for header, expected in self.headers.items():
            found.append(_text(f"header {header}", expected, facts.headers.get(header.lower())))
        for expression in self.xpath:
            hit, got = facts.ask(expression)
            found.append(Criterion("xpath", expression, _shown(got), hit))
        return tuple(found)

    def names_address(self, logical_address: str) -> bool:
        """Whether `logical_address` is there and holds."""
        return any(
            fits(hsa_key(each), hsa_key(logical_address)) for each in self.logical_address or ()
        )

    def attempt_holds(self, number: int) -> Criterion | None:
        """The criterion `attempt`, None where the rule has none."""
        if self.attempt is None:
            return None
        return Criterion("attempt", str(self.attempt), str(number), self.attempt.holds(number))


_PLAIN: Final = (
    "agency",
    "sender",
    "logical_address",
    "intygs_id",
    "typ",
    "version",
    "person",
    "unit",
    "amne",
    "handelse",
)
"""Criteria that are a text of the call's facts, by the same name."""


Answers: TypeAlias = Annotated[
    tuple[AnEffect, ...],
    BeforeValidator(lambda value: value if isinstance(value, list | tuple) else (value,)),
    AfterValidator(_not_empty),
]
"""One answer, or several that follow each other."""


def _or_one(schema: dict[str, Any]) -> None:
    """In the JSON Schema too, a single answer may stand without a list."""
    items = schema.pop("items")
    del schema["type"]
    schema["anyOf"] = [items, {"type": "array", "items": items, "minItems": 1}]


class Rule(Part):
    """Which calls, and what becomes of them."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = Field(
        default_factory=lambda: uuid.uuid4().hex[:12], description="made unless given"
    )
    text: str = Field(default="", description="for people")
    enabled: bool = Field(default=True, description="a disabled rule never acts")
    priority: int = Field(default=0, description="higher goes first")
    match: Match = Field(default_factory=Match, description="which calls; without it, all")
    answers: Answers = Field(
        description="one, or several that follow each other; the last one stays",
        json_schema_extra=_or_one,
    )
    count: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="it acts so many times for each `key`; without it, always"
    )
    probability: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0,
        description="share of the fitting calls that it acts on; drawn from `seed`, the key and "
        "the number of the call with that key, so the same again",
    )
    seed: int = Field(
        default_factory=lambda: secrets.randbelow(2**32), description="made and shown unless given"
    )
    key: str | None = Field(
        default=None,
        description="what is counted apart: `intygs_id`, `person_id`, `xpath:` with an "
        "expression, or `all` for one count; by default `intygs_id` where answers follow each "
        "other or attempts are counted, else `all`",
    )

    @field_validator("key")
    @classmethod
    def _known_key(cls, value: str | None) -> str | None:
        if value is not None and value.startswith(XPATH_KEY):
            check_xpath(value.removeprefix(XPATH_KEY))
        elif value is not None and value not in KEYS:
            raise ValueError(unknown(value, (*KEYS, "xpath:…")))
        return value

    @property
    def counted_by(self) -> str:
        """`key`, or what it is by default."""
        if self.key is not None:
            return self.key
        return "intygs_id" if len(self.answers) > 1 or self.match.attempt is not None else "all"

    def key_of(self, facts: Facts) -> str:
        """The call's value of the key."""
        key = self.counted_by
        if key.startswith(XPATH_KEY):
            return facts.ask(key.removeprefix(XPATH_KEY))[1] or ""
        values = {"intygs_id": facts.intygs_id, "person_id": facts.person}
        return values.get(key) or ""


COMPARED_BY: Final[Mapping[str, Callable[[str], str]]] = {
    "sender": hsa_key,
    "logical_address": hsa_key,
    "unit": hsa_key,
    "intygs_id": id_key,
}
"""Of criteria that are no plain text: what they are compared by."""


def _text(
    name: str, expected: tuple[str, ...], *got: str | None, key: Callable[[str], str] = str
) -> Criterion:
    """A criterion about a text; any of `got` may be it, the first is what is shown."""
    there = [key(value) for value in got if value is not None]
    hit = any(fits(key(each), value) for each in expected for value in there)
    return Criterion(name, " | ".join(expected), got[0], hit)


def _shown(got: str | None) -> str | None:
    """What the journal keeps of a text that may be the whole message's."""
    if got is None or len(got) <= _MAX_SHOWN:
        return got
    return f"{got[:_MAX_SHOWN]}…"


def fits(expected: str, got: str) -> bool:
    """Whether a text is the expected one, in which `*` stands for any characters."""
    start, *parts = expected.split("*")
    if not parts:
        return expected == got
    *between, end = parts
    # Piece by piece, each as early as it comes: a regular expression would try every way.
    at, until = len(start), len(got) - len(end)
    for part in between:
        found = got.find(part, at, until)
        if found < 0:
            return False
        at = found + len(part)
    return at <= until and got.startswith(start) and got.endswith(end)


@cache
def contract_names() -> tuple[str, ...]:
    """What `contract` may be: `RegisterCertificate` or `RegisterCertificate:3`."""
    every = Contracts().all()
    return tuple(sorted({each.name for each in every} | {each.key for each in every}))


def covers(wanted: str, key: str) -> bool:
    """Whether a rule's `RegisterCertificate` or `RegisterCertificate:3` means the contract."""
    return wanted in (key, key.partition(":")[0])


def unknown(value: str, known: Iterable[str]) -> str:
    """What to say of a word that is on no list."""
    choices = tuple(known)
    upper = {each.upper(): each for each in choices}
    near = get_close_matches(value.upper(), upper, n=1, cutoff=0.5)
    if near:
        return f"{value} is unknown; the nearest is {upper[near[0]]}"
    return f"{value} is unknown; there is {', '.join(choices)}"
