"""Model → element, the counterparts of `intyg_reader.py`; and the one message we make ourselves.

A certificate is never written from the model: what was signed is carried over as the bytes that
came.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Final
from xml.sax.saxutils import escape

from lxml import etree

from intyg.adapter.domain.clock import SWEDEN
from intyg.adapter.domain.intyg import IntygBytes
from intyg.adapter.domain.meddelande import Arenden, StoredHandelse
from intyg.adapter.domain.person import PersonFacts
from intyg.adapter.formats.intyg_bytes import free_prefix, scope
from intyg.adapter.formats.xml_bytes import ElementBytes, document_element
from intyg.schemas import ns
from intyg.schemas.codes import (
    AMNE_SYSTEM,
    HANDELSE_SYSTEM,
    HSA_ID_ROOT,
    Handelse,
)

_C: Final = f"{{{ns.CORE}}}"
_T: Final = f"{{{ns.TYPES}}}"
_CSU: Final = ns.message("CertificateStatusUpdateForCare", 3)
_NAME_AND_ADDRESS: Final = frozenset(
    f"{_C}{name}"
    for name in ("fornamn", "efternamn", "mellannamn", "postadress", "postnummer", "postort")
)


def write_status_update(
    intyg: IntygBytes, handelse: StoredHandelse, ref: str | None = None
) -> bytes:
    """
    `CertificateStatusUpdateForCareType`: the certificate, what happened to it, and the counters.

    Args:
        intyg: Cut out of a valid RegisterCertificate. It is carried over
            byte for byte, `underskrift` included; only the element around
            it changes name, since each message has an `intyg` of its own.
        handelse: The event. Its time is written with three decimals; subject
            and last day only with NYFRFM.
        ref: The EHR's own reference for the certificate, where known.

    Returns:
        The request element as a document of its own, UTF-8, no declaration.

    Source:
        CertificateStatusUpdateForCareResponder_3.2.xsd.
    """
    prefix, declared = free_prefix(intyg.prefixes, "csu"), scope(intyg.prefixes)
    tail = b"".join(
        [
            _bytes(write_handelse(handelse)),
            _bytes(write_arenden("skickadeFragor", handelse.skickade_fragor)),
            _bytes(write_arenden("mottagnaFragor", handelse.mottagna_fragor)),
            _bytes(_ref(ref)) if ref else b"",
            _bytes(_hanterat_av(handelse.hanterat_av)) if handelse.hanterat_av else b"",
        ]
    )
    name = "CertificateStatusUpdateForCare"
    return b"".join(
        [
            f'<{prefix}:{name} xmlns:{prefix}="{_CSU}"><{prefix}:intyg{declared}>'.encode(),
            intyg.content,
            f"</{prefix}:intyg>".encode(),
            tail,
            f"</{prefix}:{name}>".encode(),
        ]
    )


def name_patient(update: bytes, facts: PersonFacts) -> bytes:
    """
    A status update with its patient's name and address as the population register has them.

    They stand in place of what the certificate says, which is empty for most types. The other bytes
    stay as they are, `underskrift` too: it covers what came, and not what is filled in here.

    Args:
        update: A `CertificateStatusUpdateForCareType` that follows its schema.
        facts: As care is told them: `PersonFacts.as_told`.
    """
    patient = _child(_child(document_element(update), f"{{{_CSU}}}intyg"), f"{_C}patient")
    children = list(patient.children())
    number, last = children[0], [one for one in children if one.tag in _NAME_AND_ADDRESS][-1]
    prefix = next(name for name, uri in number.prefixes.items() if uri == ns.CORE)
    colon = f"{prefix}:" if prefix else ""
    written = "".join(
        f"<{colon}{name}>{escape(value)}</{colon}{name}>"
        for name, value in _name_and_address(facts)
    )
    return update[: number.end] + written.encode() + update[last.end :]


def _name_and_address(facts: PersonFacts) -> Iterator[tuple[str, str]]:
    """In the order of the schema; a middle name only where there is one."""
    yield "fornamn", facts.fornamn
    yield "efternamn", facts.efternamn
    if facts.mellannamn:
        yield "mellannamn", facts.mellannamn
    yield "postadress", facts.postadress
    yield "postnummer", facts.postnummer
    yield "postort", facts.postort


def _child(element: ElementBytes, tag: str) -> ElementBytes:
    return next(child for child in element.children() if child.tag == tag)


def write_tidpunkt(tidpunkt: datetime) -> str:
    """`types:TimeStampType`: Swedish local time, whole seconds, no zone."""
    return _swedish(tidpunkt).isoformat(timespec="seconds")


def write_tidpunkt_ms(tidpunkt: datetime) -> str:
    """`types:TimeStampMedMillisekunder`: Swedish local time, always three decimals, no zone."""
    return _swedish(tidpunkt).isoformat(timespec="milliseconds")


def write_datum(day: date) -> str:
    """`types:DateType`."""
    return day.isoformat()


def write_arenden(name: str, arenden: Arenden, namespace: str = _CSU) -> etree._Element:
    """`core:Arenden`, as the element `name` of a status update or another message."""
    element = etree.Element(f"{{{namespace}}}{name}", nsmap={"s": namespace, "c": ns.CORE})
    _leaf(element, f"{_C}totalt", str(arenden.totalt))
    _leaf(element, f"{_C}ejBesvarade", str(arenden.ej_besvarade))
    _leaf(element, f"{_C}besvarade", str(arenden.besvarade))
    _leaf(element, f"{_C}hanterade", str(arenden.hanterade))
    return element


def write_handelse(handelse: StoredHandelse, namespace: str = _CSU) -> etree._Element:
    """`core:Handelse`, without `hanteratAv`, as the `handelse` of a status update or another."""
    prefixes = {"s": namespace, "c": ns.CORE, "t": ns.TYPES}
    element = etree.Element(f"{{{namespace}}}handelse", nsmap=prefixes)
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
