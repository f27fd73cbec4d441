"""Signing keys from files: PEM or PKCS#12."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)

from intyg.adapter.settings.settings import SettingsError, SigningSettings
from intyg.adapter.signature import trust
from intyg.adapter.signature.library_errors import CERT_ERRORS
from intyg.adapter.signature.profile import Method
from intyg.adapter.signature.result import Refusal
from intyg.adapter.signature.trust import Cert
from intyg.schemas.pem import blocks_in, certs_in, load_cert

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class SigningKey:
    """A private key with the certificate of whoever signs."""

    private_key: PrivateKey = field(repr=False)
    cert: Cert

    @property
    def method(self) -> Method:
        """The signature method that fits the key."""
        is_rsa = isinstance(self.private_key, rsa.RSAPrivateKey)
        return Method.RSA_SHA256 if is_rsa else Method.ECDSA_SHA256

    @property
    def der(self) -> bytes:
        """The certificate."""
        return self.cert.parsed.public_bytes(Encoding.DER)

    def sign(self, octets: bytes) -> bytes:
        """A SignatureValue: RSA with PKCS#1 v1.5, or ECDSA's r and s side by side."""
        if isinstance(self.private_key, rsa.RSAPrivateKey):
            return self.private_key.sign(octets, padding.PKCS1v15(), SHA256())
        value = self.private_key.sign(octets, ec.ECDSA(SHA256()))
        return raw_ecdsa(value, self.private_key.key_size)


def raw_ecdsa(der: bytes, key_size: int) -> bytes:
    """
    ECDSA's r and s side by side, as XMLDSig wants them.

    Args:
        der: The ASN.1 sequence of the two.
        key_size: Of the curve, in bits.
    """
    r, s = utils.decode_dss_signature(der)
    length = (key_size + 7) // 8
    return r.to_bytes(length, "big") + s.to_bytes(length, "big")


def load_signing_key(
    key_path: Path, cert_path: Path | None = None, password: str | bytes | None = None
) -> SigningKey:
    """
    Read a signing key.

    Args:
        key_path: PKCS#12 with key and certificate, or PEM.
        cert_path: PEM certificate; not needed where `key_path` holds it.
        password: Of the PKCS#12 or the PEM key; None if it has none.

    Raises:
        SettingsError: Unreadable, wrong password, key and certificate do not
            belong together, or a kind or size that the profile does not know.
    """
    secret = password.encode() if isinstance(password, str) else password
    try:
        data = key_path.read_bytes()
        is_pem = bool(blocks_in(data))
        private_key, certs = _read_pem(data, secret) if is_pem else _read_pkcs12(data, secret)
        if cert_path is not None:
            certs = _certs(cert_path.read_bytes())
    except (OSError, *CERT_ERRORS) as exc:
        raise SettingsError(f"{key_path}: no key can be read ({type(exc).__name__})") from exc
    if not isinstance(private_key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise SettingsError(f"{key_path}: neither an RSA nor an EC private key")
    cert = _matching(private_key, certs)
    if cert is None:
        raise SettingsError(f"{cert_path or key_path}: no certificate of the key in {key_path}")
    try:
        key = SigningKey(private_key, trust.read_cert(cert.public_bytes(Encoding.DER)))
        trust.check_key(key.cert, key.method)
    except Refusal as refusal:
        raise SettingsError(
            f"{key_path}: {refusal.code}; RSA of 2048 to 8192 bits, P-256, P-384 or P-521"
        ) from refusal
    return key


def signing_key_from_settings(signing: SigningSettings) -> SigningKey | None:
    """As `[signing]` of the settings says; None if no key is set. Raises SettingsError."""
    if signing.key is None:
        return None
    password = signing.password.get_secret_value() if signing.password else None
    return load_signing_key(signing.key, signing.cert, password)


def _read_pem(data: bytes, password: bytes | None) -> tuple[object, list[x509.Certificate]]:
    keys = [block.text for block in blocks_in(data) if block.label.endswith("PRIVATE KEY")]
    return load_pem_private_key(keys[0] if keys else data, password), _certs(data)


def _certs(data: bytes) -> list[x509.Certificate]:
    return [load_cert(one) for one in certs_in(data)]


def _read_pkcs12(data: bytes, password: bytes | None) -> tuple[object, list[x509.Certificate]]:
    private_key, cert, others = pkcs12.load_key_and_certificates(data, password)
    return private_key, [*([cert] if cert else []), *others]


def _matching(
    private_key: PrivateKey, certs: Sequence[x509.Certificate]
) -> x509.Certificate | None:
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    public = private_key.public_key().public_bytes(*form)
    for cert in certs:
        try:
            if cert.public_key().public_bytes(*form) == public:
                return cert
        except CERT_ERRORS:
            continue
    return None
