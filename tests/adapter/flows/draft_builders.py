"""Orders of drafts, as the bytes of a SOAP Body's only child; a register and a directory to ask."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from intyg.adapter.clients.people import PeopleDownError
from intyg.adapter.domain.errors import TechnicalError
from intyg.adapter.domain.intyg import Yrken
from intyg.adapter.domain.person import PersonFacts, PersonId
from intyg.adapter.rules.signer_roles import StaffMember, Uppdrag
from tests import builders

CREATE: Final = builders.namespace("CreateDraftCertificate", 3)
EXT33: Final = "urn:riv:clinicalprocess:healthcond:certificate:3.3"

NURSE: Final = "SE0000000000-NURSE1"
DENTIST: Final = "SE0000000000-DENT1"
ELSEWHERE: Final = "SE0000000000-DOC2"
"""A doctor with an assignment at another unit."""

KNOWN: Final = PersonFacts("Prov", "Person", "", "Exempelvägen 2", "12345", "Provstad")


def create_draft(
    typ: str = "LISJP",
    *,
    person: str = builders.PATIENT,
    fornamn: str = "Annat",
    efternamn: str = "Namn",
    doctor: str = builders.DOCTOR,
    name: str = "Läkare Provperson",
    unit: str = builders.UNIT,
    unit_name: str = "Provenheten",
    ref: str | None = None,
    svar: str | None = None,
) -> bytes:
    """CreateDraftCertificate 3; `svar` are elements in the default namespace."""
    root = builders.SAMORDNING if person[6] >= "6" else builders.PERSONNUMMER
    prefilled = ""
    if svar is not None:
        prefilled = f'<x:forifyllnad xmlns:x="{EXT33}">{_given(svar)}</x:forifyllnad>'
    return (
        f'<m:CreateDraftCertificate xmlns:m="{CREATE}" xmlns="{builders.CORE}"'
        f' xmlns:t="{builders.TYPES}"><m:intyg>'
        f"<m:typAvIntyg><t:code>{typ}</t:code><t:codeSystem>{builders.TYPE_SYSTEM}"
        "</t:codeSystem></m:typAvIntyg>"
        f"<m:patient><person-id><t:root>{root}</t:root><t:extension>{person}</t:extension>"
        f"</person-id><fornamn>{fornamn}</fornamn><efternamn>{efternamn}</efternamn>"
        "<postadress/><postnummer/><postort/></m:patient>"
        f"<m:skapadAv><m:personal-id><t:root>{builders.HSA}</t:root><t:extension>{doctor}"
        f"</t:extension></m:personal-id><m:fullstandigtNamn>{name}</m:fullstandigtNamn>"
        f"<m:enhet><m:enhets-id><t:root>{builders.HSA}</t:root><t:extension>{unit}"
        f"</t:extension></m:enhets-id><m:enhetsnamn>{unit_name}</m:enhetsnamn></m:enhet>"
        f"</m:skapadAv>{f'<m:ref>{ref}</m:ref>' if ref else ''}{prefilled}"
        "</m:intyg></m:CreateDraftCertificate>"
    ).encode()


def _given(svar: str) -> str:
    return svar.replace("<svar ", "<x:svar ").replace("</svar>", "</x:svar>")


class Register:
    """A population register of a few, which can be down."""

    def __init__(self, **facts: PersonFacts) -> None:
        self.people: Mapping[str, PersonFacts] = {
            builders.PATIENT: KNOWN,
            builders.OTHER_PATIENT: KNOWN,
            builders.SAMORDNINGSNUMMER: KNOWN,
            **{number.removeprefix("p"): one for number, one in facts.items()},
        }
        self.down = False

    def find(self, person: PersonId) -> PersonFacts | None:
        if self.down:
            raise PeopleDownError("no answer within 2 s")
        return self.people.get(person.extension)


class Directory:
    """A staff directory of four."""

    def __init__(self) -> None:
        self.down = False

    def find(self, hsa_id: str) -> StaffMember | None:
        if self.down:
            raise TechnicalError("The staff directory does not answer.")
        return {
            builders.DOCTOR: _member("LK", builders.UNIT),
            NURSE: _member("SJ", builders.UNIT),
            DENTIST: _member("TL", builders.UNIT),
            ELSEWHERE: _member("LK", "SE0000000000-UNIT2"),
        }.get(hsa_id)


def _member(yrke: str, unit: str) -> StaffMember:
    assignment = Uppdrag(unit, "Vård och behandling", date(2024, 1, 1), None)
    return StaffMember(Yrken(frozenset({yrke})), (assignment,))
