import pytest

from intyg.adapter.domain.errors import FaultCode, FaultError
from intyg.adapter.formats import safe_xml
from intyg.adapter.soap.envelope import fault_envelope, read_envelope
from intyg.schemas import ns

ADDRESS = f'<LogicalAddress xmlns="{ns.REGISTRY}">X</LogicalAddress>'
HEADER = f"<s:Header>{ADDRESS}</s:Header>"
BODY = "<s:Body><a/></s:Body>"


def soap(inside: str, namespace: str = ns.SOAP11) -> str:
    return f'<s:Envelope xmlns:s="{namespace}">{inside}</s:Envelope>'


def test_a_well_built_request_is_address_and_element() -> None:
    text = soap(f"<!-- x --><s:Header><!-- x -->{ADDRESS}</s:Header>\n<s:Body> <a/> </s:Body>")
    envelope = read_envelope(safe_xml.parse(text.encode()))
    assert (envelope.logical_address, envelope.element.tag) == ("X", "a")


def test_the_address_is_taken_as_it_stands() -> None:
    text = soap(HEADER.replace(">X<", "> \nX<![CDATA[&]]> <") + BODY)
    assert read_envelope(safe_xml.parse(text.encode())).logical_address == " \nX& "


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        pytest.param("<a/>", FaultCode.CLIENT, "not a SOAP envelope", id="no envelope"),
        pytest.param(
            soap(HEADER + BODY, "http://www.w3.org/2003/05/soap-envelope"),
            FaultCode.VERSION_MISMATCH,
            "SOAP 1.1",
            id="SOAP 1.2",
        ),
        pytest.param(soap(""), FaultCode.CLIENT, "Header and then a Body", id="empty envelope"),
        pytest.param(soap(HEADER), FaultCode.CLIENT, "Body", id="no body"),
        pytest.param(soap(BODY + HEADER), FaultCode.CLIENT, "follow", id="wrong order"),
        pytest.param(soap(HEADER + BODY + BODY), FaultCode.CLIENT, "follow", id="two bodies"),
        pytest.param(soap(HEADER * 2 + BODY), FaultCode.CLIENT, "Body", id="two headers"),
        pytest.param(
            soap(HEADER + "<s:Body> <!-- --> </s:Body>"), FaultCode.CLIENT, "empty", id="empty body"
        ),
        pytest.param(
            soap(HEADER + "<s:Body><a/><b/></s:Body>"),
            FaultCode.CLIENT,
            "more than one element",
            id="two elements",
        ),
        pytest.param(
            soap(HEADER + "<s:Body><a/>hemlig</s:Body>"), FaultCode.CLIENT, "text", id="text"
        ),
        pytest.param(soap(BODY), FaultCode.CLIENT, "LogicalAddress", id="no header"),
        pytest.param(soap("<s:Header/>" + BODY), FaultCode.CLIENT, "LogicalAddress", id="none"),
        pytest.param(
            soap(HEADER.replace(">X<", "> <") + BODY),
            FaultCode.CLIENT,
            "LogicalAddress",
            id="blank",
        ),
        pytest.param(
            soap(HEADER.replace(ns.REGISTRY, "urn:hemlig") + BODY),
            FaultCode.CLIENT,
            ns.REGISTRY,
            id="wrong namespace",
        ),
        pytest.param(
            soap(f"<s:Header>{ADDRESS * 2}</s:Header>{BODY}"), FaultCode.CLIENT, "one", id="two"
        ),
        pytest.param(
            soap(HEADER.replace(">X<", ">X<!-- hemlig -->Y<") + BODY),
            FaultCode.CLIENT,
            "one piece",
            id="a comment in the address",
        ),
        pytest.param(
            soap(HEADER.replace(">X<", ">X<hemlig/>Y<") + BODY),
            FaultCode.CLIENT,
            "one piece",
            id="an element in the address",
        ),
        pytest.param(
            soap(f'<s:Header>{ADDRESS}<hemlig s:mustUnderstand="1"/></s:Header>{BODY}'),
            FaultCode.MUST_UNDERSTAND,
            "mustUnderstand",
            id="must understand",
        ),
    ],
)
def test_what_is_not_well_built_is_told_without_its_content(
    text: str, code: FaultCode, says: str
) -> None:
    with pytest.raises(FaultError, match=says) as caught:
        read_envelope(safe_xml.parse(text.encode()))
    assert caught.value.fault_code is code
    assert "hemlig" not in str(caught.value)


@pytest.mark.parametrize(
    "header",
    [
        ADDRESS + "<other/>",
        ADDRESS + '<other s:mustUnderstand="0"/>',
        ADDRESS + '<other s:mustUnderstand="1" s:actor="urn:somebody-else"/>',
        ADDRESS.replace(">X<", ' s:mustUnderstand="1">X<'),
    ],
)
def test_other_headers_do_not_matter(header: str) -> None:
    text = soap(f"<s:Header>{header}</s:Header>{BODY}")
    assert read_envelope(safe_xml.parse(text.encode())).logical_address == "X"


def test_a_fault_is_a_soap_1_1_fault_whatever_its_text() -> None:
    root = safe_xml.parse(fault_envelope(FaultCode.CLIENT, "<&> \x00")).getroot()
    fault = root[0][0]
    assert fault.tag == f"{{{ns.SOAP11}}}Fault"
    assert [(child.tag, child.text) for child in fault] == [
        ("faultcode", "soapenv:Client"),
        ("faultstring", "<&> \ufffd"),
    ]
    assert fault.nsmap["soapenv"] == ns.SOAP11
