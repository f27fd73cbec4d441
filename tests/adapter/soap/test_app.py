import json
import time
from collections.abc import Callable, Iterator, MutableMapping
from datetime import UTC, datetime
from typing import Any
from wsgiref.types import WSGIApplication

import pytest
import structlog.testing
from lxml import etree

from intyg.adapter import soap
from intyg.adapter.domain.errors import (
    FaultCode,
    FaultError,
    SchemaError,
    TechnicalError,
    UnknownIntygError,
    ValidationError,
)
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.settings.settings import SettingsError, load_settings
from intyg.adapter.soap import build_wsgi
from intyg.schemas import ns
from intyg.schemas.codes import ErrorId
from intyg.schemas.contract.contract import Contract, Contracts
from intyg.schemas.finding import Finding
from tests.adapter.soap.calls import (
    ADDRESS,
    Answer,
    call,
    envelope,
    request,
)

SERVED = ("RegisterCertificate:3", "RevokeCertificate:2", "SendMessageToCare:2")
SENT = ("CertificateStatusUpdateForCare:3", "SendMessageToCare:2")
SECRET = "Hemlig Patientsson 189001019802"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

_contracts = Contracts()
REGISTER = _contracts.get("RegisterCertificate", 3)
REVOKE = _contracts.get("RevokeCertificate", 2)
UPDATE = _contracts.get("CertificateStatusUpdateForCare", 3)

Logs = list[MutableMapping[str, Any]]


class Doors:
    """The doors, with a handler that remembers what it got and does as told."""

    def __init__(self, **server: Any) -> None:
        self.seen: list[Inbound] = []
        self.answer: Callable[[Inbound], soap.Answer] = lambda _: Result.ok()
        settings = load_settings(environment="test", server=server)
        self.app: WSGIApplication = build_wsgi(
            _contracts,
            dict.fromkeys(SERVED, self.handle),
            settings,
            lambda: NOW,
            fault_contracts=frozenset({"SendMessageToCare:2"}),
            sent=SENT,
        )

    def handle(self, inbound: Inbound) -> soap.Answer:
        self.seen.append(inbound)
        return self.answer(inbound)

    def post(self, contract: Contract, body: str | bytes, **environ: Any) -> Answer:
        data = body if isinstance(body, bytes) else body.encode()
        return call(self.app, "POST", contract.path, data, **environ)

    def raise_(self, error: Exception) -> None:
        def fail(_: Inbound) -> Result:
            raise error

        self.answer = fail


@pytest.fixture
def doors() -> Doors:
    return Doors()


@pytest.fixture(autouse=True)
def logs() -> Iterator[Logs]:
    with structlog.testing.capture_logs() as lines:
        yield lines


# --- a request and its answer --------------------------------------------------------------


def test_a_handler_gets_the_request_as_it_came(doors: Doors) -> None:
    element = request(REGISTER, "<x  a='1' ><![CDATA[å]]>&#229;</x>\r\n")
    answer = doors.post(REGISTER, envelope(element, " SE1 \n"))
    inbound = doors.seen[0]
    assert answer.status == 200
    assert inbound.contract == REGISTER
    assert inbound.logical_address == " SE1 \n"
    assert inbound.body.decode() == element.replace(
        "<m:RegisterCertificate", f'<m:RegisterCertificate xmlns:s="{ns.SOAP11}"', 1
    )
    assert inbound.element.tag == REGISTER.request
    assert inbound.element.getroottree().getroot().tag == f"{{{ns.SOAP11}}}Envelope"
    assert inbound.received_at == NOW
    assert inbound.sender is None
    assert inbound.correlation_id == answer.headers["x-skltp-correlation-id"]


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (envelope(request(REGISTER, "å")).encode("latin-1"), "text/xml; charset=iso-8859-1"),
        (envelope(request(REGISTER, "å")).encode("utf-16"), "text/xml"),
        (envelope(request(REGISTER, "å")).encode("utf-8-sig"), None),
    ],
    ids=["ISO-8859-1", "UTF-16", "no content type"],
)
def test_any_encoding_in_is_utf8_inside(doors: Doors, data: bytes, content_type: str) -> None:
    assert doors.post(REGISTER, data, CONTENT_TYPE=content_type).result == {"resultCode": "OK"}
    assert "å".encode() in doors.seen[0].body


WHOLE = envelope(request(REGISTER, "å")).encode()
RELATED = 'multipart/related; type="application/xop+xml"; boundary=b; start="<1@x>"'


