"""
What should come to a mock, and what it is answered.

An expectation is a rule of the mock. One that orders an answer acts on the calls that it is about;
one that orders none is a rule that is not enabled: it changes nothing, and still leaves in the
journal, criterion by criterion, which calls it would have acted on.
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self

from intyg.mocks.control.journal import Call, RuleAsked
from intyg.mocks.rules.answers import (
    Effect,
    Fault,
    Hang,
    Reset,
)
from intyg.mocks.rules.model import Rule
from intyg.mocks.rules.parse import parse_rule
from intyg.mocks.rules.trace import AnswerState
from intyg.mocks.testing.sentences import after, effect_named
from intyg.mocks.wire.envelope import FaultCode

PATIENCE_SECONDS: Final = 2.0
"""How long what is missing is waited for at the end of a test: an adapter delivers by itself."""

_STEP_SECONDS: Final = 0.02
_FIRST: Final = 500_000
"""Priority of the first expectation: before all other rules, `fail_next`'s excepted."""

_SHOWN: Final = 20
_PERSON: Final = re.compile(r"(?<!\d)(?:\d{2})?\d{6}[-+]?\d{4}(?!\d)")


class ExpectationError(AssertionError):
    """What was expected did not come; the text says what came, field by field."""


class Heard(Protocol):
    """A mock, as far as an expectation needs it."""

    name: str
    part: str

    def put_rule(self, rule: Rule) -> None:
        """Take a rule, in place of the one of its id."""

    def calls(self) -> tuple[Call, ...]:
        """What came since the test began."""


@dataclass(frozen=True)
class _Amount:
    least: int
    most: int | None

    def holds(self, number: int) -> bool:
        return self.least <= number and (self.most is None or number <= self.most)

    def __str__(self) -> str:
        if self.most == 0:
            return "never"
        if self.least == self.most:
            return f"{_times(self.least)}"
        return f"at least {_times(self.least)}"


