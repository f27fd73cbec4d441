"""The one HTTP client: what comes back, what does not, and that it ends in time."""

import builtins
import contextlib
import gzip
import itertools
import socket
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from http import client as http_client
from types import ModuleType
from typing import Final

import pytest

from intyg.adapter.clients.http_client import (
    HttpAnswer,
    HttpClient,
    HttpRequest,
    Limits,
    NoAnswerError,
    cause_of,
)
from tests.adapter.clients.test_ask_service import answering
from tests.adapter.receivers import NOBODY, Receiver, http, receiver

LIMIT_SECONDS = 0.4
LIMITS = Limits(LIMIT_SECONDS, LIMIT_SECONDS, LIMIT_SECONDS, 100)


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as served:
        yield served


@pytest.fixture
def client() -> Iterator[HttpClient]:
    with contextlib.closing(HttpClient()) as client:
        yield client


def post(
    client: HttpClient, url: str, body: bytes = b"<a/>", headers: dict[str, str] | None = None
) -> HttpAnswer:
    return client.exchange(HttpRequest("POST", url, headers or {}, body), LIMITS)


# --- what comes back ------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [100, 102, 103])
def test_answers_before_the_answer_are_passed_over(
    client: HttpClient, there: Receiver, before: int
) -> None:
    early = f"HTTP/1.1 {before} X\r\nLink: </x>\r\n\r\n".encode()
    there.answer = lambda _: early * 2 + http(b"done")
    for _ in range(2):  # the connection is as good as before
        answer = post(client, there.url)
        assert (answer.status, answer.body) == (200, b"done")
    assert there.connections == 1


def multipart(border: str, *parts: tuple[str, bytes]) -> bytes:
    lines = [f"--{border}\r\n{head}\r\n\r\n".encode() + body + b"\r\n" for head, body in parts]
    return b"".join(lines) + f"--{border}--\r\n".encode()


ROOT: Final = ("Content-Type: application/xop+xml; charset=UTF-8\r\nContent-ID: <root>", b"<a\n/>")
PICTURE: Final = ("Content-Type: image/png\r\nContent-ID: <picture>", b"\0\r\n--\xff")


@pytest.mark.parametrize(
    ("content_type", "body", "read"),
    [
        pytest.param('boundary="b b"', multipart("b b", ROOT, PICTURE), b"<a\n/>", id="the first"),
        pytest.param(
            'boundary=b; start="<root>"', multipart("b", PICTURE, ROOT), b"<a\n/>", id="by start"
        ),
        pytest.param("boundary=b", b"before\r\n" + multipart("b", ROOT), b"<a\n/>", id="preamble"),
        pytest.param("boundary=other", multipart("b", ROOT), None, id="another boundary"),
        pytest.param('boundary=b; start="<no>"', multipart("b", ROOT), None, id="no such part"),
        pytest.param("x=y", multipart("b", ROOT), None, id="no boundary"),
    ],
)
def test_of_many_parts_the_root_is_read(
    client: HttpClient, there: Receiver, content_type: str, body: bytes, read: bytes | None
) -> None:
    whole = f'multipart/related; type="application/xop+xml"; {content_type}'
    there.answer = lambda _: http(body, 200, whole)
    answer = client.exchange(
        HttpRequest("POST", there.url, {}, b""), Limits(1, 1, 1, max_bytes=1000)
    )
    assert answer.body == (body if read is None else read)
    expected = whole if read is None else "application/xop+xml; charset=UTF-8"
    assert answer.content_type == expected


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        pytest.param("gzip", gzip.compress(b"abc", mtime=0), id="gzip"),
        pytest.param("Deflate", zlib.compress(b"abc"), id="deflate"),
    ],
)
def test_what_was_packed_unasked_is_unpacked(
    client: HttpClient, there: Receiver, name: str, packed: bytes
) -> None:
    there.answer = lambda _: http(packed, 200, f"text/xml\r\nContent-Encoding: {name}")
    assert post(client, there.url).body == b"abc"
    there.answer = lambda _: http(b"abc", 200, f"text/xml\r\nContent-Encoding: {name}")
    with pytest.raises(NoAnswerError, match="cannot be unpacked"):
        post(client, there.url)


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_one_byte_more_than_asked_for_is_read(
    client: HttpClient, there: Receiver, encoding: str
) -> None:
    body = b"x" * 100_000
    sent = gzip.compress(body) if encoding == "gzip" else body
    there.answer = lambda _: http(sent, 200, f"text/xml\r\nContent-Encoding: {encoding}")
    assert post(client, there.url).body == b"x" * 101
    assert post(client, there.url).status == 200  # what is left is not taken for this answer


def test_an_endless_answer_is_cut(client: HttpClient) -> None:
    endless = itertools.chain([b"HTTP/1.1 200 X\r\n\r\n"], itertools.repeat(b"x" * 50))
    with answering(endless) as port:
        answer = post(client, f"http://127.0.0.1:{port}/")
        client.close()
    assert answer.body == b"x" * 101


# --- connections ----------------------------------------------------------------------------------


def test_a_connection_that_was_closed_meanwhile_is_opened_again(client: HttpClient) -> None:
    with answering([b"HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n"]) as port:
        assert post(client, f"http://127.0.0.1:{port}/").status == 200
    with pytest.raises(NoAnswerError, match="connection refused") as failed:
        post(client, f"http://127.0.0.1:{port}/")
    assert not failed.value.sent  # so that it is sent again without a doubt


def test_what_is_sent_unasked_is_no_answer(client: HttpClient, there: Receiver) -> None:
    there.answer = lambda _: http(b"mine") + http(b"smuggled")
    for _ in range(2):
        assert post(client, there.url).body == b"mine"


