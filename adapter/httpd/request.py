"""One request as it arrives: h11 alone reads where it ends; what h11 lets pass is refused here.

h11 takes what some readers take in another way (a bare LF, a folded line, control signs, a length
beside chunks), and two of its patterns need quadratic time for text that does not fit: 32 KiB of
blanks before a zero byte hold the whole process for ten seconds. So it gets a header when that is
here to its end and has been found well-formed, in linear time; and chunks with long blanks in them
in small pieces, so that no line is long.

Source: RFC 9112 sections 2 to 7.
"""

import errno
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import h11

_PIECE: Final = 512  # bytes: of a chunk's line, or of trailers, that may wait for its end
_LONG_BLANKS: Final = b" " * 64
_CHUNK_OVERHEAD: Final = 64 * 1024  # bytes of chunk lines, whatever the body; and an eighth of it

_LINE: Final = rb"[\x21-\x7e\x80-\xff][\t\x20-\x7e\x80-\xff]*\r\n"
_HEADER: Final = re.compile(rb"(?:" + _LINE + rb")+\r\n")
_BEGINS: Final = re.compile(rb"[A-Za-z]")
_TARGET: Final = re.compile(
    rb"\*|/[^#]*|https?://([^/?#@]+)((?:[/?][^#]*)?)",  # RFC 9112 section 3.2
    re.IGNORECASE,
)
_HOST: Final = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")


@dataclass(frozen=True)
class Limits:
    """
    Of a request.

    Attributes:
        header_bytes: Request line and header; more is refused.
        body_bytes: A longer body is not waited for: it is the application's to refuse, unread.
        arrive_seconds: From its first look to its end.
        idle_seconds: Without a byte.
    """

    header_bytes: int
    body_bytes: int
    arrive_seconds: float
    idle_seconds: float


class Refusal(Exception):  # noqa: N818  its status may say that the server is at fault
    """
    A request that no application sees.

    Attributes:
        status: Of the answer.
        text: For the caller; quotes nothing of the request.
        headers: More of them.
    """

    def __init__(self, status: HTTPStatus, text: str, *headers: tuple[str, str]) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = headers


class TooLateError(TimeoutError):
    """The body did not arrive in time."""

    refusal = Refusal(HTTPStatus.REQUEST_TIMEOUT, "The request did not arrive in time.")


class BrokenBodyError(ValueError):
    """The body's chunks are not as RFC 9112 section 7.1 has them."""

    refusal = Refusal(HTTPStatus.BAD_REQUEST, "The request's chunks are malformed.")


class TooMuchError(OSError):
    """There is more in chunks than is taken (`errno.EMSGSIZE`)."""

    refusal = Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large.")

    def __init__(self) -> None:
        super().__init__(errno.EMSGSIZE, "request body too large")


