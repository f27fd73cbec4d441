"""Model → element, the counterparts of `readers.py`; and the one message we make ourselves.

A certificate is never written from the model: what was signed is carried over as the bytes that
came.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from lxml import etree

from adapter.model import Arenden, StoredHandelse
from adapter.readers import SWEDEN
from schemas import ns
from schemas.codes import AMNE_SYSTEM, HANDELSE_SYSTEM, HSA_ID_ROOT, Handelse

_C: Final = f"{{{ns.CORE}}}"
_T: Final = f"{{{ns.TYPES}}}"
_CSU: Final = ns.message("CertificateStatusUpdateForCare", 3)


def write_status_update(
    register_certificate: bytes, handelse: StoredHandelse, ref: str | None = None
) -> bytes:
    """
    `CertificateStatusUpdateForCareType`: the certificate, what happened to it, and the counters.

    Args:
        register_certificate: A RegisterCertificate element as a document of
            its own, UTF-8, valid by its schema. The content of its `intyg`
            is carried over byte for byte, `underskrift` included; only the
            element around it changes name, since each message has an `intyg`
            of its own.
        handelse: The event. Its time is written with three decimals; subject
            and last day only with NYFRFM.
        ref: The EHR's own reference for the certificate, where known.

    Returns:
        The request element as a document of its own, UTF-8, no declaration.

    Source:
        CertificateStatusUpdateForCareResponder_3.2.xsd.
    """
    prefixes, content = _intyg_content(register_certificate)
    prefix = _free_prefix(prefixes)
    scope = "".join(
        f" xmlns{':' if name else ''}{name}={quoteattr(uri)}" for name, uri in prefixes.items()
    )
    tail = b"".join(
        [
            _bytes(_handelse(handelse)),
            _bytes(write_arenden("skickadeFragor", handelse.skickade_fragor)),
            _bytes(write_arenden("mottagnaFragor", handelse.mottagna_fragor)),
            _bytes(_ref(ref)) if ref else b"",
            _bytes(_hanterat_av(handelse.hanterat_av)) if handelse.hanterat_av else b"",
        ]
    )
    name = "CertificateStatusUpdateForCare"
    return b"".join(
        [
            f'<{prefix}:{name} xmlns:{prefix}="{_CSU}"><{prefix}:intyg{scope}>'.encode(),
            content,
            f"</{prefix}:intyg>".encode(),
            tail,
            f"</{prefix}:{name}>".encode(),
        ]
    )


def write_tidpunkt(tidpunkt: datetime) -> str:
    """`types:TimeStampType`: Swedish local time, whole seconds, no zone."""
    return _swedish(tidpunkt).isoformat(timespec="seconds")


def write_tidpunkt_ms(tidpunkt: datetime) -> str:
    """`types:TimeStampMedMillisekunder`: Swedish local time, always three decimals, no zone."""
    return _swedish(tidpunkt).isoformat(timespec="milliseconds")


def write_datum(day: date) -> str:
    """`types:DateType`."""
    return day.isoformat()


def write_arenden(name: str, arenden: Arenden) -> etree._Element:
    """`core:Arenden`, as the element `name` of a status update."""
    element = etree.Element(f"{{{_CSU}}}{name}", nsmap={"s": _CSU, "c": ns.CORE})
    _leaf(element, f"{_C}totalt", str(arenden.totalt))
    _leaf(element, f"{_C}ejBesvarade", str(arenden.ej_besvarade))
    _leaf(element, f"{_C}besvarade", str(arenden.besvarade))
    _leaf(element, f"{_C}hanterade", str(arenden.hanterade))
    return element


def _handelse(handelse: StoredHandelse) -> etree._Element:
    element = etree.Element(f"{{{_CSU}}}handelse", nsmap={"s": _CSU, "c": ns.CORE, "t": ns.TYPES})
    kod = etree.SubElement(element, f"{_C}handelsekod")
    _leaf(kod, f"{_T}code", handelse.handelsekod)
    _leaf(kod, f"{_T}codeSystem", HANDELSE_SYSTEM)
    _leaf(element, f"{_C}tidpunkt", write_tidpunkt_ms(handelse.tidpunkt))
    if handelse.handelsekod is Handelse.NYFRFM:
        if handelse.amne is not None:
            amne = etree.SubElement(element, f"{_C}amne")
            _leaf(amne, f"{_T}code", handelse.amne)
            _leaf(amne, f"{_T}codeSystem", AMNE_SYSTEM)
        if handelse.sista_datum_for_svar is not None:
            day = write_datum(handelse.sista_datum_for_svar)
            _leaf(element, f"{_C}sistaDatumForSvar", day)
    return element


def _ref(ref: str) -> etree._Element:
    element = etree.Element(f"{{{_CSU}}}ref", nsmap={"s": _CSU})
    element.text = ref
    return element


def _hanterat_av(hsa_id: str) -> etree._Element:
    """In the message's own extension namespace, where the national system puts it too."""
    element = etree.Element(f"{{{ns.CSU_EXT}}}hanteratAv", nsmap={"e": ns.CSU_EXT, "t": ns.TYPES})
    _leaf(element, f"{_T}root", HSA_ID_ROOT)
    _leaf(element, f"{_T}extension", hsa_id)
    return element


