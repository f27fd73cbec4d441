"""What a stored certificate says: as its type renders it, as XML, and what its rules find."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from lxml import etree

from intyg.adapter.domain.clock import swedish_day
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.formats import safe_xml
from intyg.adapter.formats.intyg_reader import intyg_element
from intyg.schemas.export.render import Rendering, render
from intyg.schemas.finding import Finding
from intyg.schemas.typefile.lookup import IntygTypes


@dataclass(frozen=True)
class Reading:
    """How people call a certificate's type; None where the type is not known any more."""

    code: str | None
    name: str | None

    @classmethod
    def of(cls, types: IntygTypes, stored: StoredIntyg) -> Self:
        """Of a stored certificate."""
        found = types.known(stored.intyg.typ, stored.intyg.version)
        return cls(None, None) if found is None else cls(found.code, found.name)


def readable(types: IntygTypes, stored: StoredIntyg) -> Rendering | None:
    """In words; None where its type is not known any more."""
    found = types.known(stored.intyg.typ, stored.intyg.version)
    return None if found is None else render(found, intyg_element(stored.body))


def findings(types: IntygTypes, stored: StoredIntyg) -> list[Finding] | None:
    """What the rules of its type say of it, as on the day when it came; None without its type."""
    found = types.known(stored.intyg.typ, stored.intyg.version)
    if found is None:
        return None
    return types.check(found, intyg_element(stored.body), today=swedish_day(stored.received_at))


def source(body: bytes) -> str:
    """XML as it came; with line ends of ours where it has none."""
    text = body.decode("utf-8", "replace")
    return text if "\n" in text.strip() else _laid_out(safe_xml.parse(body).getroot())


def changed_lines(older: StoredIntyg, newer: StoredIntyg) -> list[tuple[str, str]]:
    """
    The newer certificate against the older, line by line, both laid out alike.

    Returns:
        `less`, `more` or `same`, and the line; three of the same around each change.
    """
    before, after = (_laid_out(intyg_element(each.body)).splitlines() for each in (older, newer))
    kinds = {"-": "less", "+": "more", "@": "jump"}
    lines = list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]
    return [(kinds.get(line[:1], "same"), "…" if line[:1] == "@" else line) for line in lines]


def signed_headers(stored: StoredIntyg) -> list[tuple[str, str]]:
    """What the signature says of itself, by the name of its element."""
    return list(_signed(intyg_element(stored.body)))


def _signed(intyg: etree._Element) -> Iterator[tuple[str, str]]:
    for name in ("SignatureMethod", "DigestMethod", "CanonicalizationMethod"):
        for element in intyg.iter(f"{{*}}{name}"):
            yield name, element.get("Algorithm", "")


def _laid_out(element: etree._Element) -> str:
    """Indented, for eyes: signatures and digests go by the bytes, which stay as they are."""
    parser = etree.XMLParser(remove_blank_text=True, resolve_entities=False)
    copy = etree.fromstring(etree.tostring(element), parser)
    etree.indent(copy)
    return etree.tostring(copy, encoding="unicode")
