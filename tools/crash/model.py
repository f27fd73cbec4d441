"""What must be true of a conversation, in words of its own: it asks no code of the adapter's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from tools.crash.messages import Counts, Event
from tools.crash.world import Call

OPEN, ANSWERED, HANDLED = "open", "answered", "handled"
ACCEPTED: Final = "SKICKA"
"""Comes whenever the authority has accepted the certificate, whatever else happens meanwhile."""


@dataclass
class Questions:
    """The questions about a certificate; there is one each way at most."""

    asked: dict[str, str] = field(default_factory=dict)
    received: dict[str, str] = field(default_factory=dict)

    def event(self, code: str) -> Event:
        return Event(code, _counts(self.asked), _counts(self.received))


def _counts(questions: dict[str, str]) -> Counts:
    states = list(questions.values())
    return len(states), states.count(OPEN), states.count(ANSWERED), states.count(HANDLED)


def events_of(steps: Sequence[str]) -> list[Event]:
    """What the EHR is told of these steps, but for `ACCEPTED`."""
    questions = Questions()
    return [event for step in steps for event in _events(step, questions)]


def _events(step: str, questions: Questions) -> Iterator[Event]:
    match step:
        case "register":
            yield questions.event("SIGNAT")
        case "ask":
            questions.asked["ask"] = OPEN
            yield questions.event("NYFRFV")
        case "fk-ask":
            questions.received["fk-ask"] = OPEN
            yield questions.event("NYFRFM")
        case "answer":
            questions.received["fk-ask"] = HANDLED
            yield questions.event("HANFRFM")
        case "fk-answer":
            questions.asked["ask"] = ANSWERED
            yield questions.event("NYSVFM")
        case "revoke":
            yield from _revoked(questions)


def _revoked(questions: Questions) -> Iterator[Event]:
    """The numbers as they were; then each question is closed, care's own first."""
    yield questions.event("MAKULE")
    if questions.asked:
        questions.asked["ask"] = HANDLED
        yield questions.event("HANFRFV")
    if questions.received.get("fk-ask") == OPEN:
        questions.received["fk-ask"] = HANDLED
        yield questions.event("HANFRFM")


def possible_events(calls: Sequence[Call]) -> list[list[Event]]:
    """
    What the EHR may have been told of these calls.

    Of a call that was never answered nobody knows whether it was taken in.
    """
    done = [call.step for call in calls if call.answered]
    unknown = [call.step for call in calls if not call.codes or call.codes[-1] is None]
    return [events_of(done), *([events_of([*done, *unknown])] if unknown else [])]


RANKS: Final = {
    "RegisterCertificate": 0,
    "SendMessageToRecipient": 1,
    "SendMessageToCare": 1,
    "RevokeCertificate": 3,
}


def rank(contract: str, key: str) -> int:
    """Where a message stands among those about its certificate to the same address."""
    return RANKS[contract] + (1 if key.endswith("answer") else 0)
