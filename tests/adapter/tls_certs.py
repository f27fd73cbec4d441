"""Certificates for TLS in tests, good ones and such as must be refused."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HSA_ID: Final = "SE2321000016-EHR1"
OTHER_HSA_ID: Final = "SE2321000016-EHR2"
_YEAR: Final = timedelta(days=365)
_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True)
class TlsCerts:
    """
    PEM files, each with certificate and key; the authorities' without key.

    Attributes:
        ca: Issued everything but `stranger`.
        server: For localhost and 127.0.0.1.
        elsewhere: A server's, for another host.
        client: Of the system `HSA_ID`.
        other: Of the system `OTHER_HSA_ID`.
        nameless: A client's without HSA-id.
        expired: Of the system `HSA_ID`, until yesterday.
        stranger: Of the system `HSA_ID`, by an authority that nobody knows.
        authority: Whose certificate `ca` is; it can revoke what it issued.
        strange_authority: Issued `stranger`.
    """

    ca: Path
    server: Path
    elsewhere: Path
    client: Path
    other: Path
    nameless: Path
    expired: Path
    stranger: Path
    authority: "_Authority"
    strange_authority: "_Authority"


_SIGNS_CERTS: Final = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


class _Authority:
    def __init__(self, name: str, by: "_Authority | None" = None) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.serial_numbers: dict[str, int] = {}  # by file
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        issuer = by or self
        self.cert = (
            issuer._builder(self._name, self._key.public_key(), now + _YEAR)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_SIGNS_CERTS, critical=True)  # Python 3.13 does not take a CA without
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False
            )
            .sign(issuer._key, SHA256())
        )

    @property
    def pem(self) -> bytes:
        return self.cert.public_bytes(Encoding.PEM)

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, end: datetime
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - 2 * _YEAR)
            .not_valid_after(end)
        )

    def issue(
        self, path: Path, hsa_id: str | None = None, *, host: str = "", days: int = 365
    ) -> Path:
        """A client's, with an HSA-id or without; a server's for a host."""
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, host or "a system")]
        if hsa_id:
            attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, hsa_id))
        key = ec.generate_private_key(ec.SECP256R1())
        end = datetime.now(UTC) + timedelta(days=days)
        use = ExtendedKeyUsageOID.SERVER_AUTH if host else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = self._builder(x509.Name(attributes), key.public_key(), end).add_extension(
            x509.ExtendedKeyUsage([use]), critical=False
        )
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
            critical=False,
        )
        if host:
            names: list[x509.GeneralName] = [x509.DNSName(host)]
            if host == "localhost":
                names.append(x509.IPAddress(ip_address("127.0.0.1")))
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        issued = builder.sign(self._key, SHA256())
        self.serial_numbers[path.name] = issued.serial_number
        cert = issued.public_bytes(Encoding.PEM)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(pem + cert)
        return path

    def revoke(
        self, path: Path, names: Iterable[str] = (), *, days: float = 7, of: timedelta = _WEEK
    ) -> Path:
        """A list of what is revoked, good for so many days yet, of its whole time."""
        due = datetime.now(UTC) + timedelta(days=days)
        builder = x509.CertificateRevocationListBuilder(self._name, due - of, due)
        for name in names:
            revoked = x509.RevokedCertificateBuilder(self.serial_numbers[name], due - of)
            builder = builder.add_revoked_certificate(revoked.build())
        crl = builder.add_extension(x509.CRLNumber(1), critical=False).add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
            critical=False,
        )
        path.write_bytes(crl.sign(self._key, SHA256()).public_bytes(Encoding.PEM))
        return path


def make_issuing_ca(folder: Path) -> tuple["_Authority", Path]:
    """An authority that was itself issued by another, and a file with its certificate alone."""
    issuing = _Authority("Issuing CA", by=_Authority("Root CA"))
    file = folder / "issuing.pem"
    file.write_bytes(issuing.pem)
    return issuing, file


def make_tls_certs(folder: Path) -> TlsCerts:
    """Make them all."""
    known, unknown = _Authority("Known CA"), _Authority("Unknown CA")
    ca = folder / "ca.pem"
    ca.write_bytes(known.pem)
    return TlsCerts(
        ca=ca,
        server=known.issue(folder / "server.pem", host="localhost"),
        elsewhere=known.issue(folder / "elsewhere.pem", host="elsewhere.example"),
        client=known.issue(folder / "client.pem", HSA_ID),
        other=known.issue(folder / "other.pem", OTHER_HSA_ID),
        nameless=known.issue(folder / "nameless.pem"),
        expired=known.issue(folder / "expired.pem", HSA_ID, days=-1),
        stranger=unknown.issue(folder / "stranger.pem", HSA_ID),
        authority=known,
        strange_authority=unknown,
    )