class Expectation:
    """
    Calls that should come; made by a mock's `expect`.

    Of several expectations that are about a call, the one with most criteria acts on it; of those
    with as many, the one that was said first.
    """

    def __init__(self, mock: Heard, match: Mapping[str, Any], place: int) -> None:
        """Raises RuleError: a word of `match` is none, and which is nearest."""
        __tracebackhide__ = True
        self._mock = mock
        self._answers: list[Effect] = []
        self._count: int | None = None
        self._wanted: _Amount | None = None
        self._start = parse_rule(
            {
                "id": f"expectation-{place}",
                "match": match,
                "answers": {"kind": "normal"},
                "enabled": False,
                "key": "all",
                "seed": 0,
            }
        )
        self._priority = _FIRST + 1000 * self._start.match.specificity - place
        self._put()

    # --- what it is answered ----------------------------------------------------------------------

    def answers(
        self, name: str = "OK", detail: str | None = None, *, text: str | None = None
    ) -> Self:
        """
        Let such calls be answered so; said again: after that, so. The last answer stays.

        Args:
            name: `OK`, `INFO`, `ERROR`; `NORMAL`, what the mock itself thinks; or what stands
                behind the dash of an address that misbehaves: `VP007`, `HTTP503`, `TIMEOUT`, …
            detail: Of ERROR the `errorId`; of INFO the text.
            text: `resultText` of ERROR.

        Raises:
            SentenceError: There is no such answer.
        """
        return self.answers_with(effect_named(name, detail, text, self._mock.part))

    def faults(
        self, text: str = "Ordered by a test", *, code: str = "Server", stored: bool = False
    ) -> Self:
        """Answer with a SOAP fault, `stored`: after the call has been taken."""
        return self.answers_with(Fault(text=text, code=FaultCode(code), store=stored))

    def resets(self, *, stored: bool = False) -> Self:
        """Reset the connection in place of an answer, `stored`: after the call has been taken."""
        return self.answers_with(Reset(store=stored))

    def hangs(self, *, stored: bool = False) -> Self:
        """Never answer, `stored`: after the call has been taken."""
        return self.answers_with(Hang(store=stored))

    def answers_with(self, effect: Effect) -> Self:
        """Any effect of `intyg.mocks.rules.answers`."""
        self._answers.append(effect)
        return self._put()

    def after(self, duration: str) -> Self:
        """Let the last of the answers be so late: `500ms` is `0.5s`."""
        last = self._answers.pop() if self._answers else None
        return self.answers_with(
            after(last or effect_named("NORMAL", None, None, self._mock.part), duration)
        )

    # --- how often --------------------------------------------------------------------------------

    def times(self, count: int) -> Self:
        """
        So often.

        With an answer: so many calls get it, which must come; further ones are the mock's own
        business again. Without: exactly so many calls come.
        """
        if count < 1:
            raise ValueError("times: at least 1; `never()` says that none may come")
        self._wanted, self._count = _Amount(count, count), count
        return self._put()

    def at_least(self, count: int) -> Self:
        """So often or more; without any of these words: once or more, or as there are answers."""
        self._wanted = _Amount(count, None)
        return self

    def never(self) -> Self:
        """Not at all."""
        self._wanted = _Amount(0, 0)
        return self

    # --- what came --------------------------------------------------------------------------------

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that it is about, or acted on, in order of arrival."""
        return tuple(call for call in self._mock.calls() if self._is_met_by(call))

    def verify(self, timeout: float = PATIENCE_SECONDS) -> tuple[Call, ...]:
        """
        See that it came; what is missing is waited for.

        Args:
            timeout: Seconds.

        Returns:
            The calls.

        Raises:
            ExpectationError: It did not come, or too often.
        """
        __tracebackhide__ = True
        wait_for(lambda: len(self.calls) >= self._amount.least, timeout)
        every = self._mock.calls()
        met = tuple(call for call in every if self._is_met_by(call))
        if not self._amount.holds(len(met)):
            raise ExpectationError(self._report(every, met))
        return met

    def __str__(self) -> str:
        match = self._start.match.model_dump(mode="json", exclude_defaults=True)
        contract = match.pop("contract")
        words = "".join(f" {name}={_shown(name, value)}" for name, value in match.items())
        kinds = ", then ".join(_effect_words(each) for each in self._answers)
        answered = f", answered {kinds}" if kinds else ""
        return f"{contract}{words}{answered}, {self._amount}"

    # --- inside -----------------------------------------------------------------------------------

    @property
    def _amount(self) -> _Amount:
        return self._wanted or _Amount(max(1, len(self._answers)), None)

    def _put(self) -> Self:
        __tracebackhide__ = True
        changes: dict[str, Any] = {"priority": self._priority}
        if self._answers:
            changes |= {
                "answers": tuple(self._answers),
                "enabled": True,
                "count": self._count,
            }
        self._mock.put_rule(self._start.model_copy(update=changes))
        return self

    def _trace(self, call: Call) -> RuleAsked | None:
        return next((each for each in call.rules if each.rule_id == self._start.id), None)

    def _is_met_by(self, call: Call) -> bool:
        trace = self._trace(call)
        if trace is None:
            return False
        return trace.acted if self._answers else all(each.hit for each in trace.criteria)

    def _report(self, every: Iterable[Call], met: tuple[Call, ...]) -> str:
        lines = [f"{self._mock.name} expected {self}; came {_times(len(met))}"]
        shown = list(every)
        if not shown:
            lines.append("  no call came at all")
        for call in shown[-_SHOWN:]:
            lines.append(f"  {call_words(call)}")
            lines += [f"      {line}" for line in self._why(call)]
        if len(shown) > _SHOWN:
            lines.insert(1, f"  … {len(shown) - _SHOWN} calls before these")
        return "\n".join(lines)

    def _why(self, call: Call) -> list[str]:
        """Why a call is one of those, or is not; field by field."""
        trace = self._trace(call)
        if trace is None:
            return [_before_rules(call)]
        lines = [
            f"{each.name}: {'is' if each.hit else 'expected'} "
            + (_shown(each.name, each.expected))
            + ("" if each.hit else f", was {_got(each.name, each.got)}")
            for each in trace.criteria
        ]
        if self._answers and not trace.acted and all(each.hit for each in trace.criteria):
            lines.append(f"matches, but the rule was {trace.why.replace('_', ' ')}")
        return lines


def wait_for(look: Callable[[], object], timeout: float) -> None:
    """Look until something is seen, or the time (seconds) is over."""
    until = time.monotonic() + timeout
    while not look() and time.monotonic() < until:
        time.sleep(_STEP_SECONDS)


def call_words(call: Call) -> str:
    """One call in a line, without person data."""
    result = " ".join(filter(None, (call.result_code, call.error_id)))
    status = None if call.http_status is None else f"HTTP {call.http_status}"
    said = ", ".join(filter(None, (result or status, _LATE.get(call.answer)))) or "no HTTP answer"
    about = f" about {call.intygs_id}" if call.intygs_id else ""
    to = f" to {call.logical_address}" if call.logical_address else ""
    return f"call {call.number}: {call.contract or 'no contract'}{to}{about}: {said}"


_LATE: Final = {
    AnswerState.NOT_YET: "not answered yet",
    AnswerState.CALLER_GONE: "the caller had gone",
    AnswerState.STOPPED: "the mock stopped",
}


def _before_rules(call: Call) -> str:
    failed = next((step for step in call.steps if step.verdict == "failed"), None)
    if failed is None:
        return "came before the expectation was there"
    return f"refused before any rule was asked: {failed.name}: {failed.detail}"


def _effect_words(effect: Effect) -> str:
    error_id = getattr(effect, "error_id", None) or getattr(effect, "code", None)
    return " ".join(filter(None, (effect.kind, error_id)))


def _shown(name: str, value: object) -> str:
    """A criterion's value; a person's number is not shown in failures, which are kept as logs."""
    return "…" if name == "person" or _PERSON.search(str(value)) else str(value)


def _got(name: str, got: str | None) -> str:
    if got is None:
        return "missing"
    return "another" if name == "person" else _shown(name, got) or "empty"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
