"""Effects by the names that sentences have for them: results, the platform's faults, troubles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from intyg.mocks.clock.duration import read_duration
from intyg.mocks.rules.answers import (
    Effect,
    Error,
    FixedDelay,
    Info,
    Normal,
    Ok,
    When,
)
from intyg.mocks.rules.model import unknown
from intyg.mocks.rules.presets import VpCode
from intyg.mocks.rules.trouble import TROUBLES, find, prefix_of
from intyg.schemas.codes import ErrorId

if TYPE_CHECKING:  # and with it zeep
    from intyg.mocks.journalsystem.client import Answer

NAMES: Final = tuple(
    dict.fromkeys(
        (
            "OK",
            "INFO",
            "ERROR",
            "NORMAL",
            *VpCode,
            *(each.name for each in TROUBLES if "…" not in each.name),
        )
    )
)
"""What `answers` takes; `<n>` stands for a number."""


class NotAcceptedError(AssertionError):
    """
    A call that a test made was answered ERROR, or not as a call is answered.

    Attributes:
        answer: All of the answer: an `Answer` to the EHR, a `SentMessage` to an authority.
    """

    def __init__(self, text: str, answer: Any) -> None:
        super().__init__(text)
        self.answer = answer


class SentenceError(ValueError):
    """A sentence with a word that there is not; names the nearest that there is."""


class HasIntygsId(Protocol):
    """Anything that is about one certificate."""

    @property
    def intygs_id(self) -> str:
        """Its id."""


def checked(contract: str, answer: Answer, check: bool) -> Answer:
    """An answer to the EHR; NotAcceptedError when it is ERROR and that is not wanted."""
    __tracebackhide__ = True
    if check and answer.code == "ERROR":
        said = f"{answer.code} {answer.error_id}: {answer.text}"
        raise NotAcceptedError(f"{contract} was answered {said}", answer)
    return answer


def effect_named(name: str, detail: str | None, text: str | None, part: str) -> Effect:
    """
    The effect of a name.

    Args:
        name: `OK`, `INFO`, `ERROR`, `NORMAL`, or what a trouble address has after its prefix:
            `VP007`, `HTTP503`, `TIMEOUT`, `STORED-THEN-RESET`, …
        detail: Of ERROR the `errorId`, of INFO the text.
        text: `resultText` of ERROR.
        part: Of the mock, which its trouble addresses go by.

    Raises:
        SentenceError: There is none of that name.
    """
    match name:
        case "OK":
            return Ok()
        case "NORMAL":
            return Normal()
        case "INFO":
            return Info(text=detail or text or "With a remark")
        case "ERROR":
            return _error(detail, text)
    rule = find(f"{prefix_of(part)}-{name}", part, "")
    if rule is None or len(rule.answers) != 1 or rule.probability < 1:
        raise SentenceError(f"answers: {unknown(name, NAMES)}")
    return rule.answers[0]


def after(effect: Effect, duration: str) -> Effect:
    """The same effect, and the answer so much later; the call itself is taken at once."""
    seconds = read_duration(duration).total_seconds()
    return effect.model_copy(update={"delay": FixedDelay(seconds=seconds, when=When.AFTER)})


def _error(error_id: str | None, text: str | None) -> Error:
    known = tuple(ErrorId)
    if error_id not in known:
        raise SentenceError(f"answers: ERROR needs an errorId; {unknown(error_id or '', known)}")
    made = Error(error_id=ErrorId(error_id))
    return made if text is None else made.model_copy(update={"text": text})
