"""Valid requests for tests, as the bytes of a SOAP Body's only child.

Everything is invented: units, staff and texts exist nowhere, and the persons are from
Skatteverket's published test numbers. The functions write text on purpose, so that a test sees what
a sender would send and not what our own writers would.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import escape

PATIENT: Final = "189001019802"  # on the test lists that the tests write
OTHER_PATIENT: Final = "189001029819"  # on them too
UNLISTED_PATIENT: Final = "195801082743"  # stands for a real person: on no list of the tests
SAMORDNINGSNUMMER: Final = "191401682396"
SAMORDNINGSNUMMER_WITHOUT_MONTH: Final = "191500722390"
SAMORDNINGSNUMMER_WITHOUT_DAY: Final = "191711602399"

UNIT: Final = "SE0000000000-UNIT1"
CARE_PROVIDER: Final = "SE0000000000-VG1"
DOCTOR: Final = "SE0000000000-DOC1"
INTYGS_ID: Final = "5d0a3c1e-6f52-4a5e-9a55-0c1f6f0a7e01"

NOW: Final = datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC)
"""10:00 in Sweden: winter time."""

CORE: Final = "urn:riv:clinicalprocess:healthcond:certificate:3"
TYPES: Final = "urn:riv:clinicalprocess:healthcond:certificate:types:3"
EXT32: Final = "urn:riv:clinicalprocess:healthcond:certificate:3.2"
PERSONNUMMER: Final = "1.2.752.129.2.1.3.1"
SAMORDNING: Final = "1.2.752.129.2.1.3.3"
HSA: Final = "1.2.752.129.2.1.4.1"
PART_SYSTEM: Final = "769bb12b-bd9f-4203-a5cd-fd14f2eb3b80"
AMNE_SYSTEM: Final = "ffa59d8f-8d7e-46ae-ac9e-31804e8e8499"
RELATION_SYSTEM: Final = "c2362fcd-eda0-4f9a-bd13-b3bbaf7f2146"
TYPE_SYSTEM: Final = "b64ea353-e8f6-4832-b563-fc7d46f29548"


def namespace(contract: str, major: int) -> str:
    """The message namespace of a contract."""
    return f"urn:riv:clinicalprocess:healthcond:certificate:{contract}Responder:{major}"


# --- requests -------------------------------------------------------------------------------------


def register_certificate(
    intygs_id: str = INTYGS_ID,
    person: str = PATIENT,
    *,
    person_root: str | None = None,
    typ: str = "LISJP",
    version: str = "1.3",
    signed_at: str | None = "2026-11-23T09:30:00",
    unit: str = UNIT,
    doctor: str = DOCTOR,
    relation: tuple[str, str] | None = None,
    svar_pa: str | None = None,
    svar: Iterable[str] | None = None,
    diagnosis: str = "Påhittad åkomma i knät",
    underskrift: str = "",
) -> bytes:
    """
    RegisterCertificate 3 with an FK7804 (LISJP) version 1 that keeps every rule of its type.

    Args:
        relation: Code and intygs-id of the older certificate: `("KOMPLT", id)`.
        svar_pa: meddelande-id of the completion request it answers.
        svar: `svar` elements as text, instead of the ordinary ones.
        diagnosis: Text of question 6, to make one content differ from another.
        underskrift: A ready `underskrift` element, in any prefix of its own.
    """
    time = signed_at or "2026-11-23T09:30:00"
    parts = [
        f'<r:RegisterCertificate xmlns:r="{namespace("RegisterCertificate", 3)}"'
        f' xmlns="{CORE}" xmlns:t="{TYPES}">\n',
        _referens("r:svarPa", svar_pa),
        "  <r:intyg>\n",
        f"    <intygs-id><t:root>{unit}</t:root><t:extension>{escape(intygs_id)}</t:extension>"
        "</intygs-id>\n",
        f"    <typ><t:code>{escape(typ)}</t:code><t:codeSystem>{TYPE_SYSTEM}</t:codeSystem>"
        "<t:displayName>Läkarintyg för sjukpenning</t:displayName></typ>\n",
        f"    <version>{escape(version)}</version>\n",
        f"    <signeringstidpunkt>{signed_at}</signeringstidpunkt>\n" if signed_at else "",
        f"    <skickatTidpunkt>{time}</skickatTidpunkt>\n",
        f"    <patient>{_person('person-id', person, person_root)}<fornamn/><efternamn/>"
        "<postadress/><postnummer/><postort/></patient>\n",
        f"    {hos_personal('skapadAv', doctor, unit)}\n",
        _relation(relation),
        "".join(f"    {one}\n" for one in (fk7804_svar(diagnosis) if svar is None else svar)),
        underskrift,
        "  </r:intyg>\n</r:RegisterCertificate>",
    ]
    return "".join(parts).encode()


def signed_by(yrke: str, intygs_id: str = INTYGS_ID) -> bytes:
    """The same with a licensed profession (`legitimeratYrke`) in `skapadAv`: `SJ`, a nurse."""
    return register_certificate(intygs_id).replace(
        b"</skapadAv>",
        f'<legitimeratYrke xmlns="{EXT32}"><t:code>{yrke}</t:code>'
        "<t:codeSystem>1.2.752.29.23.1.6</t:codeSystem></legitimeratYrke></skapadAv>".encode(),
    )


def send_certificate_to_recipient(
    intygs_id: str = INTYGS_ID,
    person: str = PATIENT,
    mottagare: str = "FKASSA",
    *,
    citizen: bool = False,
) -> bytes:
    """SendCertificateToRecipient 2, sent by a doctor, or by the citizen."""
    skickat_av = (
        _person("m:person-id", person) if citizen else hos_personal("m:hosPersonal", DOCTOR, UNIT)
    )
    return _message(
        "SendCertificateToRecipient",
        2,
        [
            "<m:skickatTidpunkt>2026-11-23T10:00:00</m:skickatTidpunkt>",
            _ii("m:intygs-id", UNIT, intygs_id),
            _person("m:patientPerson-id", person),
            _cv("m:mottagare", mottagare, PART_SYSTEM),
            f"<m:skickatAv>{skickat_av}</m:skickatAv>",
        ],
    )


def revoke_certificate(
    intygs_id: str = INTYGS_ID, person: str = PATIENT, meddelande: str | None = "Fel patient"
) -> bytes:
    """RevokeCertificate 2."""
    return _message(
        "RevokeCertificate",
        2,
        [
            f"<m:meddelande>{escape(meddelande)}</m:meddelande>" if meddelande is not None else "",
            "<m:skickatTidpunkt>2026-11-23T10:00:00</m:skickatTidpunkt>",
            _ii("m:intygs-id", UNIT, intygs_id),
            _person("m:patientPerson-id", person),
            hos_personal("m:skickatAv", DOCTOR, UNIT),
        ],
    )


def send_message_to_care(
    meddelande_id: str = "m-care-1",
    amne: str = "OVRIGT",
    *,
    intygs_id: str = INTYGS_ID,
    person: str = PATIENT,
    svar_pa: str | None = None,
    paminner: str | None = None,
    komplettering: Sequence[tuple[str, str] | tuple[str, str, int]] | None = None,
    sista_datum: str | None = None,
    part: str = "FKASSA",
    mottagare: str = UNIT,
    text: str = "Påhittad fråga",
) -> bytes:
    """
    SendMessageToCare 2.

    Args:
        komplettering: frage-id, text and perhaps instans of each row; a
            completion request has one on question 35 if nothing is said.
    """
    if komplettering is None:
        asks = amne == "KOMPLT" and svar_pa is None
        komplettering = [("35", "Mer")] if asks else []
    rows = "".join(
        f"<m:komplettering><m:frage-id>{row[0]}</m:frage-id>"
        f"{''.join(f'<m:instans>{instans}</m:instans>' for instans in row[2:])}"
        f"<m:text>{escape(row[1])}</m:text></m:komplettering>"
        for row in komplettering
    )
    skickat_av = f"<m:skickatAv>{_cv('m:part', part, PART_SYSTEM)}</m:skickatAv>{rows}"
    return _meddelande(
        "SendMessageToCare",
        skickat_av,
        meddelande_id=meddelande_id,
        amne=amne,
        intygs_id=intygs_id,
        person=person,
        svar_pa=svar_pa,
        paminner=paminner,
        sista_datum=sista_datum,
        mottagare=mottagare,
        text=text,
    )


def send_message_to_recipient(
    meddelande_id: str = "m-recipient-1",
    amne: str = "KONTKT",
    *,
    intygs_id: str = INTYGS_ID,
    person: str = PATIENT,
    svar_pa: str | None = None,
    paminner: str | None = None,
    sista_datum: str | None = None,
    mottagare: str = "FK-ADDRESS",
    text: str = "Påhittad fråga",
) -> bytes:
    """SendMessageToRecipient 2, from a doctor."""
    return _meddelande(
        "SendMessageToRecipient",
        hos_personal("m:skickatAv", DOCTOR, UNIT),
        meddelande_id=meddelande_id,
        amne=amne,
        intygs_id=intygs_id,
        person=person,
        svar_pa=svar_pa,
        paminner=paminner,
        sista_datum=sista_datum,
        mottagare=mottagare,
        text=text,
    )


# --- parts ----------------------------------------------------------------------------------------


def fk7804_svar(diagnosis: str = "Påhittad åkomma i knät") -> list[str]:
    """The questions of an FK7804 version 1 for someone wholly away from work for two weeks."""
    return [
        svar(
            "1",
            delsvar("1.1", cv("UNDERSOKNING", "KV_FKMU_0001")),
            delsvar("1.2", "2026-11-20"),
            instans=1,
        ),
        svar("28", delsvar("28.1", cv("NUVARANDE_ARBETE", "KV_FKMU_0002")), instans=1),
        svar("29", delsvar("29.1", "Kakelsättare, lägger golv")),
        svar(
            "6",
            delsvar("6.2", cv("M239", "1.2.752.116.1.1.1.1.3")),
            delsvar("6.1", escape(diagnosis)),
        ),
        svar("35", delsvar("35.1", "Kan inte böja knät mer än hälften")),
        svar("17", delsvar("17.1", "Kan inte stå på knä")),
        svar(
            "32",
            delsvar("32.1", cv("HELT_NEDSATT", "KV_FKMU_0003")),
            delsvar(
                "32.2",
                "<t:datePeriod><t:start>2026-11-20</t:start><t:end>2026-12-03</t:end></t:datePeriod>",
            ),
            instans=1,
        ),
        svar("39", delsvar("39.1", cv("STOR_SANNOLIKHET", "KV_FKMU_0006"))),
        svar("40", delsvar("40.1", cv("EJ_AKTUELLT", "KV_FKMU_0004")), instans=1),
    ]


def svar(svar_id: str, *delsvar_list: str, instans: int | None = None) -> str:
    """`core:Svar`, core being the default namespace."""
    number = f"<instans>{instans}</instans>" if instans is not None else ""
    return f'<svar id="{svar_id}">{number}{"".join(delsvar_list)}</svar>'


def delsvar(delsvar_id: str, content: str) -> str:
    """A part of an answer; `content` is ready XML."""
    return f'<delsvar id="{delsvar_id}">{content}</delsvar>'


def cv(code: str, code_system: str) -> str:
    """`types:cv`, as a coded answer holds it."""
    return f"<t:cv><t:code>{code}</t:code><t:codeSystem>{code_system}</t:codeSystem></t:cv>"


def hos_personal(element: str, doctor: str = DOCTOR, unit: str = UNIT) -> str:
    """`core:HosPersonal`, as the element named."""
    return (
        f"<{element}>{_ii('personal-id', HSA, doctor)}"
        "<fullstandigtNamn>Påhittad Läkare</fullstandigtNamn>"
        f"<enhet>{_ii('enhets-id', HSA, unit)}"
        f"{_ii('arbetsplatskod', '1.2.752.29.4.71', '0000000')}"
        "<enhetsnamn>Påhittade vårdcentralen</enhetsnamn><postadress>Ingenstans 1</postadress>"
        "<postnummer>00000</postnummer><postort>Ingenstad</postort>"
        "<telefonnummer>000-000000</telefonnummer>"
        f"<vardgivare>{_ii('vardgivare-id', HSA, CARE_PROVIDER)}"
        "<vardgivarnamn>Påhittade regionen</vardgivarnamn></vardgivare></enhet>"
        f"</{element}>"
    )


def _meddelande(
    contract: str,
    skickat_av: str,
    *,
    meddelande_id: str,
    amne: str,
    intygs_id: str,
    person: str,
    svar_pa: str | None,
    paminner: str | None,
    sista_datum: str | None,
    mottagare: str,
    text: str,
) -> bytes:
    reminds = f"<m:paminnelseMeddelande-id>{paminner}</m:paminnelseMeddelande-id>"
    return _message(
        contract,
        2,
        [
            f"<m:meddelande-id>{escape(meddelande_id)}</m:meddelande-id>",
            "<m:skickatTidpunkt>2026-11-23T10:00:00</m:skickatTidpunkt>",
            _ii("m:intygs-id", UNIT, intygs_id),
            _person("m:patientPerson-id", person),
            f"<m:logiskAdressMottagare>{mottagare}</m:logiskAdressMottagare>",
            _cv("m:amne", amne, AMNE_SYSTEM),
            f"<m:meddelande>{escape(text)}</m:meddelande>",
            reminds if paminner is not None else "",
            _referens("m:svarPa", svar_pa),
            skickat_av,
            f"<m:sistaDatumForSvar>{sista_datum}</m:sistaDatumForSvar>" if sista_datum else "",
        ],
    )


def _message(contract: str, major: int, parts: Iterable[str]) -> bytes:
    """A request whose own elements have the prefix m."""
    lines = "\n".join(f"  {part}" for part in parts if part)
    return (
        f'<m:{contract} xmlns:m="{namespace(contract, major)}" xmlns="{CORE}" xmlns:t="{TYPES}">\n'
        f"{lines}\n</m:{contract}>"
    ).encode()


def _ii(element: str, root: str, extension: str) -> str:
    return (
        f"<{element}><t:root>{root}</t:root>"
        f"<t:extension>{escape(extension)}</t:extension></{element}>"
    )


def _cv(element: str, code: str, code_system: str) -> str:
    return (
        f"<{element}><t:code>{escape(code)}</t:code>"
        f"<t:codeSystem>{code_system}</t:codeSystem></{element}>"
    )


def _person(element: str, number: str, root: str | None = None) -> str:
    """The root follows from the number: a samordningsnummer has 60 added to its day."""
    return _ii(element, root or (SAMORDNING if number[6] >= "6" else PERSONNUMMER), number)


def _relation(relation: tuple[str, str] | None) -> str:
    if relation is None:
        return ""
    code, intygs_id = relation
    return (
        f"    <relation>{_cv('typ', code, RELATION_SYSTEM)}"
        f"{_ii('intygs-id', UNIT, intygs_id)}</relation>\n"
    )


def _referens(element: str, meddelande_id: str | None) -> str:
    if meddelande_id is None:
        return ""
    return f"<{element}><meddelande-id>{escape(meddelande_id)}</meddelande-id></{element}>"
