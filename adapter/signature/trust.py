"""Steps 9 to 11 and 14: whose signature it is, and whether that counts.

Nothing in a message makes itself trusted: certificates that come with it only help to find a way to
a configured anchor.
"""

import functools
import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
)
from lxml import etree

from intyg.adapter.domain.hsa_id import same_hsa_id
from intyg.adapter.settings.settings import SettingsError, TrustSettings
from intyg.adapter.signature.cert_titles import read_titles
from intyg.adapter.signature.library_errors import CERT_ERRORS, refusing
from intyg.adapter.signature.profile import Method
from intyg.adapter.signature.result import (
    Chain,
    Refusal,
    SignatureCode,
    SignatureOptions,
    Signer,
)
from intyg.schemas import ns
from intyg.schemas.codes import HSA_ID_ROOT
from intyg.schemas.pem import certs_in, load_cert

MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 8192  # larger ones cost time and gain nothing
CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)

# A personnummer instead of an HSA-id: 12 digits, as the signing service writes it; also with a
# hyphen, and in the form of ETSI EN 319 412-1.
_PERSONNUMMER: Final = re.compile(r"(PNOSE-)?\d{8}-?\d{4}")

_USAGES: Final = (
    ("digital_signature", "digitalSignature"),
    ("content_commitment", "contentCommitment"),
    ("key_encipherment", "keyEncipherment"),
    ("data_encipherment", "dataEncipherment"),
    ("key_agreement", "keyAgreement"),
    ("key_cert_sign", "keyCertSign"),
    ("crl_sign", "cRLSign"),
)

_CACHED: Final = 1024  # signers of one region's day fit; some 10 kB each


@dataclass(frozen=True)
class Cert:
    """A certificate that was read whole, so that no later step can stumble over it."""

    parsed: x509.Certificate = field(repr=False)
    public_key: object = field(repr=False)
    subject: bytes = field(repr=False)
    issuer: bytes = field(repr=False)
    has_usage: bool
    signer: Signer


@functools.lru_cache(maxsize=_CACHED)
def read_cert(der: bytes) -> Cert:
    """
    Read a certificate.

    Raises:
        Refusal: KEYINFO, if any part of it cannot be read.
    """
    with refusing(SignatureCode.KEYINFO, *CERT_ERRORS):
        cert = x509.load_der_x509_certificate(der)
        if cert.public_bytes(Encoding.DER) != der:
            raise ValueError("trailing octets")
        if cert.serial_number <= 0:
            raise ValueError("not a serial number of RFC 5280")
        usage = _usage(cert)
        serial_number = _serial_number(cert)
        is_hsa_id = serial_number is not None and not is_personnummer(serial_number)
        return Cert(
            parsed=cert,
            public_key=cert.public_key(),
            subject=cert.subject.public_bytes(),
            issuer=cert.issuer.public_bytes(),
            has_usage=usage is not None,
            signer=Signer(
                hsa_id=serial_number if is_hsa_id else None,
                serial_number=serial_number,
                subject=cert.subject.rfc4514_string(),
                issuer=cert.issuer.rfc4514_string(),
                cert_serial=f"{cert.serial_number:x}",
                fingerprint=hashlib.sha256(der).hexdigest(),
                not_before=cert.not_valid_before_utc,
                not_after=cert.not_valid_after_utc,
                usage=usage or (),
                titles=read_titles(cert),
            ),
        )


def read_certs(ders: Iterable[bytes]) -> tuple[Cert, ...]:
    """
    Read KeyInfo's certificates; the signer's comes first in the answer.

    Raises:
        Refusal: KEYINFO, or LEAF_AMBIGUOUS unless exactly one of them issued
            none of the others.
    """
    certs = [read_cert(der) for der in ders]
    if len(certs) == 1:
        return tuple(certs)
    leaves = [
        cert
        for cert in certs
        if not any(other.issuer == cert.subject for other in certs if other is not cert)
    ]
    if len(leaves) != 1:
        raise Refusal(SignatureCode.LEAF_AMBIGUOUS, f"{len(leaves)} of {len(certs)}")
    return (leaves[0], *(cert for cert in certs if cert is not leaves[0]))


def check_key(cert: Cert, method: Method) -> None:
    """
    Step 11: RSA of 2048 to 8192 bits, or one of three curves, as the method says.

    Raises:
        Refusal: KEY.
    """
    key = cert.public_key
    if isinstance(key, rsa.RSAPublicKey):
        fits = method is Method.RSA_SHA256 and MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS
    elif isinstance(key, ec.EllipticCurvePublicKey):
        fits = method is Method.ECDSA_SHA256 and isinstance(key.curve, CURVES)
    else:
        fits = False
    if not fits:
        raise Refusal(SignatureCode.KEY)


