"""Where a request ends, however it is cut into pieces."""

import pytest

from intyg.adapter.httpd.intake import Bounds, Framing

BOUNDS = Bounds(header_bytes=200, body_bytes=100, arrive_seconds=1, idle_seconds=1)

POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
WHOLE = [
    pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", id="no body"),
    pytest.param(b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", id="empty lines before"),
    pytest.param(POST + b"Content-Length: 5\r\n\r\nabcde", id="length"),
    pytest.param(POST + b"content-length:5\r\n\r\nabcde", id="length in another form"),
    pytest.param(POST + b"Content-Length: 0\r\n\r\n", id="nothing"),
    pytest.param(
        POST + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0a\r\n0123456789\r\n0\r\n\r\n",
        id="chunks",
    ),
    pytest.param(
        POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nTrailer: x\r\n\r\n", id="trailers"
    ),
]


@pytest.mark.parametrize("data", WHOLE)
def test_a_request_is_whole_with_its_last_byte(data: bytes) -> None:
    framing, came = Framing(BOUNDS), bytearray()
    for at in range(len(data)):
        assert not framing.whole(came), data[:at]
        came += data[at : at + 1]
    assert framing.whole(came)


@pytest.mark.parametrize("data", WHOLE)
def test_the_next_request_behind_it_changes_nothing(data: bytes) -> None:
    assert Framing(BOUNDS).whole(bytearray(data + POST))
    assert not Framing(BOUNDS).whole(bytearray(data[:-1]))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GET / HTTP/1.1\r\nX: " + b"x" * 200, id="header without end"),
        pytest.param(POST + b"Content-Length: 101\r\n\r\n", id="more than is taken"),
        pytest.param(
            POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", id="two ways to end"
        ),
        pytest.param(POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", id="two lengths"),
        pytest.param(POST + b"Content-Length: -1\r\n\r\n", id="negative"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", id="negative chunk"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\nfff\r\n", id="large chunk"),
        pytest.param(
            POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 1100, id="line without end"
        ),
    ],
)
def test_what_cannot_be_told_is_the_servers_to_refuse(data: bytes) -> None:
    assert Framing(BOUNDS).whole(bytearray(data + b"  "))


def test_a_caller_that_asks_first_is_told_to_go_on() -> None:
    framing = Framing(BOUNDS)
    header = POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    assert not framing.whole(bytearray(header))
    assert framing.expects_continue
    assert framing.whole(bytearray(header + b"abcde"))
