"""
What a rule makes of a call: the kinds of effect, as data.

Each says whether the mock takes the call first (`store`), and each may be slow about it (`delay`).
`effects` carries them out.
"""

import ipaddress
import re
from enum import StrEnum
from random import Random
from typing import Annotated, Final, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from intyg.mocks.rules.presets import VpCode
from intyg.mocks.wire.envelope import FaultCode
from intyg.schemas.codes import ErrorId

MAX_SECONDS: Final = 86_400.0
"""Longest delay that can be asked for; `hang` waits longer."""

LOOPBACK_NAMES: Final = ("localhost",)


_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _xml_text(text: str) -> str:
    if _NOT_XML.search(text):
        raise ValueError("holds a character that XML cannot")
    return text


Text: TypeAlias = Annotated[str, AfterValidator(_xml_text)]


class Part(BaseModel):
    """What all parts of a rule have in common: they do not change, and know their fields."""

    # Built when one is first made or read: to build all takes a mock longer than to start.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


# --- delays ---------------------------------------------------------------------------------------


class When(StrEnum):
    """Which side of taking the call a delay is on."""

    BEFORE = "before"
    AFTER = "after"


Seconds: TypeAlias = Annotated[float, Field(ge=0, le=MAX_SECONDS)]


class FixedDelay(Part):
    """Always as long."""

    kind: Literal["fixed"] = "fixed"
    seconds: Seconds
    when: When = When.BEFORE

    def drawn(self, _: Random) -> "FixedDelay":
        return self


class RandomDelay(Part):
    """Anything between two, each as likely."""

    kind: Literal["random"] = "random"
    at_least: Seconds = 0.0
    at_most: Seconds
    when: When = When.BEFORE

    @model_validator(mode="after")
    def _in_order(self) -> "RandomDelay":
        if self.at_least > self.at_most:
            raise ValueError("at_least is more than at_most")
        return self

    def drawn(self, random: Random) -> FixedDelay:
        return FixedDelay(seconds=random.uniform(self.at_least, self.at_most), when=self.when)


class LogNormalDelay(Part):
    """Mostly near the median, seldom much longer: as busy systems answer."""

    kind: Literal["log_normal"] = "log_normal"
    median: Annotated[float, Field(gt=0, le=MAX_SECONDS)]
    sigma: Annotated[float, Field(ge=0, le=5, description="spread of the logarithm")] = 0.5
    at_most: Seconds = MAX_SECONDS
    when: When = When.BEFORE

    def drawn(self, random: Random) -> FixedDelay:
        seconds = self.median * random.lognormvariate(0, self.sigma)
        return FixedDelay(seconds=min(seconds, self.at_most), when=self.when)


class DripDelay(Part):
    """The answer comes at once, in small pieces."""

    kind: Literal["drip"] = "drip"
    seconds: Seconds = Field(description="from the first piece to the last")
    pieces: Annotated[int, Field(ge=2, le=1000)] = 20

    def drawn(self, _: Random) -> "DripDelay":
        return self


DELAYS: Final = (FixedDelay, RandomDelay, LogNormalDelay, DripDelay)

Delay: TypeAlias = Annotated[
    FixedDelay | RandomDelay | LogNormalDelay | DripDelay, Field(discriminator="kind")
]


# --- effects --------------------------------------------------------------------------------------


class _Effect(Part):
    store: bool = Field(default=False, description="the mock takes the call first, as without rule")
    delay: Delay | None = None

    def drawn(self, random: Random) -> "Effect":
        """The same with the dice thrown: its delay is fixed."""
        assert isinstance(self, EFFECTS)
        if self.delay is None:
            return self
        return self.model_copy(update={"delay": self.delay.drawn(random)})


class Normal(_Effect):
    """As without a rule; for sequences, and to be slow."""

    kind: Literal["normal"] = "normal"
    store: Literal[True] = True


class Ok(_Effect):
    """OK, whatever the mock thinks of the call."""

    kind: Literal["ok"] = "ok"
    text: Text = Field(default="", description="empty: no `resultText`, as ordinary")
    store: bool = True


class Info(_Effect):
    """INFO: done, with a remark."""

    kind: Literal["info"] = "info"
    text: Annotated[Text, Field(min_length=1)]
    store: bool = True


class Error(_Effect):
    """ERROR: not done."""

    kind: Literal["error"] = "error"
    error_id: ErrorId
    text: Text = Field(default="Ordered by a rule", description="empty: no `resultText`")