def check_author(signer: Signer, intyg: etree._Element) -> None:
    """
    Step 14: the signer is who `skapadAv/personal-id` says, HSA-ids compared without case.

    Raises:
        Refusal: SIGNER_UNRESOLVED if the certificate names a personnummer,
            otherwise SIGNER_NOT_AUTHOR.
    """
    if signer.serial_number is not None and signer.hsa_id is None:
        raise Refusal(SignatureCode.SIGNER_UNRESOLVED)
    author = author_of(intyg)
    if not same_hsa_id(signer.hsa_id, author):
        raise Refusal(SignatureCode.SIGNER_NOT_AUTHOR)


def author_of(intyg: etree._Element) -> str | None:
    """The HSA-id in `skapadAv/personal-id`, if there is exactly one."""
    ids = intyg.findall(f"{{{ns.CORE}}}skapadAv/{{{ns.CORE}}}personal-id")
    if len(ids) != 1:
        return None
    roots = ids[0].findall(f"{{{ns.TYPES}}}root")
    extensions = ids[0].findall(f"{{{ns.TYPES}}}extension")
    if len(roots) != 1 or len(extensions) != 1 or roots[0].text != HSA_ID_ROOT:
        return None
    return extensions[0].text


def is_personnummer(serial_number: str) -> bool:
    """Whether a subject's serialNumber is a person's number and no HSA-id."""
    return _PERSONNUMMER.fullmatch(serial_number) is not None


@dataclass(frozen=True)
class _Span:
    """When a path that was found is valid in all its certificates."""

    not_before: datetime
    not_after: datetime


class TrustStore:
    """
    Whose certificates count: anchors with intermediates, and pinned leaves.

    Args:
        anchors: CA certificates that end a path.
        intermediates: CA certificates that may stand between; messages
            mostly carry the signer's alone.
        pinned: Signers' certificates taken as they are, for those that no
            path can be built for (signed with SHA-1, or version 1).
    """

    def __init__(
        self,
        anchors: Sequence[x509.Certificate] = (),
        intermediates: Sequence[x509.Certificate] = (),
        pinned: Sequence[x509.Certificate] = (),
    ) -> None:
        self.anchors = tuple(anchors)
        self.intermediates = tuple(intermediates)
        self.pinned = tuple(pinned)
        self._store = Store(list(anchors)) if anchors else None
        self._pinned = frozenset(
            hashlib.sha256(cert.public_bytes(Encoding.DER)).hexdigest() for cert in pinned
        )
        self._spans: OrderedDict[tuple[str, ...], _Span] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def from_files(
        cls,
        anchors: Iterable[Path] = (),
        intermediates: Iterable[Path] = (),
        pinned: Iterable[Path] = (),
    ) -> "TrustStore":
        """
        Read files: PEM of one certificate or more, or DER of one.

        Raises:
            SettingsError: A file cannot be read, or holds no certificate.
        """
        return cls(_load(anchors), _load(intermediates), _load(pinned))

    @classmethod
    def from_settings(cls, trust: TrustSettings) -> "TrustStore":
        """As `[trust]` of the settings says. Raises SettingsError."""
        return cls.from_files(trust.anchors, trust.intermediates, trust.pinned)

    def check(self, certs: Sequence[Cert], at: datetime, options: SignatureOptions) -> Chain:
        """
        Step 10: does the signer's certificate count at this time, and for signatures?

        Args:
            certs: The signer's first, then what else the message carries.
            at: When; aware.
            options: For the key usage.

        Returns:
            How it came to be trusted: PATH or PINNED.

        Raises:
            Refusal: CERT_PATH or KEY_USAGE.
        """
        leaf = certs[0]
        signer = leaf.signer
        if signer.fingerprint in self._pinned:
            if not signer.not_before <= at <= signer.not_after:
                raise Refusal(SignatureCode.CERT_PATH, "pinned, but not valid at that time")
            if leaf.has_usage:  # version 1 certificates cannot say what they are for
                _check_usage(signer, options)
            return Chain.PINNED
        self._check_path(certs, at)
        _check_usage(signer, options)
        return Chain.PATH

    def issued(self, cert: Cert) -> bool:
        """Whether a configured CA, by its key, issued this certificate directly."""
        for issuer in (*self.anchors, *self.intermediates):
            with suppress(Refusal), refusing(SignatureCode.CERT_PATH, *CERT_ERRORS):
                cert.parsed.verify_directly_issued_by(issuer)
                return True
        return False

    def _check_path(self, certs: Sequence[Cert], at: datetime) -> None:
        key = tuple(cert.signer.fingerprint for cert in certs)
        with self._lock:
            span = self._spans.get(key)
        # a path that was found holds as long as all its certificates do: revocation is not asked
        if span is not None and span.not_before <= at <= span.not_after:
            return
        span = self._find_path(certs, at)
        with self._lock:
            self._spans[key] = span
            if len(self._spans) > _CACHED:
                self._spans.popitem(last=False)

    def _find_path(self, certs: Sequence[Cert], at: datetime) -> _Span:
        if self._store is None:
            raise Refusal(SignatureCode.CERT_PATH, "no anchors are configured")
        verifier = (
            PolicyBuilder()
            .store(self._store)
            .time(at)
            .extension_policies(ca_policy=_CA_POLICY, ee_policy=_SIGNER_POLICY)
            .build_client_verifier()
        )
        others = [*self.intermediates, *(cert.parsed for cert in certs[1:])]
        try:
            with refusing(SignatureCode.CERT_PATH, *CERT_ERRORS):
                chain = verifier.verify(certs[0].parsed, others).chain
        except Refusal as refusal:
            told = self._misfit(certs)
            raise Refusal(refusal.code, refusal.detail, told) from None
        return _Span(
            max(cert.not_valid_before_utc for cert in chain),
            min(cert.not_valid_after_utc for cert in chain),
        )

    def _misfit(self, certs: Sequence[Cert]) -> str:
        """The configured issuer of one of the certificates that may not issue, and why not."""
        wanted = {cert.issuer for cert in certs}
        wanted |= {cert.issuer.public_bytes() for cert in self.intermediates}
        for setting, issuers in (("anchors", self.anchors), ("intermediates", self.intermediates)):
            for issuer in issuers:
                reason = why_no_issuer(issuer)
                if reason and issuer.subject.public_bytes() in wanted:
                    return f"{issuer.subject.rfc4514_string()} in trust.{setting} {reason}"
        return ""


