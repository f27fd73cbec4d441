"""
An EHR as a mock: the side that listens. (`client` is the side that speaks.)

It takes CertificateStatusUpdateForCare and SendMessageToCare, for every unit that has a logical
address here, and keeps what it is told. A status update that comes again (same certificate, code
and time) and a message whose id it has are answered INFO.

Source: CertificateStatusUpdateForCareResponder_3.2.xsd, SendMessageToCareResponder_2.0.xsd; EHRs
answer INFO to what they have, since the sender tries again when an answer is lost.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

from lxml import etree
from pydantic import Field

from intyg.mocks.clock.clock import SWEDEN
from intyg.mocks.control import (
    Answered,
    Asked,
    MockOf,
    Moment,
    Operation,
    missed,
)
from intyg.mocks.control.journal import Waiting
from intyg.mocks.conversations import Happening, Player
from intyg.mocks.conversations import interface as conversations
from intyg.mocks.conversations.script import Action
from intyg.mocks.journal import Verdict
from intyg.mocks.journalsystem import acts, talk, worklist
from intyg.mocks.server.call import Call
from intyg.mocks.server.kind import PersonaKind
from intyg.mocks.server.persona_base import Persona
from intyg.mocks.server.place import Place
from intyg.mocks.server.post import Sent
from intyg.mocks.settings import ANY, MockSettings
from intyg.mocks.wire.envelope import Answer
from intyg.mocks.wire.ids import ById, meant, same_id
from intyg.schemas import codes, ns

SETTINGS: Final = MockSettings(name="Journalsystem", logical_address=ANY, part="HSVARD")

_STATUS: Final = f"{{{ns.message('CertificateStatusUpdateForCare', 3)}}}"
_MESSAGE: Final = f"{{{ns.message('SendMessageToCare', 2)}}}"
_C: Final = f"{{{ns.CORE}}}"
_T: Final = f"{{{ns.TYPES}}}"


@dataclass(frozen=True)
class Arenden:
    """`core:Arenden`: how many questions there are, and where they stand."""

    totalt: int
    ej_besvarade: int
    besvarade: int
    hanterade: int


@dataclass(frozen=True)
class Handelse:
    """
    One status update.

    Attributes:
        unit: The logical address it came to: the care unit's HSA-id.
        kod: `SIGNAT`, `SKICKA`, …
        typ: Code of the certificate's type.
        tidpunkt: As written: Swedish local time, three decimals, no zone.
        skickade_fragor: Questions that care asked.
        mottagna_fragor: Questions that the recipient asked.
        hanterat_av: HSA-id of who did it.
        call: Number in the journal of the first time.
    """

    intygs_id: str
    unit: str
    kod: str
    tidpunkt: str
    skickade_fragor: Arenden
    mottagna_fragor: Arenden
    received_at: datetime
    call: int
    typ: str | None = None
    amne: str | None = None
    sista_datum_for_svar: str | None = None
    hanterat_av: str | None = None
    ref: str | None = None


@dataclass(frozen=True)
class MeddelandeTillVarden:
    """A SendMessageToCare that the adapter passed on."""

    meddelande_id: str
    unit: str
    intygs_id: str
    amne: str
    text: str = field(repr=False)
    received_at: datetime
    call: int
    svar_pa: str | None = None
    paminner: str | None = None
    frage_ids: tuple[str, ...] = ()


class Journalsystem(Persona):
    """
    Keeps what it is told, and talks if its scripts say so; see the module.

    Attributes:
        player: Plays its scripts.
    """

    key: Final = "journalsystem"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.handlers = {
            "CertificateStatusUpdateForCare:3": self._status_update,
            "SendMessageToCare:2": self._message,
        }
        self.player: Final = Player(self, place.timeline)
        self._handelser: dict[tuple[str, str, str], Handelse] = {}
        self._meddelanden: ById[MeddelandeTillVarden] = ById()
        self._told = threading.Condition(place.lock)
        self._wakes = 0
        self._not_taken: set[str] = set()

    @property
    def operations(self) -> tuple[Operation, ...]:
        return (
            *conversations.operations(),
            *acts.operations(),
            *worklist.operations(),
            Operation("GET", "/handelser", list_handelser, "State"),
            Operation("GET", "/handelser/wait", wait_for_handelser, "State"),
            Operation("GET", "/meddelanden", list_meddelanden, "State"),
        )

    def another(self, place: Place) -> Self:
        made = super().another(place)
        made.player.add(self.player.scripts())
        return made

    def counts(self) -> Mapping[str, int]:
        return {
            "conversations": len(self.player.conversations()),
            "handelser": len(self.handelser()),
            "intyg": len(ById[bool](dict.fromkeys(self.known_intyg(), True))),
            "meddelanden": len(self.meddelanden()),
        }

    def clear(self) -> None:
        with self.place.lock:
            self.player.clear()
            self._handelser.clear()
            self._meddelanden.clear()
            self._not_taken.clear()

    def forget(self, intygs_id: str) -> int:
        with self.place.lock:
            self.player.forget(intygs_id)
            events = [
                key for key, each in self._handelser.items() if same_id(each.intygs_id, intygs_id)
            ]
            for key in events:
                del self._handelser[key]
            messages = [each.meddelande_id for each in self.meddelanden(intygs_id)]
            for meddelande_id in messages:
                del self._meddelanden[meddelande_id]
            return len(events) + len(messages)

    def known_intyg(self) -> set[str]:
        with self.place.lock:
            return {each.intygs_id for each in self._handelser.values()}

    def stop(self) -> None:
        self.player.stop()
        with self._told:
            self._wakes += 1
            self._told.notify_all()

    def handelser(
        self, intygs_id: str | None = None, kod: str | None = None
    ) -> tuple[Handelse, ...]:
        """Status updates in order of arrival, repeats once."""
        with self.place.lock:
            return tuple(
                each
                for each in self._handelser.values()
                if meant(intygs_id, each.intygs_id) and kod in (None, each.kod)
            )

    def wait_handelser(
        self,
        count: int = 1,
        *,
        timeout_seconds: float,
        intygs_id: str | None = None,
        kod: str | None = None,
    ) -> tuple[Handelse, ...]:
        """
        Wait until at least `count` status updates match.

        Returns:
            Those that match; fewer than `count` when the time ran out or the
            mock stops.
        """
        with self._told:
            wakes = self._wakes
            self._told.wait_for(
                lambda: self._wakes > wakes or len(self.handelser(intygs_id, kod)) >= count,
                timeout_seconds,
            )
            return self.handelser(intygs_id, kod)

    def await_handelse(
        self, kod: str, intygs_id: str | None = None, *, timeout_seconds: float = 10.0
    ) -> Handelse:
        """
        Wait for an event.

        Returns:
            The newest one that matches.

        Raises:
            TimeoutError: It did not come; says which did.
        """
        found = self.wait_handelser(timeout_seconds=timeout_seconds, intygs_id=intygs_id, kod=kod)
        if not found:
            came = ", ".join(each.kod for each in self.handelser(intygs_id)) or "nothing"
            raise TimeoutError(f"no {kod} within {timeout_seconds} s; what came: {came}")
        return found[-1]

    def meddelanden(self, intygs_id: str | None = None) -> tuple[MeddelandeTillVarden, ...]:
        """Messages in order of arrival, repeats once."""
        with self.place.lock:
            return tuple(
                each for each in self._meddelanden.values() if meant(intygs_id, each.intygs_id)
            )

    # --- what its scripts say -----------------------------------------------------------------

    def say(self, action: Action, about: Happening, of: str | None) -> Sent:  # noqa: ARG002
        """As `talk.say`."""
        sent = talk.say(
            self.place.settings, action, about, self.place.timeline().astimezone(SWEDEN)
        )
        if not sent.accepted:
            with self.place.lock:
                self._not_taken.add(sent.meddelande_id)
        return sent

    def stands(self, meddelande_id: str) -> str:
        """Where a question of its own stands: open, answered or refused."""
        with self.place.lock:
            if any(same_id(each, meddelande_id) for each in self._not_taken):
                return "refused"
            came = any(
                same_id(each.svar_pa or "", meddelande_id) for each in self._meddelanden.values()
            )
            return "answered" if came else "open"

    def is_revoked(self, intygs_id: str) -> bool:
        """Whether it was told that a certificate is."""
        return bool(self.handelser(intygs_id, codes.Handelse.MAKULE))

    # --- what it is told ----------------------------------------------------------------------

    def _status_update(self, call: Call) -> Answer:
        new = self._read_handelse(call)
        key = (new.intygs_id, new.kod, new.tidpunkt)
        with self._told:
            known = self._handelser.get(key)
            if known is not None:
                call.note("duplicate", Verdict.NOTED, f"repeats call {known.call}")
                return Answer.info("The event has been received before")
            call.note("duplicate")
            self._handelser[key] = new
            self._told.notify_all()
            self.player.happened(talk.handelse_happening(call))
        return Answer.ok()

    def _read_handelse(self, call: Call) -> Handelse:
        assert call.element is not None
        handelse = call.element.find(f"{_STATUS}handelse")
        assert handelse is not None  # the XSD has seen to it
        # Two places may name the person; the national editor uses the one in the message.
        hanterat_av = call.text(f"{{{ns.CSU_EXT}}}hanteratAv/{_T}extension") or handelse.findtext(
            f"{{{ns.EXT34}}}hanteratAv/{_T}extension"
        )
        return Handelse(
            intygs_id=call.text(f"{_STATUS}intyg/{_C}intygs-id/{_T}extension") or "",
            unit=call.logical_address or "",
            kod=handelse.findtext(f"{_C}handelsekod/{_T}code") or "",
            tidpunkt=handelse.findtext(f"{_C}tidpunkt") or "",
            skickade_fragor=_arenden(call.element, "skickadeFragor"),
            mottagna_fragor=_arenden(call.element, "mottagnaFragor"),
            received_at=self.place.timeline(),
            call=call.number,
            typ=call.text(f"{_STATUS}intyg/{_C}typ/{_T}code"),
            amne=handelse.findtext(f"{_C}amne/{_T}code"),
            sista_datum_for_svar=handelse.findtext(f"{_C}sistaDatumForSvar"),
            hanterat_av=hanterat_av,
            ref=call.text(f"{_STATUS}ref"),
        )

    def _message(self, call: Call) -> Answer:
        """SendMessageToCare, passed on by the adapter."""
        assert call.element is not None
        meddelande_id = call.text(f"{_MESSAGE}meddelande-id") or ""
        new = MeddelandeTillVarden(
            meddelande_id=meddelande_id,
            unit=call.logical_address or "",
            intygs_id=call.text(f"{_MESSAGE}intygs-id/{_T}extension") or "",
            amne=call.text(f"{_MESSAGE}amne/{_T}code") or "",
            text=call.text(f"{_MESSAGE}meddelande") or "",
            received_at=self.place.timeline(),
            call=call.number,
            svar_pa=call.text(f"{_MESSAGE}svarPa/{_C}meddelande-id"),
            paminner=call.text(f"{_MESSAGE}paminnelseMeddelande-id"),
            frage_ids=tuple(
                each.text or ""
                for each in call.element.iterfind(f"{_MESSAGE}komplettering/{_MESSAGE}frage-id")
            ),
        )
        with self.place.lock:
            known = self._meddelanden.get(meddelande_id)
            if known is not None:
                call.note("duplicate", Verdict.NOTED, f"repeats call {known.call}")
                return Answer.info("The message has been received before")
            call.note("duplicate")
            self._meddelanden[meddelande_id] = new
            self.player.happened(talk.message_happening(call))
        return Answer.ok()


def _arenden(element: etree._Element, name: str) -> Arenden:
    def count(field_name: str) -> int:
        return int(element.findtext(f"{_STATUS}{name}/{_C}{field_name}") or 0)

    return Arenden(count("totalt"), count("ejBesvarade"), count("besvarade"), count("hanterade"))


PERSONA: Final = PersonaKind(SETTINGS, Journalsystem)


# --- control --------------------------------------------------------------------------------------


class ArendenState(Answered):
    """How many questions there are, and where they stand."""

    totalt: int
    ej_besvarade: int
    besvarade: int
    hanterade: int


class HandelseState(Answered):
    """One status update."""

    intygs_id: str
    unit: str
    kod: str
    tidpunkt: str
    amne: str | None
    sista_datum_for_svar: str | None
    skickade_fragor: ArendenState
    mottagna_fragor: ArendenState
    hanterat_av: str | None
    ref: str | None
    received_at: Moment
    call: int


class Handelser(Answered):
    """In order of arrival, repeats once."""

    handelser: tuple[HandelseState, ...]
    nearest: str | None = Field(None, description="when nobody knows the certificate: who is meant")


class MeddelandeState(Answered):
    """A message that was passed on to care."""

    meddelande_id: str
    unit: str
    intygs_id: str
    amne: str
    text: str
    svar_pa: str | None
    paminner: str | None
    frage_ids: tuple[str, ...]
    received_at: Moment
    call: int


class Meddelanden(Answered):
    """In order of arrival, repeats once."""

    meddelanden: tuple[MeddelandeState, ...]
    nearest: str | None = Field(None, description="when nobody knows the certificate: who is meant")


class OfIntyg(Asked):
    """About one certificate, or about any."""

    intygs_id: str | None = None


class OfHandelse(OfIntyg):
    """Which status updates."""

    kod: str | None = Field(default=None, examples=["NYFRFM"])


class WaitingForHandelse(OfHandelse, Waiting):
    """Which status updates, how many of them, and how long to wait."""


def list_handelser(mock: MockOf[Journalsystem], query: OfHandelse) -> Handelser:
    """The events that it was told."""
    return _handelser(mock, query, mock.persona.handelser(query.intygs_id, query.kod))


def wait_for_handelser(mock: MockOf[Journalsystem], query: WaitingForHandelse) -> Handelser:
    """The same, once `count` events match or the time is over."""
    found = mock.persona.wait_handelser(
        query.count,
        timeout_seconds=query.seconds,
        intygs_id=query.intygs_id,
        kod=query.kod,
    )
    return _handelser(mock, query, found)


def list_meddelanden(mock: MockOf[Journalsystem], query: OfIntyg) -> Meddelanden:
    """The messages that were passed on to it."""
    found = mock.persona.meddelanden(query.intygs_id)
    states = tuple(map(MeddelandeState.model_validate, found))
    nearest = None if found else missed(query.intygs_id, mock.known_intyg())
    return Meddelanden(meddelanden=states, nearest=nearest)


def _handelser(
    mock: MockOf[Journalsystem], query: OfHandelse, found: Sequence[Handelse]
) -> Handelser:
    return Handelser(
        handelser=tuple(map(HandelseState.model_validate, found)),
        nearest=None if found else _who_is_meant(mock, query),
    )


def _who_is_meant(mock: MockOf[Journalsystem], query: OfHandelse) -> str | None:
    """The certificate that may be meant, or else the event."""
    return missed(query.intygs_id, mock.known_intyg()) or missed(query.kod, codes.Handelse)
