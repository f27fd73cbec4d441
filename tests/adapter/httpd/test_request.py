"""Where a request ends, however it is cut into pieces; and what is none."""

import errno
import time

import pytest

from intyg.adapter.httpd.request import (
    BrokenBodyError,
    IncomingRequest,
    Limits,
    Refusal,
    normal_target,
)

LIMITS = Limits(header_bytes=2000, body_bytes=100, arrive_seconds=1, idle_seconds=1)

POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE = [
    pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"", id="no body"),
    pytest.param(b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", b"", id="empty lines before"),
    pytest.param(POST + b"Content-Length: 5\r\n\r\nabcde", b"abcde", id="length"),
    pytest.param(POST + b"content-length:5\r\n\r\nabcde", b"abcde", id="length in another form"),
    pytest.param(POST + b"Content-Length: 0\r\n\r\n", b"", id="nothing"),
    pytest.param(
        CHUNKED + b"3;x=y\r\nabc\r\n0a\r\n0123456789\r\n0\r\n\r\n", b"abc0123456789", id="chunks"
    ),
    pytest.param(
        CHUNKED + b"46\r\n" + b" " * 70 + b"\r\n0\r\n\r\n", b" " * 70, id="blanks in chunks"
    ),
    pytest.param(CHUNKED + b"1\r\na\r\n0\r\nTrailer: x\r\n\r\n", b"a", id="trailers"),
]


@pytest.mark.parametrize(("data", "body"), WHOLE)
def test_a_request_is_whole_with_its_last_byte(data: bytes, body: bytes) -> None:
    request = IncomingRequest(LIMITS)
    for at in range(len(data)):
        assert not request.settled, data[:at]
        request.take(data[at : at + 1])
    assert request.whole
    assert request.body == body


@pytest.mark.parametrize(("data", "body"), WHOLE)
def test_the_next_request_behind_it_stays_whole(data: bytes, body: bytes) -> None:
    request = IncomingRequest(LIMITS)
    request.take(data + POST * 99)
    assert request.whole
    assert request.body == body
    assert request.ahead == POST * 99


