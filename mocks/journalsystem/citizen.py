"""A citizen, for whom the service speaks where people see their own certificates."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml import etree

from intyg.mocks.journalsystem.client import Answer, EhrClient, stamp
from intyg.schemas.codes import PART_SYSTEM, PERSONNUMMER_ROOT, STATUS_SYSTEM, Part, Status


@dataclass(frozen=True)
class OwnIntyg:
    """
    A certificate as its patient is shown it.

    Attributes:
        typ: Code in the XML.
        enhets_id: HSA-id of the unit that issued it.
        statuses: Codes of its states, in the order in which they came.
    """

    intygs_id: str
    typ: str
    enhets_id: str
    statuses: tuple[str, ...]


@dataclass(frozen=True)
class CitizenClient:
    """
    Calls an adapter for a citizen.

    Args:
        client: Over which it calls.
        person_id: Whose certificates; 12 digits.
    """

    client: EhrClient
    person_id: str

    def list(self, *, archived: bool = False) -> tuple[OwnIntyg, ...]:
        """By ListCertificatesForCitizen 4, oldest first; raises zeep's Fault when it is refused."""
        fields = {"person-id": self._person, "arkiverade": archived, "part": _part(Part.INVANA)}
        answer = self.client.read("ListCertificatesForCitizen", fields)
        return tuple(map(_own, answer.iterfind(".//{*}intygsLista/{*}intyg")))

    def archive(self, intygs_id: str, at: datetime, *, back: bool = False) -> Answer:
        """By SetCertificateStatus; `back` takes it out of the archive again."""
        status = Status.RESTOR if back else Status.DELETE
        fields = {
            "intygs-id": self.client.intygs_id(intygs_id),
            "part": _part(Part.INVANA),
            "status": {"code": status.value, "codeSystem": STATUS_SYSTEM},
            "tidpunkt": stamp(at),
        }
        return self.client.call("SetCertificateStatus", fields)

    def send(self, intygs_id: str, mottagare: str, at: datetime) -> Answer:
        """By SendCertificateToRecipient, in which the citizen is the sender."""
        fields = {
            "skickatTidpunkt": stamp(at),
            "intygs-id": self.client.intygs_id(intygs_id),
            "patientPerson-id": self._person,
            "mottagare": _part(mottagare),
            "skickatAv": {"person-id": self._person},
        }
        return self.client.call("SendCertificateToRecipient", fields)

    @property
    def _person(self) -> Mapping[str, str]:
        return {"root": PERSONNUMMER_ROOT, "extension": self.person_id}


def _part(code: str) -> Mapping[str, Any]:
    return {"code": str(code), "codeSystem": PART_SYSTEM}


def _own(intyg: etree._Element) -> OwnIntyg:
    def text(path: str) -> str:
        return intyg.findtext(path) or ""

    return OwnIntyg(
        intygs_id=text("{*}intygs-id/{*}extension"),
        typ=text("{*}typ/{*}code"),
        enhets_id=text("{*}skapadAv/{*}enhet/{*}enhets-id/{*}extension"),
        statuses=tuple(each.text or "" for each in intyg.iterfind("{*}status/{*}status/{*}code")),
    )
