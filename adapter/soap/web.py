"""HTTP around the SOAP doors: reading requests with limits, building answers. Knows no SOAP.

Source: RFC 9110 and RFC 9112; the headers of the national platform are named where they are read.
"""

import errno
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from intyg.adapter.domain import log
from intyg.adapter.domain.errors import FaultError
from intyg.adapter.domain.multipart import MultipartError, root_part

Environ: TypeAlias = dict[str, Any]

CORRELATION_HEADER: Final = "x-skltp-correlation-id"

DRY_RUN: Final = "x-intyg-dry-run"
"""Header with which a caller asks what would come of a call."""

_BLOCK_BYTES: Final = 256 * 1024
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_SLASHES: Final = re.compile(r"/{2,}")
_SCHEME: Final = re.compile(r"https?", re.IGNORECASE)
_PREFIX: Final = re.compile(r"(?:/[A-Za-z0-9._~%-]+)+/?")
_ELEMENT: Final = re.compile(r"""[^",]*(?:"[^"]*"[^",]*)*""")  # to the first comma between two
_PAIR: Final = re.compile(r"""([A-Za-z-]+)=(?:"([^"\\]*)"|([^\s";,]*))""")
_CHARSET: Final = re.compile(r';\s*charset\s*=\s*"?([A-Za-z0-9._:-]{1,40})"?\s*(?:;|$)', re.I)


@dataclass(frozen=True)
class Response:
    """
    An HTTP answer, whole in memory.

    Attributes:
        more: What follows after `body`.
    """

    status: int
    body: bytes
    content_type: str
    headers: tuple[tuple[str, str], ...] = ()
    more: Sequence[bytes] = ()

    @property
    def length(self) -> int:
        """Bytes."""
        return len(self.body) + sum(map(len, self.more))

    @classmethod
    def text(cls, status: int, text: str, *headers: tuple[str, str]) -> "Response":
        return cls(status, text.encode() + b"\n", "text/plain; charset=UTF-8", headers)

    @property
    def status_line(self) -> str:
        return f"{self.status} {HTTPStatus(self.status).phrase}"


def read_body(environ: Mapping[str, Any], max_bytes: int) -> bytes:
    """
    Read a request's body, never more than `max_bytes` of it.

    Raises:
        FaultError: HTTP 413 when larger, without reading it if its length was told; 408 when the
            caller is too slow; 400 when the length is wrong or the chunks are.
    """
    told = environ.get("CONTENT_LENGTH") or None
    chunked = bool(environ.get("HTTP_TRANSFER_ENCODING"))
    if told is not None and chunked:  # RFC 9112 section 6.1: a smuggling attempt, or a bad proxy
        raise FaultError(
            "Content-Length and Transfer-Encoding exclude each other.", http_status=400
        )
    if told is not None and not (told.isascii() and told.isdigit()):
        raise FaultError("Content-Length is not a number.", http_status=400)
    if told is not None and int(told) > max_bytes:
        raise _too_large(max_bytes)
    if told is None and not chunked:
        return b""
    body = _read(environ["wsgi.input"], int(told) if told else max_bytes + 1, max_bytes)
    if len(body) > max_bytes:
        raise _too_large(max_bytes)
    if told is not None and len(body) < int(told):
        raise FaultError("The request ended before its Content-Length.", http_status=400)
    return body


def _too_large(max_bytes: int) -> FaultError:
    return FaultError(f"The message is larger than {max_bytes} bytes.", http_status=413)


def _read(source: Any, limit: int, max_bytes: int) -> bytes:
    """At most `limit` bytes; what can go wrong in the server's reader becomes a FaultError."""
    blocks: list[bytes] = []
    try:
        while limit > 0:
            block = source.read(min(limit, _BLOCK_BYTES))
            if not block:
                return b"".join(blocks)
            blocks.append(block)
            limit -= len(block)
        return b"".join(blocks)
    except TimeoutError:
        fault = FaultError("The request did not arrive in time.", http_status=408)
    except Exception as exc:  # noqa: BLE001 - whatever the server's reader makes of bad chunks
        if isinstance(exc, OSError) and exc.errno == errno.EMSGSIZE:
            fault = _too_large(max_bytes)
        else:
            fault = FaultError("The request body could not be read.", http_status=400)
    raise fault  # outside: the original error may quote the body


def media_type(content_type: str | None) -> tuple[str | None, str | None]:
    """A Content-Type in lower case without parameters, and its charset; None where absent."""
    value = (content_type or "").strip()
    charset = _CHARSET.search(value)
    return value.partition(";")[0].strip().lower() or None, charset[1] if charset else None


