"""A test suite that was written for the national mock service finds here what it expects."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from lxml import etree

from intyg.mocks.journalsystem.client import EhrClient, Staff
from intyg.mocks.national import NationalMock
from intyg.mocks.national.behavior import BehaviorError, read_behavior, read_behaviors
from intyg.mocks.national.files import import_rules
from intyg.mocks.national.mock import SETTINGS
from intyg.mocks.rules.files import read_rules
from intyg.mocks.server.serving import MockServer, serve
from intyg.mocks.wire import envelope
from intyg.schemas.contract.contract import Contracts
from tests import builders
from tests.builders import DOCTOR, PATIENT, UNIT

PATH = "/services/clinicalprocess/healthcond/certificate/{}/{}/rivtabp21"
REGISTER = ("RegisterCertificate", 3)
REVOKE = ("RevokeCertificate", 2)
MESSAGE = ("SendMessageToRecipient", 2)
HANDELSE_SYSTEM = "dfd7bbad-dbe5-4a2f-ba25-f7b9b2cc6b14"
STATUS = ("CertificateStatusUpdateForCare", 3)


class Suite:
    """What such a suite does: SOAP to one address, and REST to the same."""

    def __init__(self, server: MockServer) -> None:
        self.url = server.url
        self.session = requests.Session()

    def soap(self, contract: tuple[str, int], body: bytes, to: str = "FK") -> envelope.Reply:
        data = envelope.write_request(etree.fromstring(body), to)
        headers = {"Content-Type": "text/xml", "SOAPAction": '""'}
        url = self.url + PATH.format(*contract)
        return envelope.read_reply(self.session.post(url, data, headers=headers).content)

    def register(self, intygs_id: str = "it-001", to: str = "FK", **more: Any) -> envelope.Reply:
        return self.soap(REGISTER, builders.register_certificate(intygs_id, **more), to)

    def get(self, path: str) -> Any:
        response = self.session.get(f"{self.url}/api{path}")
        assert response.status_code == 200, response.text
        assert response.headers["Content-Type"] == "application/json"
        return response.json()

    def status(self, method: str, path: str, **more: Any) -> int:
        return self.session.request(method, f"{self.url}/api{path}", **more).status_code

    def rule(self, **fields: Any) -> Any:
        response = self.session.post(f"{self.url}/api/behavior", json=fields)
        assert response.status_code == 201, response.text
        return response.json()


@pytest.fixture
def suite(contracts: Contracts) -> Iterator[Suite]:
    with serve(NationalMock.of(contracts)) as server:
        made = Suite(server)
        with made.session:
            yield made


def error(**more: Any) -> dict[str, Any]:
    return {
        "serviceName": "REGISTER_CERTIFICATE",
        "resultCode": "ERROR",
        "errorId": "VALIDATION_ERROR",
        **more,
    }


# --- what came ------------------------------------------------------------------------------------


def test_a_certificate_is_taken_from_anybody_and_listed(suite: Suite) -> None:
    assert suite.register("it-001", svar_pa="m-1").result_code == "OK"
    assert suite.register("it-002", "TS", person=builders.OTHER_PATIENT).result_code == "OK"
    first, _ = suite.get("/register-certificate")
    intyg = first["intyg"]
    assert intyg["intygsId"] == {"root": UNIT, "extension": "it-001"}
    assert intyg["typ"]["code"] == "LISJP"
    assert intyg["signeringstidpunkt"] == "2026-11-23T09:30:00"
    assert intyg["patient"]["personId"]["extension"] == PATIENT
    assert intyg["skapadAv"]["personalId"]["extension"] == DOCTOR
    assert intyg["skapadAv"]["enhet"]["enhetsId"]["extension"] == UNIT
    assert intyg["relation"] == []
    assert first["svarPa"] == {"meddelandeId": "m-1", "referensId": None}
    by_id = {each["id"]: each["delsvar"] for each in intyg["svar"]}
    assert by_id["1"][0]["cv"]["code"] == "UNDERSOKNING"
    assert by_id["1"][1]["value"] == "2026-11-20"
    assert by_id["32"][1]["datePeriod"] == {"start": "2026-11-20", "end": "2026-12-03"}


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("/logical-address/FK", 1),
        ("/logical-address/UNKNOWN", 0),
        (f"/person/{PATIENT}", 1),
        (f"/person/{PATIENT[:8]}-{PATIENT[8:]}", 1),
        ("/person/000000000000", 0),
    ],
)
def test_certificates_are_looked_for(suite: Suite, path: str, count: int) -> None:
    suite.register("it-001")
    suite.register("it-002", "TS", person=builders.OTHER_PATIENT)
    assert len(suite.get(f"/register-certificate{path}")) == count
    assert suite.get("/register-certificate/count") == {"count": 2}


def test_one_certificate_as_json_and_as_xml(suite: Suite) -> None:
    suite.register("it-001")
    assert suite.get("/register-certificate/it-001")["intyg"]["version"] == "1.3"
    response = suite.session.get(f"{suite.url}/api/register-certificate/it-001/xml")
    assert response.headers["Content-Type"].startswith("application/xml")
    assert etree.QName(etree.fromstring(response.content)).localname == "RegisterCertificate"
    assert suite.status("GET", "/register-certificate/nonexistent") == 404
    assert suite.status("GET", "/register-certificate/nonexistent/xml") == 404


def test_certificates_are_forgotten(suite: Suite) -> None:
    suite.register("it-001")
    suite.register("it-002")
    assert suite.status("DELETE", "/register-certificate/it-001") == 200
    [left] = suite.get("/register-certificate")
    assert left["intyg"]["intygsId"]["extension"] == "it-002"
    assert suite.status("DELETE", "/register-certificate") == 200
    assert suite.get("/register-certificate") == []


def test_revocations_and_messages(suite: Suite) -> None:
    suite.soap(REVOKE, builders.revoke_certificate("it-001"))
    suite.soap(MESSAGE, builders.send_message_to_recipient("m-1", intygs_id="it-001"))
    [revoked] = suite.get(f"/revoke-certificate/person/{PATIENT}")
    assert (revoked["intygsId"]["extension"], revoked["meddelande"]) == ("it-001", "Fel patient")
    assert revoked["skickadAv"]["personalId"]["extension"] == DOCTOR
    message = suite.get("/send-message-to-recipient/m-1")
    assert (message["amne"]["code"], message["logiskAdressMottagare"]) == ("KONTKT", "FK-ADDRESS")
    for path in ("certificate/it-001", "recipient/FK-ADDRESS", "logical-address/FK"):
        assert len(suite.get(f"/send-message-to-recipient/{path}")) == 1
    assert suite.status("DELETE", "/send-message-to-recipient/m-1") == 200
    assert suite.get("/send-message-to-recipient/count") == {"count": 0}


def test_status_updates(suite: Suite) -> None:
    for kod in ("SKICKA", "NYFRFM"):
        suite.soap(STATUS, _status_update("it-001", kod))
    assert len(suite.get("/certificate-status-for-care/it-001")) == 2
    [told] = suite.get("/certificate-status-for-care/event-type/NYFRFM")
    assert told["handelse"]["handelsekod"]["code"] == "NYFRFM"
    assert told["mottagnaFragor"] == {
        "totalt": 2,
        "ejBesvarade": 1,
        "besvarade": 1,
        "hanterade": 0,
    }
    text = suite.session.get(f"{suite.url}/api/certificate-status-for-care/it-001/xml").content
    assert etree.fromstring(text).tag == "status-updates"
    assert suite.status("DELETE", "/certificate-status-for-care/it-001") == 204
    assert suite.get("/certificate-status-for-care/it-001") == []


def test_nothing_is_ever_logged(suite: Suite) -> None:
    assert suite.get("/store-log") == suite.get("/store-log/user/someone") == []
    assert suite.get("/store-log/count") == {"count": 0}
    assert suite.status("DELETE", "/store-log") == 200


# --- behaviour rules ------------------------------------------------------------------------------


def test_an_error_is_answered_and_nothing_stored(suite: Suite) -> None:
    made = suite.rule(**error(resultText="Nej"))
    reply = suite.register()
    assert (reply.result_code, reply.error_id, reply.result_text) == (
        "ERROR",
        "VALIDATION_ERROR",
        "Nej",
    )
    assert suite.get("/register-certificate/count") == {"count": 0}
    [told] = suite.get("/behavior")
    assert told == {**made, "triggerCount": 1}
    assert suite.get(f"/behavior/{made['id']}") == told
    assert datetime.fromisoformat(told["createdAt"]).tzinfo is UTC
    assert told["createdAt"].endswith("Z")
    assert {name for name, value in told.items() if value is None} == {
        "delayMillis",
        "matchCriteria",
        "maxTriggerCount",
    }


def test_a_rule_that_has_acted_often_enough_is_gone(suite: Suite) -> None:
    suite.rule(**error(maxTriggerCount=1))
    assert [suite.register().result_code for _ in range(2)] == ["ERROR", "OK"]
    assert suite.get("/register-certificate/count") == {"count": 1}
    assert suite.get("/behavior") == []


def test_the_most_exact_rule_acts_and_of_equals_the_newest(suite: Suite) -> None:
    suite.rule(**error())
    suite.rule(**error(errorId="REVOKED", matchCriteria={"certificateId": "it-001"}))
    person = f"{PATIENT[:8]}-{PATIENT[8:]}"
    exact = {"certificateId": "it-001", "personId": person, "logicalAddress": "FK"}
    suite.rule(**error(errorId="APPLICATION_ERROR", matchCriteria=exact))
    suite.rule(**error(errorId="TECHNICAL_ERROR", matchCriteria=exact))
    assert suite.register("it-001").error_id == "TECHNICAL_ERROR"
    assert suite.register("it-001", "TS").error_id == "REVOKED"
    assert suite.register("it-002").error_id == "VALIDATION_ERROR"


def test_a_delay_alone_stores_and_answers_ok(suite: Suite) -> None:
    suite.rule(serviceName="REGISTER_CERTIFICATE", delayMillis=200)
    started = time.monotonic()
    assert suite.register().result_code == "OK"
    assert time.monotonic() - started >= 0.2
    assert suite.get("/register-certificate/count") == {"count": 1}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"resultCode": "OK"}, ("OK", None, None)),
        ({"resultCode": "OK", "resultText": "Ja"}, ("OK", None, "Ja")),
        ({"resultCode": "INFO", "resultText": "Ja"}, ("INFO", None, "Ja")),
        ({"resultCode": "ERROR"}, ("ERROR", None, None)),
        ({"resultCode": "ERROR", "errorId": "REVOKED"}, ("ERROR", "REVOKED", None)),
    ],
)
def test_every_result_can_be_had(
    suite: Suite, fields: dict[str, str], told: tuple[str | None, ...]
) -> None:
    suite.rule(serviceName="REGISTER_CERTIFICATE", **fields)
    reply = suite.register()
    assert (reply.result_code, reply.error_id, reply.result_text) == told
    assert suite.get("/register-certificate") == []


def test_rules_are_taken_back(suite: Suite) -> None:
    one = suite.rule(**error())
    suite.rule(**error(serviceName="REVOKE_CERTIFICATE"))
    suite.rule(**error(serviceName="SEND_MESSAGE_TO_RECIPIENT"))
    assert len(suite.get("/behavior?service=REVOKE_CERTIFICATE")) == 1
    assert suite.status("DELETE", "/behavior?service=REVOKE_CERTIFICATE") == 204
    assert suite.status("DELETE", f"/behavior/{one['id']}") == 204
    assert suite.register().result_code == "OK"
    assert suite.status("GET", f"/behavior/{one['id']}") == 404
    assert suite.status("DELETE", "/reset") == 204
    assert suite.get("/behavior") == suite.get("/register-certificate") == []


def test_the_journal_and_the_control_interface_are_there_too(suite: Suite) -> None:
    suite.rule(**error())
    suite.register()
    [call] = suite.session.get(f"{suite.url}/control/journal").json()["calls"]
    assert [(each["why"], each["acted"]) for each in call["rules"]] == [("acted", True)]
    there = suite.session.post(f"{suite.url}/control/reset", json={"intygs_id": "it-001"})
    assert there.status_code == 200


def test_it_serves_zeep(suite: Suite) -> None:
    ehr = EhrClient(f"{suite.url}/services", "FK", Staff(DOCTOR, UNIT))
    try:
        body = builders.register_certificate()
        assert ehr.register(body.split(b"?>")[-1]).code == "OK"
    finally:
        ehr.close()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "serviceName: field required"),
        ({"serviceName": "REGISTER"}, "the nearest is REGISTER_CERTIFICATE"),
        ({"serviceName": "STORE_LOG"}, "serviceName: no mock here takes STORE_LOG"),
        (error(errorId="VALIDATION"), "errorId: VALIDATION is unknown; the nearest is VALIDATION_"),
        (error(resultCode=None), "errorId goes with a resultCode"),
        (error(delayMilis=1), "delayMilis: delayMilis is unknown; the nearest is delayMillis"),
        (error(matchCriteria={}), "matchCriteria: must have at least one field"),
        (error(matchCriteria={"personid": "1"}), "matchCriteria.personid: personid is unknown"),
        (error(maxTriggerCount=0), "maxTriggerCount: "),
    ],
)
def test_a_rule_that_is_none_is_refused(suite: Suite, fields: dict[str, Any], says: str) -> None:
    response = suite.session.post(f"{suite.url}/api/behavior", json=fields)
    assert response.status_code == 400
    assert says in response.json()["detail"]
    assert suite.get("/behavior") == []


def test_what_is_no_json_and_no_service_is_refused(suite: Suite) -> None:
    assert suite.status("POST", "/behavior", data=b"{") == 400
    assert suite.status("GET", "/behavior?service=REGISTER") == 400
    assert suite.status("GET", "/nothing") == 404
    with pytest.raises(BehaviorError, match="a rule is an object"):
        read_behavior([])


# --- import ---------------------------------------------------------------------------------------


def test_rules_from_there_become_rules_here(suite: Suite, tmp_path: Path) -> None:
    """What `GET /api/behavior` answers is what is read."""
    suite.rule(**error(maxTriggerCount=2, delayMillis=1500, matchCriteria={"personId": PATIENT}))
    suite.rule(serviceName="REVOKE_CERTIFICATE", resultCode="INFO", resultText="Påhittat")
    suite.rule(serviceName="CERTIFICATE_STATUS_UPDATE_FOR_CARE", delayMillis=500)
    source = tmp_path / "från qa.json"
    source.write_text(json.dumps(suite.get("/behavior")), "utf-8")
    text = import_rules([source])
    assert text.startswith("# Behaviour rules of the national mock service, from från qa.json.\n")
    by_contract = {each["match"]["contract"]: each for each in yaml.safe_load(text)}
    assert by_contract["RegisterCertificate"]["match"]["person"] == [
        PATIENT,
        f"{PATIENT[:8]}-{PATIENT[8:]}",
    ]
    assert {name: (each["answers"], each.get("count")) for name, each in by_contract.items()} == {
        "RegisterCertificate": (
            {
                "kind": "error",
                "error_id": "VALIDATION_ERROR",
                "text": "",
                "delay": {"kind": "fixed", "seconds": 1.5, "when": "before"},
            },
            2,
        ),
        "RevokeCertificate": ({"kind": "info", "text": "Påhittat", "store": False}, None),
        "CertificateStatusUpdateForCare": (
            {"kind": "normal", "delay": {"kind": "fixed", "seconds": 0.5, "when": "before"}},
            None,
        ),
    }
    (tmp_path / "rules.yaml").write_text(text, "utf-8")
    assert [rule.id for rule in read_rules([tmp_path])] == ["fr-n-qa-1", "fr-n-qa-2", "fr-n-qa-3"]


def test_a_file_that_is_wrong_says_which_rule(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_text(json.dumps([error(), error(resultCode="NO")]), "utf-8")
    with pytest.raises(BehaviorError, match=r"rules\.json: rule 2: resultCode: NO is unknown"):
        import_rules([file])
    with pytest.raises(BehaviorError, match="no JSON"):
        read_behaviors("[")


def _status_update(intygs_id: str, kod: str) -> bytes:
    """CertificateStatusUpdateForCare 3, with an intyg as RegisterCertificate has it."""
    request = etree.fromstring(builders.register_certificate(intygs_id))
    intyg = request[0]
    tns = builders.namespace(*STATUS)
    root = etree.Element(f"{{{tns}}}{STATUS[0]}")
    moved = etree.SubElement(root, f"{{{tns}}}intyg")
    moved.extend(list(intyg))
    told = etree.fromstring(
        f'<x xmlns="{builders.CORE}" xmlns:t="{builders.TYPES}" xmlns:m="{tns}"><m:handelse>'
        f"<handelsekod><t:code>{kod}</t:code><t:codeSystem>{HANDELSE_SYSTEM}</t:codeSystem></handelsekod>"
        "<tidpunkt>2026-11-23T10:00:00.000</tidpunkt></m:handelse>"
        "<m:skickadeFragor><totalt>0</totalt><ejBesvarade>0</ejBesvarade><besvarade>0</besvarade>"
        "<hanterade>0</hanterade></m:skickadeFragor>"
        "<m:mottagnaFragor><totalt>2</totalt><ejBesvarade>1</ejBesvarade><besvarade>1</besvarade>"
        "<hanterade>0</hanterade></m:mottagnaFragor></x>"
    )
    root.extend(list(told))
    return etree.tostring(root)


def test_what_is_kept_is_bounded_in_bytes(contracts: Contracts) -> None:
    size = len(builders.register_certificate("it-1"))
    settings = replace(SETTINGS, journal_max_bytes=int(size * 2.5))
    with serve(NationalMock.of(contracts, settings)) as server:
        suite = Suite(server)
        with suite.session:
            for intygs_id in ("it-1", "it-2", "it-3"):
                assert suite.register(intygs_id).result_code == "OK"
            kept = suite.get("/register-certificate")
    assert [each["intyg"]["intygsId"]["extension"] for each in kept] == ["it-2", "it-3"]
