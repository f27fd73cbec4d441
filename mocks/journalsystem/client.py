"""The sending side of the mock EHR: a zeep client on the WSDL that the adapter itself serves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import zeep
from lxml import etree
from zeep.transports import Transport

from intyg.mocks.journalsystem.drafts import Doctor
from intyg.mocks.wire.http_session import http_session
from intyg.schemas.codes import (
    AMNE_SYSTEM,
    ARBETSPLATSKOD_ROOT,
    HSA_ID_ROOT,
    PART_SYSTEM,
    SAMORDNINGSNUMMER_ROOT,
)
from intyg.schemas.codes import PERSONNUMMER_ROOT as PERSONNUMMER
from intyg.schemas.ns import CORE, EXT33, REGISTRY, SOAP11
from intyg.schemas.typefile.lookup import IntygTypes

_NATIONAL: Final = "/clinicalprocess/healthcond/certificate/{name}/{major}/rivtabp21"
_MAJOR: Final[Mapping[str, int]] = {
    "CreateDraftCertificate": 3,
    "RegisterCertificate": 3,
    "SendCertificateToRecipient": 2,
    "RevokeCertificate": 2,
    "SendMessageToRecipient": 2,
    "ListCertificatesForCitizen": 4,
    "SetCertificateStatus": 2,
}


@dataclass(frozen=True)
class Answer:
    """What the adapter answered: the fields of `core:ResultType`, and the reply's bytes."""

    code: str
    text: str | None
    error_id: str | None
    raw: bytes


@dataclass(frozen=True)
class Staff:
    """Who in care does things, and where."""

    personal_id: str
    unit: str
    care_provider: str = "TSTNMT2321000156-VG1"


