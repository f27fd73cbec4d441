"""
The signature of an intyg, checked by libxmlsec1.

An engine of its own beside the adapter's: the two must agree. libxmlsec1 runs the stylesheet and
the XPath expressions that the message brings, so what it gets to see is decided before:

1. The form must be the national profile's: one Signature in its place, one Reference, the five
   transforms, one of the two stylesheets that are in use (by fingerprint), XPath expressions that
   name this very intyg; and nothing inside the intyg that the digest would pass over.
2. Keys come from a store of trusted CA certificates alone; only the profile's algorithms are on.

Without CA certificates nothing is run and the outcome is `not_checked`.

Source: XML Signature, core validation; the profile as the national editor writes it.
"""

import copy
import hashlib
import queue
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import xmlsec as _xmlsec
from lxml import etree

from intyg.mocks.wire import envelope
from intyg.schemas import ns

xmlsec: Any = _xmlsec  # its stubs lack most of the module

_EXC_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
_TRANSFORMS: Final = (
    f"{ns.DS}enveloped-signature",
    "http://www.w3.org/TR/1999/REC-xslt-19991116",
    ns.DSF,
    ns.DSF,
    _EXC_C14N,
)
_UNSIGNED: Final = ("skickatTidpunkt", "relation", "status", "underskrift")
_STYLESHEETS: Final = {
    "8b93e05e14b883e0e9a1a1740fbdf32df0acde3497180eb2da6fc09344eb358e",  # since October 2018
    "5aff769d1eabda8ee916d192fc1f85adbccf79a0a6029351011ec59a95a14b8e",  # mid-2018
}
"""SHA-256 of the exclusive canonical form, without comments and text of white space alone."""


class SignatureOutcome(StrEnum):
    """What came of the check."""

    VALID = "valid"
    INVALID = "invalid"  # wrong, not of the profile, or not by a signer of a trusted CA
    ABSENT = "absent"
    NOT_CHECKED = "not_checked"  # no CA certificates were given


@dataclass(frozen=True)
class SignatureVerdict:
    """Outcome, and why; without person data."""

    outcome: SignatureOutcome
    detail: str = ""


class SignatureCheck:
    """
    Checks signatures against a set of CA certificates.

    Args:
        ca_files: PEM files with one or more certificates each.

    Raises:
        OSError: A file cannot be read.
        ValueError: A file holds no certificate, or one that libxmlsec1 refuses.
    """

    def __init__(self, ca_files: Iterable[Path]) -> None:
        self._certs = tuple(cert for path in ca_files for cert in _certs_in(path))
        self._free = _stores(self._certs) if self._certs else queue.SimpleQueue()

    def check(self, data: bytes, charset: str | None, intyg_tag: str) -> SignatureVerdict:
        """
        Check the intyg in a call.

        Args:
            data: The whole call as it arrived, envelope and all: that is the
                document that the Reference `URI=""` means.
            charset: As `envelope.parse`.
            intyg_tag: The intyg in this contract, in Clark notation.
        """
        # A tree of its own: xmlsec walks and marks nodes, and works for this thread alone.
        root = envelope.parse(data, charset)
        intyg = root.find(f".//{intyg_tag}")
        if intyg is None:
            return SignatureVerdict(SignatureOutcome.ABSENT, "no intyg")
        signatures = list(root.iter(f"{{{ns.DS}}}Signature"))
        if not signatures and intyg.find(f"{{{ns.EXT32}}}underskrift") is None:
            return SignatureVerdict(SignatureOutcome.ABSENT)
        fault = _form_fault(intyg, signatures)
        if fault is not None:
            return SignatureVerdict(SignatureOutcome.INVALID, fault)
        if not self._certs:
            return SignatureVerdict(
                SignatureOutcome.NOT_CHECKED, "no CA certificates are configured"
            )
        return self._run(signatures[0])

    def _run(self, signature: etree._Element) -> SignatureVerdict:
        # A store of keys serves one call at a time, since OpenSSL keeps errors on it.
        try:
            keys = self._free.get_nowait()
        except queue.Empty:
            keys = _load_keys(self._certs)
        try:
            return self._verify(signature, keys)
        finally:
            self._free.put(keys)

    def _verify(self, signature: etree._Element, keys: Any) -> SignatureVerdict:
        context = xmlsec.SignatureContext(keys)
        transform = xmlsec.Transform
        for each in (
            transform.ENVELOPED,
            transform.XSLT,
            transform.XPATH2,
            transform.EXCL_C14N,
            transform.SHA256,
        ):
            context.enable_reference_transform(each)
        for each in (
            transform.EXCL_C14N,
            transform.RSA_SHA256,
            transform.ECDSA_SHA256,
            transform.SHA256,
        ):
            context.enable_signature_transform(each)
        context.set_enabled_key_data([xmlsec.constants.KeyDataX509])
        try:
            context.verify(signature)
        except xmlsec.VerificationError:
            return SignatureVerdict(SignatureOutcome.INVALID, "digest or signature value is wrong")
        except xmlsec.Error:
            return SignatureVerdict(
                SignatureOutcome.INVALID,
                "no certificate of a trusted CA, or a value that cannot be used",
            )
        return SignatureVerdict(SignatureOutcome.VALID)


