"""What receivers answer, read leniently."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intyg.adapter.deliver.answer import (
    OTHER,
    Answer,
    AnswerKind,
    read_answer,
)
from intyg.schemas import ns
from tests.adapter.receivers import fault, result, soap

RESULT, FAULT, NOTHING = AnswerKind.RESULT, AnswerKind.FAULT, AnswerKind.NOTHING


def read(data: bytes, content_type: str | None = "text/xml; charset=UTF-8") -> Answer:
    return read_answer(data, content_type, max_bytes=100_000)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(result("OK"), Answer(RESULT, "OK"), id="ok"),
        pytest.param(result("INFO", text="t"), Answer(RESULT, "INFO", remote_text="t"), id="info"),
        pytest.param(
            result("ERROR", "VALIDATION_ERROR", "t"),
            Answer(RESULT, "ERROR", "VALIDATION_ERROR", remote_text="t"),
            id="errorId before resultText",
        ),
        pytest.param(
            soap("<result><resultText>t</resultText><resultCode>ERROR</resultCode></result>"),
            Answer(RESULT, "ERROR", remote_text="t"),
            id="no namespace, another order, no errorId",
        ),
        pytest.param(
            soap("<x><y><resultCode> OK\n</resultCode></y></x>"),
            Answer(RESULT, "OK"),
            id="deeper, with white space",
        ),
        pytest.param(
            result("189001019802", "189001019802"),
            Answer(RESULT, OTHER, OTHER),
            id="codes on no list are not repeated",
        ),
        pytest.param(
            fault("VP007 [NTJP] Authorization missing", detail="vp"),
            Answer(
                FAULT,
                fault_code="Server",
                vp_code="VP007",
                remote_text="VP007 [NTJP] Authorization missing",
            ),
            id="fault of the platform",
        ),
        pytest.param(
            fault("Unmarshalling Error: cvc-x", code="Client"),
            Answer(
                FAULT,
                fault_code="Client",
                marshalling=True,
                remote_text="Unmarshalling Error: cvc-x",
            ),
            id="fault that could not read",
        ),
        pytest.param(
            fault("x", code="189001019802"),
            Answer(FAULT, fault_code=OTHER, remote_text="x"),
            id="fault code on no list",
        ),
        pytest.param(
            soap(
                '<f:Fault xmlns:f="http://www.w3.org/2003/05/soap-envelope"><f:Code><f:Value>'
                "f:Receiver</f:Value></f:Code><f:Reason><f:Text>t</f:Text></f:Reason></f:Fault>"
            ),
            Answer(FAULT, fault_code=OTHER, remote_text="t"),
            id="fault of SOAP 1.2",
        ),
        pytest.param(b" \r\n", Answer(NOTHING, detail="the answer is empty"), id="empty"),
        pytest.param(
            b"<!DOCTYPE html><html><body>VP009</body></html>",
            Answer(NOTHING, detail="the answer is HTML"),
            id="html",
        ),
        pytest.param(
            b'<!DOCTYPE a [<!ENTITY b "c">]>' + result("OK"),
            Answer(NOTHING, detail="the answer is not XML that we read"),
            id="a DTD before an OK",
        ),
        pytest.param(
            b"<a><resultCode>OK</resultCode></a>",
            Answer(NOTHING, detail="the answer is not SOAP"),
            id="no envelope",
        ),
        pytest.param(soap(""), Answer(NOTHING, detail="the answer holds no result"), id="bare"),
        pytest.param(
            f'<Envelope xmlns="{ns.SOAP11}"/>'.encode(),
            Answer(NOTHING, detail="the answer has no SOAP Body"),
            id="no body",
        ),
        pytest.param(
            soap("<!-- a --><?b c?><resultCode>OK</resultCode>"),
            Answer(RESULT, "OK"),
            id="comments and processing instructions",
        ),
    ],
)
def test_an_answer_is_read(data: bytes, expected: Answer) -> None:
    assert read(data) == expected


@pytest.mark.parametrize(
    "content_type",
    [None, "", "application/soap+xml", "text/html", 'text/xml; charset="UTF-16"', "\x00;;=\r\n"],
)
def test_the_content_type_decides_nothing_but_the_encoding(content_type: str | None) -> None:
    data = result("OK", text="å")
    if content_type and "UTF-16" in content_type:
        data = data.decode().encode("utf-16")
    assert read(data, content_type).result_code == "OK"


def test_what_the_receiver_wrote_is_cut_and_not_shown() -> None:
    answer = read(result("ERROR", text="å" * 5000))
    assert answer.remote_text == "å" * 2000
    assert "å" not in repr(answer)


def test_too_large_an_answer_is_not_read() -> None:
    assert read(result("OK", text="a" * 100_000)).kind is NOTHING


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: soap(text)))
def test_no_answer_makes_reading_fail(data: bytes) -> None:
    for content_type in (None, "text/xml; charset=UTF-8", "text/xml; charset=nonsense"):
        assert read(data, content_type).kind in AnswerKind
