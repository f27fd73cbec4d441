"""What Försäkringskassan's scripts can begin with, and how it says what they want said."""

from typing import Protocol

from intyg.mocks.conversations import Event, Happening
from intyg.mocks.conversations.script import (
    Action,
    Answer,
    Ask,
    AskKomplt,
    Remind,
)
from intyg.mocks.forsakringskassan.meddelanden import Komplettering, Meddelande
from intyg.mocks.server.authority import HeldIntyg
from intyg.mocks.server.post import Sent
from intyg.schemas.codes import TypAvRelation


class Says(Protocol):
    """The four things that it can say."""

    def ask(self, intygs_id: str, amne: str, text: str, *, rubrik: str | None) -> Sent: ...

    def ask_komplt(
        self, intygs_id: str, komplettering: tuple[Komplettering, ...], text: str
    ) -> Sent: ...

    def answer(self, meddelande_id: str, text: str) -> Sent: ...

    def remind(self, meddelande_id: str, text: str) -> Sent: ...


def say(fk: Says, action: Action, about: Happening, of: str | None) -> Sent:
    """
    Say what a script wants said.

    Args:
        of: `meddelande-id` of what is reminded of.

    Raises:
        KeyError: It knows no such certificate or message.
        ValueError: No adapter address is set, or nothing was asked that could
            be reminded of.
    """
    match action:
        case Ask(amne=amne, text=text, rubrik=rubrik):
            return fk.ask(about.intygs_id, amne, text, rubrik=rubrik)
        case AskKomplt(komplettering=rows, text=text):
            wanted = tuple(Komplettering(row.frage_id, row.text, row.instans) for row in rows)
            return fk.ask_komplt(about.intygs_id, wanted, text)
        case Answer(text=text):
            return fk.answer(about.meddelande_id or "", text)
        case Remind(text=text):
            if of is None:
                raise ValueError("what is to be reminded of was not asked")
            return fk.remind(of, text)


def intyg_happening(held: HeldIntyg, event: Event | None = None) -> Happening:
    """A certificate that came (or with `event`, what else befell it)."""
    if event is None:
        completes = held.relation is not None and held.relation[0] == TypAvRelation.KOMPLT
        event = Event.COMPLEMENT if completes else Event.INTYG
    return Happening(event, held.intygs_id, fields=_fields(held))


def message_happening(held: HeldIntyg, meddelande: Meddelande) -> Happening | None:
    """A message from care; None for one that is neither question nor answer."""
    if meddelande.svar_pa is None and meddelande.state is None:
        return None
    event = Event.QUESTION if meddelande.svar_pa is None else Event.ANSWER
    fields = {**_fields(held), "amne": meddelande.amne}
    return Happening(event, held.intygs_id, meddelande.meddelande_id, fields)


def _fields(held: HeldIntyg) -> dict[str, str]:
    return {
        "typ": held.typ,
        "version": held.version,
        "unit": held.enhets_id,
        "person": held.person.extension,
    }
