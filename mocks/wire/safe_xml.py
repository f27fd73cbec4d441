"""
XML from outside, parsed within the bounds that the adapter keeps; by code of the mocks' own.

What is bounded is known before, or at once after, the parser has seen it, so no message makes a
mock work for longer than its size explains.

Source: SOAP 1.1 section 3 (no document type declaration); RFC 7303 section 3 (encodings).
"""

import re
from itertools import accumulate
from typing import Final

from lxml import etree

MAX_MARKUP: Final = 10_000
"""`<` and `=` together; a certificate has at most about 800. Schema, rules and signature of a
message cost up to the square of them."""

MAX_DEPTH: Final = 100
MAX_ATTRIBUTES: Final = 32  # of one element
MAX_NAMESPACES: Final = 128  # declared for one element, on it or around it
MAX_VALUE: Final = 1_000_000  # characters of one text or attribute

_BEGINNINGS: Final = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"<\0": "utf-16-le",
    b"\0<": "utf-16-be",
}
"""What says by itself in which encoding it is."""

_CODECS: Final = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}
_DECLARED: Final = re.compile(
    rb"""<\?xml[^>]{1,200}?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']"""
)
_DOCTYPE: Final = re.compile(
    rb"(?:[ \t\r\n]+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL | re.IGNORECASE
)
"""It can only stand before the root element."""

_TOO_DEEP: Final = etree.XPath(f"boolean({'/*' * (MAX_DEPTH + 1)})")
_TOO_LONG: Final = etree.XPath(f"boolean((//*[not(*)] | //@*)[string-length() > {MAX_VALUE}])")
_TOO_MANY_ATTRIBUTES: Final = etree.XPath(f"boolean(//*/@*[{MAX_ATTRIBUTES + 1}])")


class XmlError(ValueError):
    """What came is no XML, or more than is taken; the text holds nothing from it."""


def parse(data: bytes, charset: str | None = None) -> etree._Element:
    """
    Parse XML from outside: no DTD, no entities, no network, and bounded.

    Args:
        data: The document, in UTF-8, UTF-16 or ISO-8859-1.
        charset: Encoding that HTTP named; the document's own declaration wins over it.

    Raises:
        XmlError: Not well-formed, with a document type declaration, or beyond a bound.
    """
    if len(data) > MAX_MARKUP and data.count(b"<") + data.count(b"=") > MAX_MARKUP:
        raise XmlError(f"The message has more than {MAX_MARKUP} tags and attributes")
    text = _utf8(data, charset)
    # Before it is parsed, so that nothing in it is done.
    if _DOCTYPE.match(text):
        raise XmlError("The message has a document type declaration")
    root = _well_formed(text)
    if _TOO_DEEP(root):
        raise _too_deep()
    if _TOO_MANY_ATTRIBUTES(root):
        raise XmlError(f"An element has more than {MAX_ATTRIBUTES} attributes")
    if text.count(b"xmlns") > MAX_NAMESPACES and _has_too_many_namespaces(root):
        raise XmlError(f"An element has more than {MAX_NAMESPACES} namespace declarations in force")
    if len(text) > MAX_VALUE and _TOO_LONG(root):
        raise _too_long()
    return root


def _too_deep() -> XmlError:
    return XmlError(f"The message is nested deeper than {MAX_DEPTH} elements")


def _too_long() -> XmlError:
    return XmlError(f"A value has more than {MAX_VALUE} characters")


def _utf8(data: bytes, charset: str | None) -> bytes:
    """The same text in UTF-8, so that what is looked for in it can be found."""
    codec = next((each for mark, each in _BEGINNINGS.items() if data.startswith(mark)), None)
    if codec is None:
        declared = _DECLARED.match(data)
        name = declared[1].decode("ascii") if declared else charset or "utf-8"
        codec = _CODECS.get(name.lower(), "")
    if codec == "utf-8":
        return data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode(codec).encode()
    except (UnicodeError, LookupError):
        # The codec's own words quote the message, which holds person data.
        raise _not_well_formed() from None


def _not_well_formed() -> XmlError:
    return XmlError("The message is not well-formed XML")


def _well_formed(text: bytes) -> etree._Element:
    try:
        # A parser a call: an lxml parser keeps its error log on itself.
        parser = etree.XMLParser(
            encoding="utf-8",  # whatever the document declares, see _utf8
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
        )
        return etree.fromstring(text, parser)
    except etree.XMLSyntaxError as exc:
        code, too_deep = exc.code, "Excessive depth" in str(exc)  # type: ignore[attr-defined]
    except ValueError:
        raise _not_well_formed() from None
    # A bound of libxml2's own, which is passed before ours can be asked.
    if code == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
        raise _too_deep() if too_deep else _too_long()
    raise _not_well_formed()


def _has_too_many_namespaces(root: etree._Element) -> bool:
    events = etree.iterwalk(root, events=("start-ns", "end-ns"))
    in_force = accumulate(1 if event == "start-ns" else -1 for event, _ in events)
    return any(count > MAX_NAMESPACES for count in in_force)
