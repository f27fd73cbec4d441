"""
A script: what a mock says, when, and as long as what.

    persona: forsakringskassan
    when: intyg
    match: {typ: LISJP}
    steps:
      - after: 5m
        ask_komplt:
          as: komplt
          komplettering: [{frage_id: "35", text: Beskriv hur långt patienten kan gå.}]
      - after: 7d
        if: {unanswered: komplt}
        remind: {of: komplt}

A script begins each time its event happens; a step's `after` counts from the step before it.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Self, TypeAlias

from pydantic import Field, model_validator

from intyg.mocks.clock.duration import Duration
from intyg.mocks.rules.answers import Part, Text
from intyg.mocks.rules.model import (
    COMPARED_BY,
    Amnen,
    Handelser,
    OneOf,
    fits,
)
from intyg.mocks.rules.type_codes import TypeCodes
from intyg.schemas.codes import Amne

MAX_TIMES: Final = 100


class Event(StrEnum):
    """What can happen to a mock. Which of them can is a persona's: see `EVENTS`."""

    INTYG = "intyg"  # a certificate was taken that completes no other
    COMPLEMENT = "complement"  # a certificate was taken that completes another
    REVOKED = "revoked"  # a certificate was revoked
    QUESTION = "question"  # a question came
    ANSWER = "answer"  # an answer came to a question of its own
    REMINDER = "reminder"  # a reminder came
    HANDELSE = "handelse"  # the EHR was told of an event


_FK: Final = (Event.INTYG, Event.COMPLEMENT, Event.REVOKED, Event.QUESTION, Event.ANSWER)
_EHR: Final = (Event.QUESTION, Event.ANSWER, Event.REMINDER, Event.HANDELSE)

EVENTS: Final[Mapping[str, tuple[Event, ...]]] = {"forsakringskassan": _FK, "journalsystem": _EHR}
"""What can happen to whom, by the persona's key; a persona without events says nothing."""

ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "forsakringskassan": ("ask", "ask_komplt", "remind", "answer"),
    "journalsystem": ("ask", "answer"),
}
"""What a persona can do, by its key."""


@dataclass(frozen=True)
class Happening:
    """
    Something that happened to a mock.

    Attributes:
        intygs_id: The certificate that it is about; of a complement, itself.
        meddelande_id: The message that came, if one did.
        fields: What a script's `match` compares, by its names.
    """

    event: Event
    intygs_id: str
    meddelande_id: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)


class Match(Part):
    """What the event must be about; each that is said must hold. `*` stands for any characters."""

    typ: OneOf | None = None
    version: OneOf | None = None
    unit: OneOf | None = None
    person: OneOf | None = Field(default=None, repr=False)
    amne: Amnen | None = None
    handelse: Handelser | None = None

    def holds(self, happening: Happening) -> bool:
        """Whether an event is meant."""
        for name, wanted in self:
            got, key = happening.fields.get(name), COMPARED_BY.get(name, str)
            if wanted and (got is None or not any(fits(key(each), key(got)) for each in wanted)):
                return False
        return True


class Condition(Part):
    """What must be so for a step; each that is said must hold. Names are those of `as`."""

    answered: str | None = None
    unanswered: str | None = Field(
        default=None, description="asked, taken by the adapter, not answered"
    )
    refused: str | None = Field(default=None, description="not taken by the adapter")
    revoked: bool = Field(
        default=False, description="only about a revoked certificate, instead of never"
    )

    @property
    def names(self) -> Iterator[tuple[str, str]]:
        """The messages that it asks about, with the field that does."""
        for name in ("answered", "unanswered", "refused"):
            value = getattr(self, name)
            if value is not None:
                yield name, value


class Komplettering(Part):
    """What is to be completed in one question of the certificate."""

    frage_id: Text
    text: Text
    instans: Annotated[int, Field(ge=1)] | None = None


class Ask(Part):
    """Ask about the certificate."""

    amne: Amne
    text: Text
    rubrik: Text | None = None
    as_: str | None = Field(default=None, alias="as", description="what later steps call it")


class AskKomplt(Part):
    """Ask to have the certificate completed."""

    komplettering: Annotated[tuple[Komplettering, ...], Field(min_length=1)]
    text: Text = "Komplettera intyget enligt nedan."
    as_: str | None = Field(default=None, alias="as", description="what later steps call it")


class Remind(Part):
    """Remind of a question that an earlier step asked."""

    of: str
    text: Text = "Vi har inte fått något svar."


class Answer(Part):
    """Answer the question that began the script."""

    text: Text


Action: TypeAlias = Ask | AskKomplt | Remind | Answer


class Step(Part):
    """One thing to do, once or several times."""

    after: Duration = Field(default=timedelta(), description="counted from the step before")
    if_: Condition = Field(default_factory=Condition, alias="if")
    times: Annotated[int, Field(ge=1, le=MAX_TIMES)] = 1
    every: Duration = Field(timedelta(days=1), description="between the times")
    ask: Ask | None = None
    ask_komplt: AskKomplt | None = None
    remind: Remind | None = None
    answer: Answer | None = None

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        if sum(action is not None for action in self._actions().values()) != 1:
            raise ValueError(f"a step does one of {', '.join(self._actions())}")
        return self

    def _actions(self) -> dict[str, Action | None]:
        return {
            "ask": self.ask,
            "ask_komplt": self.ask_komplt,
            "remind": self.remind,
            "answer": self.answer,
        }

    @property
    def does(self) -> tuple[str, Action]:
        """What it does, with its name."""
        return next((name, each) for name, each in self._actions().items() if each is not None)

    @property
    def calls_it(self) -> str | None:
        """What later steps call the question that it asks."""
        asked = self.ask or self.ask_komplt
        return None if asked is None else asked.as_


class Script(Part):
    """What a mock says about each certificate or message that is meant."""

    id: Annotated[str, Field(pattern=r"^[\w.-]{1,100}$", description="made unless given")] = Field(
        default_factory=lambda: f"script-{uuid.uuid4().hex[:8]}"
    )
    persona: str
    text: str | None = Field(default=None, description="for people")
    when: Event
    match: Match = Field(default_factory=Match)
    otherwise: bool = Field(default=False, description="only when no other script is meant")
    steps: tuple[Step, ...] = ()


def script_faults(script: Script, codes: TypeCodes) -> Iterator[tuple[str, str]]:
    """What keeps a script from acting: fields, and what is wrong with them."""
    events = EVENTS.get(script.persona)
    if events is None:
        yield "persona", f"{script.persona} sends no messages; {' and '.join(EVENTS)} do"
        return
    if script.when not in events:
        yield "when", f"{script.when} does not happen to {script.persona}; {', '.join(events)} do"
    for text in codes.faults(script.match.typ):
        yield "match.typ", text
    known: set[str] = set()
    for place, step in enumerate(script.steps):
        at = f"steps.{place}"
        name, action = step.does
        if name not in ACTIONS[script.persona]:
            yield f"{at}.{name}", f"{script.persona} does {', '.join(ACTIONS[script.persona])}"
        if isinstance(action, Answer) and script.when is not Event.QUESTION:
            yield f"{at}.answer", "only a script that begins with a question answers"
        if isinstance(action, Remind) and action.of not in known:
            yield f"{at}.remind.of", f"no step before asks {action.of!r} (`as`)"
        for asks, asked in step.if_.names:
            if asked not in known:
                yield f"{at}.if.{asks}", f"no step before asks {asked!r} (`as`)"
        if step.calls_it is not None:
            known.add(step.calls_it)


def script_schema() -> dict[str, Any]:
    """The JSON Schema of scripts."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Script.model_json_schema(),
    }
