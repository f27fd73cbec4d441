"""Verify: our policy, then the certificate, then signxml for value and digest, then the author.

signxml is given the Signature alone, with N in place of what its transforms would make of a
document: no transform of a message is ever run, and what it would skip or let pass was refused
before.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree
from signxml import exceptions as signxml_exceptions
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.verifier import SignatureConfiguration, XMLVerifier

from intyg.adapter.formats import intyg_reader as readers
from intyg.adapter.signature import (
    place,
    policy,
    profile,
    trust,
)
from intyg.adapter.signature.library_errors import refusing
from intyg.adapter.signature.normal_form import normalise
from intyg.adapter.signature.policy import Structure
from intyg.adapter.signature.result import (
    Refusal,
    SignatureCode,
    SignatureOptions,
    SignatureOutcome,
    SignatureResult,
    ValiditySource,
    too_large,
)
from intyg.adapter.signature.rewritten import how_rewritten
from intyg.adapter.signature.trust import Cert, TrustStore
from intyg.schemas import ns

DEFAULT_OPTIONS: Final = SignatureOptions()

_OUTCOMES: Final[Mapping[SignatureCode, SignatureOutcome]] = {
    SignatureCode.ABSENT: SignatureOutcome.ABSENT,
    SignatureCode.SIGNATURE_INVALID: SignatureOutcome.INVALID,
    SignatureCode.DIGEST_MISMATCH: SignatureOutcome.INVALID,
    SignatureCode.TIME_UNSIGNED: SignatureOutcome.TIME_UNSIGNED,
    SignatureCode.CERT_PATH: SignatureOutcome.UNTRUSTED,
    SignatureCode.SIGNER_NOT_AUTHOR: SignatureOutcome.UNTRUSTED,
    SignatureCode.SIGNER_UNRESOLVED: SignatureOutcome.UNTRUSTED,
}
"""Codes whose outcome is not REFUSED."""


def verify(
    intyg: etree._Element,
    trusted: TrustStore,
    at: datetime | None,
    options: SignatureOptions = DEFAULT_OPTIONS,
    *,
    size: int | None = None,
) -> SignatureResult:
    """
    Verify the signature of one intyg. A bad document is a result, never an exception.

    Args:
        intyg: Found by its exact path in a schema-valid message (`find_intyg`
            does that), never the element around some Signature.
        trusted: Whose certificates count.
        at: When certificates must be valid: the time of trusted receipt,
            aware. None takes `signeringstidpunkt`, and says so in the result.
        options: What this deployment chose.
        size: Bytes of the message that holds it, where known.

    Returns:
        The verdict. After VALID the very element may be read, but its sent
        time, relations and states are the sender's unsigned word, and a value
        of only whitespace was signed as an empty one.

    Source:
        Swedish national signature profile for intyg; XMLDSig core 1.1.
    """
    assert at is None or at.tzinfo is not None, "times are aware"
    check = _Check(intyg, trusted, at, options)
    try:
        if size is not None and size > options.max_bytes:
            raise Refusal(SignatureCode.SIZE, f"{size} bytes", too_large(options.max_bytes))
        check.run()
    except Refusal as refusal:
        return check.refused(refusal)
    return check.result


def verify_message(
    root: etree._Element,
    trusted: TrustStore,
    at: datetime | None,
    options: SignatureOptions = DEFAULT_OPTIONS,
    *,
    size: int | None = None,
) -> SignatureResult:
    """
    Verify the one intyg of a message.

    Args:
        root: A SOAP envelope or its body element, of a contract that carries
            exactly one intyg. It must have been checked against its schema.
        trusted, at, options, size: As for `verify`.

    Returns:
        The verdict; REFUSED with PLACE unless there is exactly one intyg.
    """
    try:
        intyg = place.find_one_intyg(root)
    except Refusal as refusal:
        return SignatureResult(
            SignatureOutcome.REFUSED, refusal.code, validity_time=at, detail=refusal.detail
        )
    return verify(intyg, trusted, at, options, size=size)


class _Check:
    """One run through the steps; `result` grows on the way."""

    def __init__(
        self,
        intyg: etree._Element,
        trusted: TrustStore,
        at: datetime | None,
        options: SignatureOptions,
    ) -> None:
        self.intyg = intyg
        self.trusted = trusted
        self.at = at
        self.options = options
        self.result = SignatureResult(
            SignatureOutcome.ABSENT,
            SignatureCode.ABSENT,
            validity_time=at,
            validity_source=ValiditySource.CALLER if at is not None else None,
        )

    def refused(self, refusal: Refusal) -> SignatureResult:
        outcome = _OUTCOMES.get(refusal.code, SignatureOutcome.REFUSED)
        return replace(
            self.result,
            outcome=outcome,
            code=refusal.code,
            detail=refusal.detail,
            told=refusal.told,
            accepted=(
                outcome is SignatureOutcome.TIME_UNSIGNED and self.options.accept_time_unsigned
            ),
        )

    def run(self) -> None:
        structure = policy.read(self.intyg, self.options)  # steps 3 to 8, and KeyInfo's form
        if structure is None:
            return
        certs = trust.read_certs(structure.certs)
        at = self.at or self._signing_time()
        self.result = replace(
            self.result,
            signer=certs[0].signer,
            method=structure.method.short,
            stylesheet=structure.stylesheet,
        )
        distrust = self._judge(certs, at)  # step 10
        self._check_key(certs[0], structure, distrust)  # step 11
        # UNTRUSTED says that all but trust is right, so that has to be found out first
        time_unsigned = self._check_value_and_digest(certs[0], structure)
        if distrust is not None:
            raise distrust
        if self.options.require_author:  # before TIME_UNSIGNED: a deployment may accept that one
            trust.check_author(certs[0].signer, self.intyg)
        if time_unsigned is not None:
            raise time_unsigned
        self.result = replace(
            self.result,
            outcome=SignatureOutcome.VALID,
            code=None,
            octets=structure.octets,
            accepted=True,
        )

    def _signing_time(self) -> datetime:
        text = self.intyg.findtext(f"{{{ns.CORE}}}signeringstidpunkt")
        try:
            at = readers.read_tidpunkt(text or "")
        except (ValueError, OverflowError):
            raise Refusal(SignatureCode.CERT_PATH, "no time to judge certificates at") from None
        self.result = replace(
            self.result, validity_time=at, validity_source=ValiditySource.SIGNERINGSTIDPUNKT
        )
        return at

    def _judge(self, certs: tuple[Cert, ...], at: datetime) -> Refusal | None:
        """Step 10. What is only distrust is returned, since cryptography has a say about it."""
        try:
            chain = self.trusted.check(certs, at, self.options)
        except Refusal as refusal:
            if refusal.code is not SignatureCode.CERT_PATH:
                raise
            return refusal
        self.result = replace(self.result, chain=chain)
        return None

    def _check_key(self, cert: Cert, structure: Structure, distrust: Refusal | None) -> None:
        try:
            trust.check_key(cert, structure.method)
        except Refusal:
            # the path builder refuses small keys, too: if that was all, KEY says it better
            if distrust is not None and not self.trusted.issued(cert):
                raise distrust from None
            raise

    def _check_value_and_digest(self, cert: Cert, structure: Structure) -> Refusal | None:
        """Steps 12 and 13. TIME_UNSIGNED is returned, since the author comes before it."""
        try:
            run_signxml(structure, cert)
        except Refusal as refusal:
            if refusal.code is SignatureCode.SIGNATURE_INVALID and _is_der_ecdsa(cert, structure):
                text = "ECDSA value in DER form; XMLDSig wants r and s side by side"
                raise Refusal(refusal.code, text) from None
            if refusal.code is SignatureCode.SIGNATURE_INVALID:
                raise Refusal(refusal.code, refusal.detail, _rewritten(cert, structure)) from None
            if refusal.code is SignatureCode.DIGEST_MISMATCH and self._lacks_time(cert, structure):
                return Refusal(SignatureCode.TIME_UNSIGNED)
            raise
        return None

    def _lacks_time(self, cert: Cert, structure: Structure) -> bool:
        octets = normalise(self.intyg, max_depth=self.options.max_depth, with_time=False)
        with suppress(Refusal):
            run_signxml(replace(structure, octets=octets), cert)
            return True
        return False


def run_signxml(structure: Structure, cert: Cert) -> None:
    """
    Check SignatureValue by the certificate's key, then DigestValue against the octets.

    Args:
        structure: What `policy.read` let pass.
        cert: The signer's. Its path and time are judged elsewhere.

    Raises:
        Refusal: SIGNATURE_INVALID, DIGEST_MISMATCH, or C14N.
    """
    # signxml decodes leniently, and stumbles over an element without text
    if structure.signature_value is None:
        raise Refusal(SignatureCode.SIGNATURE_INVALID, "not strict base64")
    with refusing(SignatureCode.SIGNATURE_INVALID):
        _NationalVerifier(structure).verify(
            structure.signature,
            x509_cert=cert.parsed,
            validate_schema=False,  # the policy is stricter, and threads share that schema object
            expect_config=_CONFIG,
        )


_CONFIG: Final = SignatureConfiguration(
    require_x509=True,
    location="./",
    expect_references=1,
    signature_methods=frozenset({SignatureMethod.RSA_SHA256, SignatureMethod.ECDSA_SHA256}),
    digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
    default_reference_c14n_method=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
)


class _NationalVerifier(XMLVerifier):
    """signxml's verifier with the digest input of the national profile."""

    def __init__(self, structure: Structure) -> None:
        self._octets = structure.octets
        self._has_digest = structure.has_digest

    def _check_cert_validity(self, cert: Any, cert_source: Any) -> None:
        """Judged already; and signxml's writes the subject, a person's name, into its errors."""

    # signxml copies the document four times, since its transforms change it. Here nothing does, so
    # the Signature itself goes through, and only what was signed is parsed anew.

    def get_root(self, data: etree._Element) -> etree._Element:
        return data

    def _tostring(self, xml_node: etree._Element, **_kwargs: Any) -> Any:
        return xml_node

    def _fromstring(self, xml_string: Any, **_kwargs: Any) -> Any:
        if isinstance(xml_string, bytes):
            return None if xml_string is self._octets else etree.fromstring(xml_string)
        return xml_string

    def _c14n(
        self,
        nodes: Any,
        algorithm: Any,  # noqa: ARG002
        inclusive_ns_prefixes: Any = None,  # noqa: ARG002
    ) -> bytes:
        """As signxml's, which logs what it canonicalises: this is health data."""
        return profile.exclusive_c14n(nodes)

    def _apply_transforms(
        self,
        payload: Any,  # noqa: ARG002
        *,
        transforms_node: etree._Element,
        signature: Any,  # noqa: ARG002
    ) -> bytes:
        """Look at the list once more, now as it was signed, and run none of it."""
        if not self._has_digest:  # said here: SignatureValue is right, DigestValue comes next
            raise signxml_exceptions.InvalidDigest("not strict base64")
        listed = tuple(transform.get("Algorithm") for transform in transforms_node)
        if listed != profile.TRANSFORMS:
            raise signxml_exceptions.InvalidInput("not the national transforms")
        return self._octets


def _rewritten(cert: Cert, structure: Structure) -> str:
    """What to tell of a SignedInfo that is not as it was signed; empty where that is not so."""

    def fits(signature: etree._Element) -> bool:
        try:
            run_signxml(replace(structure, signature=signature), cert)
        except Refusal as refusal:
            return refusal.code is SignatureCode.DIGEST_MISMATCH  # which comes after the value
        return True

    return how_rewritten(structure.signature, fits)


def _is_der_ecdsa(cert: Cert, structure: Structure) -> bool:
    value = structure.signature_value
    if value is None or not isinstance(cert.public_key, ec.EllipticCurvePublicKey):
        return False
    try:
        decode_dss_signature(value)
    except ValueError:
        return False
    return True