def with_attachment(data: bytes, kind: str = 'application/xop+xml; type="text/xml"') -> bytes:
    head = f"--b\r\nContent-Type: {kind}\r\nContent-ID: <1@x>\r\n\r\n"
    picture = b"--b\r\nContent-Type: image/png\r\nContent-ID: <2@x>\r\n\r\n\x89PNG\r\n"
    return picture + head.encode() + data + b"\r\n--b--\r\n"


def test_of_a_message_with_attachments_the_root_part_is_read(doors: Doors) -> None:
    answer = doors.post(REGISTER, with_attachment(WHOLE), CONTENT_TYPE=RELATED)
    doors.post(REGISTER, WHOLE)
    assert answer.result == {"resultCode": "OK"}
    assert doors.seen[0].body == doors.seen[1].body


@pytest.mark.parametrize(
    ("data", "content_type", "status", "says"),
    [
        pytest.param(WHOLE, RELATED, 400, "no root part", id="no parts"),
        pytest.param(WHOLE, "multipart/related", 400, "no boundary", id="no boundary"),
        pytest.param(
            with_attachment(WHOLE, "application/soap+xml"), RELATED, 415, "root part", id="SOAP 1.2"
        ),
        pytest.param(with_attachment(WHOLE), "multipart/mixed", 415, "text/xml", id="mixed"),
    ],
)
def test_attachments_around_no_message_are_told(
    doors: Doors, data: bytes, content_type: str, status: int, says: str
) -> None:
    answer = doors.post(REGISTER, data, CONTENT_TYPE=content_type)
    assert (answer.status, answer.fault[0], says in answer.fault[1]) == (status, "Client", True)
    assert not doors.seen


@pytest.mark.parametrize("action", [None, "", '""', "urn:anything", '"' + REVOKE.soap_action + '"'])
def test_soap_action_does_not_matter(doors: Doors, action: str | None) -> None:
    doors.post(REGISTER, envelope(request(REGISTER)), HTTP_SOAPACTION=action)
    assert doors.seen[0].contract == REGISTER


@pytest.mark.parametrize("key", ["RegisterCertificate:3", "RevokeCertificate:2"])
@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (Result.ok(), {"resultCode": "OK"}),
        (Result.info("redan"), {"resultCode": "INFO", "resultText": "redan"}),
        (
            Result.error(ErrorId.REVOKED, "<å>\x00"),
            {"resultCode": "ERROR", "resultText": "<å>\ufffd", "errorId": "REVOKED"},
        ),
    ],
    ids=["ok", "info", "error"],
)
def test_a_result_is_answered_with_http_200_and_is_valid(
    doors: Doors, key: str, result: Result, expected: dict[str, str]
) -> None:
    name, _, major = key.partition(":")
    contract = _contracts.get(name, int(major))
    doors.answer = lambda _: result
    answer = doors.post(contract, envelope(request(contract)))
    assert answer.status == 200
    assert answer.result == expected
    assert _contracts.check(contract, answer.child) == []


@pytest.mark.wrong_on_purpose
def test_an_element_is_answered_as_it_is() -> None:
    doors = Doors(validate_answers=False)
    doors.answer = lambda _: etree.fromstring("<r:ready xmlns:r='u:r'>å</r:ready>")
    answer = doors.post(REGISTER, envelope(request(REGISTER)))
    assert (answer.status, answer.child.tag, answer.child.text) == (200, "{u:r}ready", "å")


@pytest.mark.parametrize("validate", [True, False])
def test_bytes_are_answered_to_the_byte(validate: bool) -> None:
    ready = (
        f"<r:{REGISTER.name}Response  xmlns:r='{REGISTER.namespace}' xmlns:c='{ns.CORE}'><r:result>"
        "<c:resultCode\n>&#79;K</c:resultCode><c:resultText><![CDATA[å]]></c:resultText></r:result>"
        f"</r:{REGISTER.name}Response>"
    ).encode()
    doors = Doors(validate_answers=validate)
    doors.answer = lambda _: ready
    answer = doors.post(REGISTER, envelope(request(REGISTER)))
    assert answer.status == 200
    assert b"<soapenv:Body>" + ready + b"</soapenv:Body>" in answer.body


