"""Steps 3 to 9: is this the national profile, to the letter, at its one place, in a plain intyg?

All of it is looked at before any key or certificate is. What is not expected is refused, so that no
verifier's leniency, ours or another's, can make two readers see two different things.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from lxml import etree

from intyg.adapter.signature import profile
from intyg.adapter.signature.normal_form import UNSIGNED_NAMES, normalise
from intyg.adapter.signature.profile import Method
from intyg.adapter.signature.result import (
    Refusal,
    SignatureCode,
    SignatureOptions,
    too_large,
)
from intyg.schemas import ns

MAX_CERTS: Final = 5

UNDERSKRIFT: Final = f"{{{ns.EXT32}}}underskrift"
SIGNATURE: Final = f"{{{ns.DS}}}Signature"
_STYLESHEET: Final = f"{{{ns.XSL}}}stylesheet"
_XPATH: Final = f"{{{ns.DSF}}}XPath"

_XML_SPACE: Final = " \t\r\n"
_WITHOUT_SPACE: Final = str.maketrans("", "", _XML_SPACE)

_PREFIXES: Final = {"ds": ns.DS, "e32": ns.EXT32}


def _ds(*names: str) -> list[str]:
    return [f"{{{ns.DS}}}{name}" for name in names]


_SIGNATURE_CHILDREN: Final = _ds("SignedInfo", "SignatureValue", "KeyInfo")
_SIGNEDINFO_CHILDREN: Final = _ds("CanonicalizationMethod", "SignatureMethod", "Reference")
_REFERENCE_CHILDREN: Final = _ds("Transforms", "DigestMethod", "DigestValue")
_TRANSFORM: Final = _ds("Transform")
_X509DATA: Final = _ds("X509Data")
_X509CERTIFICATE: Final = _ds("X509Certificate")


_SIGNATURES: Final = etree.XPath("descendant::ds:Signature", namespaces=_PREFIXES)
_NAMED_UNDERSKRIFT: Final = etree.XPath("boolean(descendant::*[local-name()='underskrift'])")
_STRAY_SIGNATURE: Final = etree.XPath(
    "boolean(//ds:Signature[not(parent::e32:underskrift[parent::*[local-name()='intyg']])])",
    namespaces=_PREFIXES,
)


@dataclass(frozen=True)
class Structure:
    """A signature of the national profile; nothing in it is verified yet."""

    signature: etree._Element
    method: Method
    stylesheet: str  # S1 or S2
    signature_value: bytes | None  # None: empty, or not strict base64
    has_digest: bool  # DigestValue is neither
    certs: tuple[bytes, ...]  # DER, as listed
    octets: bytes  # N, what should have been signed


def read(intyg: etree._Element, options: SignatureOptions) -> Structure | None:
    """
    Check the structure of one intyg's signature.

    Args:
        intyg: Found by its exact path in its document.
        options: For the depth limit.

    Returns:
        None when there is no underskrift and no signature elsewhere.

    Raises:
        Refusal: With the code of the first of steps 3 to 9 that fails.
    """
    signature = find_signature(intyg)
    if signature is None:
        return None
    children = _children(signature, SignatureCode.SIGNATURE_CHILDREN)
    _expect(children, _SIGNATURE_CHILDREN, SignatureCode.SIGNATURE_CHILDREN)
    _attributes(signature, [], SignatureCode.SIGNATURE_CHILDREN)
    signed_info, signature_value, key_info = children
    method, transforms, digest_value = _read_signed_info(signed_info)
    stylesheet = _read_transforms(transforms, intyg)
    octets = check_content(intyg, options)
    check_id_is_unique(intyg)
    certs = _read_key_info(key_info)
    _attributes(signature_value, [], SignatureCode.SIGNATURE_CHILDREN)
    return Structure(
        signature=signature,
        method=method,
        stylesheet=stylesheet,
        signature_value=_strict_base64(signature_value),
        has_digest=_strict_base64(digest_value) is not None,
        certs=certs,
        octets=octets,
    )


def find_signature(intyg: etree._Element) -> etree._Element | None:
    """Step 3: the one Signature in `underskrift`, the last child; None if there is none at all."""
    if intyg.getroottree().docinfo.internalDTD is not None:
        raise Refusal(SignatureCode.XML, "a DTD")
    found = intyg.findall(UNDERSKRIFT)
    if not found:
        # a signature beside the intyg says nothing about it, whatever a general verifier thinks
        if _NAMED_UNDERSKRIFT(intyg) or _SIGNATURES(intyg) or _STRAY_SIGNATURE(intyg):
            raise Refusal(SignatureCode.SIGNATURE_PLACE, "not in underskrift")
        return None
    underskrift, *more = found
    if more:
        raise Refusal(SignatureCode.SIGNATURE_COUNT, "more than one underskrift")
    if any(isinstance(after.tag, str) for after in underskrift.itersiblings()):
        raise Refusal(SignatureCode.SIGNATURE_PLACE, "underskrift is not the last child")
    _attributes(underskrift, [], SignatureCode.SIGNATURE_PLACE)
    children = _children(underskrift, SignatureCode.SIGNATURE_COUNT)
    signatures = cast(list[etree._Element], _SIGNATURES(intyg))
    if len(children) != 1 or len(signatures) != 1 or children[0].tag != SIGNATURE:
        raise Refusal(SignatureCode.SIGNATURE_COUNT)
    return children[0]


def check_content(intyg: etree._Element, options: SignatureOptions) -> bytes:
    """Step 7: nothing that the signed octets would hide or that readers would see differently."""
    octets = normalise(intyg, max_depth=options.max_depth, national=True)
    if len(octets) > options.max_bytes:
        told = too_large(options.max_bytes)
        raise Refusal(SignatureCode.SIZE, f"{len(octets)} signed bytes", told)
    return octets


def intygs_id_of(intyg: etree._Element) -> str | None:
    """The intyg's own id, if there is exactly one and it may go into an XPath literal."""
    ids = intyg.findall(f"{{{ns.CORE}}}intygs-id")
    extensions = [e for i in ids for e in i.findall(f"{{{ns.TYPES}}}extension")]
    if len(ids) != 1 or len(extensions) != 1 or len(extensions[0]):
        return None
    text = extensions[0].text or ""
    return text if profile.is_intygs_id(text) else None


