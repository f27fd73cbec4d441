"""
PEM files: what is in them, and in words what keeps them from being used.

The one reader of PEM, for everybody. What it reads it reads leniently: with a byte order mark,
other line ends, indented, with blank lines and text around (RFC 7468 section 5.2). OpenSSL, which
reads TLS files by itself, is not so lenient; of those it says what to mend.

Source: RFC 7468.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

WRONG_ORDER: Final = (
    "the certificates are in the wrong order: the one that the key belongs to comes first, then "
    "who issued it"
)

_BLOCK: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_CERTS: Final = frozenset({"CERTIFICATE", "X509 CERTIFICATE"})
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_SEQUENCE: Final = b"\x30"  # with it DER begins, and so does PKCS#12

_FORMS: Final[tuple[tuple[re.Pattern[bytes], str], ...]] = (
    (re.compile(rb"\A\s*\Z"), "it is empty"),
    (re.compile(rb"\A(?:\xff\xfe|\xfe\xff)"), "it is UTF-16; PEM is ASCII"),
    (re.compile(rb"\A\x30(?!.*-----BEGIN )", re.DOTALL), "it is DER or PKCS#12, not PEM"),
    (re.compile(rb"\A(?!.*-----BEGIN )", re.DOTALL), "it is not PEM: -----BEGIN … is missing"),
    (re.compile(rb"\A[^\n]*\r(?!\n)[^\n]*\Z"), "its lines end in CR alone"),
    (re.compile(rb"^[ \t]+-----(?:BEGIN|END) ", re.MULTILINE), "its lines are indented"),
    (re.compile(rb"-----END [A-Z0-9 ]+-----[ \t]*-----BEGIN "), "two blocks share a line"),
)
"""What OpenSSL does not read, the first that fits."""


@dataclass(frozen=True)
class Block:
    """
    One block of a PEM file.

    Attributes:
        label: `CERTIFICATE`, `PRIVATE KEY`, …
        text: The whole of it, in the form that every reader takes.
    """

    label: str
    text: bytes = field(repr=False)

    @property
    def is_cert(self) -> bool:
        return self.label in _CERTS


def blocks_in(data: bytes) -> tuple[Block, ...]:
    """The blocks in a file, in its order; none where it is no PEM."""
    if data.startswith(_UTF16):
        data = data.decode("utf-16", "replace").encode()
    return tuple(_block(*match.groups()) for match in _BLOCK.finditer(data))


def certs_in(data: bytes) -> list[bytes]:
    """
    The certificates in a file, each PEM of its own or, if it is the one in DER, as it is.

    Nothing is said of whether they can be read.
    """
    found = [block.text for block in blocks_in(data) if block.is_cert]
    return [data] if not found and data.startswith(_SEQUENCE) else found


def load_cert(one: bytes) -> x509.Certificate:
    """
    One of `certs_in`.

    Raises:
        ValueError: It cannot be read.
    """
    is_der = one.startswith(_SEQUENCE)
    return (x509.load_der_x509_certificate if is_der else x509.load_pem_x509_certificate)(one)


def why_no_certs(data: bytes) -> str:
    """Why OpenSSL finds no certificate in a file, or cannot read one."""
    return _form_fault(data) or _unreadable(data) or "it holds no certificate that can be used"


def why_not_usable(cert: Path, key: Path | None, password: str = "") -> str:
    """
    Why OpenSSL takes no certificate with its key.

    Args:
        cert: PEM, with the chain if it has one.
        key: PEM; None: in `cert`.
        password: Of the key; empty: none.
    """
    try:
        certs, keys = cert.read_bytes(), (key or cert).read_bytes()
    except OSError as exc:
        return exc.strerror or "it cannot be read"
    of_key = "" if key is None else "the key: "
    fault = _form_fault(certs) or _unreadable(certs)
    if fault is None and (of_keys := _form_fault(keys) or _no_key(keys, password)):
        fault = of_key + of_keys
    return fault or _mismatch(certs, keys, password)


def _block(label: bytes, body: bytes) -> Block:
    lines = [line.strip() for line in body.splitlines()]
    if b":" not in body:  # without headers, of which a blank line is the end
        lines = [line for line in lines if line]
    begin, end = b"-----BEGIN " + label + b"-----", b"-----END " + label + b"-----"
    inside = b"\n".join(lines).strip()
    return Block(label.decode(), b"\n".join((begin, inside, end, b"")))


def _form_fault(data: bytes) -> str | None:
    fault = next((text for pattern, text in _FORMS if pattern.search(data)), None)
    if fault is None and data.count(b"-----BEGIN ") != len(blocks_in(data)):
        return "a block has no end: -----END … is missing"
    if fault is None and any(_has_gap(match[2]) for match in _BLOCK.finditer(data)):
        return "there are blank lines inside a block"
    return fault


def _has_gap(body: bytes) -> bool:
    return b":" not in body and any(not line.strip() for line in body.strip().splitlines())


def _unreadable(data: bytes) -> str | None:
    certs = certs_in(data)
    if not certs:
        return "it holds no certificate"
    for number, one in enumerate(certs, start=1):
        try:
            load_cert(one)
        except ValueError:
            return f"certificate {number} of {len(certs)} in it cannot be read"
    return None


def _no_key(data: bytes, password: str) -> str | None:
    keys = [block for block in blocks_in(data) if block.label.endswith("PRIVATE KEY")]
    if not keys:
        return "there is no private key in it"
    is_encrypted = keys[0].label.startswith("ENCRYPTED") or b"ENCRYPTED" in keys[0].text
    if is_encrypted and not password:
        return "it is encrypted, and no password is set"
    try:
        _public(keys, password if is_encrypted else "")
    except (ValueError, TypeError):
        return "the password of the key is wrong" if is_encrypted else "the key cannot be read"
    return None


def _mismatch(certs: bytes, keys: bytes, password: str) -> str:
    blocks = [block for block in blocks_in(keys) if block.label.endswith("PRIVATE KEY")]
    is_encrypted = b"ENCRYPTED" in blocks[0].text
    wanted = _public(blocks, password if is_encrypted else "")
    shown = [_spki(load_cert(one).public_key()) for one in certs_in(certs)]
    if wanted in shown[1:] and wanted != shown[0]:
        return WRONG_ORDER
    return "OpenSSL does not take them" if wanted == shown[0] else "the key is another's"


def _public(keys: Iterable[Block], password: str) -> bytes:
    first = next(iter(keys))
    return _spki(load_pem_private_key(first.text, password.encode() or None).public_key())


def _spki(public_key: PublicKeyTypes) -> bytes:
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    return public_key.public_bytes(*form)
