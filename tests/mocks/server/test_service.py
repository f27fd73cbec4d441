import re
import socket
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import requests
from lxml import etree

from intyg.mocks import forsakringskassan
from intyg.mocks.forsakringskassan import SETTINGS
from intyg.mocks.journal import Verdict
from intyg.mocks.rules.answers import Error, Fault, Http
from intyg.mocks.server.call import with_findings
from intyg.mocks.server.serving import MockServer, serve
from intyg.schemas.codes import ErrorId
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.finding import Finding
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders
from tests.mocks.calls import (
    NATIONAL,
    PATHS,
    envelope,
    fault,
    post,
    post_raw,
    result,
)
from tests.mocks.kinds import Kassan

REGISTER = builders.register_certificate()


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(PATHS["RegisterCertificate"], id="national path"),
        pytest.param("/some/base" + PATHS["RegisterCertificate"], id="below a base"),
        pytest.param(PATHS["RegisterCertificate"] + "/", id="with a slash"),
        pytest.param("/", id="root, by the body"),
    ],
)
def test_every_door_leads_to_the_contract(server: MockServer, path: str) -> None:
    assert result(post(server, REGISTER, path=path)) == ["OK", None, None]


@pytest.mark.parametrize(
    ("path", "body", "address", "status", "words"),
    [
        pytest.param("/elsewhere", REGISTER, "FKASSA", 404, "No contract", id="unknown path"),
        pytest.param(
            PATHS["RevokeCertificate"], REGISTER, "FKASSA", 500, "address of", id="other contract"
        ),
        pytest.param(
            "/",
            builders.send_certificate_to_recipient(),
            "FKASSA",
            500,
            "does not take SendCertificateToRecipient",
            id="contract not taken",
        ),
        pytest.param("/", b"<a/>", "FKASSA", 500, "does not take a", id="no contract"),
        pytest.param("/", REGISTER, None, 500, "LogicalAddress is missing", id="no header"),
        pytest.param("/", REGISTER, "SKV", 500, "logical address FKASSA", id="other address"),
        pytest.param("/", b"", "FKASSA", 500, "one element", id="empty Body"),
    ],
)
def test_calls_to_nobody_get_a_client_fault_and_are_kept(
    server: MockServer, path: str, body: bytes, address: str | None, status: int, words: str
) -> None:
    data = envelope(body, address)
    response = post_raw(server, data, path)
    assert response.status_code == status
    code, text = fault(response)
    assert code == "soap:Client"
    assert text is not None
    assert words in text
    (call,) = server.mock.journal.entries()
    assert (call.request, call.reply, call.http_status) == (data, response.content, status)
    assert call.steps[-1].verdict is Verdict.FAILED


def test_what_is_not_xml_is_kept_too(server: MockServer) -> None:
    response = post_raw(server, b"\x00 not XML")
    assert response.status_code == 500
    (call,) = server.mock.journal.entries()
    assert call.request == b"\x00 not XML"
    assert call.contract is None


def test_a_call_cut_short_is_kept_with_what_came(server: MockServer) -> None:
    with socket.create_connection((server.host, server.port), timeout=5) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n"
            b"Content-Length: 1000\r\n\r\n<half"
        )
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100).startswith(b"HTTP/1.1 400")
    (call,) = server.mock.journal.wait(timeout_seconds=5)
    assert (call.http_status, call.contract) == (400, None)


def test_a_long_list_of_faults_is_cut_and_says_so() -> None:
    findings = [Finding("XSD", "wrong", f"/a[{n}]") for n in range(60)]
    lines = with_findings("Faults", findings).splitlines()
    assert len(lines) == 52  # the text, 50 faults, and how many more
    assert lines[-1] == "and 10 more"


def test_http_has_its_own_words_for_what_is_not_soap(server: MockServer) -> None:
    wrong_type = post_raw(server, envelope(REGISTER), content_type="application/json")
    wrong_method = requests.put(server.url + "/", data=envelope(REGISTER), timeout=5)
    assert wrong_type.status_code == 415
    assert (wrong_method.status_code, wrong_method.headers["Allow"]) == (405, "POST")
    assert len(server.mock.journal.entries()) == 2


