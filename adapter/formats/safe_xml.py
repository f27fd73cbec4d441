"""The one place that turns received bytes into XML, and envelopes into bytes.

What arrives is untrusted: there is no DTD, no entity, no network, no XInclude; size, depth, number
of tags, and what one tag holds are bounded; and no error text or exception chain holds anything of
the message.

What is signed is sacred: `body_slice` and `envelope` move the bytes of the request element from one
envelope to the next as they are. Only the bytes around it change.

Source: SOAP 1.1 sections 4 and 4.3; RFC 7303 section 3 (which encoding counts); RIV-TA Basic
Profile 2.1 (`LogicalAddress`).
"""

import re
import threading
from typing import Any, Final
from xml.sax.saxutils import escape

from lxml import etree

from intyg.adapter.domain.errors import FaultError
from intyg.adapter.formats.xml_bytes import document_element
from intyg.schemas import ns

MAX_BYTES: Final = 15 * 1024 * 1024  # what the national platform lets through
MAX_DEPTH: Final = 100  # a certificate in its envelope is about 12 deep
MAX_MARKUP: Final = 10_000
"""Most `<` and `=` in a message together. The largest certificate there is has 815 (TSTRK1031, each
question answered). What a message costs grows with them, and with their square where libxml2 says
of each of many elements of one name which one it is: ten thousand that are all wrong take 0.4 s."""
MAX_LIST_MARKUP: Final = 200_000
"""The same for a list of certificates, which no caller sends us."""
MAX_ATTRIBUTES: Final = 32
"""Of one element. No element of a contract has more than three (`Reference` of a signature)."""
MAX_NAMESPACES: Final = 128
"""Declarations in force at one element. The contracts have some fifty namespaces in all, and there
are libraries that declare on the first element every one that they know."""
MAX_VALUE: Final = 1_000_000
"""Characters in one element that holds text, or in one attribute. The longest that a rule allows
has some thousand. A look at a value goes through it all, and lets no other thread run meanwhile."""

_BOMS: Final = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
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
_DECLARED_ENCODING: Final = re.compile(
    rb"""<\?xml[^>]{1,200}?\sencoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']"""
)
_BLANK: Final = re.compile(rb"[ \t\r\n]+")
_XML_DECLARATION: Final = re.compile(rb"<\?xml\s[^>]*\?>\s*")

_BODY: Final = f"{{{ns.SOAP11}}}Body"

_XML_ERRORS: Final = {  # libxml2's error numbers, e.g. 76: ERR_TAG_NAME_MISMATCH
    code: name for name, code in vars(etree.ErrorTypes).items() if isinstance(code, int)
}
_LIBRARY_LIMITS: Final = {"ERR_RESOURCE_LIMIT", "ERR_NAME_TOO_LONG", "ERR_COMMENT_NOT_FINISHED"}
"""What libxml2 says where a bound of its own is passed; ours are narrower, and asked later. A
comment that is too long has no end to it."""

_DEEP_PATH: Final = "/*" * (MAX_DEPTH + 1)
_CROWDED_PATH: Final = f"//*/@*[{MAX_ATTRIBUTES + 1}]"
_USUAL_DEPTH: Final = 16
_ODD: Final = etree.XPath(f"boolean({'/*' * (_USUAL_DEPTH + 1)} | {_CROWDED_PATH})")
"""Deeper than any certificate, or crowded: one short question, since each message is asked it."""
_TOO_LONG: Final = etree.XPath(
    f"(//*[not(*)] | //@*)[string-length() > {MAX_VALUE}]/ancestor-or-self::*[1]"
)
_TOO_DEEP: Final = etree.XPath(f"boolean({_DEEP_PATH})")
_CROWDED: Final = etree.XPath(f"({_CROWDED_PATH}/..)[1]")
_per_thread = threading.local()


def to_utf8(data: bytes, charset: str | None = None) -> bytes:
    """
    The same text in UTF-8, without byte order mark, otherwise unchanged.

    The byte order mark decides the encoding, then `charset`, then the XML declaration, then UTF-8
    (RFC 7303 section 3). The declaration stays as it is, so it may name another encoding.

    Args:
        data: A message in UTF-8, UTF-16 or ISO-8859-1.
        charset: The charset parameter of the Content-Type, if it had one.

    Raises:
        FaultError: Another encoding, or bytes that do not fit the one that counts.
    """
    codec, mark = _encoding(data, charset)
    try:
        text = data[mark:].decode(codec)
    except UnicodeDecodeError as exc:
        at = exc.start + mark
    else:
        same = codec in ("utf-8", "ascii")
        return (data[mark:] if mark else data) if same else text.encode("utf-8")
    # Outside the except block: the original error holds the whole message.
    raise FaultError(f"The message is not in the encoding it claims: {codec} fails at byte {at}.")


