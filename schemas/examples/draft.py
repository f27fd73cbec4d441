"""A certificate in the making: who and when, and its answers, as values that are easy to change.

From a draft comes a RegisterCertificate request, unsigned, in the order of the contract.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final, TypeAlias

from lxml import etree

from intyg.schemas.codes import (
    ARBETSPLATSKOD_ROOT,
    HSA_ID_ROOT,
    PERSONNUMMER_ROOT,
    RELATION_SYSTEM,
    SAMORDNINGSNUMMER_ROOT,
    YRKE_SYSTEM,
)
from intyg.schemas.intyg_model import Instans, IntygType, Question, Role
from intyg.schemas.ns import (
    CORE,
    EXT32,
    TYPES,
    message,
)

REGISTER: Final = message("RegisterCertificate", 3)
ADDRESS_SOURCE_SYSTEM: Final = "4ade8de2-effe-41d0-b177-fedc820e69fa"

_LICENCES: Final = {
    Role.LAKARE: "LK",
    Role.PRIVATLAKARE: "LK",
    Role.TANDLAKARE: "TL",
    Role.SJUKSKOTERSKA: "SJ",
    Role.BARNMORSKA: "BM",
}
"""Code system of `kallaAdressuppgifter`: where a patient's address was taken from."""

_C, _T = f"{{{CORE}}}", f"{{{TYPES}}}"


# --- answers --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Text:
    """Text, number, date or boolean, as written in the XML."""

    text: str


@dataclass(frozen=True)
class Code:
    """A `cv`."""

    code: str
    system: str
    display: str | None = None


@dataclass(frozen=True)
class Period:
    """A `datePeriod`; both days as YYYY-MM-DD."""

    start: str
    end: str


@dataclass(frozen=True)
class PartialDate:
    """A `partialDate`: YYYY, YYYY-MM or YYYY-MM-DD."""

    value: str


@dataclass(frozen=True)
class Quantity:
    """A `pq`."""

    value: str
    unit: str


@dataclass(frozen=True)
class Twice:
    """An element that stands there twice, which the contract allows and no type does."""

    value: Code | Period | PartialDate | Quantity


Value: TypeAlias = Text | Code | Period | PartialDate | Quantity | Twice


@dataclass(frozen=True)
class DraftDelsvar:
    """A `delsvar`, `35.1`, and what it holds."""

    id: str
    value: Value


@dataclass(frozen=True)
class DraftSvar:
    """A `svar` with at least one delsvar; the contract allows none without."""

    id: str
    delsvar: tuple[DraftDelsvar, ...]
    instans: int | None = None

    def value(self, delsvar: str) -> Value | None:
        """What the first delsvar with this id holds."""
        return next((part.value for part in self.delsvar if part.id == delsvar), None)


# --- who and when ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Address:
    """Postal address, and the telephone of a unit."""

    postadress: str = ""
    postnummer: str = ""
    postort: str = ""
    telefonnummer: str = ""


@dataclass(frozen=True)
class Parent:
    """
    The older certificate that a new one completes, replaces or renews.

    Attributes:
        relation: Code, see `intyg.schemas.codes.TypAvRelation`.
        svar_pa: Id of the message with the completion request that is answered.
    """

    relation: str
    intygs_id: str
    svar_pa: str | None = None


@dataclass(frozen=True)
class Frame:
    """
    Everything of a certificate but its answers.

    Attributes:
        signed_at: Swedish local time; a zone, if any, is not converted.
        version: As in the XML, `1.3`.
        patient: Empty for most types; where it is filled, so are the names.
    """

    intygs_id: str
    person_id: str
    signed_at: datetime
    version: str
    signer: str
    signer_name: str = "Läkare Provperson"
    unit: str = "TSTNMT2321000156-ENHET1"
    provider: str = "TSTNMT2321000156-VG1"
    patient: Address = field(default_factory=Address)
    unit_address: Address = field(
        default_factory=lambda: Address("Provgatan 1", "12345", "Provstad", "010-000 00 00")
    )
    parent: Parent | None = None

    @property
    def person_root(self) -> str:
        """Which kind of number `person_id` is: the day of a samordningsnummer is above 60."""
        day = self.person_id[6:8]
        return SAMORDNINGSNUMMER_ROOT if day > "60" else PERSONNUMMER_ROOT

    @property
    def born(self) -> date | None:
        """The patient's birth, where `person_id` says one."""
        year, month, day = self.person_id[:4], self.person_id[4:6], self.person_id[6:8]
        try:
            return date(int(year), int(month), int(day) % 60)
        except ValueError:
            return None