@pytest.mark.parametrize("as_bytes", [True, False])
def test_an_answer_that_breaks_its_contract_does_not_leave(
    doors: Doors, logs: Logs, as_bytes: bool
) -> None:
    wrong = (
        f"<{REGISTER.name}Response xmlns='{REGISTER.namespace}'>{SECRET}</{REGISTER.name}Response>"
    )
    doors.answer = lambda _: wrong.encode() if as_bytes else etree.fromstring(wrong)
    answer = doors.post(REGISTER, envelope(request(REGISTER)))
    assert (answer.status, answer.result["errorId"]) == (200, "TECHNICAL_ERROR")
    assert SECRET not in answer.body.decode()
    line = next(line for line in logs if line["event"] == "soap.answer_invalid")
    assert line["intyg.contract"] == REGISTER.key
    assert line["intyg.findings"]
    assert SECRET not in str(logs)


def test_where_errors_are_faults_an_answer_that_breaks_its_contract_is_one_too(
    doors: Doors,
) -> None:
    to_care = _contracts.get("SendMessageToCare", 2)
    doors.answer = lambda _: b"<x/>"
    answer = doors.post(to_care, envelope(request(to_care)))
    assert (answer.status, answer.fault[0]) == (500, "Server")


def test_the_callers_correlation_id_comes_back(doors: Doors) -> None:
    given = "7353015a-d8f8-4da4-97de-db2a11a09d7f"
    answer = doors.post(REGISTER, envelope(request(REGISTER)), HTTP_X_SKLTP_CORRELATION_ID=given)
    assert answer.headers["x-skltp-correlation-id"] == given
    assert doors.seen[0].correlation_id == given


# --- errors of handlers --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "error_id"),
    [
        (SchemaError("no", [Finding("XSD", "wrong", "/a", 3)]), "VALIDATION_ERROR"),
        (UnknownIntygError("no"), "APPLICATION_ERROR"),
        (TechnicalError("no"), "TECHNICAL_ERROR"),
    ],
)
def test_a_refusal_is_an_error_result(doors: Doors, error: Exception, error_id: str) -> None:
    doors.raise_(error)
    answer = doors.post(REGISTER, envelope(request(REGISTER)))
    assert answer.status == 200
    assert answer.result["resultCode"] == "ERROR"
    assert answer.result["errorId"] == error_id
    assert answer.result["resultText"].startswith("no")
    assert _contracts.check(REGISTER, answer.child) == []


def test_a_fault_of_a_handler_is_a_fault(doors: Doors) -> None:
    doors.raise_(FaultError("not you", FaultCode.SERVER))
    answer = doors.post(REGISTER, envelope(request(REGISTER)))
    assert (answer.status, answer.fault) == (500, ("Server", "not you"))


@pytest.mark.parametrize(
    ("error", "code"), [(ValidationError("no"), "Client"), (TechnicalError("no"), "Server")]
)
def test_a_contract_without_result_answers_with_faults(
    doors: Doors, error: Exception, code: str
) -> None:
    contract = _contracts.get("SendMessageToCare", 2)
    doors.raise_(error)
    answer = doors.post(contract, envelope(request(contract)))
    assert (answer.status, answer.fault) == (500, (code, "no"))


@pytest.mark.parametrize(
    ("contract", "status"), [(REGISTER, 200), (_contracts.get("SendMessageToCare", 2), 500)]
)
def test_an_unforeseen_error_tells_nobody_what_it_was(
    doors: Doors, logs: Logs, contract: Contract, status: int
) -> None:
    doors.raise_(RuntimeError(SECRET))
    answer = doors.post(contract, envelope(request(contract)))
    text = answer.result["resultText"] if status == 200 else answer.fault[1]
    assert answer.status == status
    assert answer.headers["x-skltp-correlation-id"] in text
    assert b"RuntimeError" not in answer.body
    assert SECRET not in answer.body.decode()
    assert SECRET not in repr(logs)
    assert logs[0]["event"] == "soap.unexpected"
    assert logs[0]["error.type"] == "RuntimeError"
    assert "test_app.py" in logs[0]["error.place"]
    if status == 200:
        assert answer.result["errorId"] == "TECHNICAL_ERROR"


# --- bad input -----------------------------------------------------------------------------

