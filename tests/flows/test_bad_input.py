"""What is wrong is answered by what is wrong, quickly, and leaves nothing behind.

Envelopes and HTTP are tried in tests/adapter/soap, each row of the contracts' own answers in
tests/adapter/interactions; here the worst of each goes through a running adapter.
"""

import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from lxml import etree

from intyg.adapter.formats import safe_xml
from intyg.sandbox.demo.stage import (
    PATIENT,
    TEST_PERSONS,
    Stage,
    set_stage,
)
from intyg.sandbox.demo.story import issue
from intyg.schemas.ns import CORE, DS, SOAP11
from tests import builders

OTHER = TEST_PERSONS[1]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, keys_folder: Path) -> Iterator[Stage]:
    """One for all tests here: none of them may leave anything behind."""
    with set_stage(tmp_path_factory.mktemp("stage"), keys_folder) as running:
        contracts = running.adapter.services.contracts  # warm, as in `intyg serve`
        contracts.warm(contracts.get("RegisterCertificate", 3))
        yield running


@dataclass(frozen=True)
class Reply:
    status: int
    code: str | None  # resultCode
    error_id: str | None
    text: str  # resultText or faultstring
    fault: str | None
    seconds: float


def post(stage: Stage, contract: str, data: bytes, **headers: str) -> Reply:
    """Post bytes; the answer must be a valid SOAP message of the contract."""
    name, _, major = contract.partition(":")
    known = stage.adapter.services.contracts.get(name, int(major))
    started = time.perf_counter()
    response = requests.post(
        f"{stage.adapter.url}/services{known.path}",
        data,
        headers={"Content-Type": "text/xml; charset=UTF-8", **headers},
        timeout=10,
    )
    seconds = time.perf_counter() - started
    envelope = etree.fromstring(response.content)
    element = envelope.find(f"{{{SOAP11}}}Body/*")
    assert element is not None
    if element.tag == f"{{{SOAP11}}}Fault":
        text = element.findtext("faultstring") or ""
        return Reply(response.status_code, None, None, text, element.findtext("faultcode"), seconds)
    assert stage.adapter.services.contracts.check(known, element) == []

    def found(local: str) -> str | None:
        return element.findtext(f".//{{{CORE}}}{local}")

    return Reply(
        response.status_code,
        found("resultCode"),
        found("errorId"),
        found("resultText") or "",
        None,
        seconds,
    )


def assert_quick(stage: Stage, data: bytes) -> None:
    """Under a second; the best of three, since other tests share the machine."""
    assert min(post(stage, "RegisterCertificate:3", data).seconds for _ in range(3)) < 1.0


def enveloped(body: bytes) -> bytes:
    return safe_xml.envelope(body, "INTYGSADAPTER")


def signed(stage: Stage, intygs_id: str) -> bytes:
    return issue(stage, intygs_id)


def stored(stage: Stage) -> dict[str, int]:
    """How many rows each table has, all but those that only count others."""
    with closing(sqlite3.connect(stage.folder / "adapter.sqlite")) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for (name,) in tables
            if name not in ("audit_head", "sqlite_sequence")
        }


Change = Callable[[bytes], bytes]


def without_version(body: bytes) -> bytes:
    return body.replace(b"<c:version>1.3</c:version>", b"")


def with_unknown_type(body: bytes) -> bytes:
    return body.replace(b">LISJP<", b">NOSUCH<")


def with_blank_answer(body: bytes) -> bytes:
    start = body.index(b'<c:delsvar id="35.1">') + len(b'<c:delsvar id="35.1">')
    return body[:start] + b"  " + body[body.index(b"</c:delsvar>", start) :]


def with_other_doctor(body: bytes) -> bytes:
    return body.replace(b"-TEST01<", b"-TEST09<", 1)


def with_another_answer(body: bytes) -> bytes:
    return body.replace(b"Snickare", b"Smed")


def with_wrong_checksum(body: bytes) -> bytes:
    return body.replace(PATIENT.encode(), b"189001019803")


def without_signature(body: bytes) -> bytes:
    start = body.index(b"underskrift") - 10
    start = body.rindex(b"<", 0, start + 10)
    end = body.rindex(b"underskrift>") + len(b"underskrift>")
    return body[:start] + body[end:]


def with_text(local: str, text: str) -> Change:
    """Another text in an element of the signature."""

    def change(body: bytes) -> bytes:
        root = etree.fromstring(body)
        element = root.find(f".//{{{DS}}}{local}")
        assert element is not None
        element.text = text
        return etree.tostring(root)

    return change


def with_relative_namespace(body: bytes) -> bytes:
    return body.replace(b"<ds:Signature ", b'<ds:Signature xmlns:zz="relative" ', 1)