class IncomingRequest:
    """
    Takes bytes, and tells what they are so far.

    Args:
        limits: What is not waited for.

    Attributes:
        protocol: What the answer is made with.
        head: Method, target and headers; None until they are here.
        body: What has come of it, and nobody has taken yet.
        whole: The body is here to its end.
        error: Why the body has no end; for who reads it.
        received: Bytes, with what came behind its end.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._text = bytearray()  # the header, until it is here to its end
        self._searched = 0  # no end of it before this
        self._length = 0  # of the body, if that was told
        self._chunked = False
        self._in_body = 0  # bytes of the body so far
        self._overhead = 0  # bytes around them
        self.protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=_PIECE)
        self.head: h11.Request | None = None
        self.body = bytearray()
        self.whole = False
        self.error: Exception | None = None
        self.received = 0

    @property
    def settled(self) -> bool:
        """True when nothing is to be waited for: it is whole, or never will be, or too large."""
        return self.whole or self.error is not None or self._length > self._limits.body_bytes

    @property
    def ahead(self) -> bytes:
        """What came behind its end: the next request's."""
        return self.protocol.trailing_data[0]

    def take(self, data: bytes) -> None:
        """
        Take the next bytes.

        Raises:
            Refusal: The header is none that is answered.
        """
        self.received += len(data)
        if self.head is None:
            data = self._take_header(data)
        if self.head is not None and self.error is None:
            self._take_body(data)

    def _take_header(self, data: bytes) -> bytes:
        """Read the header, if it is here to its end; what follows it."""
        text = self._text
        text += data if text else data.lstrip(b"\r\n")  # RFC 9112 section 2.2: empty lines
        if text and not _BEGINS.match(text):  # as TLS, for one, does not
            raise Refusal(HTTPStatus.BAD_REQUEST, "This port speaks HTTP.")
        end = text.find(b"\r\n\r\n", max(0, self._searched - 3)) + 4
        self._searched = len(text)
        if (len(text) if end < 4 else end) > self._limits.header_bytes:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The header is too large.")
        if end < 4:
            return b""
        self._read_header(bytes(text[:end]))
        return bytes(text[end:])

    def _read_header(self, text: bytes) -> None:
        if not _HEADER.fullmatch(text):
            raise Refusal(HTTPStatus.BAD_REQUEST, "The header is malformed.")
        self.protocol.receive_data(text)
        try:
            head = self.protocol.next_event()
        except h11.RemoteProtocolError as exc:
            status = HTTPStatus(exc.error_status_hint)
            raise Refusal(status, "The header is malformed.") from None  # it quotes the header
        assert isinstance(head, h11.Request), "the header is here to its end"
        told = dict(head.headers)
        _refuse_unfit(head, told)
        self._length = int(told.get(b"content-length", 0))
        self._chunked = b"transfer-encoding" in told
        self.head = head

    def _take_body(self, data: bytes) -> None:
        size = max(1, len(data))
        if self._chunked:
            self._overhead += len(data)
            if _LONG_BLANKS in data.replace(b"\t", b" "):
                size = _PIECE
        try:
            for at in range(0, max(1, len(data)), size):
                self._take_piece(data[at : at + size])
        except h11.RemoteProtocolError:
            self.error = BrokenBodyError("broken chunks")
        if self._chunked and not self.whole and self.error is None:
            self.error = self._overlong()

    def _take_piece(self, data: bytes) -> None:
        if data:  # to h11, nothing would be the end of the connection
            self.protocol.receive_data(data)
        while not self.whole:
            match self.protocol.next_event():
                case h11.Data(data=came):
                    self.body += came
                    self._in_body += len(came)
                    self._overhead -= len(came)
                case h11.EndOfMessage():
                    self.whole = True
                case _:
                    return

    def _overlong(self) -> Exception | None:
        """Of a body in chunks: more than is taken, or hardly any body in them."""
        if self._in_body > self._limits.body_bytes:
            return TooMuchError()
        if self._overhead > _CHUNK_OVERHEAD + self._in_body // 8:
            return BrokenBodyError("more chunks than body")
        return None


def _refuse_unfit(head: h11.Request, told: dict[bytes, bytes]) -> None:
    """What h11 reads and nobody should answer."""
    if head.http_version[:2] != b"1.":
        raise Refusal(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "This port speaks HTTP/1.1.")
    if b"transfer-encoding" in told and (
        b"content-length" in told or head.http_version == b"1.0"
    ):  # RFC 9112 section 6.1: a smuggling attempt, or a bad proxy
        raise Refusal(HTTPStatus.BAD_REQUEST, "It is not certain where this request ends.")
    if head.method == b"CONNECT":
        raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "This is no proxy.")
    host = told.get(b"host")  # h11 has seen that there are not two of them
    if host is None and head.http_version != b"1.0":
        raise Refusal(HTTPStatus.BAD_REQUEST, "HTTP/1.1 demands a Host header.")
    if not _TARGET.fullmatch(head.target):
        raise Refusal(HTTPStatus.BAD_REQUEST, "The request's address is not a path here.")
    if not all(map(_HOST.fullmatch, (host or b"", normal_target(head.target)[0] or b""))):
        raise Refusal(HTTPStatus.BAD_REQUEST, "The Host header is none.")


def normal_target(target: bytes) -> tuple[bytes | None, bytes]:
    """
    Host and path of a request's target, of the forms that are answered.

    A path alone has no host. `http://host/path`, which is for proxies and which a server must take
    as well, has one, and it wins over the header `Host`.

    Source: RFC 9112 sections 3.2.1 and 3.2.2.
    """
    match = _TARGET.fullmatch(target)
    if match is None or match[1] is None:
        return None, target
    return match[1], match[2] if match[2].startswith(b"/") else b"/" + match[2]