def test_no_redirect_is_followed(client: HttpClient, there: Receiver) -> None:
    with receiver() as elsewhere:
        away = f"HTTP/1.1 307 X\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n"
        there.answer = lambda _: away.encode()
        assert post(client, there.url).status == 307
        assert elsewhere.connections == 0


def test_the_environment_changes_nothing(
    client: HttpClient, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, NOBODY)
    monkeypatch.setenv("no_proxy", "")
    assert post(client, there.url).status == 200


def test_every_address_of_a_host_gets_its_share_of_the_time(
    client: HttpClient, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(there.url.rsplit(":", 1)[1].partition("/")[0])
    with socket.create_server(("127.0.0.2", port), backlog=0) as silent, fill_backlog(silent):
        two = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))
            for host in ("127.0.0.2", "127.0.0.1")
        ]
        monkeypatch.setattr(socket, "getaddrinfo", look_up(two))
        assert post(client, f"http://two.invalid:{port}/").status == 200


@contextlib.contextmanager
def fill_backlog(listener: socket.socket) -> Iterator[None]:
    """Have a listener take no more connections, and refuse none."""
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        time.sleep(0.05)
        yield


def look_up(found: Sequence[object]) -> object:
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *args: object, **kwargs: object) -> object:
        return found if host == "two.invalid" else real(host, *args, **kwargs)  # type: ignore[arg-type]

    return getaddrinfo


def test_who_reads_too_slowly_is_given_up_in_time(client: HttpClient) -> None:
    """Also with a message that does not fit into what the system buffers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(NoAnswerError) as failed:
            post(client, f"http://127.0.0.1:{silent.getsockname()[1]}/", b"x" * 20_000_000)
    assert failed.value.sent
    assert time.monotonic() - began < LIMIT_SECONDS + 1


# --- what can go wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["nonsense", "ftp://127.0.0.1/", "http://127.1/", "http://a@127.0.0.1/", "http://é/"]
)
def test_an_odd_address_is_not_used(client: HttpClient, url: str) -> None:
    with pytest.raises(NoAnswerError, match=r"^the address is not usable$") as failed:
        post(client, url)
    assert not failed.value.sent


def test_a_header_that_cannot_be_written_is_not_shown(client: HttpClient, there: Receiver) -> None:
    with pytest.raises(NoAnswerError, match=r"^the request is not usable$") as failed:
        post(client, there.url, headers={"Authorization": "Bearer x\r\ny"})
    assert not failed.value.sent
    assert there.received == []


LOST = "connection lost"
SAID: Final[dict[str, tuple[str, str]]] = {
    **dict.fromkeys(
        ("BlockingIOError", "BrokenPipeError", "ChildProcessError", "ConnectionAbortedError",
         "ConnectionError", "ConnectionResetError", "FileExistsError", "FileNotFoundError",
         "InterruptedError", "IsADirectoryError", "NotADirectoryError", "OSError",
         "PermissionError", "ProcessLookupError", "herror"),
        ("no connection", LOST),
    ),
    "ConnectionRefusedError": ("connection refused", LOST),
    "TimeoutError": ("no connection in time", "no answer in time"),
    "gaierror": ("host name not found", LOST),
    **dict.fromkeys(
        ("SSLError", "SSLCertVerificationError", "SSLEOFError", "SSLSyscallError",
         "SSLWantReadError", "SSLWantWriteError", "SSLZeroReturnError"),
        ("TLS failed", "TLS failed"),
    ),
    "IncompleteRead": ("no connection", "the answer broke off"),
    "RemoteDisconnected": ("the request is not usable", LOST),
    **dict.fromkeys(
        ("BadStatusLine", "CannotSendHeader", "CannotSendRequest", "HTTPException",
         "ImproperConnectionState", "InvalidURL", "LineTooLong", "NotConnected",
         "ResponseNotReady", "UnimplementedFileMode", "UnknownProtocol",
         "UnknownTransferEncoding"),
        ("the request is not usable", LOST),
    ),
    "error": ("no connection", "the answer cannot be unpacked"),  # zlib's
    **dict.fromkeys(
        ("UnicodeDecodeError", "UnicodeEncodeError", "UnicodeError", "UnicodeTranslateError",
         "ValueError"),
        ("the request is not usable", LOST),
    ),
}  # fmt: skip
"""What is said of each error before a byte has left, and after."""


def errors(*modules: ModuleType) -> Iterable[type[Exception]]:
    """Every error of these libraries, and what they raise of Python's own."""
    for module in modules:
        for name, value in vars(module).items():
            public = isinstance(value, type) and not name.startswith("_")
            if public and issubclass(value, OSError if module is builtins else Exception):
                yield value


ALL: Final = sorted(
    {
        *errors(http_client, ssl, socket, zlib, builtins),
        *(ValueError, UnicodeError, UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError),
    },
    key=lambda kind: kind.__name__,
)


def test_the_map_of_errors_is_whole() -> None:
    """A library that grows another error fails this: somebody decides then what is said of it."""
    assert {kind.__name__ for kind in ALL} == SAID.keys()


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_error_of_the_libraries_ends_in_the_client(kind: type[Exception]) -> None:
    """Its own text may quote what was sent."""
    error = kind.__new__(kind, "189001019802")
    words = SAID[kind.__name__]
    assert (cause_of(error, sent=False), cause_of(error, sent=True)) == words

    def fail(_: HttpRequest) -> None:
        raise error

    client = HttpClient()
    client._connection = fail  # type: ignore[method-assign,assignment]
    with pytest.raises(NoAnswerError, match=f"^{words[0]}$"):
        client.exchange(HttpRequest("GET", NOBODY, {}), LIMITS)