def test_of_a_call_with_attachments_the_root_part_is_read(server: MockServer) -> None:
    def parts(kind: str) -> bytes:
        root = f"--b\r\nContent-Type: {kind}\r\nContent-ID: <1@x>\r\n\r\n".encode()
        other = b"--b\r\nContent-Type: image/png\r\nContent-ID: <2@x>\r\n\r\n\x89PNG\r\n"
        return other + root + envelope(builders.register_certificate()) + b"\r\n--b--\r\n"

    related = 'multipart/related; boundary=b; start="<1@x>"'
    xop, soap12 = parts('application/xop+xml; type="text/xml"'), parts("application/soap+xml")
    taken = post_raw(server, xop, content_type=related)
    assert result(taken)[0] == "OK"
    refused = [
        post_raw(server, soap12, content_type=related),
        post_raw(server, b"none", content_type=related),
    ]
    assert [each.status_code for each in refused] == [415, 400]
    assert server.mock.journal.entries()[0].request == xop


def test_too_large_a_call_is_413_and_leaves_the_connection_usable(server: MockServer) -> None:
    limit = server.mock.settings.max_body_bytes
    with requests.Session() as session:
        response = session.post(
            server.url, data=b" " * (limit + 1), headers={"Content-Type": "text/xml"}, timeout=10
        )
        assert response.status_code == 413
        assert "larger than" in (fault(response)[1] or "")
        again = session.post(
            server.url, data=envelope(REGISTER), headers={"Content-Type": "text/xml"}, timeout=10
        )
        assert result(again)[0] == "OK"
    large, whole = server.mock.journal.entries()
    assert (large.request, large.request_cut_off) == (b" " * 65536, True)
    assert (whole.request, whole.request_cut_off) == (envelope(REGISTER), False)


@pytest.mark.parametrize(
    ("head", "sent"),
    [
        pytest.param("Content-Length: 99999999", b"<half", id="the caller waits for the answer"),
        pytest.param(
            "Transfer-Encoding: chunked", b"7d0\r\n" + b"x" * 2000 + b"\r\n", id="in chunks"
        ),
    ],
)
def test_the_beginning_of_too_large_a_call_is_kept(
    contracts: Contracts, types: IntygTypes, head: str, sent: bytes
) -> None:
    kassan = forsakringskassan.PERSONA.make(
        contracts, types, replace(SETTINGS, max_body_bytes=1000)
    )
    start = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\n{head}\r\n\r\n"
    with serve(kassan) as server:
        with socket.create_connection((server.host, server.port), timeout=5) as connection:
            connection.sendall(start.encode() + sent)
            assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
        [call] = kassan.journal.entries("http_status=413")
    assert call.request_cut_off
    assert call.request == (sent if sent == b"<half" else b"x" * 1000)


def test_a_schema_error_lists_every_fault_and_no_value(server: MockServer) -> None:
    body = REGISTER.replace(builders.PATIENT.encode(), b"18900101-9802").replace(
        b"<version>1.3</version>", b""
    )
    code, error_id, text = result(post(server, body))
    assert (code, error_id) == ("ERROR", "VALIDATION_ERROR")
    assert text is not None
    assert "XSD /RegisterCertificate/intyg" in text
    assert "18900101-9802" not in text
    (call,) = server.mock.journal.entries()
    step = call.step("xsd")
    assert step is not None
    assert step.verdict is Verdict.FAILED


def test_a_call_is_journalled_byte_for_byte_with_its_steps(
    contracts: Contracts, types: IntygTypes
) -> None:
    data = envelope(REGISTER)
    signed = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    with serve(forsakringskassan.PERSONA.make(contracts, types, clock=lambda: signed)) as server:
        response = requests.post(
            server.url + PATHS["RegisterCertificate"],
            data=data,
            headers={"Content-Type": "text/xml; charset=UTF-8", "X-Correlation": "c-1"},
            timeout=5,
        )
        (call,) = server.mock.journal.entries()
    assert call.number == 1
    assert (call.request, call.reply) == (data, response.content)
    assert ("X-Correlation", "c-1") in call.headers
    assert call.contract == "RegisterCertificate:3"
    assert call.logical_address == "FKASSA"
    assert call.intygs_id == builders.INTYGS_ID
    assert (call.result_code, call.error_id) == ("OK", None)
    assert [(step.name, step.detail) for step in call.steps] == [
        ("envelope", ""),
        ("contract", "RegisterCertificate:3"),
        ("logical_address", ""),
        ("xsd", ""),
        ("type", "FK7804 1"),
        ("rules", ""),
        ("person", ""),
        ("signature", "absent"),
        ("duplicate", ""),
    ]
    assert call.duration_seconds < 5