@lru_cache(maxsize=16)
def _stores(certs: tuple[bytes, ...]) -> "queue.SimpleQueue[Any]":
    """Stores of keys that nobody uses just now; one takes 20 ms to make, which mocks share."""
    free: queue.SimpleQueue[Any] = queue.SimpleQueue()
    free.put(_load_keys(certs))
    return free


def _load_keys(certs: tuple[bytes, ...]) -> Any:
    keys = xmlsec.KeysManager()
    for number, cert in enumerate(certs, start=1):
        try:
            keys.load_cert_from_memory(cert, xmlsec.KeyFormat.PEM, xmlsec.KeyDataType.TRUSTED)
        except xmlsec.Error as exc:
            raise ValueError(f"CA certificate {number} is damaged") from exc
    return keys


def _form_fault(intyg: etree._Element, signatures: list[etree._Element]) -> str | None:
    """What differs from the national profile; None if nothing does."""
    if len(signatures) != 1:
        return f"one Signature is allowed, {len(signatures)} came"
    signature = signatures[0]
    if not _has_canonical_form(intyg.getroottree().getroot()):
        return "a relative namespace name is in scope, so that there is no canonical form"
    place = signature.getparent()
    if place is None or place.tag != f"{{{ns.EXT32}}}underskrift" or place.getparent() is not intyg:
        return "Signature is not in intyg/underskrift"
    if [_local(child) for child in signature] != ["SignedInfo", "SignatureValue", "KeyInfo"]:
        return "Signature must hold SignedInfo, SignatureValue and KeyInfo"
    references = f"{{{ns.DS}}}SignedInfo/{{{ns.DS}}}Reference"
    if [each.get("URI") for each in signature.iterfind(references)] != [""]:
        return 'one Reference with URI="" is allowed'
    transforms = signature.findall(f"{references}/{{{ns.DS}}}Transforms/{{{ns.DS}}}Transform")
    if tuple(transform.get("Algorithm") for transform in transforms) != _TRANSFORMS:
        return "the transforms are not the national profile's five"
    if _fingerprint(transforms[1]) not in _STYLESHEETS:
        return "the stylesheet is not one of the national profile's"
    intygs_id = intyg.findtext(f"{{{ns.CORE}}}intygs-id/{{{ns.TYPES}}}extension") or ""
    if _xpath(transforms[2], "intersect") != f"//extension[text()='{intygs_id}']/../..":
        return "the signature does not name this intyg"
    subtracted = (_xpath(transforms[3], "subtract") or "").replace(" ", "")
    if subtracted != "|".join(f"//*[local-name()='{name}']" for name in _UNSIGNED):
        return "the signature leaves out other elements than the national profile"
    return _hidden_content(intyg, place)


def _has_canonical_form(element: etree._Element) -> bool:
    """
    Whether canonicalisation comes to an end (Canonical XML 1.0, section 1.3).

    libxmlsec1 would canonicalise the whole document, give up in the middle, and write the text that
    stands there to standard error.
    """
    try:
        etree.tostring(element, method="c14n", exclusive=True)
    except etree.C14NError:
        return False
    return True


def _hidden_content(intyg: etree._Element, underskrift: etree._Element) -> str | None:
    """Content that the digest does not see, although a reader would."""
    for node in intyg.iterdescendants():
        if underskrift in (node, *node.iterancestors()):
            continue
        if not isinstance(node.tag, str):
            return "comments and processing instructions in a signed intyg are not allowed"
        if any(str(name).startswith("{") for name in node.attrib):
            return "attributes with a namespace in a signed intyg are not allowed"
        if _local(node) in _UNSIGNED and not _is_in_place(intyg, node):
            return f"{_local(node)} stands where the signature would not cover it"
    return None


def _is_in_place(intyg: etree._Element, node: etree._Element) -> bool:
    """Whether an element of an unsigned name stands where the schema has one of that name."""
    parent = node.getparent()
    if parent is intyg:
        return etree.QName(node).namespace == ns.CORE
    status = f"{{{ns.CORE}}}status"  # core:IntygsStatus holds a status of its own
    return (
        parent is not None
        and parent.getparent() is intyg
        and (parent.tag, node.tag) == (status, status)
    )


def _fingerprint(transform: etree._Element) -> str | None:
    stylesheets = list(transform)
    if [sheet.tag for sheet in stylesheets] != [f"{{{ns.XSL}}}stylesheet"]:
        return None
    # A copy as a document of its own: what is around it must not show in the canonical form.
    stylesheet = copy.deepcopy(stylesheets[0])
    etree.strip_tags(stylesheet, etree.Comment)
    for element in stylesheet.iter("*"):
        if not (element.text or "").strip():
            element.text = None
        if not (element.tail or "").strip():
            element.tail = None
    canonical = etree.tostring(stylesheet, method="c14n", exclusive=True, with_comments=False)
    return hashlib.sha256(canonical).hexdigest()


def _xpath(transform: etree._Element, kind: str) -> str | None:
    children = list(transform)
    if len(children) != 1 or children[0].tag != f"{{{ns.DSF}}}XPath":
        return None
    return children[0].text if children[0].get("Filter") == kind else None


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _certs_in(path: Path) -> list[bytes]:
    from intyg.schemas.pem import blocks_in  # late, as in `tls`

    found = [block.text for block in blocks_in(path.read_bytes()) if block.is_cert]
    if not found:
        raise ValueError(f"{path}: holds no PEM certificate")
    return found
