"""Element → model. A function here has its counterpart in a writer where we write it.

The elements are valid by the contract's schema when they come here, so what the schema requires is
taken for granted. Identifiers and codes are trimmed: pretty-printing puts white space into them.

Contract times carry no zone and are Swedish local time. The hour that comes twice when summer time
ends is read as the first of the two (summer time); a time inside the hour that is skipped in spring
is read as if clocks had not been moved yet. Nothing in the contracts can tell more.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

from lxml import etree

from intyg.adapter.domain.clock import SWEDEN
from intyg.adapter.domain.errors import RuleError
from intyg.adapter.domain.intyg import (
    Enhet,
    HosPersonal,
    Intyg,
    MeddelandeReferens,
    Relation,
    RevokeRequest,
    SendRequest,
    Yrken,
)
from intyg.adapter.domain.meddelande import Direction, Komplettering, Meddelande
from intyg.adapter.domain.person import PersonId
from intyg.adapter.formats import safe_xml
from intyg.schemas import ns
from intyg.schemas.finding import Finding

_C: Final = f"{{{ns.CORE}}}"
_T: Final = f"{{{ns.TYPES}}}"
_E: Final = f"{{{ns.EXT32}}}"


# --- requests -------------------------------------------------------------------------------------


def read_register_certificate(request: etree._Element) -> Intyg:
    """
    `RegisterCertificateType`: one `intyg`, perhaps with a `svarPa` before it.

    Raises:
        RuleError: A time that no calendar of ours can hold.
    """
    m = _message_namespace(request)
    svar_pa = request.find(f"{m}svarPa")
    return read_intyg(
        _child(request, f"{m}intyg"), None if svar_pa is None else read_meddelande_referens(svar_pa)
    )


def intyg_element(register_certificate: bytes) -> etree._Element:
    """The `intyg` of a request that was taken in."""
    found = next(iter(safe_xml.parse(register_certificate).getroot().iter("{*}intyg")), None)
    assert found is not None, "it was taken in with one"
    return found


def read_intyg(intyg: etree._Element, svar_pa: MeddelandeReferens | None = None) -> Intyg:
    """`core:Intyg`, whichever message namespace its own element is in."""
    relation = intyg.find(f"{_C}relation")
    return Intyg(
        intygs_id=_extension(intyg, f"{_C}intygs-id"),
        typ=_code(intyg, f"{_C}typ").upper(),
        version=_text(intyg, f"{_C}version"),
        signeringstidpunkt=_optional_tidpunkt(intyg, f"{_C}signeringstidpunkt"),
        patient=read_person_id(_child(intyg, f"{_C}patient/{_C}person-id")),
        skapad_av=read_hos_personal(_child(intyg, f"{_C}skapadAv")),
        relation=None if relation is None else read_relation(relation),
        svar_pa=svar_pa,
    )


def read_instanser(request: etree._Element) -> Mapping[str, frozenset[int]]:
    """
    Svar id → which repetitions of it a RegisterCertificate's `intyg` has.

    `instans` is optional: without one, the first svar of an id is repetition 1, the next 2.
    """
    found: dict[str, set[int]] = {}
    for svar in request.iterfind(f"{_message_namespace(request)}intyg/{_C}svar"):
        repetitions = found.setdefault(svar.get("id", ""), set())
        written = svar.findtext(f"{_C}instans")
        repetitions.add(len(repetitions) + 1 if written is None else int(written))
    return {svar_id: frozenset(repetitions) for svar_id, repetitions in found.items()}


def read_send_certificate_to_recipient(request: etree._Element) -> SendRequest:
    """`SendCertificateToRecipientType`: `skickatAv` holds staff or the citizen's own number."""
    m = _message_namespace(request)
    staff = request.find(f"{m}skickatAv/{m}hosPersonal")
    return SendRequest(
        intygs_id=_extension(request, f"{m}intygs-id"),
        patient=read_person_id(_child(request, f"{m}patientPerson-id")),
        mottagare=_code(request, f"{m}mottagare"),
        skickat_tidpunkt=_tidpunkt(request, f"{m}skickatTidpunkt"),
        skickat_av=None if staff is None else read_hos_personal(staff),
    )


def read_revoke_certificate(request: etree._Element) -> RevokeRequest:
    """`RevokeCertificateType`."""
    m = _message_namespace(request)
    return RevokeRequest(
        intygs_id=_extension(request, f"{m}intygs-id"),
        patient=read_person_id(_child(request, f"{m}patientPerson-id")),
        skickat_tidpunkt=_tidpunkt(request, f"{m}skickatTidpunkt"),
        skickat_av=read_hos_personal(_child(request, f"{m}skickatAv")),
        meddelande=request.findtext(f"{m}meddelande"),
    )


def read_send_message_to_care(request: etree._Element) -> Meddelande:
    """`SendMessageToCareType`: `skickatAv` is a part, and there may be `komplettering`."""
    m = _message_namespace(request)
    return _read_meddelande(
        request,
        Direction.TO_CARE,
        part=_code(request, f"{m}skickatAv/{m}part"),
        skickat_av=None,
        komplettering=tuple(_read_komplettering(row) for row in request.iter(f"{m}komplettering")),
    )


def read_send_message_to_recipient(request: etree._Element) -> Meddelande:
    """`SendMessageToRecipientType`: `skickatAv` is a person in care."""
    m = _message_namespace(request)
    return _read_meddelande(
        request,
        Direction.TO_RECIPIENT,
        part=None,
        skickat_av=read_hos_personal(_child(request, f"{m}skickatAv")),
        komplettering=(),
    )