def check_id_is_unique(intyg: etree._Element) -> None:
    """Step 8: national verifiers look the id up from the document's root."""
    intygs_id = intygs_id_of(intyg)
    root = intyg.getroottree().getroot()
    found = [e for e in root.iter("{*}extension") if _is_or_holds(e, intygs_id)]
    if len(found) > 1 and sum(not _is_unsigned(e) for e in found) > 1:
        raise Refusal(SignatureCode.ID_NOT_UNIQUE)


def _is_or_holds(element: etree._Element, text: str | None) -> bool:
    """Whether one of an element's texts is this one, as XPath's `text()` would find it."""
    return element.text == text or (
        len(element) > 0
        and (text in (child.tail for child in element) or text == element.xpath("string()"))
    )


def _is_unsigned(element: etree._Element) -> bool:
    """Under one of the dropped names: a relation may point at another certificate of a list."""
    return any(a.tag.rpartition("}")[2] in UNSIGNED_NAMES for a in element.iterancestors())


def _read_signed_info(
    signed_info: etree._Element,
) -> tuple[Method, etree._Element, etree._Element]:
    """Steps 4 and 5, but for the transforms' content. Returns method, Transforms, DigestValue."""
    code = SignatureCode.SIGNEDINFO_CHILDREN
    _attributes(signed_info, [], code)
    children = _children(signed_info, code)
    _expect(children, _SIGNEDINFO_CHILDREN, code)
    c14n, signature_method, reference = children
    parts = _children(reference, code)
    if [part.tag for part in parts] == _REFERENCE_CHILDREN[1:]:
        raise Refusal(SignatureCode.TRANSFORMS, "none")
    _expect(parts, _REFERENCE_CHILDREN, code)
    transforms, digest_method, digest_value = parts
    _attributes(digest_value, [], code)

    _algorithm(c14n, (profile.EXCLUSIVE_C14N,), SignatureCode.C14N)
    method = _algorithm(signature_method, tuple(Method), SignatureCode.SIGNATURE_METHOD)
    _algorithm(digest_method, (profile.SHA256,), SignatureCode.DIGEST_METHOD)
    if reference.keys() != ["URI"] or reference.get("URI") != "":
        raise Refusal(SignatureCode.REFERENCE_URI)
    return Method(method), transforms, digest_value


