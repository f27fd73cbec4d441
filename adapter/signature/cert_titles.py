"""Titles in a certificate: `Läkare` in the subject, or among the subject's directory attributes.

Cards carry the licensed profession in the extension SubjectDirectoryAttributes (RFC 5280 section
4.2.1.8), which `cryptography` hands over unread: a sequence of attributes, each a type and a set of
values. What cannot be read says nothing.
"""

from collections.abc import Iterator
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

_DIRECTORY_ATTRIBUTES: Final = x509.ObjectIdentifier("2.5.29.9")
_TITLE: Final = b"\x55\x04\x0c"  # 2.5.4.12
_SEQUENCE, _SET, _OID = 0x30, 0x31, 0x06
_TEXTS: Final = {0x0C: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x1E: "utf-16-be"}
"""UTF8String, PrintableString, TeletexString (as everybody writes it), BMPString."""


def read_titles(cert: x509.Certificate) -> tuple[str, ...]:
    """Every title, the subject's own first."""
    titles = [str(one.value) for one in cert.subject.get_attributes_for_oid(NameOID.TITLE)]
    for extension in cert.extensions:
        if extension.oid == _DIRECTORY_ATTRIBUTES:
            value = extension.value
            if isinstance(value, x509.UnrecognizedExtension):
                titles += _titles_in(value.value)
    return tuple(titles)


def _titles_in(data: bytes) -> list[str]:
    try:
        return [
            content.decode(_TEXTS[tag])
            for attributes in _inside(data, _SEQUENCE)
            for attribute in _inside(attributes, _SEQUENCE)
            if _is_title(attribute)
            for values in _inside(attribute, _SET)
            for tag, content in _items(values)
            if tag in _TEXTS
        ]
    except (ValueError, IndexError):
        return []


def _is_title(attribute: bytes) -> bool:
    return next(_items(attribute), None) == (_OID, _TITLE)


def _inside(data: bytes, tag: int) -> Iterator[bytes]:
    """The content of each item with this tag."""
    return (content for found, content in _items(data) if found == tag)


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each item in DER, one after another."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[at : at + size])
            at += size
        if at + length > len(data):
            raise ValueError("an item that is longer than what holds it")
        yield tag, data[at : at + length]
        at += length
