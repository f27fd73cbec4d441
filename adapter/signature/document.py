"""Sign a document's bytes: a signature goes in, and every other byte stays as it is."""

import re
from typing import Final

from lxml import etree

from intyg.adapter.formats import safe_xml
from intyg.adapter.formats.xml_bytes import bytes_of
from intyg.adapter.signature import place, policy
from intyg.adapter.signature.keys import SigningKey
from intyg.adapter.signature.result import (
    DEFAULT_MAX_BYTES,
    Refusal,
    SignatureCode,
    error,
    too_large,
)
from intyg.adapter.signature.signer import check_own, make_signature
from intyg.schemas import ns

_BOM: Final = b"\xef\xbb\xbf"
_DECLARED: Final = re.compile(rb"""(<\?xml[^>]*?\sencoding\s*=\s*["'])([^"']*)""")


def sign_document(
    data: bytes, key: SigningKey, replace: bool = True, max_bytes: int = DEFAULT_MAX_BYTES
) -> bytes:
    """
    Sign the one intyg of a document.

    Args:
        data: A message that carries one intyg, alone or in a SOAP envelope;
            or an intyg alone. UTF-8; other encodings are turned into it.
        key: Whose signature.
        replace: Take an `underskrift` that is there away first.
        max_bytes: Largest document; larger ones would not be verified either.

    Returns:
        The same bytes with `underskrift` before the end tag of `intyg`.

    Raises:
        FaultError: Not a document that may be parsed.
        SignatureError: SIZE; PLACE; ALREADY_SIGNED without `replace`; or it cannot
            be signed (see `prepare`).
    """
    if len(data) > max_bytes:
        raise error(SignatureCode.SIZE, too_large(max_bytes))
    intyg = _intyg(data, max_bytes)
    mark = _BOM if data.startswith(_BOM) else b""
    text = _as_utf8(data)
    there = intyg.findall(policy.UNDERSKRIFT)
    if there and not replace:
        raise error(SignatureCode.ALREADY_SIGNED)
    if there:
        for underskrift in reversed(there):
            taken = bytes_of(underskrift, text)
            text = text[: taken.start] + text[taken.end :]
        intyg = _intyg(text, max_bytes, "utf-8")
    undeclared = b' xmlns=""' if intyg.nsmap.get(None) else b""
    signature = b'<e32:underskrift xmlns:e32="%b"%b>%b</e32:underskrift>' % (
        ns.EXT32.encode(),
        undeclared,  # no default namespace in scope at the Signature
        make_signature(intyg, key),
    )
    at = bytes_of(intyg, text).inside_end
    signed = text[:at] + signature + text[at:]
    code = check_own(_intyg(signed, max_bytes + len(signature), "utf-8"))
    if code is not None:
        raise error(code)
    return mark + signed


def _intyg(data: bytes, max_bytes: int, charset: str | None = None) -> etree._Element:
    """The one intyg of a document, parsed."""
    root = safe_xml.parse(data, max_bytes, charset).getroot()
    if root.tag.rpartition("}")[2] == "intyg":
        return root
    try:
        return place.find_one_intyg(root)
    except Refusal as refusal:
        raise error(refusal.code) from refusal


def _as_utf8(data: bytes) -> bytes:
    """The document in UTF-8 without byte order mark, and its declaration saying so."""
    text = safe_xml.to_utf8(data)
    declared = _DECLARED.match(text)
    if declared is None or declared[2].lower() in (b"utf-8", b"utf8", b"us-ascii"):
        return text
    return declared[1] + b"UTF-8" + text[declared.end() :]