def why_no_issuer(cert: x509.Certificate) -> str | None:
    """Why no path leads over a certificate, whatever it signed; None where one can."""
    try:
        if not cert.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return "is no CA (basicConstraints)"
        usage = cert.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound as exc:
        name = "basicConstraints" if exc.oid == x509.BasicConstraints.oid else "keyUsage"
        return f"may not issue certificates: it has no {name}"
    except CERT_ERRORS as exc:
        return f"cannot be read whole ({type(exc).__name__})"
    return None if usage.key_cert_sign else "may not issue certificates: keyUsage lacks keyCertSign"


def _load(paths: Iterable[Path]) -> tuple[x509.Certificate, ...]:
    certs: list[x509.Certificate] = []
    for path in paths:
        try:
            found = [load_cert(one) for one in certs_in(path.read_bytes())]
            if not found:
                raise ValueError("none")
            certs.extend(found)
        except (OSError, *CERT_ERRORS) as exc:
            raise SettingsError(
                f"{path}: no certificate, PEM or DER ({type(exc).__name__})"
            ) from exc
    return tuple(certs)


def _is_ca(_policy: Policy, _cert: x509.Certificate, extension: x509.BasicConstraints) -> None:
    if not extension.ca:
        raise ValueError("not a CA")


def _is_no_ca(
    _policy: Policy, _cert: x509.Certificate, extension: x509.BasicConstraints | None
) -> None:
    if extension is not None and extension.ca:
        raise ValueError("a CA does not sign certificates of care")


def _issues(_policy: Policy, _cert: x509.Certificate, extension: x509.KeyUsage) -> None:
    if not extension.key_cert_sign:
        raise ValueError("not for issuing")


# The library's own policies are those of web sites (names in SAN, server authentication). What is
# asked here of a CA is that it may issue; a signer's key usage is asked after its path, to tell the
# two refusals apart.
_CA_POLICY: Final = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_ca)
    .require_present(x509.KeyUsage, Criticality.AGNOSTIC, _issues)
)
_SIGNER_POLICY: Final = ExtensionPolicy.permit_all().may_be_present(
    x509.BasicConstraints, Criticality.AGNOSTIC, _is_no_ca
)


def _check_usage(signer: Signer, options: SignatureOptions) -> None:
    if "contentCommitment" in signer.usage:
        return
    if options.accept_digital_signature and "digitalSignature" in signer.usage:
        return
    raise Refusal(SignatureCode.KEY_USAGE)


def _usage(cert: x509.Certificate) -> tuple[str, ...] | None:
    """Key usages that are set, by their names in RFC 5280; None without that extension."""
    try:
        usage = cert.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None
    return tuple(name for attribute, name in _USAGES if getattr(usage, attribute))


def _serial_number(cert: x509.Certificate) -> str | None:
    """The subject's serialNumber, if there is exactly one."""
    found = cert.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    value = found[0].value if len(found) == 1 else None
    return value if isinstance(value, str) else None
