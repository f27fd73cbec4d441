"""Keys and certificates for tests and demonstrations, made on the spot and never shipped.

What `make_test_keys` makes is marked: organisation `TEST ONLY …` in subject and issuer.
`is_test_cert` looks for that mark, so that production can refuse to start with any of it. All test
keys are made here, and their files are named here; keys are read by `keys.py`, these like others.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Self, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TEST_ORGANISATION: Final = "TEST ONLY intygsadapter"
TEST_PASSWORD: Final = "test"  # noqa: S105  # of the PKCS#12 files; no secret, the keys are for tests
SIGNER_HSA_ID: Final = "TSTNMT2321000156-TEST01"
CLIENT_HSA_ID: Final = "TSTNMT2321000156-TEST02"

NOT_BEFORE: Final = datetime(2015, 1, 1, tzinfo=UTC)
"""Backdated, so that older test messages can be judged at their own time."""

VALID_FOR: Final = timedelta(days=3650)
_STILL_GOOD_FOR: Final = timedelta(days=30)

_MARK: Final = "TEST ONLY"

_SITHS_TEST: Final = re.compile(r"^TEST SITHS|SITHS.* PP$")
"""`TEST SITHS e-id Root CA v2`; before it, `SITHS Root CA v1 PP`: for everyone's tests."""

_Key: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class KeyFiles:
    """Files of one key: the same key three times."""

    key: Path  # PEM, unencrypted
    cert: Path  # PEM
    p12: Path  # both and the CA; password `TEST_PASSWORD`


@dataclass(frozen=True)
class TestKeys:
    """
    The files of a set of test keys.

    Attributes:
        ca: Certificate of the CA that issued all of it; its key is not kept.
        signer: RSA-2048, HSA-id as serialNumber, for contentCommitment only,
            as on a signing card.
        signer_ec: The same person with a P-256 key, as the signing service
            would issue it.
        server: TLS server on localhost, 127.0.0.1 and ::1.
        client: TLS client with an HSA-id as serialNumber.
    """

    __test__ = False

    ca: Path
    signer: KeyFiles
    signer_ec: KeyFiles
    server: KeyFiles
    client: KeyFiles

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The set in a folder, whether it has been made or not."""

        def files(name: str) -> KeyFiles:
            key, cert, p12 = (folder / f"{name}.{end}" for end in ("key.pem", "pem", "p12"))
            return KeyFiles(key, cert, p12)

        kinds = ("signer", "signer-ec", "server", "client")
        return cls(folder / "ca.pem", *(files(kind) for kind in kinds))

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file."""
        kinds = (self.signer, self.signer_ec, self.server, self.client)
        return (self.ca, *(path for kind in kinds for path in (kind.key, kind.cert, kind.p12)))


def make_test_keys(folder: Path, now: datetime, *, keep: bool = False) -> TestKeys:
    """
    Make a test CA and what it issues.

    Args:
        folder: Made if it is not there. Private keys get mode 0600.
        now: Ten years before the end of validity; aware.
        keep: Leave a complete set alone that is there and good for a month.

    Raises:
        OSError: A file cannot be written.
    """
    keys = TestKeys.of(folder)
    if not (keep and _is_complete(keys, now)):
        _make(keys, now, _Words(TEST_ORGANISATION, "Test CA TEST ONLY", "Test Läkare TEST ONLY"))
    return keys


def make_stand_in_keys(folder: Path, now: datetime) -> TestKeys:
    """
    The same without the mark, so that an adapter in production takes them.

    For showing what production does, in a folder that is thrown away: nobody else has any reason to
    trust the CA, whose key is not kept.
    """
    keys = TestKeys.of(folder)
    words = _Words("Stand-in", "Stand-in CA", "Stand-in for a doctor")
    _make(keys, now, words)
    return keys


@dataclass(frozen=True)
class _Words:
    """Names in certificates."""

    organisation: str
    ca: str
    signer: str