def _read_meddelande(
    request: etree._Element,
    direction: Direction,
    part: str | None,
    skickat_av: HosPersonal | None,
    komplettering: tuple[Komplettering, ...],
) -> Meddelande:
    """What the two message contracts have in common."""
    m = _message_namespace(request)
    svar_pa = request.find(f"{m}svarPa")
    sista_datum = request.findtext(f"{m}sistaDatumForSvar")
    return Meddelande(
        direction=direction,
        meddelande_id=_text(request, f"{m}meddelande-id"),
        referens_id=_optional_text(request, f"{m}referens-id"),
        skickat_tidpunkt=_tidpunkt(request, f"{m}skickatTidpunkt"),
        intygs_id=_extension(request, f"{m}intygs-id"),
        patient=read_person_id(_child(request, f"{m}patientPerson-id")),
        logisk_adress_mottagare=_text(request, f"{m}logiskAdressMottagare"),
        amne=_code(request, f"{m}amne"),
        rubrik=request.findtext(f"{m}rubrik"),
        meddelande=request.findtext(f"{m}meddelande") or "",
        paminnelse_meddelande_id=_optional_text(request, f"{m}paminnelseMeddelande-id"),
        svar_pa=None if svar_pa is None else read_meddelande_referens(svar_pa),
        sista_datum_for_svar=None if sista_datum is None else read_datum(sista_datum),
        part=part,
        skickat_av=skickat_av,
        komplettering=komplettering,
    )


def _read_komplettering(row: etree._Element) -> Komplettering:
    m = _message_namespace(row)
    instans = row.findtext(f"{m}instans")
    return Komplettering(
        frage_id=_text(row, f"{m}frage-id"),
        instans=None if instans is None else int(instans),
        text=row.findtext(f"{m}text") or "",
    )


# --- parts ----------------------------------------------------------------------------------------


def read_person_id(element: etree._Element) -> PersonId:
    """`types:PersonId`."""
    return PersonId(_text(element, f"{_T}root"), _text(element, f"{_T}extension"))


def read_hos_personal(element: etree._Element) -> HosPersonal:
    """`core:HosPersonal`."""
    enhet = _child(element, f"{_C}enhet")
    return HosPersonal(
        personal_id=_extension(element, f"{_C}personal-id"),
        fullstandigt_namn=_text(element, f"{_C}fullstandigtNamn"),
        enhet=Enhet(
            enhets_id=_extension(enhet, f"{_C}enhets-id"),
            enhetsnamn=_text(enhet, f"{_C}enhetsnamn"),
            vardgivare_id=_extension(enhet, f"{_C}vardgivare/{_C}vardgivare-id"),
        ),
    )


def read_yrken(intyg: etree._Element) -> Yrken:
    """What `skapadAv` of a `core:Intyg` says of its author's professions and positions."""

    def codes(path: str) -> frozenset[str]:
        found = intyg.iterfind(f"{_C}skapadAv/{path}/{_T}code")
        return frozenset((code.text or "").strip().upper() for code in found)

    return Yrken(codes(f"{_E}legitimeratYrke"), codes(f"{_C}befattning"))


def read_relation(element: etree._Element) -> Relation:
    """`core:Relation`."""
    return Relation(_code(element, f"{_C}typ"), _extension(element, f"{_C}intygs-id"))


def read_meddelande_referens(element: etree._Element) -> MeddelandeReferens:
    """`core:MeddelandeReferens`."""
    return MeddelandeReferens(
        _text(element, f"{_C}meddelande-id"), _optional_text(element, f"{_C}referens-id")
    )


def read_tidpunkt(text: str) -> datetime:
    """
    `types:TimeStampType` (or with milliseconds): Swedish local time → aware UTC.

    Raises:
        ValueError, OverflowError: Valid by the schema, but outside the calendar.
    """
    text = text.strip()
    day, _, clock = text.partition("T")
    if clock.startswith("24:00:00"):  # xs:dateTime knows midnight under two names
        local = datetime.combine(date.fromisoformat(day), datetime.min.time()) + timedelta(days=1)
    else:
        local = datetime.fromisoformat(text)
    return local.replace(tzinfo=SWEDEN).astimezone(UTC)


def read_datum(text: str) -> date:
    """`types:DateType`."""
    return date.fromisoformat(text.strip())


# --- below: finding things that the schema promises -----------------------------------------------


def _message_namespace(element: etree._Element) -> str:
    """`{namespace}` of a message's own elements, to put before their names."""
    return f"{{{etree.QName(element).namespace}}}"


def _child(parent: etree._Element, path: str) -> etree._Element:
    found = parent.find(path)
    assert found is not None, path  # the schema requires it
    return found


def _text(parent: etree._Element, path: str) -> str:
    return (_child(parent, path).text or "").strip()


def _optional_text(parent: etree._Element, path: str) -> str | None:
    text = parent.findtext(path)
    return text.strip() if text is not None else None


def _extension(parent: etree._Element, path: str) -> str:
    return _text(parent, f"{path}/{_T}extension")


def _code(parent: etree._Element, path: str) -> str:
    return _text(parent, f"{path}/{_T}code")


def _tidpunkt(parent: etree._Element, path: str) -> datetime:
    element = _child(parent, path)
    try:
        return read_tidpunkt(element.text or "")
    except (ValueError, OverflowError):
        name = etree.QName(element).localname
        raise RuleError(
            "The request holds a time that is outside the calendar",
            [Finding("TIDPUNKT", f"{name} must be a time from year 1 to 9999", name)],
        ) from None


def _optional_tidpunkt(parent: etree._Element, path: str) -> datetime | None:
    return None if parent.find(path) is None else _tidpunkt(parent, path)