class EhrClient:
    """
    Calls an adapter as an EHR does.

    Args:
        services_url: Where the adapter serves its contracts, e.g.
            `http://127.0.0.1:8080/services`.
        logical_address: What the header says.
        staff: Who sends.
        verify: CA certificates (PEM) for https; True: the usual ones.
        cert: Client certificate and key (PEM).
        headers: Of HTTP, that every call bears.
    """

    def __init__(
        self,
        services_url: str,
        logical_address: str,
        staff: Staff,
        *,
        verify: str | bool = True,
        cert: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._services_url = services_url.rstrip("/")
        self._logical_address = logical_address
        self._staff = staff
        self._session = http_session(verify, cert, headers)
        self._clients: dict[str, zeep.Client] = {}

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def register(self, body: bytes) -> Answer:
        """
        Hand over a certificate, its bytes as they are.

        Args:
            body: A RegisterCertificate element in UTF-8, without XML
                declaration; zeep binds and posts it but does not rebuild
                it, since that is what was signed.
        """
        message = (
            f'<soap:Envelope xmlns:soap="{SOAP11}"><soap:Header><LogicalAddress xmlns="{REGISTRY}">'
            f"{self._logical_address}</LogicalAddress></soap:Header><soap:Body>"
        ).encode() + body
        message += b"</soap:Body></soap:Envelope>"
        return _answer(*self._exchange("RegisterCertificate", message))

    def order_draft(
        self,
        typ: tuple[str, str],
        person_id: str,
        ref: str | None = None,
        prefill: Mapping[str, Mapping[str, str]] | None = None,
    ) -> tuple[Answer, str | None]:
        """
        Order a draft.

        Args:
            typ: Code and code system of the type.
            prefill: Answers to begin with, as texts by question and part; None: none.

        Returns:
            The answer, and the draft's id; None without one.
        """
        author = self._hos_personal()
        enhet = {name: author["enhet"][name] for name in ("enhets-id", "enhetsnamn")}
        names = {"fornamn": "Prov", "efternamn": "Person", "postadress": "", "postnummer": ""}
        intyg: dict[str, Any] = {
            "typAvIntyg": {"code": typ[0], "codeSystem": typ[1]},
            "patient": {"person-id": _person(person_id), **names, "postort": ""},
            "skapadAv": {
                "personal-id": author["personal-id"],
                "fullstandigtNamn": author["fullstandigtNamn"],
                "enhet": enhet,
            },
        }
        envelope = self._envelope("CreateDraftCertificate", {"intyg": {**intyg, "ref": ref}})
        if prefill is not None:
            envelope.find(f"{{{SOAP11}}}Body/*/*").append(_prefilled(prefill))
        answer = _answer(*self._exchange("CreateDraftCertificate", etree.tostring(envelope)))
        made = etree.fromstring(answer.raw).findtext(".//{*}intygs-id/{*}extension")
        return answer, made

    def doctor(self, types: IntygTypes, token: str | None = None) -> Doctor:
        """Who works with drafts: over the REST of the same adapter, beside its contracts."""
        url = self._services_url.removesuffix("/services")
        author = self._hos_personal()
        address = {"postadress": "Provgatan 1", "postnummer": "12345", "postort": "Provstad"}
        enhet = {**author["enhet"], **address, "telefonnummer": "010-0000000"}
        return Doctor(url, {**author, "enhet": enhet}, self._session, types, token)

    def send(self, intygs_id: str, person_id: str, mottagare: str, at: datetime) -> Answer:
        """Ask that a registered certificate goes to a recipient (part code)."""
        fields = self._to_send(intygs_id, person_id, mottagare, at)
        return self.call("SendCertificateToRecipient", fields)

    def request_to_send(
        self, intygs_id: str, person_id: str, mottagare: str, at: datetime
    ) -> bytes:
        """What `send` would post, a SOAP envelope in UTF-8, for somebody else to post it."""
        fields = self._to_send(intygs_id, person_id, mottagare, at)
        envelope = self._envelope("SendCertificateToRecipient", fields)
        return etree.tostring(envelope, pretty_print=True, encoding="UTF-8")

    def _to_send(
        self, intygs_id: str, person_id: str, mottagare: str, at: datetime
    ) -> dict[str, Any]:
        return {
            "skickatTidpunkt": stamp(at),
            "intygs-id": self.intygs_id(intygs_id),
            "patientPerson-id": _person(person_id),
            "mottagare": {"code": mottagare, "codeSystem": PART_SYSTEM},
            "skickatAv": {"hosPersonal": self._hos_personal()},
        }

    def revoke(self, intygs_id: str, person_id: str, at: datetime, reason: str) -> Answer:
        """Withdraw a certificate."""
        return self.call(
            "RevokeCertificate",
            {
                "meddelande": reason,
                "skickatTidpunkt": stamp(at),
                "intygs-id": self.intygs_id(intygs_id),
                "patientPerson-id": _person(person_id),
                "skickatAv": self._hos_personal(),
            },
        )

    def message(
        self,
        meddelande_id: str,
        intygs_id: str,
        person_id: str,
        to: str,
        amne: str,
        text: str,
        at: datetime,
        svar_pa: str | None = None,
    ) -> Answer:
        """Ask the authority at logical address `to`, or answer its message `svar_pa`."""
        fields: dict[str, Any] = {
            "meddelande-id": meddelande_id,
            "skickatTidpunkt": stamp(at),
            "intygs-id": self.intygs_id(intygs_id),
            "patientPerson-id": _person(person_id),
            "logiskAdressMottagare": to,
            "amne": {"code": amne, "codeSystem": AMNE_SYSTEM},
            "meddelande": text,
            "skickatAv": self._hos_personal(),
        }
        if svar_pa:
            fields["svarPa"] = {"meddelande-id": svar_pa}
        return self.call("SendMessageToRecipient", fields)

    def _client(self, contract: str) -> zeep.Client:
        if contract not in self._clients:
            path = _NATIONAL.format(name=contract, major=_MAJOR[contract])
            self._clients[contract] = zeep.Client(
                f"{self._services_url}{path}?wsdl",
                transport=Transport(session=self._session, timeout=30, operation_timeout=30),
            )
        return self._clients[contract]

    def call(self, contract: str, fields: Mapping[str, Any]) -> Answer:
        """Call a contract whose answer is a result."""
        return _answer(*self._called(contract, fields))

    def read(self, contract: str, fields: Mapping[str, Any]) -> etree._Element:
        """Call a contract that is answered with what was asked for: the reply's envelope."""
        return etree.fromstring(self._called(contract, fields)[1])

    def _called(self, contract: str, fields: Mapping[str, Any]) -> tuple[Any, bytes]:
        return self._exchange(contract, etree.tostring(self._envelope(contract, fields)))

    def _envelope(self, contract: str, fields: Mapping[str, Any]) -> Any:
        client, header = self._client(contract), {"LogicalAddress": self._logical_address}
        return client.create_message(client.service, contract, **fields, _soapheaders=header)

    def _exchange(self, contract: str, message: bytes) -> tuple[Any, bytes]:
        """
        Post an envelope.

        Returns:
            What zeep makes of the reply, and its bytes.
        """
        client = self._client(contract)
        binding = client.service._binding
        operation = binding.get(contract)
        response = client.transport.post(
            client.service._binding_options["address"],
            message,
            {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{operation.soapaction}"'},
        )
        return binding.process_reply(client, operation, response), response.content

    def intygs_id(self, intygs_id: str) -> dict[str, str]:
        """As messages name a certificate of the unit."""
        return {"root": self._staff.unit, "extension": intygs_id}

    def _hos_personal(self) -> dict[str, Any]:
        return {
            "personal-id": {"root": HSA_ID_ROOT, "extension": self._staff.personal_id},
            "fullstandigtNamn": "Läkare Provperson",
            "enhet": {
                "enhets-id": {"root": HSA_ID_ROOT, "extension": self._staff.unit},
                "arbetsplatskod": {"root": ARBETSPLATSKOD_ROOT, "extension": "0000000"},
                "enhetsnamn": "Provenheten",
                "postadress": "",
                "postnummer": "",
                "postort": "",
                "telefonnummer": "",
                "vardgivare": {
                    "vardgivare-id": {
                        "root": HSA_ID_ROOT,
                        "extension": self._staff.care_provider,
                    },
                    "vardgivarnamn": "Provregionen",
                },
            },
        }


def _person(person_id: str) -> dict[str, str]:
    root = SAMORDNINGSNUMMER_ROOT if person_id[6] >= "6" else PERSONNUMMER
    return {"root": root, "extension": person_id}


def _prefilled(answers: Mapping[str, Mapping[str, str]]) -> etree._Element:
    """`forifyllnad`, with a svar for each question."""
    whole = etree.Element(f"{{{EXT33}}}forifyllnad")
    for svar_id, parts in answers.items():
        svar = etree.SubElement(whole, f"{{{EXT33}}}svar", id=svar_id)
        for delsvar_id, text in parts.items():
            etree.SubElement(svar, f"{{{CORE}}}delsvar", id=delsvar_id).text = text
    return whole


def stamp(at: datetime) -> datetime:
    """`types:TimeStampType` has neither zone nor fraction, and zeep writes what it is given."""
    return at.replace(tzinfo=None, microsecond=0)


def _answer(reply: Any, raw: bytes) -> Answer:
    # zeep unwraps a response with one element: result itself, or an object that holds it
    result = getattr(reply, "result", reply)
    return Answer(result.resultCode, result.resultText, result.errorId, raw)
