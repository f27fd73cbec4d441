"""Where an envelope's request and its `intyg` stand, by a parser that reports offsets.

Slow, since Python is asked for each node, and written without the product's patterns: the tests
compare the two.
"""

from collections.abc import Mapping
from typing import Final
from xml.parsers import expat

from intyg.adapter.domain.intyg import IntygBytes
from intyg.schemas import ns

_AFTER_STATUS: Final = {(ns.CORE, "svar"), (ns.EXT32, "underskrift")}
_STATUS: Final = (ns.CORE, "status")


def cut_request(envelope: bytes) -> bytes:
    """What stands in the Body of an envelope without Header, no declarations added. UTF-8."""
    offsets: list[int] = []
    depth, ended = 0, False
    parser = expat.ParserCreate("UTF-8")

    def start(_tag: str, _attributes: Mapping[str, str]) -> None:
        nonlocal depth
        other()
        depth += 1
        if depth == 3 and not offsets:
            offsets.append(parser.CurrentByteIndex)

    def end(_tag: str) -> None:
        nonlocal depth, ended
        other()
        if depth == 3 and len(offsets) == 1:
            ended = True
        depth -= 1

    def other(_data: object = None) -> None:
        nonlocal ended
        if ended:
            offsets.append(parser.CurrentByteIndex)
            ended = False

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.DefaultHandler = other
    parser.Parse(envelope, True)
    return envelope[offsets[0] : offsets[1]]


def cut_intyg(register_certificate: bytes) -> IntygBytes:
    """As the product's, for a request that is valid by its schema."""
    cutter = _IntygCutter()
    parser = expat.ParserCreate("UTF-8")
    # Every event is wanted: the first one after a tag says where the tag ended.
    parser.StartElementHandler = lambda tag, attributes: cutter.start(
        tag, attributes, parser.CurrentByteIndex
    )
    parser.EndElementHandler = lambda _tag: cutter.end(parser.CurrentByteIndex)
    parser.DefaultHandler = lambda _data: cutter.other(parser.CurrentByteIndex)
    parser.Parse(register_certificate, True)
    start, end = cutter.content_start, cutter.content_end
    assert start is not None
    assert end is not None
    status_from = cutter.status_from if cutter.status_from is not None else end
    status_to = cutter.status_to if cutter.status_to is not None else status_from
    return IntygBytes(
        cutter.prefixes,
        register_certificate[start:status_from],
        register_certificate[status_from:status_to],
        register_certificate[status_to:end],
    )


class _IntygCutter:
    """Follows a parser through RegisterCertificate and notes where things in `intyg` stand."""

    def __init__(self) -> None:
        self.inside = False
        self.prefixes: dict[str, str] = {}
        self.content_start: int | None = None
        self.content_end: int | None = None
        self.status_from: int | None = None
        self.status_to: int | None = None
        self._depth = 0
        self._root_prefixes: dict[str, str] = {}
        self._in_status = False
        self._status_ended = False

    def start(self, tag: str, attributes: Mapping[str, str], at: int) -> None:
        self.other(at)
        self._depth += 1
        if self._depth == 1:
            self._root_prefixes = _declared(attributes)
        elif self._depth == 2 and self.content_end is None:
            prefixes = self._root_prefixes | _declared(attributes)
            if _name(tag, prefixes) == (ns.message("RegisterCertificate", 3), "intyg"):
                self.inside = True
                self.prefixes = {p: uri for p, uri in prefixes.items() if p == "" or uri}
        elif self._depth == 3 and self.inside:
            name = _name(tag, self.prefixes | _declared(attributes))
            self._in_status = name == _STATUS
            if self.status_from is None and (self._in_status or name in _AFTER_STATUS):
                self.status_from = at

    def end(self, at: int) -> None:
        self.other(at)
        if self._depth == 3 and self._in_status:
            self._in_status, self._status_ended = False, True
        elif self._depth == 2 and self.inside:
            self.inside = False
            self.content_end = at
        self._depth -= 1

    def other(self, at: int) -> None:
        if self.inside and self.content_start is None:
            self.content_start = at
        if self._status_ended:
            self.status_to, self._status_ended = at, False


def _name(tag: str, prefixes: Mapping[str, str]) -> tuple[str | None, str]:
    """Namespace and local name."""
    prefix, _, local = tag.rpartition(":")
    return prefixes.get(prefix), local


def _declared(attributes: Mapping[str, str]) -> dict[str, str]:
    """The namespace declarations among a start tag's attributes."""
    return {
        name[6:]: uri
        for name, uri in attributes.items()
        if name == "xmlns" or name.startswith("xmlns:")
    }
