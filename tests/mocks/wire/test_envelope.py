import pytest
from lxml import etree

from intyg.mocks.wire import envelope
from intyg.mocks.wire.envelope import Answer, FaultCode, FaultError
from intyg.schemas.codes import ErrorId
from intyg.schemas.contract.contract import Contracts
from tests import builders
from tests.mocks import calls

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"hello", "not well-formed", id="not XML"),
        pytest.param(b"", "not well-formed", id="empty"),
        pytest.param(b"\xff\xfe\x00", "not well-formed", id="broken UTF-16"),
        pytest.param(b"<a/>", "not a SOAP 1.1 Envelope", id="not SOAP"),
        pytest.param(f'<E:Envelope xmlns:E="{SOAP}"/>'.encode(), "no Body", id="no Body"),
        pytest.param(calls.envelope(b""), "one element, it holds 0", id="empty Body"),
        pytest.param(calls.envelope(b"<a/><b/>"), "one element, it holds 2", id="two elements"),
        pytest.param(b'<!DOCTYPE a SYSTEM "x"><a/>', "document type", id="DTD"),
        pytest.param(
            b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type", id="internal entity"
        ),
        pytest.param(b"<a>" * 300 + b"</a>" * 300, "deeper than 100", id="300 levels"),
        pytest.param(b"<a>%b</a>" % (b"x" * 10_000_001), "1000000 characters", id="10 MB"),
        pytest.param(b"<a>" * 101 + b"</a>" * 101, "deeper than 100", id="101 levels"),
    ],
)
def test_what_is_no_call_gets_a_client_fault(data: bytes, words: str) -> None:
    with pytest.raises(FaultError, match=words) as caught:
        envelope.read(data)
    assert caught.value.code is FaultCode.CLIENT


def test_no_fault_quotes_the_message() -> None:
    with pytest.raises(FaultError) as caught:
        envelope.read(b"<a>189001019802</b>")
    assert "189001019802" not in str(caught.value)


def test_billion_laughs_end_at_once() -> None:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    data = f'<!DOCTYPE a [<!ENTITY l0 "ha">{entities}]><a>&l9;</a>'.encode()
    with pytest.raises(FaultError):
        envelope.read(data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_encodings_of_the_declaration_are_understood(encoding: str) -> None:
    text = calls.envelope("<a>å</a>".encode()).decode()
    data = text.replace("UTF-8", encoding).encode(encoding)
    assert envelope.read(data).element.text == "å"


def test_encoding_of_http_counts_where_the_document_says_none() -> None:
    text = calls.envelope("<a>å</a>".encode()).decode().partition("?>")[2]
    assert envelope.read(text.encode("iso-8859-1"), "iso-8859-1").element.text == "å"


def test_logical_address_is_read_as_it_stands() -> None:
    assert envelope.read(calls.envelope(b"<a/>", " X ")).logical_address == " X "
    assert envelope.read(calls.envelope(b"<a/>", "")).logical_address == ""
    assert envelope.read(calls.envelope(b"<a/>", None)).logical_address is None


@pytest.mark.parametrize("inside", ["FK<!-- -->ASSA", "FK<?x?>ASSA", "FK<a/>ASSA"])
def test_a_logical_address_in_pieces_is_refused(inside: str) -> None:
    data = calls.envelope(b"<a/>", "FKASSA").replace(b"FKASSA", inside.encode())
    with pytest.raises(FaultError, match="one piece"):
        envelope.read(data)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer.ok(), id="OK"),
        pytest.param(Answer.info("Certificate already exists"), id="INFO"),
        pytest.param(Answer.error(ErrorId.VALIDATION_ERROR, "a < b & c"), id="ERROR"),
    ],
)
def test_answers_are_valid_in_every_contract_that_a_mock_takes(
    contracts: Contracts, answer: Answer
) -> None:
    for name, path in calls.PATHS.items():
        contract = contracts.get(name, int(path.split("/")[-2]))
        data = envelope.write_answer(contract, answer)
        response = etree.fromstring(data).find(f"{{{SOAP}}}Body/*")
        assert response is not None
        assert response.tag == contract.response
        assert contracts.check(contract, response) == []
        reply = envelope.read_reply(data)
        assert reply.result_code == answer.code
        assert reply.error_id == answer.error_id
        assert reply.result_text == answer.text


def test_replies_with_fields_in_the_wrong_order_are_understood() -> None:
    """As national components send them: `errorId` before `resultText`."""
    core = "urn:riv:clinicalprocess:healthcond:certificate:3"
    body = (
        f'<r xmlns="{core}"><result><resultCode>ERROR</resultCode>'
        "<errorId>TECHNICAL_ERROR</errorId><resultText>later</resultText></result></r>"
    )
    reply = envelope.read_reply(calls.envelope(body.encode()))
    assert (reply.result_code, reply.error_id, reply.result_text) == (
        "ERROR",
        "TECHNICAL_ERROR",
        "later",
    )


def test_faults_are_written_as_soap_says_and_read_back() -> None:
    data = envelope.write_fault(FaultCode.SERVER, "VP009 nobody answers")
    fault = etree.fromstring(data).find(f"{{{SOAP}}}Body/{{{SOAP}}}Fault")
    assert fault is not None
    assert [child.tag for child in fault] == ["faultcode", "faultstring"]
    assert fault.findtext("faultcode") == "soap:Server"
    assert envelope.read_reply(data).fault == "VP009 nobody answers"


def test_requests_are_enveloped_with_their_address() -> None:
    element = etree.fromstring(builders.revoke_certificate())
    message = envelope.read(envelope.write_request(element, "INTYGSADAPTER"))
    assert message.logical_address == "INTYGSADAPTER"
    assert etree.QName(message.element).localname == "RevokeCertificate"
