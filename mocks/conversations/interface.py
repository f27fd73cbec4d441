"""Scripts and conversations over HTTP, for the personas that talk."""

from typing import Final, Protocol, runtime_checkable

from pydantic import Field

from intyg.mocks.control import (
    Answered,
    Asked,
    MockOf,
    Moment,
    Operation,
    ProblemError,
    missed,
)
from intyg.mocks.control.operation import Done as Nothing
from intyg.mocks.conversations.player import Conversation, Player
from intyg.mocks.conversations.script import Event, Script, script_faults
from intyg.mocks.rules.type_codes import TypeCodes

_GROUP: Final = "Conversations"


@runtime_checkable
class Talks(Protocol):
    """A persona, as far as these operations go."""

    @property
    def key(self) -> str:
        """Its name in scripts."""

    @property
    def type_codes(self) -> TypeCodes:
        """What a script's `typ` may be."""

    @property
    def player(self) -> Player:
        """What plays its scripts."""


class Scripts(Answered):
    """Scripts, in the order in which they came."""

    scripts: tuple[Script, ...]


class OfIntyg(Asked):
    """About one certificate, or about any."""

    intygs_id: str | None = None


class StepDone(Answered):
    """A step that was carried out, or left out."""

    at: Moment
    step: int = Field(description="which of the script's, from 1")
    does: str
    came_to: str = Field(description="accepted, or why not")
    meddelande_id: str | None


class ConversationState(Answered):
    """A script that has begun."""

    script: str
    when: Event
    intygs_id: str
    meddelande_id: str | None = Field(description="the message that began it, if one did")
    began: Moment
    done: tuple[StepDone, ...]
    left: int = Field(description="steps that are still to come")


class Conversations(Answered):
    """In the order in which they began."""

    conversations: tuple[ConversationState, ...]
    nearest: str | None = Field(None, description="when nobody knows the certificate: who is meant")


def list_scripts(mock: MockOf[Talks]) -> Scripts:
    """The scripts that it plays."""
    return Scripts(scripts=mock.persona.player.scripts())


def add_script(mock: MockOf[Talks], body: Script) -> Scripts:
    """
    Let it play a script.

    One of an id that is known takes that one's place; conversations that have begun go on as
    they were.
    """
    if body.persona != mock.persona.key:
        raise ProblemError.of_field("persona", f"this is {mock.persona.key}")
    for field, text in script_faults(body, mock.persona.type_codes):
        raise ProblemError.of_field(field, text)
    mock.persona.player.add([body])
    return list_scripts(mock)


def forget_scripts(mock: MockOf[Talks]) -> Nothing:
    """Forget scripts and conversations, and say nothing more."""
    mock.persona.player.clear()
    return Nothing()


def list_conversations(mock: MockOf[Talks], query: OfIntyg) -> Conversations:
    """The scripts that have begun, and what was said."""
    found = mock.persona.player.conversations(query.intygs_id)
    nearest = None if found else missed(query.intygs_id, mock.known_intyg())
    return Conversations(conversations=tuple(map(_state, found)), nearest=nearest)


def _state(conversation: Conversation) -> ConversationState:
    done = tuple(conversation.done)
    last = max((each.step for each in done), default=0)
    return ConversationState(
        script=conversation.script.id,
        when=conversation.about.event,
        intygs_id=conversation.about.intygs_id,
        meddelande_id=conversation.about.meddelande_id,
        began=conversation.began,
        done=tuple(map(StepDone.model_validate, done)),
        left=len(conversation.script.steps) - last,
    )


def operations() -> tuple[Operation, ...]:
    """What a mock that talks can be told and asked."""
    return (
        Operation("GET", "/scripts", list_scripts, _GROUP),
        Operation("POST", "/scripts", add_script, _GROUP),
        Operation("DELETE", "/scripts", forget_scripts, _GROUP),
        Operation("GET", "/conversations", list_conversations, _GROUP),
    )
