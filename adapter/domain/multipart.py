"""SOAP with attachments and MTOM: the root part of what comes as `multipart/related`.

Read here alone, for requests and for answers.

Source: RFC 2387; RFC 2046 section 5.1; XML-binary Optimized Packaging (W3C 2005) section 4.
"""

import base64
import quopri
import re
from dataclasses import dataclass, field
from email.message import Message
from typing import Final
from urllib.parse import unquote

RELATED: Final = "multipart/related"

_MAX_PARTS: Final = 100
_XOP: Final = b"http://www.w3.org/2004/08/xop/include"
_INCLUDE: Final = re.compile(
    rb"<(?:[\w.-]+:)?Include\b[^<>]*\bhref\s*=\s*[\"']cid:([^\"'<>]+)[\"'][^<>]*"
    rb"(?:/>|>\s*</(?:[\w.-]+:)?Include\s*>)"
)
_GAP: Final = re.compile(rb"\r?\n[ \t]*\r?\n")


class MultipartError(ValueError):
    """It is none that can be read; the text says why, and quotes nothing."""


@dataclass(frozen=True)
class Part:
    """
    A part.

    Attributes:
        content_type: As it says itself, or None.
        content_id: Without its angle brackets; None without one.
        body: As it was before it was encoded for its transport.
    """

    content_type: str | None
    content_id: str | None
    body: bytes = field(repr=False)


def is_related(content_type: str | None) -> bool:
    """Whether a Content-Type is that of a message with attachments."""
    return (content_type or "").partition(";")[0].strip().lower() == RELATED


def root_part(content_type: str, body: bytes) -> Part:
    """
    The root of a message with attachments; those that it includes (XOP) stand where it names them.

    Raises:
        MultipartError: There is no boundary or no root part, or it includes an attachment that did
            not come, or one twice.
    """
    head = Message()
    head["Content-Type"] = " ".join(content_type.split())
    boundary, start = head.get_boundary(), head.get_param("start")
    if not boundary:
        raise MultipartError("The multipart message names no boundary.")
    parts = _parts(boundary.encode("latin-1", "replace"), body)
    wanted = None if start is None else _bare(str(start))
    root = next((each for each in parts if wanted in (None, each.content_id)), None)
    if root is None:
        raise MultipartError("The multipart message has no root part.")
    return Part(root.content_type, root.content_id, _with_included(root, parts))


def _parts(boundary: bytes, body: bytes) -> list[Part]:
    border = re.compile(rb"\r?\n--" + re.escape(boundary) + rb"(?=--|[ \t]*\r?\n)")
    found = border.split(b"\r\n" + body, _MAX_PARTS)[1:]
    return [_part(each) for each in found if not each.startswith(b"--")]


def _part(text: bytes) -> Part:
    fields, *rest = _GAP.split(text, maxsplit=1)
    head = Message()
    for line in re.split(rb"\r?\n(?![ \t])", fields):
        name, colon, value = line.decode("latin-1").partition(":")
        if colon:
            head[name.strip()] = " ".join(value.split())
    body = rest[0] if rest else b""
    content_id = head.get("Content-ID")
    encoding = head.get("Content-Transfer-Encoding", "").lower()
    return Part(
        head.get("Content-Type"), content_id and _bare(content_id), _decoded(body, encoding)
    )


def _decoded(body: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        return base64.b64decode(body)
    return quopri.decodestring(body) if encoding == "quoted-printable" else body


def _bare(content_id: str) -> str:
    return content_id.strip().removeprefix("<").removesuffix(">")


def _with_included(root: Part, parts: list[Part]) -> bytes:
    if _XOP not in root.body:
        return root.body
    left = {each.content_id: each.body for each in parts if each is not root}

    def put_in(match: re.Match[bytes]) -> bytes:
        attached = left.pop(unquote(match[1].decode("latin-1")), None)  # once: it cannot multiply
        if attached is None:
            raise MultipartError("The multipart message includes an attachment that did not come.")
        return base64.b64encode(attached)

    return _INCLUDE.sub(put_in, root.body)
