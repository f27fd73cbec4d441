import errno
import io
import uuid
from typing import Any

import pytest

from intyg.adapter.domain.errors import FaultError
from intyg.adapter.soap import web


def status_of(environ: dict[str, Any], max_bytes: int = 10) -> int:
    with pytest.raises(FaultError) as caught:
        web.read_body(environ, max_bytes)
    assert caught.value.__context__ is None
    assert "hemlig" not in str(caught.value)
    return caught.value.http_status


class Untouchable:
    def read(self, _size: int) -> bytes:
        raise AssertionError("must not be read")


class Broken:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def read(self, _size: int) -> bytes:
        raise self.error


def test_a_body_is_read_whole() -> None:
    told = {"CONTENT_LENGTH": "10", "wsgi.input": io.BytesIO(b"0123456789next")}
    assert web.read_body(told, 10) == b"0123456789"
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(b"0123456789")}
    assert web.read_body(chunked, 10) == b"0123456789"


@pytest.mark.parametrize("environ", [{}, {"CONTENT_LENGTH": ""}])
def test_without_a_length_there_is_no_body(environ: dict[str, Any]) -> None:
    assert web.read_body({**environ, "wsgi.input": Untouchable()}, 10) == b""


def test_what_is_told_to_be_too_large_is_not_read() -> None:
    assert status_of({"CONTENT_LENGTH": "11", "wsgi.input": Untouchable()}) == 413


def test_chunks_are_read_no_further_than_the_limit() -> None:
    source = io.BytesIO(b"x" * 1000)
    assert status_of({"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": source}) == 413
    assert source.tell() == 11


@pytest.mark.parametrize("length", ["-1", "+5", "1e3", "٣", "hemlig"])
def test_a_length_must_be_a_number(length: str) -> None:
    assert status_of({"CONTENT_LENGTH": length, "wsgi.input": Untouchable()}) == 400


def test_length_and_chunks_exclude_each_other() -> None:
    environ = {"CONTENT_LENGTH": "3", "HTTP_TRANSFER_ENCODING": "chunked"}
    assert status_of({**environ, "wsgi.input": Untouchable()}) == 400


def test_a_body_that_ends_early_is_refused() -> None:
    assert status_of({"CONTENT_LENGTH": "5", "wsgi.input": io.BytesIO(b"abc")}) == 400


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TimeoutError("timed out"), 408),
        (OSError(errno.EMSGSIZE, "hemlig"), 413),
        (ConnectionResetError("hemlig"), 400),
        (ValueError("Bad chunked transfer size: hemlig"), 400),
    ],
)
def test_reading_errors_are_answered_by_kind(error: Exception, status: int) -> None:
    assert status_of({"CONTENT_LENGTH": "5", "wsgi.input": Broken(error)}) == status


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, (None, None)),
        ("text/xml", ("text/xml", None)),
        ("Text/XML; Charset=UTF-8", ("text/xml", "UTF-8")),
        ('text/xml;charset="iso-8859-1"; x=y', ("text/xml", "iso-8859-1")),
        ('text/xml; action="charset=x"', ("text/xml", None)),
        ("; charset=utf-8", (None, "utf-8")),
    ],
)
def test_media_type_and_charset(value: str | None, expected: tuple[str | None, str | None]) -> None:
    assert web.media_type(value) == expected


def test_a_callers_correlation_id_is_kept_when_it_is_a_uuid() -> None:
    given = "7353015a-d8f8-4da4-97de-db2a11a09d7f"
    assert web.correlation_id({"HTTP_X_SKLTP_CORRELATION_ID": given}) == given


@pytest.mark.parametrize(
    "given", ["", "hemlig", "189001019802", "7353015a-d8f8-4da4-97de-189001019802", "a" * 36]
)
def test_any_other_correlation_id_is_replaced(given: str) -> None:
    made = web.correlation_id({"HTTP_X_SKLTP_CORRELATION_ID": given})
    assert made != given
    assert uuid.UUID(made).version == 4


BEHIND_PROXY = {
    "wsgi.url_scheme": "http",
    "HTTP_HOST": "inside:8080",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "8080",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "intyg.example",
}


ONLY_FORWARDED = {"HTTP_X_FORWARDED_PROTO": "", "HTTP_X_FORWARDED_HOST": ""}
FORWARDED = 'for="[2001:db8::1]:1,2";proto=https;host="intyg.example:8443", host=inner;proto=http'