GET = b"GET / HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(b"\x16\x03\x01", 400, id="TLS"),
        pytest.param(b"GET / HTTP/1.1\r\nX: " + b"x" * 2000, 413, id="header without end"),
        pytest.param(GET + b"X: " + b"x" * 2000 + b"\r\n\r\n", 413, id="large header"),
        pytest.param(GET + b"a:\r\n" * 600 + b"\r\n", 413, id="many headers"),
        pytest.param(GET + b"X: a\r\n b\r\n\r\n", 400, id="folded line"),
        pytest.param(GET + b"X: a\nY: b\r\n\r\n", 400, id="bare LF"),
        pytest.param(GET + b"X: a\rY: b\r\n\r\n", 400, id="bare CR"),
        pytest.param(GET + b"X: a\x00\r\n\r\n", 400, id="zero"),
        pytest.param(GET + b"X: a\x01\r\n\r\n", 400, id="control sign"),
        pytest.param(GET + b"X : a\r\n\r\n", 400, id="blank before the colon"),
        pytest.param(GET + b"Host: x\r\n\r\n", 400, id="two hosts"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, id="no host"),
        pytest.param(b"GET /\r\n\r\n", 400, id="no version"),
        pytest.param(b"GET / HTTP/2.0\r\n\r\n", 505, id="another version"),
        pytest.param(b"GET / HTTP/1.2\r\n\r\n", 400, id="no host, later version"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, id="odd host"),
        pytest.param(b"GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="another scheme"),
        pytest.param(b"GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="no authority"),
        pytest.param(b"GET http://u@x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="user"),
        pytest.param(b'GET http://"x/ HTTP/1.1\r\nHost: x\r\n\r\n', 400, id="odd authority"),
        pytest.param(b"GET http://x/#a HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="far fragment"),
        pytest.param(b"GET x HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="no path"),
        pytest.param(b"GET /#a HTTP/1.1\r\nHost: x\r\n\r\n", 400, id="fragment"),
        pytest.param(b"CONNECT x:25 HTTP/1.1\r\nHost: x\r\n\r\n", 405, id="tunnel"),
        pytest.param(
            POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400, id="two ends"
        ),
        pytest.param(
            b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, id="chunks before 1.1"
        ),
        pytest.param(POST + b"Transfer-Encoding: gzip\r\n\r\n", 501, id="unknown coding"),
        pytest.param(POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400, id="lengths"),
        pytest.param(POST + b"Content-Length: -1\r\n\r\n", 400, id="negative"),
    ],
)
def test_what_no_application_sees(data: bytes, status: int) -> None:
    with pytest.raises(Refusal) as refused:
        IncomingRequest(LIMITS).take(data)
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("target", "host", "path"),
    [
        (b"/a/b?c=http://d", None, b"/a/b?c=http://d"),
        (b"*", None, b"*"),
        (b"http://x/a?b", b"x", b"/a?b"),
        (b"HTTPS://x.example:81/a", b"x.example:81", b"/a"),
        (b"http://[::1]:81/", b"[::1]:81", b"/"),
        (b"http://x", b"x", b"/"),
        (b"http://x?wsdl", b"x", b"/?wsdl"),
        (b"//a/b", None, b"//a/b"),
    ],
)
def test_every_form_of_a_target_is_one_path(target: bytes, host: bytes | None, path: bytes) -> None:
    request = IncomingRequest(LIMITS)
    request.take(b"GET " + target + b" HTTP/1.1\r\nHost: y\r\n\r\n")
    assert request.head is not None
    assert normal_target(request.head.target) == (host, path)


def test_the_same_length_twice_is_one() -> None:
    """RFC 9112 section 6.3."""
    request = IncomingRequest(LIMITS)
    request.take(POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde")
    assert request.whole


def test_more_than_is_taken_is_not_waited_for() -> None:
    request = IncomingRequest(LIMITS)
    request.take(POST + b"Content-Length: 101\r\n\r\n")
    assert request.settled
    assert not request.whole


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_chunks_with_more_than_is_taken_are_not_waited_for(size: int) -> None:
    request = IncomingRequest(LIMITS)
    request.take(CHUNKED)
    data = b"ffff\r\n" + b"x" * 101
    for at in range(0, len(data), size):
        assert not request.settled
        request.take(data[at : at + size])
    assert isinstance(request.error, OSError)
    assert request.error.errno == errno.EMSGSIZE


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"-1\r\n", id="negative"),
        pytest.param(b"zz\r\n", id="no number"),
        pytest.param(b"1\r\nab\r\n", id="longer than it says"),
        pytest.param(b"1" * 1100, id="line without end"),
        pytest.param(b"0\r\nX: a\x00\r\n\r\n", id="zero in a trailer"),
        pytest.param(b"0\r\n" + b"X: a\r\n" * 99, id="trailers without end"),
    ],
)
def test_chunks_that_are_wrong_are_told_to_who_reads_them(data: bytes) -> None:
    request = IncomingRequest(LIMITS)
    request.take(CHUNKED + data)
    assert isinstance(request.error, BrokenBodyError)


def test_chunks_with_hardly_any_body_are_wrong() -> None:
    request = IncomingRequest(Limits(2000, 10**6, 1, 1))
    request.take(CHUNKED)
    for _ in range(99):
        request.take(b"1\r\nx\r\n" * 1000)
        if request.settled:
            break
    assert isinstance(request.error, BrokenBodyError)
    assert len(request.body) < 20_000


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(GET + b"X:" + b" " * 30_000 + b"\x00\r\n\r\n", id="blanks in a header"),
        pytest.param(GET + b"X:" + b" a" * 15_000 + b"\x00\r\n\r\n", id="words in a header"),
        pytest.param(CHUNKED + b"5;" + b" \t" * 30_000 + b"\n\r\n", id="blanks in a chunk's line"),
        pytest.param(
            CHUNKED + b"5;" + (b" " * 63 + b"x") * 900 + b"\n\r\n", id="short blanks in such a line"
        ),
        pytest.param(CHUNKED + b"0\r\nX:" + b" " * 60_000 + b"\x00\r\n\r\n", id="in a trailer"),
    ],
)
def test_nothing_takes_quadratic_time(data: bytes) -> None:
    """What h11's own patterns need: seconds to minutes, in which nobody else is answered."""
    request = IncomingRequest(Limits(32 * 1024, 10**6, 1, 1))
    started = time.process_time()
    try:
        request.take(data)
    except Refusal:
        assert request.head is None
    else:
        assert isinstance(request.error, BrokenBodyError)
    assert time.process_time() - started < 0.3


def test_a_caller_that_asks_first_waits_for_a_word() -> None:
    request = IncomingRequest(LIMITS)
    request.take(POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert not request.settled
    assert request.protocol.they_are_waiting_for_100_continue
    request.take(b"abcde")
    assert request.whole