GOOD = envelope(request(REGISTER, SECRET))
BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("body", "environ", "status", "code", "says"),
    [
        pytest.param("", {}, 500, "Client", "not well-formed", id="nothing"),
        pytest.param(SECRET, {}, 500, "Client", "line 1, column 1", id="not XML"),
        pytest.param(GOOD[:-20], {}, 500, "Client", "not well-formed", id="cut"),
        pytest.param(
            GOOD.replace("189001019802", "å").encode("latin-1"),
            {},
            500,
            "Client",
            "utf-8",
            id="declared UTF-8, is ISO-8859-1",
        ),
        pytest.param(
            GOOD,
            {"CONTENT_TYPE": "text/xml; charset=klingon"},
            500,
            "Client",
            "encoding",
            id="unknown charset",
        ),
        pytest.param("<!DOCTYPE x>" + GOOD, {}, 500, "Client", "DTD", id="DTD"),
        pytest.param(
            BOMB + GOOD.replace(SECRET, SECRET + "&b;"), {}, 500, "Client", "DTD", id="entities"
        ),
        pytest.param(
            GOOD.replace(SECRET, SECRET + "<x/>" * 4_000_000),
            {},
            413,
            "Client",
            "larger",
            id="16 MiB",
        ),
        pytest.param(
            GOOD.replace(SECRET, "<x>" * 200 + "</x>" * 200),
            {},
            500,
            "Client",
            "deeper",
            id="deep",
        ),
        pytest.param(envelope(""), {}, 500, "Client", "empty", id="empty body"),
        pytest.param(
            envelope(request(REGISTER) * 2), {}, 500, "Client", "more than one", id="two elements"
        ),
        pytest.param(
            envelope(f"<{SECRET.split()[0]}/>"),
            {},
            500,
            "Client",
            REGISTER.request,
            id="unknown element",
        ),
        pytest.param(
            envelope(request(REVOKE, SECRET)),
            {},
            500,
            "Client",
            REVOKE.path,
            id="another contract's element",
        ),
        pytest.param(
            envelope(request(REGISTER, SECRET), None),
            {},
            500,
            "Client",
            "LogicalAddress",
            id="no LogicalAddress",
        ),
        pytest.param(
            GOOD.replace(ns.SOAP11, "http://www.w3.org/2003/05/soap-envelope"),
            {},
            500,
            "VersionMismatch",
            "SOAP 1.1",
            id="SOAP 1.2",
        ),
        pytest.param(
            envelope(request(REGISTER), head='<x s:mustUnderstand="1"/>'),
            {},
            500,
            "MustUnderstand",
            "must be understood",
            id="mustUnderstand",
        ),
        pytest.param(
            GOOD,
            {"CONTENT_TYPE": "application/soap+xml"},
            415,
            "Client",
            "text/xml",
            id="SOAP 1.2 content type",
        ),
        pytest.param(
            GOOD, {"CONTENT_TYPE": "application/json"}, 415, "Client", "text/xml", id="JSON"
        ),
        pytest.param(
            GOOD, {"HTTP_CONTENT_ENCODING": "gzip"}, 415, "Client", "Content-Encoding", id="gzip"
        ),
        pytest.param(GOOD, {"CONTENT_LENGTH": "-1"}, 400, "Client", "number", id="length"),
        pytest.param(GOOD, {"CONTENT_LENGTH": "99999"}, 400, "Client", "ended", id="too short"),
    ],
)
def test_bad_input_is_answered_by_a_fault_at_once_and_leaves_no_trace(
    doors: Doors,
    logs: Logs,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    body: str | bytes,
    environ: dict[str, str],
    status: int,
    code: str,
    says: str,
) -> None:
    caplog.set_level(0)
    data = body if isinstance(body, bytes) else body.encode()
    started = time.perf_counter()
    answer = doors.post(REGISTER, data, **environ)
    assert time.perf_counter() - started < 1
    assert answer.status == status
    assert answer.fault[0] == code
    assert says in answer.fault[1]
    assert doors.seen == []
    written = answer.body.decode() + repr(logs) + caplog.text + "".join(capfd.readouterr())
    for secret in ("Hemlig", "Patientsson", "189001019802", "Traceback", 'File "'):
        assert secret not in written
    assert [line["event"] for line in logs] == ["soap.call"]


def test_a_message_may_be_as_large_as_the_limit() -> None:
    doors = Doors(max_body_bytes=2000)
    data = envelope(request(REGISTER, "x" * 3000))
    data = data.replace("x" * 3000, "x" * (2000 - len(data) + 3000))
    assert len(data) == 2000
    assert doors.post(REGISTER, data).status == 200
    assert doors.post(REGISTER, data + " ").status == 413


# --- pages ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/"])
def test_the_list_shows_what_is_served(doors: Doors, path: str) -> None:
    page = call(doors.app, "GET", path)
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=UTF-8"
    links = etree.HTML(page.body).xpath("//a/@href")
    assert links == [
        f"http://door.example/services{_contracts.get(*_split(key)).path}?wsdl"
        for key in (*SERVED, *SENT)
    ]