# --- the draft ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Draft:
    """A certificate's frame and its svar, in form order."""

    frame: Frame
    svar: tuple[DraftSvar, ...] = ()

    def rows(self, svar: str) -> list[int]:
        """Where the svar with this id stand."""
        return [at for at, row in enumerate(self.svar) if row.id == svar]

    def ids(self) -> set[str]:
        """Every id of svar and delsvar in it."""
        return {row.id for row in self.svar} | {
            part.id for row in self.svar for part in row.delsvar
        }

    def with_row(self, at: int, row: DraftSvar | None) -> "Draft":
        """The svar at a place replaced, or, with None, left out."""
        return replace(
            self, svar=(*self.svar[:at], *(() if row is None else (row,)), *self.svar[at + 1 :])
        )

    def inserted(self, row: DraftSvar, intyg_type: IntygType) -> "Draft":
        """One more svar, after those that come before it on the form."""
        order = {question.svar: at for at, question in enumerate(intyg_type.questions)}
        last = len(order)
        place = order.get(row.id, last)
        at = sum(1 for other in self.svar if order.get(other.id, last) <= place)
        return replace(self, svar=(*self.svar[:at], row, *self.svar[at:]))

    def numbered(self, question: Question) -> "Draft":
        """The svar of a question numbered 1, 2, 3, …, or not, as the type wants it."""
        number, rows = 0, []
        for row in self.svar:
            if row.id == question.svar:
                number += 1
                wanted = None if question.instans is Instans.ABSENT else number
                if row.instans != wanted:
                    row = replace(row, instans=wanted)
            rows.append(row)
        return replace(self, svar=tuple(rows))


# --- as XML ---------------------------------------------------------------------------------------


def request_element(intyg_type: IntygType, draft: Draft) -> etree._Element:
    """The RegisterCertificate request that holds the draft, without signature."""
    frame = draft.frame
    root = etree.Element(
        f"{{{REGISTER}}}RegisterCertificate", nsmap={"rc": REGISTER, "c": CORE, "t": TYPES}
    )
    if frame.parent and frame.parent.svar_pa:
        svar_pa = etree.SubElement(root, f"{{{REGISTER}}}svarPa")
        _put(svar_pa, "meddelande-id", frame.parent.svar_pa)
    intyg = _frame(root, intyg_type, frame)
    intyg.extend([svar_element(row) for row in draft.svar])
    return root


def request_bytes(request: etree._Element) -> bytes:
    """A request as a document: UTF-8, one element a line."""
    etree.indent(request)
    return etree.tostring(request, encoding="UTF-8", xml_declaration=True) + b"\n"


def svar_element(row: DraftSvar) -> etree._Element:
    """One svar as an element."""
    element = etree.Element(f"{_C}svar", id=row.id, nsmap={"c": CORE, "t": TYPES})
    if row.instans is not None:
        _put(element, "instans", str(row.instans))
    for part in row.delsvar:
        _write(etree.SubElement(element, f"{_C}delsvar", id=part.id), part.value)
    return element


def _write(delsvar: etree._Element, value: Value) -> None:
    match value:
        case Text(text):
            delsvar.text = text
        case Code():
            _code(delsvar, "cv", value.code, value.system, value.display)
        case Period(start, end):
            period = etree.SubElement(delsvar, f"{_T}datePeriod")
            etree.SubElement(period, f"{_T}start").text = start
            etree.SubElement(period, f"{_T}end").text = end
        case PartialDate(text):
            partial = etree.SubElement(delsvar, f"{_T}partialDate")
            form = {4: "YYYY", 7: "YYYY-MM"}.get(len(text), "YYYY-MM-DD")
            etree.SubElement(partial, f"{_T}format").text = form
            etree.SubElement(partial, f"{_T}value").text = text
        case Quantity(number, unit):
            quantity = etree.SubElement(delsvar, f"{_T}pq")
            etree.SubElement(quantity, f"{_T}value").text = number
            etree.SubElement(quantity, f"{_T}unit").text = unit
        case Twice(once):
            _write(delsvar, once)
            _write(delsvar, once)