def _leaf(parent: etree._Element, tag: str, text: str) -> None:
    etree.SubElement(parent, tag).text = text


def _bytes(element: etree._Element) -> bytes:
    data: bytes = etree.tostring(element, encoding="UTF-8", xml_declaration=False)
    return data


def _swedish(tidpunkt: datetime) -> datetime:
    if tidpunkt.tzinfo is None:
        raise ValueError("a time without zone cannot be written")
    return tidpunkt.astimezone(SWEDEN).replace(tzinfo=None)


# --- below: what stands between <intyg> and </intyg>, byte for byte -------------------------------


def _intyg_content(register_certificate: bytes) -> tuple[dict[str, str], bytes]:
    """
    Cut out the content of a request's `intyg`, and the namespaces that it relies on.

    Returns:
        The prefixes that are in scope at the content ("" is the default
        namespace), and the bytes between the start tag and the end tag.
    """
    cutter = _IntygCutter()
    parser = expat.ParserCreate("UTF-8")
    # Every event is wanted: the first one after the start tag says where the tag ended.
    parser.StartElementHandler = lambda tag, attributes: cutter.start(
        tag, attributes, parser.CurrentByteIndex
    )
    parser.EndElementHandler = lambda _tag: cutter.end(parser.CurrentByteIndex)
    parser.DefaultHandler = lambda _data: cutter.other(parser.CurrentByteIndex)
    parser.Parse(register_certificate, True)
    assert cutter.content_start is not None  # the schema requires one intyg, and it is never empty
    assert cutter.content_end is not None
    return cutter.prefixes, register_certificate[cutter.content_start : cutter.content_end]


class _IntygCutter:
    """Follows a parser through RegisterCertificate and notes where `intyg` begins and ends."""

    def __init__(self) -> None:
        self.depth = 0
        self.inside = False
        self.prefixes: dict[str, str] = {}
        self.content_start: int | None = None
        self.content_end: int | None = None
        self._root_prefixes: dict[str, str] = {}

    def start(self, tag: str, attributes: Mapping[str, str], at: int) -> None:
        self.other(at)
        self.depth += 1
        if self.depth == 1:
            self._root_prefixes = _declared(attributes)
        elif self.depth == 2 and self.content_end is None:
            prefixes = self._root_prefixes | _declared(attributes)
            prefix, _, local = tag.rpartition(":")
            in_message = prefixes.get(prefix) == ns.message("RegisterCertificate", 3)
            if local == "intyg" and in_message:
                self.inside = True
                self.prefixes = {p: uri for p, uri in prefixes.items() if p == "" or uri}

    def end(self, at: int) -> None:
        self.other(at)
        if self.depth == 2 and self.inside:
            self.inside = False
            self.content_end = at
        self.depth -= 1

    def other(self, at: int) -> None:
        if self.inside and self.content_start is None:
            self.content_start = at


def _declared(attributes: Mapping[str, str]) -> dict[str, str]:
    """The namespace declarations among a start tag's attributes."""
    return {
        name[6:]: uri
        for name, uri in attributes.items()
        if name == "xmlns" or name.startswith("xmlns:")
    }


def _free_prefix(taken: Mapping[str, str]) -> str:
    """A prefix that the certificate does not use for something else."""
    number = 0
    while (prefix := f"csu{number or ''}") in taken:
        number += 1
    return prefix
