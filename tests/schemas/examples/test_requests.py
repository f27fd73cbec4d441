"""An example request of every contract follows that contract's schema."""

from datetime import datetime
from functools import cache

import pytest
from lxml import etree

from intyg.schemas.contract.contract import Contracts
from intyg.schemas.examples.draft import Frame
from intyg.schemas.examples.example import Size, example
from intyg.schemas.examples.requests import (
    REQUESTS,
    About,
    RequestError,
    example_request,
    options_of,
)
from tests import builders
from tests.strategies import TYPES

AT = datetime(2026, 11, 23, 9, 30)  # noqa: DTZ001 -- Swedish local time, as in the contracts
FK7804 = TYPES.lookup("FK7804")
FRAME = Frame("intyg-7", builders.PATIENT, AT, "2.0", builders.DOCTOR, unit=builders.UNIT)
TOLD = {
    "frage_id": "35",
    "last_day": "2026-12-01",
    "archived": "true",
    "handelse": "MAKULE",
    "status": "SENTTO",
}
"""What cannot be any text, or had better be a code that there is."""


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return Contracts()


@cache
def about() -> About:
    certificate = example(FK7804, signed_at=AT, size=Size.MINIMAL, intygs_id="intyg-7")
    return About(FRAME, FK7804, "message-7", lambda: etree.fromstring(etree.tostring(certificate)))


def request(contracts: Contracts, key: str, **told: str) -> etree._Element:
    name, _, major = key.partition(":")
    made = example_request(key, contracts.get(name, int(major)).request, about(), told)
    return etree.fromstring(etree.tostring(made))


def test_there_is_one_of_every_contract(contracts: Contracts) -> None:
    known = {contract.key for contract in contracts.all()}
    assert known - {"RegisterCertificate:3"} == set(REQUESTS)


@pytest.mark.parametrize("key", REQUESTS)
def test_it_follows_its_schema_with_all_that_can_be_said_and_with_nothing(
    contracts: Contracts, key: str
) -> None:
    name, _, major = key.partition(":")
    contract = contracts.get(name, int(major))
    everything = {option: TOLD.get(option, "TOLD") for option in options_of(key)}
    for told in ({}, everything):
        element = request(contracts, key, **told)
        assert element.tag == contract.request
        assert contracts.check(contract, element) == []
    texts = [each.text for each in element.iter()]
    assert set(everything.values()) <= set(texts)


def test_it_says_who_when_and_which_certificate(contracts: Contracts) -> None:
    revoke = request(contracts, "RevokeCertificate:2", text="Fel patient")
    assert revoke.findtext("{*}meddelande") == "Fel patient"
    assert revoke.findtext("{*}skickatTidpunkt") == "2026-11-23T09:30:00"
    assert revoke.findtext("{*}intygs-id/{*}extension") == "intyg-7"
    assert revoke.findtext("{*}patientPerson-id/{*}extension") == builders.PATIENT
    assert revoke.findtext("{*}skickatAv/{*}personal-id/{*}extension") == builders.DOCTOR
    assert revoke.findtext("{*}skickatAv/{*}enhet/{*}enhets-id/{*}extension") == builders.UNIT


def test_a_message_has_what_it_was_told(contracts: Contracts) -> None:
    told = {"amne": "KOMPLT", "frage_id": "35", "to": "SE-UNIT", "meddelande_id": "m-1"}
    asked = request(contracts, "SendMessageToCare:2", **told)
    assert asked.findtext("{*}meddelande-id") == "m-1"
    assert asked.findtext("{*}logiskAdressMottagare") == "SE-UNIT"
    assert asked.findtext("{*}amne/{*}code") == "KOMPLT"
    assert asked.findtext("{*}komplettering/{*}frage-id") == "35"
    answer = request(contracts, "SendMessageToRecipient:2", svar_pa="m-1", amne="KOMPLT")
    assert answer.findtext("{*}svarPa/{*}meddelande-id") == "m-1"
    assert answer.findtext("{*}meddelande-id") == "message-7"


def test_a_status_update_holds_the_certificate(contracts: Contracts) -> None:
    update = request(contracts, "CertificateStatusUpdateForCare:3", handelse="SKICKA", ref="r-1")
    assert update.findtext("{*}intyg/{*}intygs-id/{*}extension") == "intyg-7"
    assert update.findall("{*}intyg/{*}svar")
    assert update.findtext("{*}handelse/{*}handelsekod/{*}code") == "SKICKA"
    assert update.findtext("{*}ref") == "r-1"


def test_what_a_contract_does_not_have_is_refused(contracts: Contracts) -> None:
    with pytest.raises(RequestError, match=r"RevokeCertificate has no --amne; .*: --text$"):
        request(contracts, "RevokeCertificate:2", amne="KONTKT")
