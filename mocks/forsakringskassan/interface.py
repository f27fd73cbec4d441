"""
What Försäkringskassan adds to the control interface.

It can be told to ask, ask for completion, answer and remind. Each of these sends a real
SendMessageToCare, and answers what the adapter said.
"""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Annotated, Any, Final, Protocol

from pydantic import AfterValidator, Field

from intyg.mocks.control import (
    Answered,
    Asked,
    MockOf,
    Moment,
    Operation,
    ProblemError,
    missed,
)
from intyg.mocks.forsakringskassan.meddelanden import (
    Direction,
    Komplettering,
    Meddelande,
    Overrides,
    State,
)
from intyg.mocks.server.authority import HeldIntyg, PersonId
from intyg.mocks.server.post import Sent
from intyg.schemas.codes import Amne

_GROUP: Final = "Messages"


class Speaker(Protocol):
    """An authority that talks with care, as far as these operations go."""

    ask: Callable[..., Sent]
    ask_komplt: Callable[..., Sent]
    answer: Callable[..., Sent]
    remind: Callable[..., Sent]

    def all_intyg(self) -> tuple[HeldIntyg, ...]:
        """Every certificate that it has."""

    def meddelanden(self, intygs_id: str | None = None) -> tuple[Meddelande, ...]:
        """Messages in order, about one certificate or all."""

    def meddelande(self, meddelande_id: str) -> Meddelande:
        """A message, sent or received."""


# --- what it is told ------------------------------------------------------------------------------


class Person(Asked):
    """`types:PersonId`."""

    root: str
    extension: str = Field(repr=False)


class Wrong(Asked):
    """What a message says instead of what is right."""

    meddelande_id: str | None = Field(default=None, description="one that was used makes a repeat")
    logisk_adress_mottagare: str | None = None
    person: Person | None = None
    amne: str | None = Field(default=None, description="also one that there is not")
    intygs_id: str | None = Field(default=None, description="which it says to be about")
    part: str | None = Field(default=None, description="who it says to be from")
    svar_pa: str | None = Field(default=None, description="the message that it says to answer")
    paminner: str | None = Field(default=None, description="that it says to remind of")
    sista_datum_for_svar: date | None = Field(default=None, description="also where none belongs")

    @property
    def overrides(self) -> Overrides:
        """As the persona takes it."""
        person = None if self.person is None else PersonId(**dict(self.person))
        return Overrides(**{**dict(self), "person": person})


class Row(Asked):
    """What is to be completed in one question of the certificate."""

    frage_id: str
    text: str
    instans: int | None = None


class _Question(Asked):
    intygs_id: str
    rubrik: str | None = None
    referens_id: str | None = None
    sista_datum_for_svar: date | None = None
    overrides: Wrong = Field(default_factory=Wrong)


_ASKED: Final = tuple(each.value for each in Amne if each is not Amne.PAMINN)


def _asked(amne: str) -> str:
    if amne not in _ASKED:
        raise ValueError(f"{amne!r} is none of {', '.join(_ASKED)}; overrides.amne sends any")
    return amne


class Question(_Question):
    """A question about a certificate that it has."""

    amne: Annotated[str, AfterValidator(_asked)] = Field(json_schema_extra={"enum": list(_ASKED)})
    text: str
    komplettering: tuple[Row, ...] = Field(default=(), description="only right with `KOMPLT`")


class Completion(_Question):
    """A request to complete a certificate."""

    komplettering: Annotated[tuple[Row, ...], Field(min_length=1)]
    text: str = "Komplettera intyget enligt nedan."


class Reply(Asked):
    """An answer to a question from care."""

    meddelande_id: str = Field(description="of care's question")
    text: str
    referens_id: str | None = None
    overrides: Wrong = Field(default_factory=Wrong)


class Reminder(Asked):
    """A reminder of a message to care."""

    meddelande_id: str
    text: str = "Vi har inte fått något svar."
    sista_datum_for_svar: date | None = None
    overrides: Wrong = Field(default_factory=Wrong)


