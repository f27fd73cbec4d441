"""Messages about certificates, as Försäkringskassan keeps and writes them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from lxml import etree

from intyg.mocks.clock.clock import timestamp
from intyg.mocks.server.authority import PersonId
from intyg.schemas import ns
from intyg.schemas.codes import AMNE_SYSTEM, PART_SYSTEM

_CARE: Final = ns.message("SendMessageToCare", 2)


class Direction(StrEnum):
    """Which way a message went."""

    TO_CARE = "to_care"  # SendMessageToCare
    TO_RECIPIENT = "to_recipient"  # SendMessageToRecipient


class State(StrEnum):
    """Where a question stands. Answers and reminders have none."""

    OPEN = "open"  # not answered
    ANSWERED = "answered"
    REFUSED = "refused"  # ours, and the adapter did not take it
    CLOSED = "closed"  # its certificate was revoked before it was answered


@dataclass(frozen=True)
class Komplettering:
    """One row of a completion request: which question to complete, and how."""

    frage_id: str
    text: str = field(repr=False)
    instans: int | None = None


@dataclass(frozen=True)
class Meddelande:
    """
    A message, either way.

    Attributes:
        svar_pa: `meddelande-id` of the question that it answers.
        paminner: `meddelande-id` that it reminds of.
        state: Of a question; None for answers and reminders.
        answered_by: What answered the question: a `meddelande-id`, or the
            `intygs-id` of the certificate that completed it.
    """

    meddelande_id: str
    direction: Direction
    intygs_id: str
    amne: str
    text: str = field(repr=False)
    at: datetime
    rubrik: str | None = field(default=None, repr=False)
    referens_id: str | None = None
    svar_pa: str | None = None
    paminner: str | None = None
    sista_datum_for_svar: date | None = None
    komplettering: tuple[Komplettering, ...] = ()
    state: State | None = None
    answered_by: str | None = None


@dataclass(frozen=True)
class Overrides:
    """
    What a message to care says instead of what is right; for messages that are meant to be wrong.

    Attributes:
        meddelande_id: Instead of a new UUID; one that was used makes a repeat.
        logisk_adress_mottagare: Instead of the unit that issued the intyg.
        person: Instead of the certificate's patient.
        amne: Instead of the subject that it has.
        intygs_id: Instead of the certificate that it is about.
        part: Instead of the authority's own.
        svar_pa: The message that it says to answer.
        paminner: The message that it says to remind of.
        sista_datum_for_svar: Also where none belongs.
    """

    meddelande_id: str | None = None
    logisk_adress_mottagare: str | None = None
    person: PersonId | None = None
    amne: str | None = None
    intygs_id: str | None = None
    part: str | None = None
    svar_pa: str | None = None
    paminner: str | None = None
    sista_datum_for_svar: date | None = None

    def said_of(self, meddelande: Meddelande) -> Meddelande:
        """What is said in place of a message; the authority itself knows it as it is."""
        return replace(
            meddelande,
            intygs_id=self.intygs_id or meddelande.intygs_id,
            svar_pa=self.svar_pa or meddelande.svar_pa,
            paminner=self.paminner or meddelande.paminner,
            sista_datum_for_svar=self.sista_datum_for_svar or meddelande.sista_datum_for_svar,
        )


@dataclass(frozen=True)
class Envelope:
    """What a message to care says besides itself: about whom, where to and who asks."""

    intygs_id_root: str
    person: PersonId
    logisk_adress_mottagare: str
    part: str
    kontakt_info: tuple[str, ...]
    svar_pa_referens_id: str | None = None


def write_message_to_care(meddelande: Meddelande, to: Envelope) -> etree._Element:
    """
    A SendMessageToCare 2 request element.

    Source:
        SendMessageToCareResponder_2.0.xsd, SendMessageToCareType; the order
        of the elements is the schema's.
    """
    root = etree.Element(
        f"{{{_CARE}}}SendMessageToCare", nsmap={"m": _CARE, "c": ns.CORE, "t": ns.TYPES}
    )
    _text(root, _CARE, "meddelande-id", meddelande.meddelande_id)
    _optional(root, _CARE, "referens-id", meddelande.referens_id)
    _text(root, _CARE, "skickatTidpunkt", timestamp(meddelande.at))
    _pair(root, "intygs-id", ("root", to.intygs_id_root), ("extension", meddelande.intygs_id))
    _pair(root, "patientPerson-id", ("root", to.person.root), ("extension", to.person.extension))
    _text(root, _CARE, "logiskAdressMottagare", to.logisk_adress_mottagare)
    _pair(root, "amne", ("code", meddelande.amne), ("codeSystem", AMNE_SYSTEM))
    _optional(root, _CARE, "rubrik", meddelande.rubrik)
    _text(root, _CARE, "meddelande", meddelande.text)
    _optional(root, _CARE, "paminnelseMeddelande-id", meddelande.paminner)
    if meddelande.svar_pa is not None:
        svar_pa = etree.SubElement(root, f"{{{_CARE}}}svarPa")
        _text(svar_pa, ns.CORE, "meddelande-id", meddelande.svar_pa)
        _optional(svar_pa, ns.CORE, "referens-id", to.svar_pa_referens_id)
    skickat_av = etree.SubElement(root, f"{{{_CARE}}}skickatAv")
    _pair(skickat_av, "part", ("code", to.part), ("codeSystem", PART_SYSTEM))
    for line in to.kontakt_info:
        _text(skickat_av, _CARE, "kontaktInfo", line)
    _add_kompletteringar(root, meddelande.komplettering)
    if meddelande.sista_datum_for_svar is not None:
        _text(root, _CARE, "sistaDatumForSvar", meddelande.sista_datum_for_svar.isoformat())
    return root


def _add_kompletteringar(root: etree._Element, rows: Sequence[Komplettering]) -> None:
    for row in rows:
        komplettering = etree.SubElement(root, f"{{{_CARE}}}komplettering")
        _text(komplettering, _CARE, "frage-id", row.frage_id)
        instans = None if row.instans is None else str(row.instans)
        _optional(komplettering, _CARE, "instans", instans)
        _text(komplettering, _CARE, "text", row.text)


def _text(parent: etree._Element, namespace: str, name: str, value: str) -> None:
    etree.SubElement(parent, f"{{{namespace}}}{name}").text = value


def _optional(parent: etree._Element, namespace: str, name: str, value: str | None) -> None:
    if value is not None:
        _text(parent, namespace, name, value)


def _pair(
    parent: etree._Element, name: str, first: tuple[str, str], second: tuple[str, str]
) -> None:
    """An identifier or a code: an element with two children of the types' namespace."""
    element = etree.SubElement(parent, f"{{{_CARE}}}{name}")
    for child, value in (first, second):
        _text(element, ns.TYPES, child, value)