def _encoding(data: bytes, charset: str | None) -> tuple[str, int]:
    """The codec that counts, and how many bytes of byte order mark to skip."""
    if data.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        raise FaultError("The message is in UTF-32; send UTF-8, UTF-16 or ISO-8859-1.")
    for mark, codec in _BOMS:
        if data.startswith(mark):
            return codec, len(mark)
    wide = {b"<\x00": "utf-16-le", b"\x00<": "utf-16-be"}.get(data[:2])
    if charset is not None:
        codec = _known_codec(charset)
    elif wide is not None:
        return wide, 0
    else:
        declared = _DECLARED_ENCODING.match(data)
        codec = _known_codec(declared[1].decode("ascii")) if declared else "utf-8"
        if codec.startswith("utf-16"):
            raise FaultError("The message declares UTF-16 but is not in UTF-16.")
    if codec != "utf-16":
        return codec, 0
    if wide is None:
        raise FaultError("The Content-Type says UTF-16 but the message is not in UTF-16.")
    return wide, 0


def _known_codec(name: str) -> str:
    codec = _CODECS.get(name.lower())
    if codec is None:
        raise FaultError("The message's encoding is not known; send UTF-8, UTF-16 or ISO-8859-1.")
    return codec


def parse(
    data: bytes,
    max_bytes: int = MAX_BYTES,
    charset: str | None = None,
    max_markup: int = MAX_MARKUP,
) -> etree._ElementTree:
    """
    Parse a received message with everything dangerous switched off.

    Args:
        data: The message, as it came.
        max_bytes: Largest size, in bytes.
        charset: As in `to_utf8`.
        max_markup: Most `<` and `=` together.

    Raises:
        FaultError: Too large (HTTP 413), wrong encoding, a document type declaration, too much
            markup in all or in one element, too deep, or not well-formed; says where, never what.
    """
    if len(data) > max_bytes:
        raise FaultError(f"The message is larger than {max_bytes} bytes.", http_status=413)
    text = to_utf8(data, charset)
    if len(text) > max_markup and text.count(b"<") + text.count(b"=") > max_markup:
        raise FaultError(
            f"The message has more than {max_markup} tags and attributes. A certificate has less "
            "than a tenth of that: send one in a message."
        )
    _refuse_doctype(text)
    tree = _well_formed(text)
    if tree.docinfo.internalDTD is not None:  # cannot be; the second lock on the same door
        raise FaultError("The message has a document type declaration (DTD).")
    if _ODD(tree):
        _refuse_odd(tree)
    if _may_crowd(text) and (crowded := _with_too_many_namespaces(tree)):
        raise _too_much(crowded, f"{MAX_NAMESPACES} namespace declarations in force")
    if len(text) > MAX_VALUE and (holders := _TOO_LONG(tree)):
        raise _too_long(holders[0].sourceline)
    return tree


def _may_crowd(text: bytes) -> bool:
    """Whether there are enough namespace declarations; what is quick to count is counted first."""
    return text.count(b"=") > MAX_NAMESPACES and text.count(b"xmlns") > MAX_NAMESPACES


def _refuse_odd(tree: etree._ElementTree) -> None:
    if _TOO_DEEP(tree):
        raise _too_deep()
    if crowded := _CROWDED(tree):
        raise _too_much(crowded, f"{MAX_ATTRIBUTES} attributes")


def _too_much(elements: Any, what: str) -> FaultError:
    """What one element holds is written out anew for each fault of it, or of what is in it."""
    where = f"line {elements[0].sourceline}"
    return FaultError(f"An element of the message has more than {what}, at {where}.")


def _too_deep() -> FaultError:
    return FaultError(f"The message is nested deeper than {MAX_DEPTH} elements.")


def _too_long(line: int) -> FaultError:
    return FaultError(
        f"An element of the message has more than {MAX_VALUE} characters in one value, at line "
        f"{line}. No field of a certificate takes so much: shorten it, or leave it out."
    )


def _with_too_many_namespaces(tree: etree._ElementTree) -> list[etree._Element]:
    """The first element with too many declarations in force, if there is one."""
    in_force = 0
    for event, element in etree.iterwalk(tree, events=("start-ns", "end-ns", "start")):
        if event == "start":
            if in_force > MAX_NAMESPACES:
                return [element]
        else:
            in_force += 1 if event == "start-ns" else -1
    return []


