"""Keys, certificates and signed messages for the signature tests; everything is made up."""

import base64
import importlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree

from intyg.adapter.formats import safe_xml
from intyg.adapter.signature import (
    SignatureOptions,
    SignatureResult,
    SigningKey,
    TrustStore,
    sign_document,
    verify_message,
)
from intyg.adapter.signature.trust import read_cert
from intyg.schemas import ns

xmlsec: Any = importlib.import_module("xmlsec")  # its types do not fit what it does

AUTHOR = "TSTNMT2321000156-TEST01"
INTYGS_ID = "5f1d0c9e-7a51-4c3f-9d7e-2b1f6c0a9e11"
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

LISJP = (Path(__file__).parents[1] / "data" / "signature" / "lisjp.xml").read_bytes()
COMPACT = re.sub(rb">\s+<", b"><", LISJP)
"""The same without indentation."""

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(curve: type[ec.EllipticCurve] = ec.SECP256R1, which: int = 0) -> Any:
    """`which` tells keys of the same curve apart."""
    return ec.generate_private_key(curve())


def usage(*usages: str) -> x509.KeyUsage:
    every = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement "
        "key_cert_sign crl_sign encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: name in usages for name in every.split()})


def issue(
    key: PrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: PrivateKey,
    *,
    name: str = "Hemligt Personnamn",
    serial_number: str | None = AUTHOR,
    usages: tuple[str, ...] | None = ("content_commitment",),
    is_ca: bool = False,
    not_before: datetime = datetime(2020, 1, 1, tzinfo=UTC),
    not_after: datetime = datetime(2030, 1, 1, tzinfo=UTC),
) -> x509.Certificate:
    """A certificate; self-signed without an issuer."""
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if serial_number is not None:
        attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial_number))
    subject = x509.Name(attributes)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )
    if usages is not None:
        builder = builder.add_extension(usage(*usages), critical=True)
    return builder.sign(issuer_key, SHA256())


@cache
def ca() -> x509.Certificate:
    return make_ca(ec_key(which=1))


def make_ca(key: PrivateKey) -> x509.Certificate:
    """Every one has the same name."""
    usages = ("key_cert_sign", "crl_sign")
    return issue(key, None, key, name="Test CA", serial_number=None, usages=usages, is_ca=True)


@cache
def signing_key(kind: str = "rsa", serial_number: str | None = AUTHOR) -> SigningKey:
    """Issued by `ca`; kind is `rsa`, `p256`, `p384` or `p521`."""
    curves = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1}
    key = rsa_key() if kind == "rsa" else ec_key(curves[kind])
    return with_cert(key, issue(key, ca(), ec_key(which=1), serial_number=serial_number))


def with_cert(key: PrivateKey, cert: x509.Certificate) -> SigningKey:
    return SigningKey(key, read_cert(cert.public_bytes(Encoding.DER)))


@cache
def signed(data: bytes = COMPACT, kind: str = "rsa") -> bytes:
    return sign_document(data, signing_key(kind))


def check(
    data: bytes | etree._Element,
    trusted: TrustStore | None = None,
    at: datetime | None = AT,
    **options: Any,
) -> SignatureResult:
    root = safe_xml.parse(data).getroot() if isinstance(data, bytes) else data
    trusted = TrustStore([ca()]) if trusted is None else trusted
    return verify_message(root, trusted, at, SignatureOptions(**options))


def edit(
    data: bytes, change: Callable[[etree._Element], object], resign: SigningKey | None = None
) -> etree._Element:
    """
    A message after a change to its tree.

    With `resign`, SignatureValue is made anew: the forger has a genuine key.
    """
    root = etree.fromstring(data)
    change(root)
    if resign is not None:
        make_value(root, resign)
    return root


def make_value(root: etree._Element, key: SigningKey) -> None:
    signed_info = find(root, "SignedInfo")
    octets = etree.tostring(signed_info, method="c14n", exclusive=True, with_comments=False)
    find(root, "SignatureValue").text = base64.b64encode(key.sign(octets)).decode()


def find(root: etree._Element, local: str) -> etree._Element:
    """The first element of that local name."""
    found = root.find(f".//{{*}}{local}")
    assert found is not None, local
    return found


def general_verifier_accepts(root: etree._Element, trusted: x509.Certificate | None = None) -> bool:
    """What libxmlsec1 says, which runs the transforms as the message has them."""
    copy = etree.fromstring(etree.tostring(root))
    manager = xmlsec.KeysManager()
    pem = (trusted or ca()).public_bytes(Encoding.PEM)
    manager.load_cert_from_memory(pem, xmlsec.KeyFormat.PEM, xmlsec.KeyDataType.TRUSTED)
    signature = copy.find(f".//{{{ns.DS}}}Signature")
    try:
        xmlsec.SignatureContext(manager).verify(signature)
    except xmlsec.Error:
        return False
    return True