@pytest.mark.parametrize(
    ("changes", "trust", "expected"),
    [
        ({}, False, "http://inside:8080"),
        ({}, True, "https://intyg.example"),
        ({"HTTP_X_FORWARDED_PORT": "443"}, True, "https://intyg.example"),
        ({"HTTP_X_FORWARDED_PORT": "8443"}, True, "https://intyg.example:8443"),
        ({"HTTP_X_FORWARDED_HOST": "a.example, b.example"}, True, "https://a.example"),
        ({"HTTP_X_FORWARDED_PROTO": "https, http"}, True, "https://intyg.example"),
        ({"HTTP_X_FORWARDED_PROTO": "HTTPS"}, True, "https://intyg.example"),
        ({"HTTP_X_FORWARDED_PROTO": " http ,https"}, True, "http://intyg.example"),
        ({"HTTP_X_FORWARDED_PORT": "8443, 80"}, True, "https://intyg.example:8443"),
        ({"HTTP_X_FORWARDED_PORT": "\u0663"}, True, "https://intyg.example"),
        ({"HTTP_X_FORWARDED_PREFIX": "/adapter"}, True, "https://intyg.example/adapter"),
        ({"HTTP_X_FORWARDED_PREFIX": "/a/b/, /c"}, True, "https://intyg.example/a/b"),
        ({"HTTP_X_FORWARDED_PREFIX": "/adapter"}, False, "http://inside:8080"),
        ({"HTTP_X_FORWARDED_PREFIX": "/"}, True, "https://intyg.example"),
        ({"HTTP_X_FORWARDED_PREFIX": "//evil"}, True, "https://intyg.example"),
        ({"HTTP_X_FORWARDED_PREFIX": '/"><evil'}, True, "https://intyg.example"),
        ({"HTTP_X_FORWARDED_PREFIX": "adapter"}, True, "https://intyg.example"),
        ({"HTTP_X_FORWARDED_HOST": 'x"><evil'}, True, "https://inside:8080"),
        ({"HTTP_X_FORWARDED_PROTO": "ftp"}, True, "http://intyg.example"),
        ({"HTTP_FORWARDED": "proto=http;host=other"}, True, "https://intyg.example"),
        ({**ONLY_FORWARDED, "HTTP_FORWARDED": FORWARDED}, True, "https://intyg.example:8443"),
        ({**ONLY_FORWARDED, "HTTP_FORWARDED": FORWARDED}, False, "http://inside:8080"),
        (
            {**ONLY_FORWARDED, "HTTP_FORWARDED": 'HOST="[2001:db8::1]:81" ; Proto="HTTPS"'},
            True,
            "https://[2001:db8::1]:81",
        ),
        (
            {**ONLY_FORWARDED, "HTTP_FORWARDED": "host=a.example;proto=https"},
            True,
            "https://a.example",
        ),
        ({**ONLY_FORWARDED, "HTTP_FORWARDED": 'host="x/<evil>"'}, True, "http://inside:8080"),
        ({**ONLY_FORWARDED, "HTTP_FORWARDED": '"' * 9 + "," * 9}, True, "http://inside:8080"),
        ({"HTTP_HOST": "[::1]:80"}, False, "http://[::1]:80"),
        ({"HTTP_HOST": 'x"><evil'}, False, "http://127.0.0.1:8080"),
        ({"HTTP_HOST": "user@evil"}, False, "http://127.0.0.1:8080"),
        ({"HTTP_HOST": ""}, False, "http://127.0.0.1:8080"),
    ],
)
def test_the_address_the_caller_used(changes: dict[str, str], trust: bool, expected: str) -> None:
    assert web.caller_base({**BEHIND_PROXY, **changes}, trust) == expected


@pytest.mark.parametrize("url", ["https://known.example/a", "https://known.example/a/"])
def test_a_public_url_wins(url: str) -> None:
    for trust in (False, True):
        assert web.caller_base(BEHIND_PROXY, trust, url) == "https://known.example/a"


@pytest.mark.parametrize("path", ["/a/b", "/a/b/", "//a//b//"])
def test_slashes_too_many_are_none(path: str) -> None:
    assert web.normal_path(path) == "/a/b"


def test_the_path_is_quoted_again() -> None:
    assert web.path_of({"SCRIPT_NAME": "/services", "PATH_INFO": '/a"<\xe5'}) == (
        "/services/a%22%3C%E5"
    )