def _frame(root: etree._Element, intyg_type: IntygType, frame: Frame) -> etree._Element:
    intyg = etree.SubElement(root, f"{{{REGISTER}}}intyg")
    _id(intyg, "intygs-id", frame.unit, frame.intygs_id)
    typ = etree.SubElement(intyg, f"{_C}typ")
    fill_code(typ, intyg_type.xml_code, intyg_type.xml_system, intyg_type.xml_display)
    _put(intyg, "version", frame.version)
    time = f"{frame.signed_at:%Y-%m-%dT%H:%M:%S}"
    _put(intyg, "signeringstidpunkt", time)
    _put(intyg, "skickatTidpunkt", time)
    _patient(intyg, frame)
    skapad_av = etree.SubElement(intyg, f"{_C}skapadAv")
    fill_hos_personal(skapad_av, frame)
    _profession(skapad_av, intyg_type.signs[0])
    if frame.parent:
        relation = etree.SubElement(intyg, f"{_C}relation")
        typ = etree.SubElement(relation, f"{_C}typ")
        fill_code(typ, frame.parent.relation, RELATION_SYSTEM)
        _id(relation, "intygs-id", frame.unit, frame.parent.intygs_id)
    return intyg


def _patient(intyg: etree._Element, frame: Frame) -> None:
    known = frame.patient != Address()
    patient = etree.SubElement(intyg, f"{_C}patient")
    _id(patient, "person-id", frame.person_root, frame.person_id)
    _put(patient, "fornamn", "Prov" if known else "")
    _put(patient, "efternamn", "Person" if known else "")
    _put(patient, "postadress", frame.patient.postadress)
    _put(patient, "postnummer", frame.patient.postnummer)
    _put(patient, "postort", frame.patient.postort)
    if known:
        source = etree.SubElement(patient, f"{{{EXT32}}}kallaAdressuppgifter", nsmap={"e": EXT32})
        fill_code(source, "PU", ADDRESS_SOURCE_SYSTEM)


def fill_hos_personal(element: etree._Element, frame: Frame) -> None:
    """`core:HosPersonal`, whatever the element is called: who signs, and where."""
    _id(element, "personal-id", HSA_ID_ROOT, frame.signer)
    _put(element, "fullstandigtNamn", frame.signer_name)
    _put(element, "forskrivarkod", "0000000")  # what the national service writes for all
    enhet = etree.SubElement(element, f"{_C}enhet")
    _id(enhet, "enhets-id", HSA_ID_ROOT, frame.unit)
    _id(enhet, "arbetsplatskod", ARBETSPLATSKOD_ROOT, "0000000")
    _put(enhet, "enhetsnamn", "Provenheten")
    _put(enhet, "postadress", frame.unit_address.postadress)
    _put(enhet, "postnummer", frame.unit_address.postnummer)
    _put(enhet, "postort", frame.unit_address.postort)
    _put(enhet, "telefonnummer", frame.unit_address.telefonnummer)
    vardgivare = etree.SubElement(enhet, f"{_C}vardgivare")
    _id(vardgivare, "vardgivare-id", HSA_ID_ROOT, frame.provider)
    _put(vardgivare, "vardgivarnamn", "Provregionen")


def _profession(skapad_av: etree._Element, role: Role) -> None:
    """The licence of somebody who may sign the type, which an adapter may want to see."""
    yrke = etree.SubElement(skapad_av, f"{{{EXT32}}}legitimeratYrke", nsmap={"e": EXT32})
    fill_code(yrke, _LICENCES[role], YRKE_SYSTEM)


def _put(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, f"{_C}{name}").text = text


def _id(parent: etree._Element, name: str, root: str, extension: str) -> None:
    fill_id(etree.SubElement(parent, f"{_C}{name}"), root, extension)


def fill_id(element: etree._Element, root: str, extension: str) -> None:
    """`types:IIType`, whatever the element is called."""
    etree.SubElement(element, f"{_T}root").text = root
    etree.SubElement(element, f"{_T}extension").text = extension


def _code(parent: etree._Element, name: str, code: str, system: str, display: str | None) -> None:
    fill_code(etree.SubElement(parent, f"{_T}{name}"), code, system, display)


def fill_code(element: etree._Element, code: str, system: str, display: str | None = None) -> None:
    """`types:CVType`, whatever the element is called."""
    etree.SubElement(element, f"{_T}code").text = code
    etree.SubElement(element, f"{_T}codeSystem").text = system
    if display is not None:
        etree.SubElement(element, f"{_T}displayName").text = display
