"""Model → answer, for the contracts that are answered with more than a result.

Certificates are carried over as the bytes that came, signature included; `status` alone is put in,
which no signature covers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from intyg.adapter.domain.clock import SWEDEN
from intyg.adapter.domain.inbound import Result
from intyg.adapter.domain.intyg import IntygsStatus, StoredIntyg
from intyg.adapter.domain.meddelande import Arenden, StoredHandelse
from intyg.adapter.domain.pieces import Pieces
from intyg.adapter.domain.recipient import KnownRecipient
from intyg.adapter.formats.event_writer import write_arenden, write_handelse, write_tidpunkt
from intyg.adapter.formats.intyg_bytes import cut_intyg, free_prefix, scope
from intyg.schemas import ns
from intyg.schemas.codes import (
    HSA_ID_ROOT,
    PART_SYSTEM,
    RELATION_SYSTEM,
    STATUS_SYSTEM,
)
from intyg.schemas.contract.contract import Contract

_C: Final = f"{{{ns.CORE}}}"
_T: Final = f"{{{ns.TYPES}}}"
_R: Final = f"{{{ns.RECEIVER}}}"


@dataclass(frozen=True)
class ShownIntyg:
    """A certificate, and the states of it that whoever asks may see."""

    stored: StoredIntyg
    statuses: Sequence[IntygsStatus]


@dataclass(frozen=True)
class IntygWithQA:
    """A certificate with its events, and questions sent by care and received by care."""

    shown: ShownIntyg
    handelser: Sequence[StoredHandelse]
    skickade_fragor: Arenden
    mottagna_fragor: Arenden
    ref: str | None


@dataclass(frozen=True)
class RelationRow:
    """One certificate is something to an older one."""

    typ: str
    fran: str  # the newer certificate's intygs-id
    till: str
    skapad: datetime
    makulerat: bool  # the newer one


# --- certificates ---------------------------------------------------------------------------------


def write_intyg(shown: ShownIntyg, namespace: str) -> bytes:
    """
    A stored certificate as the `intyg` of another message, with its states.

    Args:
        shown: Its states take the place of any that the issuer sent: only the
            store knows them.
        namespace: The other message's. The element declares all that it needs
            itself, so it can stand anywhere.

    Returns:
        The element, UTF-8. Its content is carried over byte for byte.

    Source:
        clinicalprocess_healthcond_certificate_3.3.xsd, `Intyg`: `status`
        stands after `relation`, before `svar`.
    """
    cut = cut_intyg(shown.stored.body)
    prefix = free_prefix(cut.prefixes, "m")
    return b"".join(
        [
            f'<{prefix}:intyg xmlns:{prefix}="{namespace}"{scope(cut.prefixes)}>'.encode(),
            cut.before,
            *(_bytes(_status(status)) for status in shown.statuses),
            cut.after,
            f"</{prefix}:intyg>".encode(),
        ]
    )


def write_one_intyg(contract: Contract, shown: ShownIntyg) -> bytes:
    """`GetCertificateResponseType`."""
    return b"".join(_pieces(contract, b"", [write_intyg(shown, contract.namespace)], b""))


def write_intygs_lista(
    contract: Contract, intyg: Sequence[bytes], result: Result | None = None
) -> Pieces:
    """
    The answers with an `intygsLista`.

    Args:
        intyg: By `write_intyg`.
        result: For the contract that has one beside it.
    """
    after = b"</a:intygsLista>"
    if result is not None:
        after += (
            f'<a:result xmlns:c="{ns.CORE}"><c:resultCode>{result.code}</c:resultCode>'
            "</a:result>".encode()
        )
    return _pieces(contract, b"<a:intygsLista>", intyg, after)


def write_list_with_qa(contract: Contract, items: Sequence[bytes]) -> Pieces:
    """`ListCertificatesForCareWithQAResponseType`; items by `write_item_with_qa`."""
    return _pieces(contract, b"<a:list>", items, b"</a:list>")


def write_item_with_qa(item: IntygWithQA, namespace: str) -> bytes:
    """One `item` of that; the prefix `a` is the response's."""
    handelser = (_bytes(_handelse(handelse, namespace)) for handelse in item.handelser)
    return b"".join(
        [
            b"<a:item>",
            write_intyg(item.shown, namespace),
            b"<a:handelser>",
            *handelser,
            b"</a:handelser>",
            _bytes(write_arenden("skickadeFragor", item.skickade_fragor, namespace)),
            _bytes(write_arenden("mottagnaFragor", item.mottagna_fragor, namespace)),
            _bytes(_ref(item.ref, namespace)) if item.ref else b"",
            b"</a:item>",
        ]
    )


def _handelse(handelse: StoredHandelse, namespace: str) -> etree._Element:
    """With `hanteratAv` inside, where these lists have it."""
    element = write_handelse(handelse, namespace)
    if handelse.hanterat_av:
        av = etree.SubElement(element, f"{{{ns.EXT34}}}hanteratAv", nsmap={"e": ns.EXT34})
        _leaf(av, f"{_T}root", HSA_ID_ROOT)
        _leaf(av, f"{_T}extension", handelse.hanterat_av)
    return element


def _ref(ref: str, namespace: str) -> etree._Element:
    element = etree.Element(f"{{{namespace}}}ref", nsmap={"s": namespace})
    element.text = ref
    return element


