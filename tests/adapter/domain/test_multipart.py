"""The root part of a message with attachments, and what is none."""

import base64
import time

import pytest

from intyg.adapter.domain.multipart import MultipartError, Part, is_related, root_part

XOP = b"http://www.w3.org/2004/08/xop/include"
PICTURE = b"Content-Type: image/png\r\nContent-ID: <2@x>\r\n\r\n\x89PNG\0\xff"


def root(body: bytes = b"<a/>", more: bytes = b"") -> bytes:
    head = b"Content-Type: application/xop+xml; charset=UTF-8\r\nContent-ID: <1@x>\r\n"
    return head + more + b"\r\n" + body


def message(*parts: bytes, border: bytes = b"b", end: bytes = b"\r\n") -> bytes:
    lines = [b"--" + border + end + part + end for part in parts]
    return b"".join(lines) + b"--" + border + b"--" + end


INCLUDING = (
    b'<a><x:Include xmlns:x="' + XOP + b'" href="cid:2%40x"/><i:Include '
    b"xmlns:i='" + XOP + b"' href='cid:3@x'></i:Include></a>"
)
CERT = b"Content-ID: <3@x>\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC"


@pytest.mark.parametrize(
    ("content_type", "body", "read"),
    [
        pytest.param("boundary=b", message(root(), PICTURE), b"<a/>", id="first"),
        pytest.param('boundary="b"; start="<1@x>"', message(PICTURE, root()), b"<a/>", id="named"),
        pytest.param("boundary=b; start=1@x", message(PICTURE, root()), b"<a/>", id="bare name"),
        pytest.param("boundary=b", message(root(b"<a\n\n--bc/>")), b"<a\n\n--bc/>", id="looks so"),
        pytest.param(
            "boundary=b", message(root(), PICTURE, end=b"\n").replace(b"\r", b""), b"<a/>", id="LF"
        ),
        pytest.param(
            "boundary=b", b"before\r\n" + message(root()) + b"after", b"<a/>", id="around"
        ),
        pytest.param(
            "boundary=b",
            message(root(b"PGEvPg==", b"Content-Transfer-Encoding: base64\r\n")),
            b"<a/>",
            id="base64",
        ),
        pytest.param(
            "boundary=b",
            message(root(b"<a b=3D'=\r\n1'/>", b"Content-Transfer-Encoding: Quoted-Printable\r\n")),
            b"<a b='1'/>",
            id="quoted-printable",
        ),
        pytest.param(
            "boundary=b",
            message(root(INCLUDING), PICTURE, CERT),
            b"<a>" + base64.b64encode(b"\x89PNG\0\xff") + b"AAEC</a>",
            id="included",
        ),
    ],
)
def test_the_root_part_is_read(content_type: str, body: bytes, read: bytes) -> None:
    found = root_part(f"Multipart/Related; {content_type}", body)
    assert found == Part("application/xop+xml; charset=UTF-8", "1@x", read)


@pytest.mark.parametrize(
    ("content_type", "body", "why"),
    [
        pytest.param("a=b", message(root()), "no boundary", id="no boundary"),
        pytest.param("boundary=c", message(root()), "no root part", id="another boundary"),
        pytest.param("boundary=b; start=9@x", message(root()), "no root part", id="not there"),
        pytest.param("boundary=b", b"", "no root part", id="empty"),
        pytest.param(
            "boundary=b", message(root(INCLUDING), PICTURE), "did not come", id="not included"
        ),
        pytest.param(
            "boundary=b",
            message(root(INCLUDING.replace(b"3@x", b"2@x")), PICTURE),
            "did not come",
            id="included twice",
        ),
    ],
)
def test_what_has_none_is_told_apart(content_type: str, body: bytes, why: str) -> None:
    with pytest.raises(MultipartError, match=why):
        root_part(f"multipart/related; {content_type}", body)


@pytest.mark.parametrize(
    ("content_type", "is_it"),
    [
        ("Multipart/Related;a=b", True),
        ("multipart/mixed", False),
        ("text/xml", False),
        (None, False),
    ],
)
def test_what_is_related(content_type: str | None, is_it: bool) -> None:
    assert is_related(content_type) is is_it


@pytest.mark.parametrize(
    "body", [b"\r\n--b" * 100_000, b"<Include " * 50_000 + XOP, b"\n\t" * 200_000]
)
def test_nothing_takes_long(body: bytes) -> None:
    began = time.process_time()
    root_part("multipart/related; boundary=b", message(root(body)))
    assert time.process_time() - began < 2