class Fault(_Effect):
    """A SOAP fault."""

    kind: Literal["fault"] = "fault"
    code: FaultCode = FaultCode.SERVER
    text: Text = "Ordered by a rule"
    detail: Text | None = Field(default=None, description="text of detail/detailString")


class Vp(_Effect):
    """A fault of the national platform."""

    kind: Literal["vp"] = "vp"
    code: VpCode


class Http(_Effect):
    """A bare HTTP status with a page, as servers on the way answer."""

    kind: Literal["http"] = "http"
    status: Annotated[int, Field(ge=200, le=599)]
    page: str | None = Field(default=None, description="default: an HTML page about the status")
    content_type: Annotated[str, Field(pattern=r"^[\x20-\x7e]+$")] = "text/html; charset=UTF-8"


class WrongType(_Effect):
    """The right answer under a wrong content type."""

    kind: Literal["wrong_type"] = "wrong_type"
    content_type: Annotated[str, Field(pattern=r"^[\x20-\x7e]+$")] = "text/html; charset=UTF-8"
    store: bool = True


class Empty(_Effect):
    """HTTP 200 and nothing."""

    kind: Literal["empty"] = "empty"


class Shape(StrEnum):
    """Answers that break their schema, or nearly, and are sent in earnest."""

    ERROR_ID_FIRST = "error_id_first"  # before `resultText`, as the national store writes it
    NO_RESULT = "no_result"  # the response element is empty
    NO_ERROR_ID = "no_error_id"  # ERROR that does not say which: valid, and seen nationally
    UNKNOWN_CODE = "unknown_code"  # a `resultCode` that there is not


class Invalid(_Effect):
    """An answer that a validating reader refuses, though one can see what is meant."""

    kind: Literal["invalid"] = "invalid"
    shape: Shape = Shape.ERROR_ID_FIRST
    error_id: ErrorId = ErrorId.APPLICATION_ERROR
    text: Text = "Ordered by a rule"


class Reset(_Effect):
    """The connection is reset (TCP RST) in place of an answer."""

    kind: Literal["reset"] = "reset"


class HalfBody(_Effect):
    """Half of the answer, then the connection is closed."""

    kind: Literal["half_body"] = "half_body"


class Garbage(_Effect):
    """Bytes that are no HTTP."""

    kind: Literal["garbage"] = "garbage"
    size: Annotated[int, Field(ge=1, le=1_000_000)] = 512


class TlsFailure(_Effect):
    """A fatal TLS alert in place of an answer."""

    kind: Literal["tls_failure"] = "tls_failure"


class Hang(_Effect):
    """No answer, ever; the connection stays open until the caller gives up."""

    kind: Literal["hang"] = "hang"


class Destination(StrEnum):
    """What stands behind an address that calls are passed through to."""

    TEST = "test"
    MOCK = "mock"


class PassThrough(_Effect):
    """
    Somebody else answers: the call goes on as it came.

    Never to a real destination: it must be declared as `test` or `mock`, and be on loopback or
    among the addresses that the mock's settings allow.
    """

    kind: Literal["pass_through"] = "pass_through"
    url: str = Field(description="base address; the path of the call is added")
    destination: Destination
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0

    @field_validator("destination", mode="before")
    @classmethod
    def _never_real(cls, value: object) -> object:
        if value == "real":
            raise ValueError("a call is never passed through to a real destination")
        return value

    @field_validator("url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be http://host or https://host")
        if parts.username or parts.query or parts.fragment:
            raise ValueError("must have no user, query or fragment")
        return url

    @property
    def on_loopback(self) -> bool:
        """Whether it stays on this machine."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host in LOOPBACK_NAMES


EFFECTS: Final = (
    Normal,
    Ok,
    Info,
    Error,
    Fault,
    Vp,
    Http,
    WrongType,
    Empty,
    Invalid,
    Reset,
    HalfBody,
    Garbage,
    TlsFailure,
    Hang,
    PassThrough,
)

Effect: TypeAlias = (
    Normal
    | Ok
    | Info
    | Error
    | Fault
    | Vp
    | Http
    | WrongType
    | Empty
    | Invalid
    | Reset
    | HalfBody
    | Garbage
    | TlsFailure
    | Hang
    | PassThrough
)

AnEffect: TypeAlias = Annotated[Effect, Field(discriminator="kind")]
"""As a field of a model."""


def kinds(*models: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """Models by what their `kind` says."""
    return {get_args(each.model_fields["kind"].annotation)[0]: each for each in models}
