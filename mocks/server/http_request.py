"""
HTTP requests of which nobody can say for certain what they are: refused, and the connection closed.

Between a client and an authority stand proxies, and where two readers disagree on where a request
ends or whom it is for, a call is lost or becomes another's. `http.server`, which reads here, takes
the first or the last of two, or none.

Source: RFC 9112 sections 3.2, 5.1, 5.2, 6.1 and 6.3.
"""

import contextlib
import re
import sys
from email.errors import (
    MultipartInvariantViolationDefect,
    NoBoundaryInMultipartDefect,
    StartBoundaryNotFoundDefect,
)
from email.message import Message
from http import HTTPStatus
from typing import Final, Self

from werkzeug.serving import WSGIRequestHandler

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_HOST: Final = re.compile(
    r"(?:[A-Za-z0-9._~!$&'()*+;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?", re.ASCII
)

_OF_THE_BODY: Final = (
    NoBoundaryInMultipartDefect,
    StartBoundaryNotFoundDefect,
    MultipartInvariantViolationDefect,
)
"""What `email`, which `http.server` reads headers with, says of a multipart body: it sees none."""

_LINGER_SECONDS: Final = 0.05
_MOST_PARTS: Final = 160  # 10 MB
_PART_BYTES: Final = 64 * 1024


def fault_of(version: str, headers: Message) -> str | None:
    """
    Why a request is not read any further.

    Args:
        version: As its first line ends, e.g. `HTTP/1.1`.
        headers: As `http.server` has read them.

    Returns:
        What to tell the caller, without anything from the request; None: it can be read.
    """
    defects = [each for each in headers.defects if not isinstance(each, _OF_THE_BODY)]
    if defects or not all(map(_NAME.fullmatch, headers.keys())):
        return "The header is malformed."
    if any("\n" in value for value in headers.values()):
        return "A header line is folded."
    return _host_fault(version, headers) or _length_fault(version, headers)


def _host_fault(version: str, headers: Message) -> str | None:
    hosts = headers.get_all("Host", [])
    if not hosts and version != "HTTP/1.0":
        return "HTTP/1.1 demands a Host header."
    if len(hosts) > 1:
        return "There is more than one Host header."
    if hosts and not _HOST.fullmatch(hosts[0].strip()):
        return "The Host header is none."
    return None


def _length_fault(version: str, headers: Message) -> str | None:
    lengths = headers.get_all("Content-Length", [])
    codings = headers.get_all("Transfer-Encoding", [])
    if codings and (lengths or version == "HTTP/1.0"):  # a smuggling attempt, or a bad proxy
        return "It is not certain where this request ends."
    if len(lengths) > 1:
        return "There is more than one Content-Length."
    if lengths and not _LENGTH.fullmatch(lengths[0].strip(" \t")):
        return "Content-Length is not a number."
    if codings and [each.strip(" \t").lower() for each in codings] != ["chunked"]:
        return "The only Transfer-Encoding is chunked."
    return None


class StrictHandler(WSGIRequestHandler):
    """
    werkzeug's, for requests of which it is certain what they are.

    Attributes:
        max_body_bytes: Who asks whether to send more is told no.
    """

    max_body_bytes = sys.maxsize

    @classmethod
    def up_to(cls, max_body_bytes: int) -> type[Self]:
        """A handler for a mock that takes so much."""
        return type(cls.__name__, (cls,), {"max_body_bytes": max_body_bytes})

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        fault = fault_of(self.request_version, self.headers)
        if fault is not None:
            return self._refuse(HTTPStatus.BAD_REQUEST, fault)
        if self._asks_in_vain():  # RFC 9110 section 10.1.1: not `100 Continue` first
            text = f"The message is larger than {self.max_body_bytes} bytes."
            return self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)
        return True

    def _asks_in_vain(self) -> bool:
        asks = self.headers.get("Expect", "").strip().lower() == "100-continue"
        return asks and int(self.headers.get("Content-Length", "0")) > self.max_body_bytes

    def handle_expect_100(self) -> bool:
        """Also werkzeug says `100 Continue`, and once is enough."""
        return True

    def _refuse(self, status: HTTPStatus, fault: str) -> bool:
        text = f"{fault}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=UTF-8")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)
        self.close_connection = True
        self._throw_away()
        return False

    def _throw_away(self) -> None:
        """What is on its way still: closed over it, the connection would lose the answer."""
        self.connection.settimeout(_LINGER_SECONDS)
        with contextlib.suppress(OSError):
            for _ in range(_MOST_PARTS):
                if not self.connection.recv(_PART_BYTES):
                    break
