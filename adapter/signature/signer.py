"""Sign: prepare, have the octets signed somewhere, complete.

signxml builds SignedInfo; what is emitted is exactly the octets that were signed. Nothing is
released that our own verifier would not accept.

Prefixes are `ds`, `dsf` and `xsl`, there is no whitespace, and no default namespace is in scope:
the central services take SignedInfo apart and write it anew, which only comes out the same this
way, and some XSLT engines give other names to elements where a default namespace is in scope.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any, Final, cast

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConstructionMethod,
    SignatureMethod,
)
from signxml.signer import SignatureReference, XMLSigner

from intyg.adapter.signature import policy, profile, trust
from intyg.adapter.signature.keys import SigningKey, raw_ecdsa
from intyg.adapter.signature.library_errors import refusing
from intyg.adapter.signature.normal_form import normalise
from intyg.adapter.signature.policy import Structure
from intyg.adapter.signature.profile import Method
from intyg.adapter.signature.result import Refusal, SignatureCode, error
from intyg.adapter.signature.verifier import DEFAULT_OPTIONS, run_signxml
from intyg.schemas import ns

_SIGNERINGSTIDPUNKT: Final = f"{{{ns.CORE}}}signeringstidpunkt"
_TRANSFORM: Final = f"{{{ns.DS}}}Transform"
_XPATH: Final = f"{{{ns.DSF}}}XPath"


@dataclass(frozen=True)
class Pending:
    """
    An intyg that waits for its signature.

    Attributes:
        intygs_id: Of the intyg.
        method: What the signature must be made with.
        digest: SHA-256 of N.
        signed_info: The octets to sign: exclusive c14n of SignedInfo.
    """

    intygs_id: str
    method: Method
    digest: bytes = field(repr=False)
    signed_info: bytes = field(repr=False)


def prepare(intyg: etree._Element, method: Method) -> Pending:
    """
    Make what an external signer signs.

    Args:
        intyg: Complete but for `underskrift`; `signeringstidpunkt` is set.
        method: Fits the signer's key.

    Raises:
        SignatureError: The intyg cannot be signed in the national profile;
            its code says why.
    """
    intygs_id = policy.intygs_id_of(intyg)
    if intygs_id is None:
        raise error(SignatureCode.INTYGS_ID)
    if len(intyg.findall(_SIGNERINGSTIDPUNKT)) != 1:
        raise error(SignatureCode.NO_TIME)
    try:
        if policy.find_signature(intyg) is not None:
            raise Refusal(SignatureCode.ALREADY_SIGNED)
        octets = policy.check_content(intyg, DEFAULT_OPTIONS)
        policy.check_id_is_unique(intyg)
    except Refusal as refusal:
        raise error(refusal.code) from refusal
    outside = _OutsideKey()
    _NationalSigner(method, octets, intygs_id).sign(intyg, key=cast(Any, outside))
    return Pending(intygs_id, method, hashlib.sha256(octets).digest(), outside.octets)


def complete(
    intyg: etree._Element,
    pending: Pending,
    value: bytes,
    cert: bytes,
    *,
    value_is_der: bool = False,
) -> bytes:
    """
    Put a signature together from what the signer sent back.

    Args:
        intyg: The same intyg, unchanged.
        pending: From `prepare`.
        value: RSA signature; for ECDSA r and s side by side.
        cert: The signer's certificate, DER.
        value_is_der: This signer sends ECDSA values as an ASN.1 sequence.

    Returns:
        The octets of `ds:Signature`, to be attached or inserted as they are.

    Raises:
        SignatureError: CHANGED; KEYINFO, KEY or SIGNATURE_INVALID when
            certificate and value do not fit.
    """
    try:
        octets = normalise(intyg)
        if hashlib.sha256(octets).digest() != pending.digest:
            raise Refusal(SignatureCode.CHANGED)
        signer = trust.read_cert(cert)
        trust.check_key(signer, pending.method)
        if value_is_der:
            assert isinstance(signer.public_key, ec.EllipticCurvePublicKey)
            with refusing(SignatureCode.SIGNATURE_INVALID, OverflowError):
                value = raw_ecdsa(value, signer.public_key.key_size)
        signature = _signature(pending.signed_info, value, cert)
        structure = Structure(
            signature=etree.fromstring(signature),
            method=pending.method,
            stylesheet="S1",
            signature_value=value or None,
            has_digest=True,
            certs=(cert,),
            octets=octets,
        )
        run_signxml(structure, signer)
    except Refusal as refusal:
        raise error(refusal.code) from refusal
    return signature


def sign(intyg: etree._Element, key: SigningKey) -> None:
    """
    Sign an intyg in place: `underskrift` becomes its last child.

    Raises:
        SignatureError: It cannot be signed (see `prepare`).
    """
    attach(intyg, make_signature(intyg, key))


def make_signature(intyg: etree._Element, key: SigningKey) -> bytes:
    """
    The octets of a `ds:Signature` for this intyg, which stays as it is.

    They are checked where they are put in. Raises SignatureError.
    """
    pending = prepare(intyg, key.method)
    return _signature(pending.signed_info, key.sign(pending.signed_info), key.der)


def attach(intyg: etree._Element, signature: bytes) -> None:
    """
    Put a finished `ds:Signature` into an intyg.

    Args:
        intyg: Without `underskrift`.
        signature: From `complete`.

    Raises:
        SignatureError: It is not a right one for this intyg, which then
            stays as it was.
    """
    nsmap: Any = {"e32": ns.EXT32}  # lxml-stubs know of no default namespace
    if intyg.nsmap.get(None):
        nsmap[None] = ""  # none in scope at the Signature
    underskrift = etree.SubElement(intyg, policy.UNDERSKRIFT, nsmap=nsmap)
    _graft(underskrift, etree.fromstring(signature))
    code = check_own(intyg)
    if code is not None:
        intyg.remove(underskrift)
        raise error(code)


def check_own(intyg: etree._Element) -> SignatureCode | None:
    """Why our own verifier would not accept what is about to be released; None if it would."""
    try:
        structure = policy.read(intyg, DEFAULT_OPTIONS)
        if structure is None:
            return SignatureCode.ABSENT
        cert = trust.read_certs(structure.certs)[0]
        trust.check_key(cert, structure.method)
        run_signxml(structure, cert)
    except Refusal as refusal:
        return refusal.code
    return None


def _graft(parent: etree._Element, source: etree._Element) -> None:
    """
    Copy an element into another tree with its own prefixes.

    Moving it would let lxml use a prefix that the tree already has for the same namespace, and
    SignedInfo's prefixes are signed.
    """
    prefix = source.prefix
    namespace = source.nsmap[prefix]
    nsmap: Any = {} if parent.nsmap.get(prefix) == namespace else {prefix: namespace}
    element = etree.SubElement(parent, source.tag, cast(Any, dict(source.items())), nsmap=nsmap)
    element.text = source.text
    element.tail = source.tail
    for child in source:
        _graft(element, child)


def _signature(signed_info: bytes, value: bytes, cert: bytes) -> bytes:
    """`ds:Signature` around the very octets that were signed."""
    return b"".join(
        (
            f'<ds:Signature xmlns:ds="{ns.DS}">'.encode(),
            signed_info,
            b"<ds:SignatureValue>",
            base64.b64encode(value),
            b"</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>",
            base64.b64encode(cert),
            b"</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>",
        )
    )


class _OutsideKey:
    """Stands where signxml wants a private key: keeps what is to be signed, and signs nothing."""

    key_size = 256
    octets = b""

    def sign(self, octets: bytes, **_how: object) -> bytes:
        """The placeholder is thrown away with the tree that signxml puts it into."""
        self.octets = octets
        return encode_dss_signature(1, 1)


class _NationalSigner(XMLSigner):
    """signxml's signer with the transforms and the digest input of the national profile."""

    def __init__(self, method: Method, octets: bytes, intygs_id: str) -> None:
        super().__init__(
            method=SignatureConstructionMethod.enveloped,
            signature_algorithm=SignatureMethod(method.value),
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        self.namespaces = {"ds": ns.DS}
        self.signature_annotators: list[Any] = []  # KeyInfo comes when the signer is known
        self._octets = octets
        self._intygs_id = intygs_id

    def _unpack(
        self,
        data: Any,  # noqa: ARG002
        references: Any,  # noqa: ARG002
    ) -> tuple[Any, Any, list[bytes], list[Any]]:
        """One Reference to N, and a Signature that stands alone."""
        signature = etree.Element(policy.SIGNATURE, nsmap={"ds": ns.DS})
        return signature, signature, [self._octets], [SignatureReference(URI="")]

    def _c14n(
        self,
        nodes: Any,
        algorithm: Any,  # noqa: ARG002
        inclusive_ns_prefixes: Any = None,  # noqa: ARG002
    ) -> bytes:
        """N is its own c14n. And signxml's logs what it canonicalises: this is health data."""
        return nodes if isinstance(nodes, bytes) else profile.exclusive_c14n(nodes)

    def _build_transforms_for_reference(
        self,
        *,
        transforms_node: etree._Element,
        reference: Any,  # noqa: ARG002
        exclude_c14n_transform_element: bool = False,  # noqa: ARG002
    ) -> None:
        _enveloped, xslt, intersect, subtract, _c14n = (
            etree.SubElement(transforms_node, _TRANSFORM, Algorithm=algorithm)
            for algorithm in profile.TRANSFORMS
        )
        xslt.append(etree.fromstring(profile.S1))
        for transform, kind, text in (
            (intersect, "intersect", profile.intersect(self._intygs_id)),
            (subtract, "subtract", profile.SUBTRACT),
        ):
            xpath = etree.SubElement(transform, _XPATH, {"Filter": kind}, nsmap={"dsf": ns.DSF})
            xpath.text = text