def _status(status: IntygsStatus) -> etree._Element:
    """`core:IntygsStatus`."""
    element = etree.Element(f"{_C}status", nsmap={"c": ns.CORE, "t": ns.TYPES})
    _cv(element, f"{_C}part", status.part, PART_SYSTEM)
    _cv(element, f"{_C}status", status.status, STATUS_SYSTEM)
    _leaf(element, f"{_C}tidpunkt", write_tidpunkt(status.tidpunkt))
    return element


# --- what is known of certificates ----------------------------------------------------------------


def write_type_info(
    contract: Contract, code: str, system: str, display: str, version: str
) -> etree._Element:
    """`GetCertificateTypeInfoResponseType`."""
    response = _element(contract)
    m = f"{{{contract.namespace}}}"
    _leaf(_cv(response, f"{m}typ", code, system), f"{_T}displayName", display)
    _leaf(response, f"{m}typVersion", version)
    return response


def write_relations(
    contract: Contract, relations: Sequence[tuple[str, Sequence[RelationRow]]]
) -> etree._Element:
    """`ListRelationsForCertificateResponseType`; ids have an empty root, as nationally."""
    response = _element(contract)
    m = f"{{{contract.namespace}}}"
    for intygs_id, rows in relations:
        around = etree.SubElement(response, f"{m}intygRelation")
        _ii(around, f"{m}intygs-id", "", intygs_id)
        for row in rows:
            relation = etree.SubElement(around, f"{m}relation")
            _cv(relation, f"{m}typ", row.typ, RELATION_SYSTEM)
            _ii(relation, f"{m}fran-intygs-id", "", row.fran)
            _ii(relation, f"{m}till-intygs-id", "", row.till)
            _leaf(relation, f"{m}skapad", write_tidpunkt(row.skapad))
            _leaf(relation, f"{m}fran-intyg-makulerat", _boolean(row.makulerat))
    return response


# --- recipients -----------------------------------------------------------------------------------


def write_recipients(
    contract: Contract, recipients: Iterable[KnownRecipient], *, with_type: bool
) -> etree._Element:
    """The answers of ListKnownRecipients and, with types, GetRecipientsForCertificate: OK."""
    response = _element(contract)
    m = f"{{{contract.namespace}}}"
    for known in recipients:
        recipient = etree.SubElement(response, f"{m}recipient")
        _leaf(recipient, f"{m}id", known.part)
        _leaf(recipient, f"{m}name", known.name)
        if with_type:
            _leaf(recipient, f"{m}type", known.kind)
        _leaf(recipient, f"{m}trusted", _boolean(known.trusted))
    result = etree.SubElement(response, f"{m}result", nsmap={"c1": ns.CORE1})
    _leaf(result, f"{{{ns.CORE1}}}resultCode", "OK")
    return response


def write_receivers(
    contract: Contract, receivers: Iterable[tuple[KnownRecipient, str | None]]
) -> etree._Element:
    """The answers with a `receiverList`; a status only for the contract that has one."""
    response = _element(contract)
    for known, approval_status in receivers:
        receiver = etree.SubElement(response, f"{{{contract.namespace}}}receiverList")
        _leaf(receiver, f"{_R}receiverId", known.part)
        _leaf(receiver, f"{_R}receiverName", known.name)
        _leaf(receiver, f"{_R}receiverType", known.kind)
        _leaf(receiver, f"{_R}trusted", _boolean(known.trusted))
        if approval_status is not None:
            _leaf(receiver, f"{_R}approvalStatus", approval_status)
    return response


# --- the service itself ---------------------------------------------------------------------------


def write_ping(
    contract: Contract, version: str, now: datetime, configuration: Sequence[tuple[str, str]]
) -> etree._Element:
    """`PingForConfigurationResponseType`; its time has fourteen digits, Swedish local time."""
    response = _element(contract)
    m = f"{{{contract.namespace}}}"
    _leaf(response, f"{m}version", version)
    _leaf(response, f"{m}pingDateTime", now.astimezone(SWEDEN).strftime("%Y%m%d%H%M%S"))
    for name, value in configuration:
        pair = etree.SubElement(response, f"{m}configuration")
        _leaf(pair, f"{m}name", name)
        _leaf(pair, f"{m}value", value)
    return response


# --- below: pieces --------------------------------------------------------------------------------


def _element(contract: Contract) -> etree._Element:
    prefixes = {"a": contract.namespace, "t": ns.TYPES, "r": ns.RECEIVER}
    return etree.Element(contract.response, nsmap=prefixes)


def _pieces(contract: Contract, before: bytes, items: Sequence[bytes], after: bytes) -> Pieces:
    """The response element around ready bytes, as a document of its own; `a` is its namespace."""
    name = f"a:{contract.name}Response"
    start = f'<{name} xmlns:a="{contract.namespace}">'.encode()
    return Pieces(start + before, items, after + f"</{name}>".encode())


def _cv(parent: etree._Element, tag: str, code: str, system: str) -> etree._Element:
    element = etree.SubElement(parent, tag)
    _leaf(element, f"{_T}code", code)
    _leaf(element, f"{_T}codeSystem", system)
    return element


def _ii(parent: etree._Element, tag: str, root: str, extension: str) -> None:
    element = etree.SubElement(parent, tag)
    _leaf(element, f"{_T}root", root)
    _leaf(element, f"{_T}extension", extension)


def _leaf(parent: etree._Element, tag: str, text: str) -> None:
    etree.SubElement(parent, tag).text = text


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _bytes(element: etree._Element) -> bytes:
    data: bytes = etree.tostring(element, encoding="UTF-8", xml_declaration=False)
    return data