REFUSED = [
    pytest.param(without_version, "XSD", "version", id="schema: an element is missing"),
    pytest.param(with_unknown_type, "TYPE", "LISJP", id="unknown certificate type"),
    pytest.param(with_blank_answer, "FK7804/1/R83", "35.1", id="rule of the type"),
    pytest.param(with_wrong_checksum, "PERSON_ID_LUHN", "person-id", id="wrong check digit"),
    pytest.param(with_another_answer, "DIGEST_MISMATCH", "not what was signed", id="changed"),
    pytest.param(with_other_doctor, "DIGEST_MISMATCH", "not what was signed", id="other doctor"),
    pytest.param(without_signature, "ABSENT", "underskrift", id="unsigned"),
    pytest.param(with_text("SignatureValue", ""), "SIGNATURE_INVALID", "not right", id="no value"),
    pytest.param(with_text("DigestValue", ""), "SIGNATURE_INVALID", "not right", id="no digest"),
    pytest.param(with_text("X509Certificate", ""), "KEYINFO", "readable", id="no certificate"),
    pytest.param(with_text("X509Certificate", "AAAA"), "KEYINFO", "readable", id="broken one"),
    pytest.param(with_relative_namespace, "C14N", "relative namespace", id="no canonical form"),
]


@pytest.mark.parametrize(("change", "rule", "says"), REFUSED)
def test_refused_certificate_says_why_and_leaves_nothing(
    stage: Stage, change: Change, rule: str, says: str
) -> None:
    before = stored(stage)
    message = enveloped(change(signed(stage, "a-1")))
    reply = post(stage, "RegisterCertificate:3", message)
    if rule != "XSD":  # what follows its contract is in the audit log, refused or not
        before["audit"] += 1
    assert (reply.status, reply.code, reply.error_id) == (200, "ERROR", "VALIDATION_ERROR")
    assert rule in reply.text
    assert says in reply.text
    assert PATIENT not in reply.text
    assert "189001019803" not in reply.text
    assert stored(stage) == before
    assert_quick(stage, message)


IN_TWO_PIECES = [
    pytest.param("RevokeCertificate:2", builders.revoke_certificate("a-1"), id="revocation"),
    pytest.param("SendMessageToRecipient:2", builders.send_message_to_recipient("a-1"), id="to"),
    pytest.param("SendMessageToCare:2", builders.send_message_to_care("a-1"), id="to care"),
]


@pytest.mark.parametrize("inside", [b"<!-- -->", b"<?x?>"], ids=["comment", "instruction"])
@pytest.mark.parametrize(("contract", "body"), IN_TWO_PIECES)
def test_an_id_in_two_pieces_is_no_id(
    stage: Stage, contract: str, body: bytes, inside: bytes
) -> None:
    """`a<!-- -->-1` is `a` to one reader and `a-1` to another."""
    split = body.replace(b">a-1<", b">a" + inside + b"-1<")
    assert split != body
    before = stored(stage)
    reply = post(stage, contract, enveloped(split))
    assert (reply.code, reply.error_id) == ("ERROR", "VALIDATION_ERROR")
    assert "SPLIT_VALUE" in reply.text
    assert stored(stage) == before


BROKEN = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"no xml at all", id="not XML"),
    pytest.param(enveloped(b""), id="empty body"),
    pytest.param(enveloped(b"<a/><b/>"), id="two body elements"),
    pytest.param(enveloped(b"<a xmlns='urn:nothing'/>"), id="unknown contract"),
    pytest.param(b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + enveloped(b"<a>&b;</a>"), id="DTD"),
    pytest.param(enveloped("<a>å</a>".encode("latin-1")), id="wrong encoding"),
    pytest.param(safe_xml.envelope(builders.register_certificate(), None), id="no address"),
]


@pytest.mark.parametrize("data", BROKEN)
def test_broken_envelope_is_a_fault(stage: Stage, data: bytes) -> None:
    before = stored(stage)
    reply = post(stage, "RegisterCertificate:3", data)
    assert (reply.status, reply.fault) == (500, "soapenv:Client")
    assert reply.text
    assert "Traceback" not in reply.text
    assert stored(stage) == before
    assert_quick(stage, data)


def test_sixteen_mebibytes_are_refused_at_once(stage: Stage) -> None:
    data = b" " * (16 * 1024 * 1024)
    reply = post(stage, "RegisterCertificate:3", data)
    assert (reply.status, reply.fault) == (413, "soapenv:Client")
    assert_quick(stage, data)


def test_unknown_and_wrong_person_are_told_apart_to_nobody(stage: Stage) -> None:
    intygs_id = str(uuid.uuid4())
    registered = post(stage, "RegisterCertificate:3", enveloped(signed(stage, intygs_id)))
    assert registered.code == "OK"
    for contract, build in (
        ("SendCertificateToRecipient:2", builders.send_certificate_to_recipient),
        ("RevokeCertificate:2", builders.revoke_certificate),
    ):
        unknown = post(stage, contract, enveloped(build(intygs_id="nobody", person=PATIENT)))
        other = post(stage, contract, enveloped(build(intygs_id=intygs_id, person=OTHER)))
        assert unknown.error_id == "APPLICATION_ERROR"
        assert (unknown.code, unknown.error_id, unknown.text) == (
            other.code,
            other.error_id,
            other.text,
        )


def test_repeats_are_information(stage: Stage) -> None:
    intygs_id = str(uuid.uuid4())
    register = enveloped(signed(stage, intygs_id))
    revoke = enveloped(builders.revoke_certificate(intygs_id=intygs_id, person=PATIENT))
    codes = [
        post(stage, contract, message).code
        for contract, message in (
            ("RegisterCertificate:3", register),
            ("RegisterCertificate:3", register),
            ("RevokeCertificate:2", revoke),
            ("RevokeCertificate:2", revoke),
        )
    ]
    assert codes == ["OK", "INFO", "OK", "INFO"]
