"""What a call says: in words, as XML, and without the numbers of people."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from intyg.mocks.journal import Entry
from intyg.mocks.wire import envelope, safe_xml
from intyg.mocks.wire.envelope import FaultError
from intyg.mocks.wire.multipart import content_of, is_related, root_of
from intyg.schemas.export.render import Rendering, render
from intyg.schemas.typefile.lookup import IntygTypes

MOST_LINES: Final = 300
"""So many fields of a message are shown in words; the XML has all."""

MOST_BYTES: Final = 1024 * 1024
"""So much of a message is shown; the file has all."""

_BETWEEN: Final = re.compile(r"(?<!\?)>[ \t\r]*\n\s*<")
"""A line end between two tags; the one after an XML declaration does not count."""

_PERSON: Final = re.compile(r"(?<![\w-])((?:18|19|20)\d\d(?:0\d|1[0-2])\d\d)-?\d{4}(?![\w-])")


@dataclass(frozen=True)
class Field:
    """A field of a message: where it stands, by the names in the contract, and what it holds."""

    path: str
    text: str


def masked(text: str) -> str:
    """A text without the last four figures of anybody's number."""
    return _PERSON.sub(r"\1-••••", text)


def readable(types: IntygTypes, entry: Entry) -> Rendering | None:
    """The certificate that a call brings, as its type reads it; None where it brings none."""
    element = _element(entry)
    intyg = None if element is None else element.find("{*}intyg")
    if intyg is None or intyg.find("{*}svar") is None:
        return None
    found = types.known(intyg.findtext("{*}typ/{*}code") or "", intyg.findtext("{*}version") or "")
    return None if found is None else render(found, intyg)


def fields(entry: Entry) -> Sequence[Field]:
    """Every text in a call, in its order; none of what is no envelope."""
    element = _element(entry)
    return () if element is None else tuple(_fields(element, ""))[:MOST_LINES]


def _fields(element: etree._Element, path: str) -> Iterator[Field]:
    for child in element:
        if not isinstance(child.tag, str):
            continue
        name = etree.QName(child).localname
        if name == "Signature":
            continue
        inner = f"{path}/{name}" if path else name
        text = (child.text or "").strip()
        if text:
            yield Field(inner, text)
        yield from _fields(child, inner)


def _element(entry: Entry) -> etree._Element | None:
    try:
        return envelope.read(_root(entry), None).element
    except FaultError:
        return None


def _root(entry: Entry) -> bytes:
    """The message itself, where attachments come with it."""
    kind = next((value for name, value in entry.headers if name.lower() == "content-type"), "")
    if not is_related(kind):
        return entry.request
    root = root_of(kind, entry.request)
    return b"" if root is None else content_of(root)


def source(data: bytes) -> str:
    """XML as it went over the wire; with line ends of ours where it has none between tags."""
    text = data[:MOST_BYTES].decode("utf-8", "replace")
    if _BETWEEN.search(text) or len(data) > MOST_BYTES:
        return text
    try:
        root = safe_xml.parse(data)
    except safe_xml.XmlError:
        return text
    etree.indent(root)
    return etree.tostring(root, encoding="unicode")
