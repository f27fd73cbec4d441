"""
Försäkringskassan as a mock.

What it does by itself: keep certificates and revocations, take questions and answers from care, and
see that a certificate with relation KOMPLT answers the open completion requests on its parent.

What it does when told: ask, ask for completion, answer, remind; by real SendMessageToCare calls to
the adapter. `interface` offers the same four over HTTP.

Source: SendMessageToCareResponder_2.0.xsd, SendMessageToRecipientResponder_2.1.xsd; which message
may follow which is the national store's.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final, Self

from intyg.mocks.control import Operation
from intyg.mocks.conversations import Event, Happening, Player
from intyg.mocks.conversations import interface as conversations
from intyg.mocks.conversations.script import Action
from intyg.mocks.forsakringskassan import interface
from intyg.mocks.forsakringskassan.meddelanden import (
    Direction,
    Envelope,
    Komplettering,
    Meddelande,
    Overrides,
    State,
    write_message_to_care,
)
from intyg.mocks.forsakringskassan.talk import intyg_happening, message_happening, say
from intyg.mocks.journal import Verdict
from intyg.mocks.server.authority import Authority, HeldIntyg, PersonId
from intyg.mocks.server.call import Call
from intyg.mocks.server.kind import PersonaKind
from intyg.mocks.server.place import Place
from intyg.mocks.server.post import Sent, post
from intyg.mocks.settings import MockSettings
from intyg.mocks.wire import envelope
from intyg.mocks.wire.envelope import Answer
from intyg.mocks.wire.ids import ById, meant, same_id
from intyg.mocks.wire.signature import SignatureCheck
from intyg.schemas import ns
from intyg.schemas.codes import Amne, ErrorId, TypAvRelation

SETTINGS: Final = MockSettings(
    name="Försäkringskassan",
    logical_address="FKASSA",
    part="FKASSA",
    kontakt_info=("Försäkringskassans provhandläggare",),
)

_RECIPIENT: Final = f"{{{ns.message('SendMessageToRecipient', 2)}}}"
_C: Final = f"{{{ns.CORE}}}"
_T: Final = f"{{{ns.TYPES}}}"


class Forsakringskassan(Authority):
    """
    Takes certificates, asks about them and is asked; see the module.

    Attributes:
        player: Plays its scripts.
    """

    key: Final = "forsakringskassan"

    def __init__(self, place: Place, signatures: SignatureCheck | None = None) -> None:
        super().__init__(place, signatures)
        self.handlers = {**self.handlers, "SendMessageToRecipient:2": self._message}
        self.player: Final = Player(self, place.timeline)
        self._meddelanden: ById[Meddelande] = ById()

    @property
    def operations(self) -> tuple[Operation, ...]:
        return (
            *super().operations,
            *conversations.operations(),
            *interface.operations(),
        )

    def another(self, place: Place) -> Self:
        made = super().another(place)
        made.player.add(self.player.scripts())
        return made

    def counts(self) -> Mapping[str, int]:
        known = self.meddelanden()
        return {
            **super().counts(),
            "conversations": len(self.player.conversations()),
            "meddelanden": len(known),
            "open_questions": sum(each.state is State.OPEN for each in known),
        }

    def clear(self) -> None:
        with self.place.lock:
            self.player.clear()
            super().clear()
            self._meddelanden.clear()

    def forget(self, intygs_id: str) -> int:
        with self.place.lock:
            self.player.forget(intygs_id)
            about = [each.meddelande_id for each in self.meddelanden(intygs_id)]
            for meddelande_id in about:
                del self._meddelanden[meddelande_id]
            return super().forget(intygs_id) + len(about)

    def stop(self) -> None:
        self.player.stop()

    def meddelande(self, meddelande_id: str) -> Meddelande:
        """
        A message, sent or received.

        Raises:
            KeyError: It knows none of that id.
        """
        with self.place.lock:
            return self._meddelanden[meddelande_id]

    def meddelanden(self, intygs_id: str | None = None) -> tuple[Meddelande, ...]:
        """Messages in order, about one certificate or all."""
        with self.place.lock:
            return tuple(
                each for each in self._meddelanden.values() if meant(intygs_id, each.intygs_id)
            )

    # --- what it says -----------------------------------------------------------------------------

    def ask(
        self,
        intygs_id: str,
        amne: str,
        text: str,
        *,
        rubrik: str | None = None,
        referens_id: str | None = None,
        sista_datum_for_svar: date | None = None,
        komplettering: Sequence[Komplettering] = (),
        overrides: Overrides = Overrides(),  # noqa: B008 -- frozen
    ) -> Sent:
        """
        Send a question about a certificate that it has.

        Args:
            amne: `AVSTMN`, `KONTKT`, `OVRIGT`; for `KOMPLT` see `ask_komplt`.
            komplettering: Only right with `KOMPLT`.

        Raises:
            KeyError: It has no such certificate.
            ValueError: No adapter address is set.
        """
        return self._send(
            Meddelande(
                meddelande_id=overrides.meddelande_id or str(uuid.uuid4()),
                direction=Direction.TO_CARE,
                intygs_id=intygs_id,
                amne=overrides.amne or amne,
                text=text,
                at=self.place.timeline(),
                rubrik=rubrik,
                referens_id=referens_id,
                sista_datum_for_svar=sista_datum_for_svar,
                komplettering=tuple(komplettering),
                state=State.OPEN,
            ),
            overrides,
        )

    def ask_komplt(
        self,
        intygs_id: str,
        komplettering: Sequence[Komplettering],
        text: str = "Komplettera intyget enligt nedan.",
        **rest: Any,
    ) -> Sent:
        """Send a completion request; `rest` as for `ask`."""
        return self.ask(intygs_id, Amne.KOMPLT, text, komplettering=komplettering, **rest)

    def answer(
        self,
        meddelande_id: str,
        text: str,
        *,
        referens_id: str | None = None,
        overrides: Overrides = Overrides(),  # noqa: B008 -- frozen
    ) -> Sent:
        """
        Answer a question from care.

        Raises:
            KeyError: It knows no such message, or not the certificate.
            ValueError: No adapter address is set.
        """
        question = self.meddelande(meddelande_id)
        return self._send(
            Meddelande(
                meddelande_id=overrides.meddelande_id or str(uuid.uuid4()),
                direction=Direction.TO_CARE,
                intygs_id=question.intygs_id,
                amne=overrides.amne or question.amne,
                text=text,
                at=self.place.timeline(),
                rubrik=question.rubrik,
                referens_id=referens_id,
                svar_pa=meddelande_id,
            ),
            overrides,
            svar_pa_referens_id=question.referens_id,
        )

    def remind(
        self,
        meddelande_id: str,
        text: str = "Vi har inte fått något svar.",
        *,
        sista_datum_for_svar: date | None = None,
        overrides: Overrides = Overrides(),  # noqa: B008 -- frozen
    ) -> Sent:
        """
        Remind care of a message.

        Raises:
            KeyError: It knows no such message, or not the certificate.
            ValueError: No adapter address is set.
        """
        reminded = self.meddelande(meddelande_id)
        return self._send(
            Meddelande(
                meddelande_id=overrides.meddelande_id or str(uuid.uuid4()),
                direction=Direction.TO_CARE,
                intygs_id=reminded.intygs_id,
                amne=overrides.amne or Amne.PAMINN,
                text=text,
                at=self.place.timeline(),
                paminner=meddelande_id,
                sista_datum_for_svar=sista_datum_for_svar,
            ),
            overrides,
        )

    def _send(
        self, meddelande: Meddelande, overrides: Overrides, svar_pa_referens_id: str | None = None
    ) -> Sent:
        url = self.place.settings.adapter_url
        if url is None:
            raise ValueError(f"{self.place.settings.name} has no adapter_url to send to")
        held = self.intyg(meddelande.intygs_id)
        element = write_message_to_care(
            overrides.said_of(meddelande),
            Envelope(
                intygs_id_root=held.enhets_id,
                person=overrides.person or held.person,
                logisk_adress_mottagare=overrides.logisk_adress_mottagare or held.enhets_id,
                part=overrides.part or self.place.settings.part,
                kontakt_info=self.place.settings.kontakt_info,
                svar_pa_referens_id=svar_pa_referens_id,
            ),
        )
        with self.place.lock:
            # Kept before it goes: care's answer may be here before the reply to the question is.
            repeat = meddelande.meddelande_id in self._meddelanden
            self._meddelanden.setdefault(meddelande.meddelande_id, meddelande)
        sent = post(
            url,
            self.place.contracts.get("SendMessageToCare", 2),
            envelope.write_request(element, self.place.settings.adapter_logical_address),
            meddelande.meddelande_id,
            self.place.settings.timeout_seconds,
            self.place.settings.run,
            self.place.settings.adapter_tls,
        )
        with self.place.lock:
            if not repeat:
                self._after_sending(meddelande, sent.accepted)
        return sent

    def _after_sending(self, meddelande: Meddelande, accepted: bool) -> None:
        if meddelande.state is not None and not accepted:
            self._set(meddelande.meddelande_id, state=State.REFUSED)
        if meddelande.svar_pa is not None and accepted:
            self._answered(meddelande.svar_pa, meddelande.meddelande_id)

    # --- what its scripts say ---------------------------------------------------------------------

    def say(self, action: Action, about: Happening, of: str | None) -> Sent:
        """As `talk.say`."""
        return say(self, action, about, of)

    def stands(self, meddelande_id: str) -> str:
        """Where a question of its own stands, as `State`."""
        return self.meddelande(meddelande_id).state or State.OPEN

    def is_revoked(self, intygs_id: str) -> bool:
        """Whether a certificate that it has is."""
        return self.intyg(intygs_id).revoked_at is not None

    # --- what it is told --------------------------------------------------------------------------

    def _message(self, call: Call) -> Answer:
        """SendMessageToRecipient."""
        new = self._read_message(call)
        with self.place.lock:
            held = self._held(
                call,
                new.intygs_id,
                PersonId("", call.text(f"{_RECIPIENT}patientPerson-id/{_T}extension") or ""),
            )
            known = self._meddelanden.get(new.meddelande_id)
            if known is not None:
                return self._repeated(call, known, new)
            call.note("duplicate")
            faults = self._faults(call, new, held)
            if faults:
                raise call.refuse("message_rules", ErrorId.VALIDATION_ERROR, "\n".join(faults))
            call.note("message_rules")
            self._meddelanden[new.meddelande_id] = new
            if new.svar_pa is not None:
                self._answered(new.svar_pa, new.meddelande_id)
            happening = message_happening(held, new)
            if happening is not None:
                self.player.happened(happening)
        return Answer.ok()

    def _read_message(self, call: Call) -> Meddelande:
        def text(path: str) -> str | None:
            return call.text("/".join(_RECIPIENT + part for part in path.split("/")))

        svar_pa = call.text(f"{_RECIPIENT}svarPa/{_C}meddelande-id")
        paminner = text("paminnelseMeddelande-id")
        last = text("sistaDatumForSvar")
        amne = call.text(f"{_RECIPIENT}amne/{_T}code") or ""
        return Meddelande(
            meddelande_id=text("meddelande-id") or "",
            direction=Direction.TO_RECIPIENT,
            intygs_id=call.text(f"{_RECIPIENT}intygs-id/{_T}extension") or "",
            amne=amne,
            text=text("meddelande") or "",
            at=self.place.timeline(),
            rubrik=text("rubrik"),
            referens_id=text("referens-id"),
            svar_pa=svar_pa,
            paminner=paminner,
            sista_datum_for_svar=None if last is None else date.fromisoformat(last.strip()),
            state=State.OPEN if svar_pa is None and amne != Amne.PAMINN else None,
        )

    def _repeated(self, call: Call, known: Meddelande, new: Meddelande) -> Answer:
        """The same message again is INFO; another one under its id is wrong."""

        def content(each: Meddelande) -> tuple[object, ...]:
            return (each.direction, each.intygs_id, each.amne, each.text, each.svar_pa)

        if content(known) != content(new):
            raise call.refuse(
                "duplicate", ErrorId.VALIDATION_ERROR, "Another message has this meddelande-id"
            )
        call.note("duplicate", Verdict.NOTED, "the same message came before")
        return Answer.info("The message has been received before")

    def _faults(self, call: Call, new: Meddelande, held: HeldIntyg) -> list[str]:
        """Everything that is wrong with a message from care, in words without person data."""
        faults: list[str] = []
        answer, reminder = new.svar_pa is not None, new.amne == Amne.PAMINN
        address = call.text(f"{_RECIPIENT}logiskAdressMottagare")
        if not self.place.takes_address(address):
            faults.append(f"logiskAdressMottagare is not {self.place.settings.logical_address}")
        if not new.meddelande_id.strip():
            faults.append("meddelande-id is empty")
        if held.revoked_at is not None:
            faults.append("The intyg is revoked")
        if new.amne not in tuple(Amne):
            faults.append(f"amne is not one of {', '.join(Amne)}")
        elif not answer and not reminder:
            allowed = self.place.types.find(held.typ, held.version).messages.care
            if new.amne not in allowed:
                listed = ", ".join(allowed) or "nothing"
                faults.append(f"Care may ask {listed} about {held.typ}")
        if new.sista_datum_for_svar is not None and (answer or reminder):
            faults.append("sistaDatumForSvar goes with questions only")
        if (new.paminner is not None) is not reminder:
            faults.append("paminnelseMeddelande-id goes with PAMINN, and only with it")
        elif new.paminner is not None and new.paminner not in self._meddelanden:
            faults.append("The message that is reminded of is unknown")
        if new.svar_pa is not None:
            faults += self._answer_faults(new, new.svar_pa)
        return faults

    def _answer_faults(self, new: Meddelande, svar_pa: str) -> list[str]:
        question = self._meddelanden.get(svar_pa)
        if question is None or not same_id(question.intygs_id, new.intygs_id):
            return ["The message that is answered is unknown"]
        if question.direction is not Direction.TO_CARE or question.state is None:
            return ["What is answered is no question to care"]
        faults = []
        if question.amne != new.amne:
            faults.append("amne differs from the question's")
        if question.state is State.ANSWERED:
            faults.append("The question is answered already")
        return faults

    # --- state ------------------------------------------------------------------------------------

    def _after_intyg(self, new: HeldIntyg) -> None:
        """A completing certificate answers every open completion request on its parent."""
        self.player.happened(intyg_happening(new))
        if new.relation is None or new.relation[0] != TypAvRelation.KOMPLT:
            return
        for each in tuple(self._meddelanden.values()):
            if (
                each.direction is Direction.TO_CARE
                and same_id(each.intygs_id, new.relation[1])
                and each.amne == Amne.KOMPLT
                and each.state is State.OPEN
            ):
                self._answered(each.meddelande_id, new.intygs_id)

    def _after_revocation(self, intygs_id: str) -> None:
        self.player.happened(intyg_happening(self._intyg[intygs_id], Event.REVOKED))
        for each in tuple(self._meddelanden.values()):
            if same_id(each.intygs_id, intygs_id) and each.state is State.OPEN:
                self._set(each.meddelande_id, state=State.CLOSED)

    def _answered(self, meddelande_id: str, answered_by: str) -> None:
        question = self._meddelanden.get(meddelande_id)
        if question is not None and question.state is not None:
            self._set(meddelande_id, state=State.ANSWERED, answered_by=answered_by)

    def _set(self, meddelande_id: str, **changes: Any) -> None:
        self._meddelanden[meddelande_id] = replace(self._meddelanden[meddelande_id], **changes)


PERSONA: Final = PersonaKind(SETTINGS, Forsakringskassan)
