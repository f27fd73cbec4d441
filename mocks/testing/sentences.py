"""Errors of sentences, and effects by the names that sentences have for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from intyg.mocks.clock.duration import read_duration
from intyg.mocks.rules import named
from intyg.mocks.rules.answers import Effect, FixedDelay, When

if TYPE_CHECKING:  # and with it zeep
    from intyg.mocks.journalsystem.client import Answer


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
    As `named.effect_named`.

    Raises:
        SentenceError: There is none of that name.
    """
    try:
        return named.effect_named(name, detail, text, part)
    except named.EffectNameError as exc:
        raise SentenceError(str(exc)) from None


def after(effect: Effect, duration: str) -> Effect:
    """The same effect, and the answer so much later; the call itself is taken at once."""
    seconds = read_duration(duration).total_seconds()
    return effect.model_copy(update={"delay": FixedDelay(seconds=seconds, when=When.AFTER)})