def test_the_list_as_json(doors: Doors) -> None:
    page = call(doors.app, "GET", "", HTTP_ACCEPT="application/json")
    assert page.headers["Content-Type"] == "application/json"
    listed = json.loads(page.body)
    services = listed["services"]
    assert [f"{s['contract']}:{s['major']}" for s in listed["sent_to_you"]] == list(SENT)
    assert "address" not in listed["sent_to_you"][0]
    assert [f"{s['contract']}:{s['major']}" for s in services] == list(SERVED)
    assert services[0]["address"] == f"http://door.example/services{REGISTER.path}"
    assert services[0]["wsdl"] == services[0]["address"] + "?wsdl"
    assert services[0]["namespace"] == REGISTER.namespace


def _split(key: str) -> tuple[str, int]:
    name, _, major = key.partition(":")
    return name, int(major)


@pytest.mark.parametrize("query", ["wsdl", "WSDL", "wsdl=1"])
def test_the_wsdl_has_the_address_that_the_caller_used(doors: Doors, query: str) -> None:
    wsdl = call(doors.app, "GET", f"{REGISTER.path}?{query}", HTTP_HOST="intyg.example:81")
    assert wsdl.status == 200
    assert wsdl.headers["Content-Type"] == "text/xml; charset=UTF-8"
    addresses = etree.fromstring(wsdl.body).xpath("//*[local-name()='address']/@location")
    assert addresses == [f"http://intyg.example:81/services{REGISTER.path}"]


@pytest.mark.parametrize("query", ["singleWsdl", "singlewsdl", "SINGLEWSDL=1"])
def test_the_wsdl_is_also_served_with_every_schema_in_it(doors: Doors, query: str) -> None:
    page = call(doors.app, "GET", f"{REGISTER.path}?{query}")
    root = etree.fromstring(page.body)
    assert not root.xpath("//@schemaLocation")
    names = {each.get("targetNamespace") for each in root.iter(f"{{{ns.XS}}}schema")}
    assert {REGISTER.namespace, ns.TYPES, ns.DS} <= names
    location = root.xpath("//*[local-name()='address']/@location")
    assert location == [f"http://door.example/services{REGISTER.path}"]


def test_no_wsdl_has_a_remark_about_its_address(doors: Doors) -> None:
    for contract in _contracts.all():
        assert b"placeholder" not in _contracts.wsdl(contract, "http://x").lower()
        assert b"placeholder" not in _contracts.wsdl_whole(contract).lower()


def test_a_contract_that_is_sent_is_described_and_not_served(doors: Doors) -> None:
    wsdl = call(doors.app, "GET", f"{UPDATE.path}?wsdl")
    assert wsdl.status == 200
    places = etree.fromstring(wsdl.body).iter("{*}address")
    assert [b"door.example" in etree.tostring(place) for place in places] == [False]
    refused = doors.post(UPDATE, GOOD)
    assert refused.status == 404
    assert b"sent to you, and served by you" in refused.body
    assert doors.seen == []


@pytest.mark.parametrize("path", [REGISTER.path + "/", "/" + REGISTER.path])
def test_a_slash_too_many_does_no_harm(doors: Doors, path: str) -> None:
    assert call(doors.app, "POST", path, GOOD.encode()).status == 200
    assert len(doors.seen) == 1
    wsdl = call(doors.app, "GET", f"{path}?wsdl").body
    assert f'location="http://door.example/services{REGISTER.path}"'.encode() in wsdl


def test_a_public_url_is_in_every_address() -> None:
    doors = Doors(public_url="https://intyg.example/adapter/")
    base = f"https://intyg.example/adapter/services{REGISTER.path}".encode()
    wsdl = call(doors.app, "GET", f"{REGISTER.path}?wsdl").body
    assert b'location="' + base + b'"' in wsdl
    assert b'schemaLocation="' + base + b"?xsd=" in wsdl
    assert base in call(doors.app, "GET", "", HTTP_ACCEPT="application/json").body


@pytest.mark.parametrize("url", ["intyg.example", "https://a.example/?b", "https://a.example/#b"])
def test_a_public_url_that_is_no_base_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="public_url"):
        Doors(public_url=url)


