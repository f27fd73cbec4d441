"""How a demonstration is told: who says what to whom, when, and what is noticed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import requests
from rich.console import Console

from intyg.mocks.forsakringskassan.interface import SentMessage
from intyg.mocks.journalsystem.client import Answer
from intyg.mocks.testing import (
    ControlError,
    DraftError,
    ExpectationError,
    NotAcceptedError,
)

EHR: Final = "EHR"
DOCTOR: Final = "doctor"
ADAPTER: Final = "adapter"
FK: Final = "Försäkringskassan"
REAL: Final = "real authority"

WAIT_SECONDS: Final = 15.0

T = TypeVar("T")


class StoryError(Exception):
    """A step did not have its effect; the text says which, and what was seen instead."""


_FAILURES: Final = (StoryError, ExpectationError, NotAcceptedError, ControlError, DraftError)


class Telling(Protocol):
    """Where a demonstration is told."""

    def step(self, number: int, title: str) -> None:
        """What comes next."""

    def call(self, seconds: float, who: str, whom: str, what: str, result: str) -> None:
        """A message and its answer, so many seconds after the beginning."""

    def note(self, text: str) -> None:
        """What is noticed beside."""

    def end(self, seconds: float, failure: str | None = None) -> None:
        """That was all; `failure` says which step did not have its effect."""


@dataclass(frozen=True)
class OnTerminal:
    """For people."""

    console: Console

    def step(self, number: int, title: str) -> None:
        self.console.print(f"\n[bold]{number}. {title}[/bold]")

    def call(self, seconds: float, who: str, whom: str, what: str, result: str) -> None:
        self.console.print(
            f"  [dim]{seconds:6.2f} s[/dim]  {who:<17} [cyan]→[/cyan] {whom:<17} "
            f"{what:<46} [green]{result}[/green]",
            highlight=False,
        )

    def note(self, text: str) -> None:
        self.console.print(f"{'':13}[dim]{text}[/dim]", highlight=False)

    def end(self, seconds: float, failure: str | None = None) -> None:
        if failure is None:
            line = f"[bold green]All steps had their effect.[/bold green] {seconds:.1f} s"
        else:
            line = f"[bold red]FAILED[/bold red] at {failure}"
        self.console.print(f"\n{line}", highlight=False)


@dataclass
class AsJson:
    """For programs: an object for each call, and one at the end."""

    write: Callable[[dict[str, object]], None]
    number: int = 0
    title: str = ""

    def step(self, number: int, title: str) -> None:
        self.number, self.title = number, title

    def call(self, seconds: float, who: str, whom: str, what: str, result: str) -> None:
        self.write(
            {
                "kind": "call",
                "step": self.number,
                "title": self.title,
                "seconds": round(seconds, 3),
                "sender": who,
                "receiver": whom,
                "message": what,
                "answer": result,
            }
        )

    def note(self, text: str) -> None:
        """Calls and the end say it to a program."""

    def end(self, seconds: float, failure: str | None = None) -> None:
        self.write(
            {
                "kind": "end",
                "steps": self.number,
                "seconds": round(seconds, 3),
                "passed": failure is None,
                "failure": failure,
            }
        )


class Narrator:
    """Tells a story, and waits for its effects."""

    telling: Telling
    wait_seconds: float
    last_step: int
    _started: float

    def steps(self, steps: list[tuple[str, Callable[[], None]]], first: int = 1) -> None:
        """
        Play steps with a heading each.

        Raises:
            StoryError: The first step that did not do what it should.
        """
        for number, (title, step) in enumerate(steps, start=first):
            self.last_step = number
            self.telling.step(number, title)
            try:
                step()
            except _FAILURES as exc:
                raise StoryError(f"step {number}, {title}: {exc}") from None
            except requests.RequestException as exc:  # no answer in time, on a machine that is busy
                raise StoryError(f"step {number}, {title}: {_why(exc)}") from exc

    def tell(self, who: str, whom: str, what: str, answer: Answer | None) -> None:
        """A call and its answer, which must not be an error."""
        assert answer is not None, "it has not been sent"
        self.line(who, whom, what, result_of(answer))
        if answer.code == "ERROR":
            raise StoryError(f"{what} was answered {result_of(answer)}: {answer.text}")

    def sent(self, who: str, whom: str, what: str, message: SentMessage) -> None:
        """A message of a mock's, which must be accepted."""
        if not message.accepted:
            raise StoryError(f"{what} was answered {message}")
        self.line(who, whom, what, str(message.result_code))

    def refused(self, what: str, answer: Answer) -> None:
        """A call of the EHR's that must be answered VALIDATION_ERROR."""
        self.line(EHR, ADAPTER, what, result_of(answer))
        if (answer.code, answer.error_id) != ("ERROR", "VALIDATION_ERROR"):
            raise StoryError(f"expected ERROR VALIDATION_ERROR, got {result_of(answer)}")

    def line(self, who: str, whom: str, what: str, result: str) -> None:
        self.telling.call(time.monotonic() - self._started, who, whom, what, result)

    def note(self, text: str) -> None:
        self.telling.note(text)

    def eventually(
        self, look: Callable[[], T | None], failure: str, wait_seconds: float | None = None
    ) -> T:
        """What `look` finds, as soon as it finds something; StoryError when it takes too long."""
        deadline = time.monotonic() + (wait_seconds or self.wait_seconds)
        while True:
            found = look()
            if found:
                return found
            if time.monotonic() > deadline:
                raise StoryError(failure)
            time.sleep(0.02)


def result_of(answer: Answer) -> str:
    """`ERROR VALIDATION_ERROR`."""
    return " ".join(filter(None, (answer.code, answer.error_id)))


def _why(exc: requests.RequestException) -> str:
    return f"a call got no answer ({type(exc).__name__})"
