"""Sign a document's bytes: a signature goes in, and every other byte stays as it is.

Source: expat reports the offset of each event in the bytes that it was given.
"""

import re
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from lxml import etree

from intyg.adapter.formats import safe_xml
from intyg.adapter.signature import place, policy
from intyg.adapter.signature.keys import SigningKey
from intyg.adapter.signature.result import (
    DEFAULT_MAX_BYTES,
    Refusal,
    SignatureCode,
    error,
)
from intyg.adapter.signature.signer import check_own, make_signature
from intyg.schemas import ns

_BOM: Final = b"\xef\xbb\xbf"
_DECLARED: Final = re.compile(rb"""(<\?xml[^>]*?\sencoding\s*=\s*["'])([^"']*)""")
_ENVELOPE: Final = [place.ENVELOPE, place.BODY]
_MESSAGES: Final = tuple([root, *steps] for root, steps in place.PATHS.items())


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
        raise error(SignatureCode.SIZE)
    safe_xml.parse(data, max_bytes)  # what it refuses, nothing below sees
    mark = _BOM if data.startswith(_BOM) else b""
    text = _as_utf8(data)
    where = _locate(text)
    if where.underskrift and not replace:
        raise error(SignatureCode.ALREADY_SIGNED)
    if where.underskrift:
        for start, end in reversed(where.underskrift):
            text = text[:start] + text[end:]
        where = _locate(text)
    intyg = _intyg(text, max_bytes)
    undeclared = b' xmlns=""' if where.has_default_namespace else b""
    underskrift = b'<e32:underskrift xmlns:e32="%b"%b>%b</e32:underskrift>' % (
        ns.EXT32.encode(),
        undeclared,  # no default namespace in scope at the Signature
        make_signature(intyg, key),
    )
    signed = text[: where.intyg_end] + underskrift + text[where.intyg_end :]
    code = check_own(_intyg(signed, max_bytes + len(underskrift)))
    if code is not None:
        raise error(code)
    return mark + signed


@dataclass
class _Where:
    """Byte offsets in a UTF-8 document."""

    intyg_end: int = -1  # of its end tag's first byte
    has_default_namespace: bool = False  # there
    underskrift: list[tuple[int, int]] = field(default_factory=list)


class _Locator:
    """Follows expat's events to the one intyg."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.found: list[_Where] = []
        self._path: list[str] = []
        self._defaults: list[str] = [""]
        self._current: _Where | None = None
        self._start = -1
        self._is_empty = False
        # what counts is UTF-8, whatever the declaration says; names come as in Clark notation
        self._parser = parser = expat.ParserCreate("utf-8", namespace_separator="}")
        parser.StartElementHandler = self._start_element
        parser.EndElementHandler = self._end_element
        parser.StartNamespaceDeclHandler = self._start_namespace
        parser.EndNamespaceDeclHandler = self._end_namespace
        parser.CharacterDataHandler = self._character_data

    def run(self) -> list[_Where]:
        self._parser.Parse(self.data, True)
        return self.found

    def _start_namespace(self, prefix: str | None, uri: str | None) -> None:
        if prefix is None:
            self._defaults.append(uri or "")

    def _end_namespace(self, prefix: str | None) -> None:
        if prefix is None:
            self._defaults.pop()

    def _start_element(self, name: str, _attributes: dict[str, str]) -> None:
        self._path.append("{" + name if "}" in name else name)
        self._is_empty = True
        if self._current is None:
            if self._is_intyg():
                self._current = _Where()
                self._depth = len(self._path)
        elif len(self._path) == self._depth + 1 and self._path[-1] == policy.UNDERSKRIFT:
            self._start = self._parser.CurrentByteIndex

    def _character_data(self, _text: str) -> None:
        self._is_empty = False

    def _end_element(self, _name: str) -> None:
        at = self._parser.CurrentByteIndex
        name = self._path[-1]
        if self._current is not None:
            if len(self._path) == self._depth:
                self._current.intyg_end = at
                self._current.has_default_namespace = bool(self._defaults[-1])
                self.found.append(self._current)
                self._current = None
            elif len(self._path) == self._depth + 1 and name == policy.UNDERSKRIFT:
                # at an empty element's end, expat is already behind it
                is_tag = not (self._is_empty and self.data[at - 2 : at] == b"/>")
                end = self.data.index(b">", at) + 1 if is_tag else at
                self._current.underskrift.append((self._start, end))
        self._path.pop()
        self._is_empty = False

    def _is_intyg(self) -> bool:
        path = self._path
        if path[:2] == _ENVELOPE:
            path = path[2:]
        if len(path) == 1:
            return path is self._path and path[0].rpartition("}")[2] == "intyg"
        return path in _MESSAGES


def _locate(data: bytes) -> _Where:
    try:
        found = _Locator(data).run()
    except expat.ExpatError:
        # lxml knows names of XML 1.0's fifth edition, expat those of the fourth
        raise error(SignatureCode.XML) from None
    if len(found) != 1:
        raise error(SignatureCode.PLACE)
    return found[0]


def _intyg(data: bytes, max_bytes: int) -> etree._Element:
    """The intyg that `_locate` finds, parsed."""
    root = safe_xml.parse(data, max_bytes).getroot()
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