def test_an_ordered_error_is_answered_once_and_changes_nothing(
    server: MockServer, kassan: Kassan
) -> None:
    kassan.rules.fail_next(
        Error(error_id=ErrorId.TECHNICAL_ERROR, text="try again later"), "RegisterCertificate"
    )
    assert result(post(server, REGISTER)) == ["ERROR", "TECHNICAL_ERROR", "try again later"]
    assert kassan.persona.all_intyg() == ()
    assert result(post(server, REGISTER))[0] == "OK"
    first, second = kassan.journal.entries()
    assert (first.step("rule"), second.step("rule")) == (first.steps[-1], None)


def test_an_ordered_fault_and_an_ordered_page_look_like_it(
    server: MockServer, kassan: Kassan
) -> None:
    kassan.rules.fail_next(Fault(text="VP009 unreachable"))
    kassan.rules.fail_next(Http(status=503, page="<html>busy</html>"))
    first, second = post(server, REGISTER), post(server, REGISTER)
    assert (first.status_code, fault(first)) == (500, ("soap:Server", "VP009 unreachable"))
    assert (second.status_code, second.text) == (503, "<html>busy</html>")
    assert second.headers["Content-Type"].startswith("text/html")


def test_a_failure_of_a_contract_not_taken_is_refused(kassan: Kassan) -> None:
    with pytest.raises(ValueError, match=r"^match\.contract: .*RevokeCertificate"):
        kassan.rules.fail_next(Fault(), "GetCertificate")


def test_a_defect_of_the_mock_is_a_technical_error_without_details(
    server: MockServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(builders.PATIENT)

    monkeypatch.setattr(server.mock.place.contracts, "check", broken)
    response = post(server, REGISTER)
    assert result(response)[:2] == ["ERROR", "TECHNICAL_ERROR"]
    assert builders.PATIENT not in response.text + caplog.text
    assert "RuntimeError" in caplog.text


def test_wsdl_and_every_schema_it_needs_are_served(
    server: MockServer, contracts: Contracts
) -> None:
    address = server.url + PATHS["RegisterCertificate"]
    todo, seen = [f"{address}?wsdl"], set[str]()
    while todo:
        url = todo.pop()
        seen.add(url)
        response = requests.get(url, timeout=5)
        assert response.status_code == 200, url
        etree.fromstring(response.content)
        found = re.findall(r'schemaLocation="([^"]+)"', response.text)
        todo += {requests.compat.urljoin(url, each) for each in found} - seen - set(todo)
    assert len(seen) > 4
    for query in ("?wsdl", "?WSDL", "?singleWsdl", "/?wsdl"):
        assert f'location="{address}"' in requests.get(f"{address}{query}", timeout=5).text
    assert "schemaLocation" not in requests.get(f"{address}?singleWsdl", timeout=5).text
    assert requests.get(f"{address}?xsd=../../secret", timeout=5).status_code == 404


def test_a_get_says_where_the_doors_are(server: MockServer) -> None:
    known, unknown = (requests.get(server.url + path, timeout=5) for path in ("/", "/x"))
    assert (known.status_code, known.headers["Allow"]) == (405, "POST")
    assert unknown.status_code == 404
    assert f"{NATIONAL}/RevokeCertificate/2/rivtabp21" in unknown.text


def test_reset_forgets_everything(server: MockServer, kassan: Kassan) -> None:
    post(server, REGISTER)
    kassan.rules.fail_next(Fault())
    kassan.reset()
    assert (kassan.persona.all_intyg(), kassan.journal.entries(), kassan.rules.book.all()) == (
        (),
        (),
        (),
    )
    assert result(post(server, REGISTER))[0] == "OK"


def test_what_came_of_a_call_that_ended_too_early_is_kept(
    server: MockServer, kassan: Kassan
) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: 100\r\n\r\n"
    with socket.create_connection((server.host, server.port), timeout=5) as connection:
        connection.sendall(head + b"<half")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
    [call] = kassan.journal.wait(timeout_seconds=5)
    assert (call.request, call.steps[-1].detail) == (b"<half", "The message ended too early")


@pytest.mark.parametrize(
    ("address", "says"),
    [
        pytest.param("FK-TIMOUT", "; the nearest that misbehaves is FK-TIMEOUT", id="a letter"),
        pytest.param("fk-vp007", "; the nearest that misbehaves is FK-VP007", id="lower case"),
        pytest.param("TRANSP", "has logical address FKASSA", id="another"),
    ],
)
def test_a_misspelt_trouble_address_is_told(server: MockServer, address: str, says: str) -> None:
    answer = post(server, builders.register_certificate(), logical_address=address)
    assert (fault(answer)[1] or "").endswith(says)