class SentMessage(Answered):
    """What became of a message: what the adapter answered."""

    meddelande_id: str
    accepted: bool = Field(description="the answer was OK or INFO")
    http_status: int | None
    result_code: str | None
    error_id: str | None
    result_text: str | None
    fault: str | None
    failure: str | None = Field(description="why there is no usable answer")


def ask(mock: MockOf[Speaker], body: Question) -> SentMessage:
    """Ask about a certificate."""
    return _say(mock, mock.persona.ask, body)


def ask_komplt(mock: MockOf[Speaker], body: Completion) -> SentMessage:
    """Ask to have a certificate completed."""
    return _say(mock, mock.persona.ask_komplt, body)


def answer(mock: MockOf[Speaker], body: Reply) -> SentMessage:
    """Answer a question from care."""
    return _say(mock, mock.persona.answer, body)


def remind(mock: MockOf[Speaker], body: Reminder) -> SentMessage:
    """Remind care of a message."""
    return _say(mock, mock.persona.remind, body)


def _say(mock: MockOf[Speaker], action: Callable[..., Sent], body: Asked) -> SentMessage:
    try:
        return SentMessage.model_validate(action(**_arguments(body)))
    except KeyError as exc:
        raise _unknown(mock, str(exc.args[0])) from None
    except ValueError as exc:
        raise ProblemError(409, str(exc)) from None


def _arguments(body: Asked) -> dict[str, Any]:
    """A body as the persona's methods take it."""
    arguments = dict(body)
    arguments["overrides"] = arguments["overrides"].overrides
    if "komplettering" in arguments:
        rows: Iterable[Row] = arguments["komplettering"]
        arguments["komplettering"] = tuple(Komplettering(**dict(row)) for row in rows)
    return arguments


def _unknown(mock: MockOf[Speaker], asked: str) -> ProblemError:
    known = [each.intygs_id for each in mock.persona.all_intyg()]
    known += [each.meddelande_id for each in mock.persona.meddelanden()]
    return ProblemError.unknown("intyg or message", asked, known)


# --- what it knows --------------------------------------------------------------------------------


class OfIntyg(Asked):
    """About one certificate, or about any."""

    intygs_id: str | None = None


class KompletteringState(Answered):
    """What is to be completed in one question of the certificate."""

    frage_id: str
    instans: int | None
    text: str


class MeddelandeState(Answered):
    """A message, either way."""

    meddelande_id: str
    direction: Direction
    intygs_id: str
    amne: str
    rubrik: str | None
    text: str
    at: Moment
    referens_id: str | None
    svar_pa: str | None
    paminner: str | None
    sista_datum_for_svar: date | None
    komplettering: tuple[KompletteringState, ...]
    state: State | None = Field(description="of a question; null for answers and reminders")
    answered_by: str | None


class Meddelanden(Answered):
    """In order."""

    meddelanden: tuple[MeddelandeState, ...]
    nearest: str | None = Field(None, description="when nobody knows the certificate: who is meant")


def list_meddelanden(mock: MockOf[Speaker], query: OfIntyg) -> Meddelanden:
    """The messages that it knows."""
    found = mock.persona.meddelanden(query.intygs_id)
    states = tuple(map(MeddelandeState.model_validate, found))
    nearest = None if found else missed(query.intygs_id, mock.known_intyg())
    return Meddelanden(meddelanden=states, nearest=nearest)


def get_meddelande(mock: MockOf[Speaker], meddelande_id: str) -> MeddelandeState:
    """One message."""
    try:
        return MeddelandeState.model_validate(mock.persona.meddelande(meddelande_id))
    except KeyError:
        known = (each.meddelande_id for each in mock.persona.meddelanden())
        raise ProblemError.unknown("message", meddelande_id, known) from None


def operations() -> tuple[Operation, ...]:
    """What it can be told and asked beside what every authority can."""
    return (
        Operation("POST", "/ask", ask, _GROUP),
        Operation("POST", "/ask-komplt", ask_komplt, _GROUP),
        Operation("POST", "/answer", answer, _GROUP),
        Operation("POST", "/remind", remind, _GROUP),
        Operation("GET", "/meddelanden", list_meddelanden, "State"),
        Operation("GET", "/meddelanden/<path:meddelande_id>", get_meddelande, "State"),
    )
