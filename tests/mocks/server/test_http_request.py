"""Requests of which it is not certain what they are, to mocks and to fixtures alike."""

import gzip
import socket
from collections.abc import Iterator

import pytest
import requests
from lxml import etree
from pytest_httpserver import HTTPServer

from intyg.mocks.server.serving import mount, serve
from tests import builders
from tests.mocks.calls import envelope
from tests.mocks.kinds import Kassan

POST = b"POST / HTTP/1.1\r\n"
HOST = b"Host: x\r\n"
UNCERTAIN = "It is not certain where this request ends."
TWO_LENGTHS = "There is more than one Content-Length."
NO_NUMBER = "Content-Length is not a number."


@pytest.fixture(params=["own port", "pytest-httpserver"])
def port(request: pytest.FixtureRequest, kassan: Kassan) -> Iterator[int]:
    """Where the mock answers."""
    if request.param == "own port":
        with serve(kassan) as server:
            yield server.port
        return
    httpserver = HTTPServer(host="127.0.0.1", port=0, threaded=True)
    httpserver.start()
    mount(httpserver, kassan)
    yield httpserver.port
    httpserver.stop()


def talk(port: int, data: bytes) -> tuple[bytes, bytes]:
    """Status line and body of all that is answered until the connection is closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as caller:
        caller.sendall(data)
        answer = b""
        while block := caller.recv(65536):
            answer += block
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.partition(b"\r\n")[0], body


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        pytest.param(
            HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", UNCERTAIN, id="CL, TE"
        ),
        pytest.param(
            HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", UNCERTAIN, id="TE, CL"
        ),
        pytest.param(
            HOST + b"Host: y\r\nContent-Length: 1\r\n",
            "There is more than one Host header.",
            id="two hosts",
        ),
        pytest.param(
            HOST + HOST + b"Content-Length: 1\r\n",
            "There is more than one Host header.",
            id="one host twice",
        ),
        pytest.param(b"Content-Length: 1\r\n", "HTTP/1.1 demands a Host header.", id="no host"),
        pytest.param(b"Host: a/b\r\nContent-Length: 1\r\n", "The Host header is none.", id="odd"),
        pytest.param(HOST + b"Content-Length: -1\r\n", NO_NUMBER, id="negative"),
        pytest.param(HOST + b"Content-Length: +5\r\n", NO_NUMBER, id="signed"),
        pytest.param(HOST + b"Content-Length: 0x5\r\n", NO_NUMBER, id="hexadecimal"),
        pytest.param(HOST + b"Content-Length: 1_0\r\n", NO_NUMBER, id="underscore"),
        pytest.param(HOST + b"Content-Length: 5, 5\r\n", NO_NUMBER, id="list"),
        pytest.param(HOST + b"Content-Length:\r\n", NO_NUMBER, id="empty"),
        pytest.param(HOST + b"Content-Length: \xb2\r\n", NO_NUMBER, id="superscript"),
        pytest.param(HOST + b"Content-Length: " + b"9" * 30 + b"\r\n", NO_NUMBER, id="endless"),
        pytest.param(HOST + b"Content-Length: 5\r\n" * 2, TWO_LENGTHS, id="twice"),
        pytest.param(
            HOST + b"Content-Length: 5\r\nContent-Length: 6\r\n", TWO_LENGTHS, id="two lengths"
        ),
        pytest.param(
            HOST + b"Transfer-Encoding: gzip, chunked\r\n",
            "The only Transfer-Encoding is chunked.",
            id="other coding",
        ),
        pytest.param(
            HOST + b"Transfer-Encoding: xchunked\r\n",
            "The only Transfer-Encoding is chunked.",
            id="nearly chunked",
        ),
        pytest.param(
            HOST + b"Content-Length : 5\r\n", "The header is malformed.", id="blank before colon"
        ),
        pytest.param(HOST + b"X-A: a\r\n b\r\n", "A header line is folded.", id="folded"),
    ],
)
def test_an_uncertain_request_is_refused_and_the_connection_closed(
    port: int, kassan: Kassan, headers: bytes, text: str
) -> None:
    smuggled = b"0\r\n\r\nGET /control HTTP/1.1\r\nHost: x\r\n\r\n"
    status, body = talk(port, POST + headers + b"\r\n" + smuggled)
    assert (status, body.decode()) == (b"HTTP/1.1 400 Bad Request", f"{text}\n")
    assert kassan.journal.entries() == ()


def test_http_1_0_may_lack_a_host(port: int) -> None:
    assert talk(port, b"GET /control HTTP/1.0\r\n\r\n")[0] == b"HTTP/1.1 200 OK"


def test_who_asks_whether_to_send_too_much_is_told_no(port: int, kassan: Kassan) -> None:
    length = b"Content-Length: %d\r\n" % (kassan.settings.max_body_bytes + 1)
    status, _ = talk(port, POST + HOST + b"Expect: 100-continue\r\n" + length + b"\r\n")
    assert status.startswith(b"HTTP/1.1 413 ")  # Python has renamed it since


def test_who_asks_whether_to_send_is_told_once_to_go_on(port: int) -> None:
    head = POST + HOST + b"Content-Type: text/xml\r\nExpect: 100-continue\r\nContent-Length: 4\r\n"
    status, rest = talk(port, head + b"\r\n<a/>")
    assert status == b"HTTP/1.1 100 Continue"
    assert rest.startswith(b"HTTP/1.1 500 ")


def test_a_content_encoding_is_refused(port: int, kassan: Kassan) -> None:
    answer = requests.post(
        f"http://127.0.0.1:{port}/",
        data=gzip.compress(envelope(builders.register_certificate())),
        headers={"Content-Type": "text/xml", "Content-Encoding": "gzip"},
        timeout=10,
    )
    assert answer.status_code == 415
    assert "The message has a Content-Encoding" in answer.text
    assert kassan.persona.all_intyg() == ()


def _with_block(attributes: str) -> bytes:
    block = f'<w:Security xmlns:w="urn:x" {attributes}/></S:Header>'.encode()
    message = envelope(builders.register_certificate())
    assert message.count(b"</S:Header>") == 1
    return message.replace(b"</S:Header>", block)


@pytest.mark.parametrize("value", ["1", "true"])
@pytest.mark.parametrize("actor", ["", 'S:actor="http://schemas.xmlsoap.org/soap/actor/next"'])
def test_a_header_that_must_be_understood_is_not(
    port: int, kassan: Kassan, value: str, actor: str
) -> None:
    answer = requests.post(
        f"http://127.0.0.1:{port}/",
        data=_with_block(f'S:mustUnderstand="{value}" {actor}'),
        headers={"Content-Type": "text/xml"},
        timeout=10,
    )
    assert answer.status_code == 500
    assert etree.fromstring(answer.content).findtext(".//faultcode") == "soap:MustUnderstand"
    assert kassan.persona.all_intyg() == ()


@pytest.mark.parametrize(
    "attributes", ["", 'S:mustUnderstand="0"', 'S:mustUnderstand="1" S:actor="urn:other"']
)
def test_other_headers_are_passed_over(port: int, attributes: str) -> None:
    answer = requests.post(
        f"http://127.0.0.1:{port}/",
        data=_with_block(attributes),
        headers={"Content-Type": "text/xml"},
        timeout=10,
    )
    assert "MustUnderstand" not in answer.text
    assert answer.status_code == 200


def test_the_mock_is_reached_at_any_address(port: int, kassan: Kassan) -> None:
    """An absolute target, as to a proxy, and a slash at the end of a path."""
    target = b"http://x/control/"
    assert talk(port, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")[0].endswith(b" 200 OK")