def _read_transforms(transforms: etree._Element, intyg: etree._Element) -> str:
    """Steps 5 and 6: the transform list, compared and never run. Returns the stylesheet's name."""
    code = SignatureCode.TRANSFORMS
    _attributes(transforms, [], code)
    children = _children(transforms, code)
    _expect(children, _TRANSFORM * len(profile.TRANSFORMS), code)
    for transform, algorithm in zip(children, profile.TRANSFORMS, strict=True):
        _attributes(transform, ["Algorithm"], code)
        if transform.get("Algorithm") != algorithm:
            raise Refusal(code)
    enveloped, xslt, first_filter, second_filter, c14n = children
    if _children(enveloped, code) or _children(c14n, code):
        raise Refusal(code, "parameters")

    sheets = _children(xslt, SignatureCode.STYLESHEET)
    name = profile.stylesheet_name(sheets[0]) if [s.tag for s in sheets] == [_STYLESHEET] else None
    if name is None:
        raise Refusal(SignatureCode.STYLESHEET)

    intygs_id = intygs_id_of(intyg)
    text = _filter_text(first_filter, "intersect", SignatureCode.XPATH_INTERSECT)
    if intygs_id is None or text != profile.intersect(intygs_id):
        raise Refusal(SignatureCode.XPATH_INTERSECT)
    text = _filter_text(second_filter, "subtract", SignatureCode.XPATH_SUBTRACT)
    if not profile.is_subtract(text):
        raise Refusal(SignatureCode.XPATH_SUBTRACT)
    return name


def _filter_text(transform: etree._Element, kind: str, code: SignatureCode) -> str:
    children = _children(transform, code)
    if [child.tag for child in children] != [_XPATH]:
        raise Refusal(code, told=f"it must hold one `XPath` of the namespace {ns.DSF}")
    xpath = children[0]
    if xpath.items() != [("Filter", kind)] or len(xpath):
        raise Refusal(code)
    return xpath.text or ""


def _read_key_info(key_info: etree._Element) -> tuple[bytes, ...]:
    """Step 9, as far as it goes without reading certificates."""
    code = SignatureCode.KEYINFO
    _attributes(key_info, [], code)
    datas = _children(key_info, code)
    _expect(datas, _X509DATA, code)
    _attributes(datas[0], [], code)
    certs = _children(datas[0], code)
    if not 1 <= len(certs) <= MAX_CERTS:
        raise Refusal(code, f"{len(certs)} certificates")
    _expect(certs, _X509CERTIFICATE * len(certs), code)
    ders = []
    for cert in certs:
        _attributes(cert, [], code)
        der = _strict_base64(cert)
        if der is None:
            raise Refusal(code, "not base64")
        ders.append(der)
    return tuple(ders)


def _children(element: etree._Element, code: SignatureCode) -> list[etree._Element]:
    """Child elements, where nothing but whitespace stands between them."""
    children = list(element)
    texts = [element.text, *(child.tail for child in children)]
    if any(text is not None and text.strip(_XML_SPACE) for text in texts):
        raise Refusal(code, "text")
    if not all(isinstance(child.tag, str) for child in children):
        raise Refusal(code, "a comment or processing instruction")
    return children


def _expect(children: Sequence[etree._Element], tags: Sequence[str], code: SignatureCode) -> None:
    if [child.tag for child in children] != list(tags):
        raise Refusal(code)


def _attributes(element: etree._Element, names: list[str], code: SignatureCode) -> None:
    if element.keys() != names:
        raise Refusal(code, "attributes")


def _algorithm(element: etree._Element, allowed: tuple[str, ...], code: SignatureCode) -> str:
    """The element's Algorithm, where it is allowed and has no parameters."""
    _attributes(element, ["Algorithm"], code)
    algorithm = element.get("Algorithm", "")
    if _children(element, code) or algorithm not in allowed:
        raise Refusal(code)
    return algorithm


def _strict_base64(element: etree._Element) -> bytes | None:
    """
    An element's octets; None if there are none, or if they are not written as they should be.

    Line breaks are fine (Java writes them). Anything else that decoders skip is not, and neither
    are spare bits: there is one spelling of an octet string.
    """
    if len(element):
        return None
    text = (element.text or "").translate(_WITHOUT_SPACE)
    try:
        octets = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return octets if octets and base64.b64encode(octets).decode() == text else None