def _refuse_doctype(text: bytes) -> None:
    """A DTD can only stand before the root element, so only what stands there is read."""
    at = 0
    while True:
        blank = _BLANK.match(text, at)
        at = blank.end() if blank else at
        if text.startswith(b"<!--", at):
            end = text.find(b"-->", at + 4)
        elif text.startswith(b"<?", at):
            end = text.find(b"?>", at + 2)
        else:
            break
        if end < 0:
            return  # not well-formed; the parser says so
        at = text.index(b">", end) + 1
    if text[at : at + 9].upper() == b"<!DOCTYPE":
        raise FaultError("The message has a document type declaration (DTD); SOAP allows none.")


def _well_formed(text: bytes) -> etree._ElementTree:
    try:
        return etree.ElementTree(etree.fromstring(text, _parser()))
    except etree.XMLSyntaxError as exc:
        line, column = exc.position
        rule = _XML_ERRORS.get(exc.code, "ERR_UNKNOWN")  # type: ignore[attr-defined]
        too_deep = "Excessive depth" in str(exc)
    # Outside the except block: the original error quotes the message.
    if rule == "ERR_RESOURCE_LIMIT" and too_deep:
        raise _too_deep()
    if rule in _LIBRARY_LIMITS and len(text) > MAX_VALUE:
        raise _too_long(line)
    where = f"line {line}, column {column}" if line else "the start"
    raise FaultError(f"The message is not well-formed XML, at {where} ({rule}).")


def parse_own(data: bytes) -> etree._Element:
    """
    The root of a message that we have made ourselves, of any size: what is in it came through
    `parse` once. UTF-8.
    """
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, load_dtd=False, no_network=True, huge_tree=True
    )
    return etree.fromstring(data, parser)


def _parser() -> etree.XMLParser:
    """One parser a thread: a shared one would make threads wait for each other."""
    parser = getattr(_per_thread, "parser", None)
    if parser is None:
        parser = etree.XMLParser(
            encoding="utf-8",  # wins over the declaration, see to_utf8
            resolve_entities=False,
            load_dtd=False,
            dtd_validation=False,
            attribute_defaults=False,
            no_network=True,
            huge_tree=False,
            collect_ids=False,
            recover=False,
        )
        _per_thread.parser = parser
    return parser


def body_slice(data: bytes, charset: str | None = None) -> bytes:
    """
    Cut the SOAP Body's only child out of an envelope, byte for byte.

    Args:
        data: A whole SOAP 1.1 message that `parse` has accepted.
        charset: As in `to_utf8`.

    Returns:
        The element in UTF-8, a document of its own without XML declaration. The namespace
        declarations of Envelope and Body that it does not make itself are added to its start tag,
        after the name; nothing else is changed.

    Raises:
        FaultError: No Body, or not exactly one element in it.
    """
    envelope = document_element(to_utf8(data, charset))
    body = next((child for child in envelope.children() if child.tag == _BODY), None)
    if body is None:
        raise FaultError("The message has no SOAP Body.")
    request = next(body.children(), None)
    if request is None:
        raise FaultError("The SOAP Body is empty.")
    if not request.is_last:
        raise FaultError("The SOAP Body holds more than one element.")
    return request.alone()


def envelope(body: bytes, logical_address: str | None) -> bytes:
    """
    Put a ready element into a SOAP 1.1 envelope, without touching its bytes.

    Args:
        body: One element, UTF-8; an XML declaration or byte order mark before it is dropped.
        logical_address: The receiver's; None leaves the header out, as answers do.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    declaration = _XML_DECLARATION.match(body)
    element = body[declaration.end() :] if declaration else body
    before, after = around_body(logical_address)
    return b"".join((before, element, after))


def around_body(logical_address: str | None) -> tuple[bytes, bytes]:
    """What stands before and after the element in such an envelope."""
    header = b""
    if logical_address is not None:
        header = (
            f'<soapenv:Header><LogicalAddress xmlns="{ns.REGISTRY}">{escape(logical_address)}'
            "</LogicalAddress></soapenv:Header>"
        ).encode()
    before = (
        b'<?xml version="1.0" encoding="UTF-8"?>\n',
        f'<soapenv:Envelope xmlns:soapenv="{ns.SOAP11}">'.encode("ascii"),
        header,
        b"<soapenv:Body>",
    )
    return b"".join(before), b"</soapenv:Body></soapenv:Envelope>"