def _make(keys: TestKeys, now: datetime, words: _Words) -> None:
    keys.ca.parent.mkdir(parents=True, exist_ok=True)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _issue_ca(ca_key, _name(words, words.ca), now)
    issuer = _Issuer(ca, ca_key, now)
    issuer.write(
        keys.signer,
        rsa.generate_private_key(public_exponent=65537, key_size=2048),
        _name(words, words.signer, SIGNER_HSA_ID),
        [(_usage("content_commitment"), True)],
    )
    issuer.write(
        keys.signer_ec,
        ec.generate_private_key(ec.SECP256R1()),
        _name(words, words.signer, SIGNER_HSA_ID),
        [(_usage("content_commitment"), True)],
    )
    names = [x509.DNSName("localhost")]
    addresses = [x509.IPAddress(ip_address(text)) for text in ("127.0.0.1", "::1")]
    issuer.write(
        keys.server,
        ec.generate_private_key(ec.SECP256R1()),
        _name(words, "localhost"),
        [
            (_usage("digital_signature"), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            (x509.SubjectAlternativeName([*names, *addresses]), False),
        ],
    )
    issuer.write(
        keys.client,
        ec.generate_private_key(ec.SECP256R1()),
        _name(words, "EHR", CLIENT_HSA_ID),
        [
            (_usage("digital_signature"), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
        ],
    )
    keys.ca.write_bytes(ca.public_bytes(Encoding.PEM))


def is_test_cert(cert: x509.Certificate) -> bool:
    """True when a certificate, or its CA, was made here, or when that is a test CA of SITHS."""
    return any(_is_test_name(name) for name in (cert.subject, cert.issuer))


def _is_test_name(name: x509.Name) -> bool:
    organisations = name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    common_names = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return any(_MARK in str(each.value) for each in organisations) or any(
        _SITHS_TEST.search(str(each.value)) for each in common_names
    )


class _Issuer:
    """The test CA at work."""

    def __init__(
        self, ca: x509.Certificate, key: ec.EllipticCurvePrivateKey, now: datetime
    ) -> None:
        self._ca = ca
        self._key = key
        self._now = now

    def write(
        self,
        files: KeyFiles,
        key: _Key,
        name: x509.Name,
        extensions: Iterable[tuple[x509.ExtensionType, bool]],
    ) -> None:
        public = key.public_key()
        builder = _builder(name, self._ca.subject, public, self._now)
        for extension, critical in (
            (x509.BasicConstraints(ca=False, path_length=None), False),
            (x509.SubjectKeyIdentifier.from_public_key(public), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False),
            *extensions,
        ):
            builder = builder.add_extension(extension, critical)
        cert = builder.sign(self._key, SHA256())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        p12 = pkcs12.serialize_key_and_certificates(
            files.cert.stem.encode(),
            key,
            cert,
            [self._ca],
            BestAvailableEncryption(TEST_PASSWORD.encode()),
        )
        _write_private(files.key, pem)
        _write_private(files.p12, p12)
        files.cert.write_bytes(cert.public_bytes(Encoding.PEM))


def _issue_ca(key: ec.EllipticCurvePrivateKey, name: x509.Name, now: datetime) -> x509.Certificate:
    return (
        _builder(name, name, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
    now: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(now + VALID_FOR)
    )


def _name(words: _Words, common_name: str, hsa_id: str | None = None) -> x509.Name:
    attributes = [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "SE"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, words.organisation),
        x509.NameAttribute(NameOID.COMMON_NAME, common_name),
    ]
    if hsa_id is not None:
        attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, hsa_id))
    return x509.Name(attributes)


def _usage(*usages: str) -> x509.KeyUsage:
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{usage: usage in usages for usage in every})


def _write_private(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)  # an old file would keep its mode
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _is_complete(keys: TestKeys, now: datetime) -> bool:
    if not all(path.is_file() for path in keys.paths):
        return False
    try:
        ca = x509.load_pem_x509_certificate(keys.ca.read_bytes())
        certs = [
            x509.load_pem_x509_certificate(files.cert.read_bytes())
            for files in (keys.signer, keys.signer_ec, keys.server, keys.client)
        ]
        for cert in certs:
            cert.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        return False  # not ours, or of two different runs
    return all(cert.not_valid_after_utc > now + _STILL_GOOD_FOR for cert in (ca, *certs))