def test_every_schema_that_the_wsdl_reaches_is_served(doors: Doors) -> None:
    here = f"http://door.example/services{REGISTER.path}"
    waiting, got = [f"{here}?wsdl"], set()
    while waiting:
        url = waiting.pop()
        got.add(url)
        page = call(doors.app, "GET", url.removeprefix("http://door.example/services"))
        assert page.status == 200, url
        elements = etree.fromstring(page.body).iter()
        locations = [str(e.get("schemaLocation")) for e in elements if e.get("schemaLocation")]
        assert all(location.startswith(f"{here}?xsd=") for location in locations)
        waiting += [location for location in locations if location not in got]
    assert len(got) > 5


@pytest.mark.parametrize(
    "name",
    [
        "nothing.xsd",
        "",
        "../../adapter/settings/settings.py",
        "/etc/passwd",
        "..%2f..%2f__init__.py",
        "%00",
    ],
)
def test_only_schemas_of_the_contract_are_served(doors: Doors, name: str) -> None:
    assert call(doors.app, "GET", f"{REGISTER.path}?xsd={name}").status == 404


def test_a_proxy_is_believed_only_when_told_so() -> None:
    forwarded = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_HOST": "intyg.example"}
    for trust, expected in ((False, b"http://door.example"), (True, b"https://intyg.example")):
        page = call(Doors(trust_proxy=trust).app, "GET", f"{REGISTER.path}?wsdl", b"", **forwarded)
        assert b'location="' + expected + b"/services/" in page.body


def test_head_is_get_without_its_body(doors: Doors) -> None:
    for path in ("", f"{REGISTER.path}?wsdl", "/nothing"):
        page, head = call(doors.app, "GET", path), call(doors.app, "HEAD", path)
        assert (head.status, head.body) == (page.status, b"")
        assert head.headers["Content-Length"] == str(len(page.body))


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("POST", "", 405, "GET, HEAD"),
        ("PUT", REGISTER.path, 405, "POST, GET, HEAD"),
        ("DELETE", REGISTER.path, 405, "POST, GET, HEAD"),
        ("GET", REGISTER.path, 405, "POST"),
        ("GET", "/nothing", 404, None),
        ("POST", "/nothing", 404, None),
        ("GET", REGISTER.path + "/", 405, "POST"),
        ("POST", UPDATE.path, 404, None),
        ("GET", UPDATE.path, 404, None),
        ("POST", REGISTER.path.replace("/3/", "/2/"), 404, None),
    ],
)
def test_other_methods_and_paths(
    doors: Doors, method: str, path: str, status: int, allow: str | None
) -> None:
    answer = call(doors.app, method, path, b"<x/>")
    assert (answer.status, answer.headers.get("Allow")) == (status, allow)
    assert answer.headers["Content-Type"] == "text/plain; charset=UTF-8"
    if status == 404:
        assert b"/services" in answer.body


def test_a_handler_for_an_unknown_contract_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        build_wsgi(
            _contracts,
            {"RegisterCertificate:99": lambda _: Result.ok()},
            load_settings(environment="test"),
            lambda: NOW,
        )


# --- the log -------------------------------------------------------------------------------


def test_a_call_is_one_line_of_facts(doors: Doors, logs: Logs) -> None:
    doors.answer = lambda _: Result.error(ErrorId.VALIDATION_ERROR, SECRET)
    data = envelope(request(REGISTER, SECRET))
    answer = doors.post(
        REGISTER, data, HTTP_X_RIVTA_ORIGINAL_SERVICECONSUMER_HSAID="SE1234567890-0001"
    )
    (line,) = logs
    assert line.pop("event.duration") > 0
    assert line == {
        "event": "soap.call",
        "log_level": "info",
        "http.request.method": "POST",
        "http.request.body.bytes": len(data.encode()),
        "http.response.status_code": 200,
        "http.response.body.bytes": len(answer.body),
        "trace.id": answer.headers["x-skltp-correlation-id"],
        "intyg.contract": "RegisterCertificate:3",
        "intyg.logical_address": ADDRESS,
        "intyg.original_consumer": "SE1234567890-0001",
        "intyg.result_code": "ERROR",
        "intyg.error_id": "VALIDATION_ERROR",
    }


@pytest.mark.parametrize("address", ["189001019802", SECRET])
def test_a_person_number_does_not_get_into_the_log(doors: Doors, logs: Logs, address: str) -> None:
    doors.post(
        REGISTER,
        envelope(request(REGISTER), address),
        HTTP_X_RIVTA_ORIGINAL_SERVICECONSUMER_HSAID=address,
    )
    assert "189001019802" not in repr(logs)
    assert "Hemlig" not in repr(logs)