def root_of(content_type: str, body: bytes) -> tuple[bytes, str | None]:
    """
    The message in a body with attachments, and its charset.

    Raises:
        FaultError: HTTP 400 when there is none, 415 when it is no SOAP 1.1.
    """
    try:
        root = root_part(content_type, body)
    except MultipartError as error:
        raise FaultError(str(error), http_status=400) from None
    except ValueError:  # base64 that is none
        raise FaultError("A part of the message cannot be decoded.", http_status=400) from None
    kind, charset = media_type(root.content_type)
    if kind not in (None, "text/xml", "application/xop+xml"):
        raise FaultError("Send SOAP 1.1 as the root part, text/xml.", http_status=415)
    return root.body, charset


def correlation_id(environ: Mapping[str, Any]) -> str:
    """Caller's `x-skltp-correlation-id` if it is a UUID, as the platform's are, else a new one."""
    given = str(environ.get("HTTP_X_SKLTP_CORRELATION_ID", ""))
    # The id is logged, so it must not be a way to get a person number into the log.
    if _UUID.fullmatch(given) and not log.looks_like_person_number(given):
        return given
    return str(uuid.uuid4())


def wants_dry_run(environ: Mapping[str, Any]) -> bool:
    """Whether a call is to be tried: whatever `DRY_RUN` says, but for `false`."""
    return str(environ.get("HTTP_X_INTYG_DRY_RUN", "false")).strip().lower() != "false"


def caller_base(
    environ: Mapping[str, Any], trust_proxy: bool, public_url: str | None = None
) -> str:
    """
    What this server's paths are appended to, e.g. `https://intyg.example:8443` or `…/intyg`.

    Args:
        environ: The WSGI environment.
        trust_proxy: Believe X-Forwarded-Proto, -Host, -Port and -Prefix, and `Forwarded` for what
            they leave unsaid. Only behind a proxy that
            sets them: otherwise any caller can make us hand out a WSDL that points elsewhere.
        public_url: The setting of that name; it wins over whatever the caller used.
    """
    if public_url is not None:
        return public_url.rstrip("/")
    scheme = environ["wsgi.url_scheme"]
    host = str(environ.get("HTTP_HOST", ""))
    if not _HOST.fullmatch(host):
        host = f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    if not trust_proxy:
        return f"{scheme}://{host}"
    environ = {**environ, **_of_forwarded(environ)}
    scheme = _forwarded(environ, "PROTO", _SCHEME, scheme).lower()
    host = _forwarded(environ, "HOST", _HOST, host)
    port = _forwarded(environ, "PORT", _PORT, "")
    if port:
        default = {"http": "80", "https": "443"}[scheme]
        host = re.sub(r":\d+$", "", host) + ("" if port == default else f":{port}")
    return f"{scheme}://{host}{_forwarded(environ, 'PREFIX', _PREFIX, '').rstrip('/')}"


def _of_forwarded(environ: Mapping[str, Any]) -> dict[str, str]:
    """What `Forwarded` (RFC 7239) says, in the words of the headers that it takes the place of."""
    outermost = _ELEMENT.match(str(environ.get("HTTP_FORWARDED", "")))
    found = _PAIR.findall(outermost[0] if outermost else "")
    said = {name.lower(): quoted or bare for name, quoted, bare in found}
    names = {"proto": "HTTP_X_FORWARDED_PROTO", "host": "HTTP_X_FORWARDED_HOST"}
    unsaid = {name: header for name, header in names.items() if not environ.get(header)}
    return {header: said[name] for name, header in unsaid.items() if name in said}


def _forwarded(environ: Mapping[str, Any], name: str, form: re.Pattern[str], otherwise: str) -> str:
    """
    What the outermost proxy says of the caller's address, if it has the form of that.

    Each proxy on the way appends to the list, so the first is the one that the caller spoke to.
    """
    said = str(environ.get(f"HTTP_X_FORWARDED_{name}", "")).partition(",")[0].strip()
    return said if form.fullmatch(said) else otherwise


def normal_path(path: str) -> str:
    """A path without doubled slashes and without one at its end: clients append to addresses."""
    return _SLASHES.sub("/", path).rstrip("/")


def path_of(environ: Mapping[str, Any]) -> str:
    """The request's path, quoted again, with the part that the application is mounted under."""
    path = normal_path(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""))
    return quote(path.encode("latin-1", "replace"))
