"""
Logical addresses that misbehave in known ways, for every caller and without any rule.

An address is the authority's prefix, a dash and a name of the table: `FK-TIMEOUT`, `TS-HTML503`.
What is counted is counted for each certificate.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from intyg.mocks.rules.answers import (
    DripDelay,
    Effect,
    Empty,
    Error,
    Fault,
    FixedDelay,
    Garbage,
    HalfBody,
    Hang,
    Http,
    Info,
    Invalid,
    Normal,
    Reset,
    Shape,
    TlsFailure,
    Vp,
    When,
    WrongType,
)
from intyg.mocks.rules.model import Rule
from intyg.mocks.rules.presets import VpCode
from intyg.mocks.settings import ANY
from intyg.schemas.codes import ErrorId, Part

_SHORT: Final[Mapping[str, str]] = {"FKASSA": "FK", "TRANSP": "TS", "HSVARD": "EHR"}


def prefix_of(part: str) -> str:
    """What the trouble addresses of a mock begin with: its part, or what is short for that."""
    return _SHORT.get(part, part)


_ALL_PREFIXES: Final = frozenset(map(prefix_of, Part))

MAX_NUMBER: Final = 3600
"""Longest delay in an address, in seconds; most calls that are failed first."""


_MAX_ADDRESS: Final = 64  # characters, as of a rule's id; a longer one is no trouble address


@dataclass(frozen=True)
class Trouble:
    """
    A family of addresses.

    Attributes:
        name: As the docs show it; `<n>` stands for a number.
        pattern: What the name must be, whole; a group takes the number.
        does: What the mock does there.
        answers: The rule's answers, from the number (0 without one).
        probability: Likewise.
    """

    name: str
    pattern: str
    does: str
    answers: Callable[[int], tuple[Effect, ...]]
    probability: Callable[[int], float] = lambda _: 1.0


def _always(kind: type[Effect], **fields: object) -> Callable[[int], tuple[Effect, ...]]:
    """One effect, made when it is asked for, since most addresses never are."""
    return lambda _: (kind.model_validate(fields),)


def _try_again() -> Error:
    return Error(error_id=ErrorId.TECHNICAL_ERROR)


_VP: Final = tuple(VpCode)

TROUBLES: Final = (
    Trouble("OK", "OK", "is itself", _always(Normal)),
    Trouble("INFO", "INFO", "takes the call, answers INFO", _always(Info, text="With a remark")),
    *(
        Trouble(
            each.replace("_", "-"),
            each.replace("_", "-"),
            f"answers ERROR {each}",
            _always(Error, error_id=each),
        )
        for each in ErrorId
    ),
    Trouble(
        "ERROR-WITHOUT-ID",
        "ERROR-WITHOUT-ID",
        "answers ERROR without `errorId`",
        _always(Invalid, shape=Shape.NO_ERROR_ID),
    ),
    Trouble(
        "ERROR-ID-FIRST",
        "ERROR-ID-FIRST",
        "answers ERROR APPLICATION_ERROR, `errorId` before `resultText`",
        _always(Invalid, shape=Shape.ERROR_ID_FIRST),
    ),
    Trouble(
        "NO-RESULT",
        "NO-RESULT",
        "answers an empty response element",
        _always(Invalid, shape=Shape.NO_RESULT),
    ),
    Trouble(
        "UNKNOWN-CODE",
        "UNKNOWN-CODE",
        "answers a `resultCode` that there is not",
        _always(Invalid, shape=Shape.UNKNOWN_CODE),
    ),
    Trouble("FAULT", "FAULT", "answers a SOAP fault `Server`", _always(Fault)),
    Trouble(
        "VP001 … VP015",
        r"VP(00[1-9]|01[0-5])",
        "answers that fault of the national platform",
        lambda n: (Vp(code=_VP[n - 1]),),
    ),
    Trouble(
        "HTTP<n>",
        r"HTTP([2-5]\d\d)",
        "answers HTTP status n (200 to 599) with a line of text",
        lambda n: (Http(status=n, page=f"{n}\n", content_type="text/plain; charset=UTF-8"),),
    ),
    Trouble(
        "HTML<n>",
        r"HTML([2-5]\d\d)",
        "answers HTTP status n with an HTML page",
        lambda n: (Http(status=n),),
    ),
    Trouble(
        "WRONG-TYPE",
        "WRONG-TYPE",
        "takes the call, answers as `text/html`",
        _always(WrongType),
    ),
    Trouble("EMPTY", "EMPTY", "answers HTTP 200 without a body", _always(Empty)),
    Trouble("RESET", "RESET", "resets the connection", _always(Reset)),
    Trouble(
        "HALF-BODY",
        "HALF-BODY",
        "sends half of an OK to a call that it does not take, and closes",
        _always(HalfBody),
    ),
    Trouble("GARBAGE", "GARBAGE", "sends bytes that are no HTTP", _always(Garbage)),
    Trouble("TLS", "TLS", "sends a fatal TLS alert", _always(TlsFailure)),
    Trouble("TIMEOUT", "TIMEOUT", "never answers", _always(Hang)),
    Trouble(
        "SLOW-<n>S",
        r"SLOW-(\d+)S",
        "takes the call after n seconds",
        lambda n: (Normal(delay=FixedDelay(seconds=n)),),
    ),
    Trouble(
        "LATE-<n>S",
        r"LATE-(\d+)S",
        "takes the call at once, answers after n seconds",
        lambda n: (Normal(delay=FixedDelay(seconds=n, when=When.AFTER)),),
    ),
    Trouble(
        "DRIP-<n>S",
        r"DRIP-(\d+)S",
        "takes the call, its answer drips for n seconds",
        lambda n: (Normal(delay=DripDelay(seconds=n)),),
    ),
    Trouble(
        "FAIL-<n>",
        r"FAIL-(\d+)",
        "answers ERROR TECHNICAL_ERROR n times, then is itself",
        lambda n: (*(_try_again(),) * n, Normal()),
    ),
    Trouble(
        "FLAKY-<n>",
        r"FLAKY-(\d\d?|100)",
        "answers ERROR TECHNICAL_ERROR to n of 100 calls, always to the same ones",
        _always(Error, error_id=ErrorId.TECHNICAL_ERROR),
        lambda n: n / 100,
    ),
    Trouble(
        "STORED-THEN-FAULT",
        "STORED-THEN-FAULT",
        "takes the call, answers a SOAP fault",
        _always(Fault, store=True),
    ),
    Trouble(
        "STORED-THEN-RESET",
        "STORED-THEN-RESET",
        "takes the call, resets the connection",
        _always(Reset, store=True),
    ),
    Trouble(
        "STORED-THEN-HANG",
        "STORED-THEN-HANG",
        "takes the call, never answers",
        _always(Hang, store=True),
    ),
)


def find(logical_address: str | None, part: str, own_address: str) -> Rule | None:
    """
    The rule behind a trouble address.

    Args:
        logical_address: Of the call.
        part: The mock's.
        own_address: The mock's own; one that takes any address has the troubles of all.
    """
    if logical_address is None or len(logical_address) > _MAX_ADDRESS:
        return None
    prefix, dash, name = logical_address.partition("-")
    wanted = _ALL_PREFIXES if own_address == ANY else {prefix_of(part)}
    return _rule(logical_address, name) if dash and prefix in wanted else None


def nearest(logical_address: str, part: str) -> str | None:
    """The trouble address that one may mean which is none; None: it resembles none."""
    if len(logical_address) > _MAX_ADDRESS:
        return None
    prefix = prefix_of(part)
    names = (each.name for each in TROUBLES if "…" not in each.name)
    known = [f"{prefix}-{name}" for name in (*names, *_VP)]
    asked = logical_address.upper()
    near = get_close_matches(asked, known, n=1, cutoff=0.8)
    return near[0] if near and "-" in asked else None


@lru_cache(maxsize=4096)
def _rule(address: str, name: str) -> Rule | None:
    for trouble in TROUBLES:
        found = re.fullmatch(trouble.pattern, name)
        if found is None:
            continue
        number = int(found[1]) if found.re.groups else 0
        probability = trouble.probability(number)
        if number > MAX_NUMBER or probability == 0:
            return None
        return Rule(
            id=address,
            text=trouble.does,
            answers=trouble.answers(number),
            probability=probability,
            seed=0,
            key="intygs_id",
        )
    return None
