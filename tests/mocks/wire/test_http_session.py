"""Answers to what a mock asks: interim ones before, attachments around, TLS below them."""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
import requests

from intyg.mocks.server.post import Sent, post
from intyg.mocks.server.serving import MockTls, serve
from intyg.mocks.wire.http_session import http_session
from intyg.schemas.contract.contract import Contracts
from tests.adapter.receivers import receiver
from tests.adapter.tls_certs import make_issuing_ca
from tests.mocks.calls import envelope
from tests.mocks.kinds import Ehr

ROOT: Final = Path(__file__).parents[3]

OK: Final = envelope(
    b'<r:SendMessageToCareResponse xmlns:r="urn:riv:clinicalprocess:healthcond:certificate:'
    b'SendMessageToCareResponder:2"><r:result><c:resultCode xmlns:c="urn:riv:clinicalprocess:'
    b'healthcond:certificate:3">OK</c:resultCode></r:result></r:SendMessageToCareResponse>',
    None,
)
TWO_PARTS: Final = (
    b"--b\r\nContent-Type: image/png\r\nContent-ID: <2@x>\r\n\r\n\x89PNG\r\n"
    b'--b\r\nContent-Type: application/xop+xml; type="text/xml"\r\n'
    b"Content-Transfer-Encoding: binary\r\nContent-ID: <1@x>\r\n\r\n" + OK + b"\r\n--b--\r\n"
)
RELATED: Final = 'multipart/related; type="application/xop+xml"; boundary=b'
EARLY: Final = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


def answer(content_type: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@contextmanager
def says(data: bytes) -> Iterator[str]:
    """Somebody who answers every request with these bytes."""
    with receiver() as one:
        one.answer = lambda _: data
        yield one.url.partition("/path")[0]


def sent_to(url: str, contracts: Contracts) -> Sent:
    contract = contracts.get("SendMessageToCare", 2)
    return post(url, contract, envelope(b"<a/>", None), "m-1", 5.0)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(answer("text/xml", OK), id="as most"),
        pytest.param(EARLY + answer("text/xml", OK), id="103 before it"),
        pytest.param(
            b"HTTP/1.1 100 Continue\r\n\r\n" + EARLY * 3 + answer("text/xml", OK), id="many 1xx"
        ),
        pytest.param(answer(f'{RELATED}; start="<1@x>"', TWO_PARTS), id="MTOM, root named"),
        pytest.param(
            answer(RELATED, TWO_PARTS[TWO_PARTS.index(b"--b", 1) :]), id="MTOM, root first"
        ),
        pytest.param(
            EARLY + answer(f'{RELATED}; start="<1@x>"', TWO_PARTS), id="103, then MTOM"
        ),
    ],
)  # fmt: skip
def test_the_answer_is_found(contracts: Contracts, data: bytes) -> None:
    with says(data) as url:
        sent = sent_to(url, contracts)
    assert (sent.http_status, sent.result_code, sent.failure) == (200, "OK", None)
    assert sent.reply == OK


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        pytest.param(EARLY * 102 + answer("text/xml", OK), "ConnectionError", id="1xx for ever"),
        pytest.param(
            answer(f'{RELATED}; start="<9@x>"', TWO_PARTS),
            "not well-formed",
            id="no such part",
        ),
        pytest.param(
            answer("multipart/related", TWO_PARTS), "not well-formed", id="no parts"
        ),
    ],
)  # fmt: skip
def test_what_is_no_answer_says_so(contracts: Contracts, data: bytes, failure: str) -> None:
    with says(data) as url:
        sent = sent_to(url, contracts)
    assert sent.result_code is None
    assert failure in (sent.failure or "")


def test_what_is_passed_on_keeps_its_attachments() -> None:
    with says(answer(RELATED, TWO_PARTS)) as url, http_session(unwrap=False) as session:
        assert session.post(url, data=b"", timeout=5).content == TWO_PARTS


def test_an_issuer_that_is_named_is_believed_though_another_issued_it(
    ehr: Ehr, tmp_path: Path
) -> None:
    issuing, file = make_issuing_ca(tmp_path)
    cert = issuing.issue(tmp_path / "server.pem", host="localhost")
    (tmp_path / "other").mkdir()
    _, other = make_issuing_ca(tmp_path / "other")
    with serve(ehr, tls=MockTls(cert, cert)) as server, http_session(str(file)) as session:
        url = f"https://localhost:{server.port}/"
        assert session.get(url, timeout=5).status_code == 405
        with pytest.raises(requests.exceptions.SSLError), http_session(str(other)) as wrong:
            wrong.get(url, timeout=5)


BESIDE: Final = frozenset({"Session", "get", "post", "put", "patch", "delete", "head", "request"})


def test_nothing_asks_beside_it() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for room in ("mocks", "sandbox")
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in BESIDE
        and ast.unparse(node.func.value) == "requests"
    }
    assert found == {"mocks/wire/http_session.py"}
