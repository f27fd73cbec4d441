"""What the EHR calls with, leaf by leaf, at somebody who takes all that it can call."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from lxml import etree

from intyg.mocks.journalsystem.client import EhrClient, Staff
from intyg.mocks.server.call import Call
from intyg.mocks.server.persona_base import Persona
from intyg.mocks.server.place import Place
from intyg.mocks.server.service import MockService
from intyg.mocks.server.serving import serve
from intyg.mocks.settings import MockSettings
from intyg.mocks.wire.envelope import Answer
from intyg.schemas import codes
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders

AT = datetime(2026, 11, 23, 9, 30, 59, 999_999, tzinfo=UTC)
STAFF = Staff("doctor-1", "unit-1", "provider-1")


class Taker(Persona):
    """Takes what an EHR calls, and says that it did."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        keys = (
            "SendCertificateToRecipient:2 RevokeCertificate:2 SendMessageToRecipient:2"
            " RegisterCertificate:3"
        )
        self.handlers = dict.fromkeys(keys.split(), self._take)

    def _take(self, call: Call) -> Answer:
        return Answer.info(f"{call.contract.key if call.contract else ''} was taken")


@pytest.fixture(scope="module")
def taker(contracts: Contracts, types: IntygTypes) -> MockService[Taker]:
    settings = MockSettings("Taker", "INTYGSADAPTER", "FKASSA")
    return MockService(Taker(Place(contracts, types, settings)))


@pytest.fixture(scope="module")
def client(taker: MockService[Taker]) -> Iterator[EhrClient]:
    with serve(taker) as running:
        client = EhrClient(
            f"{running.url}/", "INTYGSADAPTER", STAFF, headers={"X-Forwarded-For": "somebody"}
        )
        yield client
        client.close()


def said(data: bytes) -> list[tuple[str, str | None]]:
    """Name and text of every element of an envelope that holds no others."""
    root = etree.fromstring(data)
    return [(etree.QName(each).localname, each.text) for each in root.iter() if len(each) == 0]


ABOUT = [
    ("LogicalAddress", "INTYGSADAPTER"),
    ("skickatTidpunkt", "2026-11-23T09:30:59"),
    ("root", "unit-1"),
    ("extension", "intyg-1"),
    ("root", codes.PERSONNUMMER_ROOT),
    ("extension", builders.PATIENT),
]
BY = [
    ("root", codes.HSA_ID_ROOT),
    ("extension", "doctor-1"),
    ("fullstandigtNamn", "Läkare Provperson"),
    ("root", codes.HSA_ID_ROOT),
    ("extension", "unit-1"),
    ("root", codes.ARBETSPLATSKOD_ROOT),
    ("extension", "0000000"),
    ("enhetsnamn", "Provenheten"),
    *((name, None) for name in ("postadress", "postnummer", "postort", "telefonnummer")),
    ("root", codes.HSA_ID_ROOT),
    ("extension", "provider-1"),
    ("vardgivarnamn", "Provregionen"),
]


def test_a_certificate_is_sent(taker: MockService[Taker], client: EhrClient) -> None:
    answer = client.send("intyg-1", builders.PATIENT, "FKASSA", AT)
    assert (answer.code, answer.text) == ("INFO", "SendCertificateToRecipient:2 was taken")
    entry = taker.journal.entries()[-1]
    to = [("code", "FKASSA"), ("codeSystem", codes.PART_SYSTEM)]
    assert said(entry.request) == [*ABOUT, *to, *BY]
    assert ("X-Forwarded-For", "somebody") in entry.headers
    assert said(client.request_to_send("intyg-1", builders.PATIENT, "FKASSA", AT)) == said(
        entry.request
    )


def test_a_certificate_is_revoked(taker: MockService[Taker], client: EhrClient) -> None:
    answer = client.revoke("intyg-1", builders.PATIENT, AT, "Fel patient")
    assert (answer.code, answer.text) == ("INFO", "RevokeCertificate:2 was taken")
    assert b"RevokeCertificate:2 was taken" in answer.raw
    request = said(taker.journal.entries()[-1].request)
    assert request == [ABOUT[0], ("meddelande", "Fel patient"), *ABOUT[1:], *BY]


@pytest.mark.parametrize("svar_pa", [None, "question-1"])
def test_a_message_is_sent(
    taker: MockService[Taker], client: EhrClient, svar_pa: str | None
) -> None:
    client.message("m-1", "intyg-1", builders.PATIENT, "FKASSA", "KONTKT", "Hej", AT, svar_pa)
    answers = [] if svar_pa is None else [("meddelande-id", svar_pa)]
    assert said(taker.journal.entries()[-1].request) == [
        ABOUT[0],
        ("meddelande-id", "m-1"),
        *ABOUT[1:],
        ("logiskAdressMottagare", "FKASSA"),
        ("code", "KONTKT"),
        ("codeSystem", codes.AMNE_SYSTEM),
        ("meddelande", "Hej"),
        *answers,
        *BY,
    ]


def test_a_certificate_is_handed_over_as_its_bytes_are(
    taker: MockService[Taker], client: EhrClient
) -> None:
    body = builders.register_certificate()
    answer = client.register(body)
    entry = taker.journal.entries()[-1]
    assert (answer.code, answer.error_id) == ("INFO", None)
    assert answer.raw == entry.reply
    assert entry.request.count(body) == 1
    assert said(entry.request)[0] == ("LogicalAddress", "INTYGSADAPTER")
    assert ("Content-Type", "text/xml; charset=utf-8") in entry.headers
    action = "urn:riv:clinicalprocess:healthcond:certificate:RegisterCertificateResponder:3"
    assert dict(entry.headers)["Soapaction"] == f'"{action}:RegisterCertificate"'


def test_a_unit_has_an_address() -> None:
    client = EhrClient("http://127.0.0.1:9/services", "INTYGSADAPTER", STAFF)
    unit = client.doctor(IntygTypes()).author["enhet"]
    assert unit["enhets-id"] == {"root": codes.HSA_ID_ROOT, "extension": "unit-1"}
    address = [unit[name] for name in ("postadress", "postnummer", "postort", "telefonnummer")]
    assert address == ["Provgatan 1", "12345", "Provstad", "010-0000000"]
