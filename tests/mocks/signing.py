"""Keys and signatures made for the tests of the mocks, by libxmlsec1 and `cryptography` alone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import xmlsec as _xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from lxml import etree

from intyg.schemas import ns

xmlsec: Any = _xmlsec  # its stubs lack most of the module

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

STYLESHEET: Final = (
    f'<xsl:stylesheet xmlns:xsl="{ns.XSL}" version="1.0">'
    '<xsl:output indent="no" omit-xml-declaration="yes"/><xsl:strip-space elements="*"/>'
    '<xsl:template match="*"><xsl:element name="{local-name(.)}">'
    '<xsl:apply-templates select="node()|@*"/></xsl:element></xsl:template>'
    '<xsl:template match="@*"><xsl:copy/></xsl:template></xsl:stylesheet>'
)
INTERSECT: Final = "//extension[text()='{intygs_id}']/../.."
SUBTRACT: Final = "|".join(
    f"//*[local-name() = '{name}']"
    for name in ("skickatTidpunkt", "relation", "status", "underskrift")
)
_EXC_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"


@dataclass(frozen=True)
class Signer:
    """A key, its certificate, and the file of the CA that issued it."""

    key: Key
    cert: bytes
    ca_file: Path


def make_ca(folder: Path, name: str = "Test CA") -> tuple[rsa.RSAPrivateKey, x509.Name, Path]:
    """A self-signed CA; its certificate is written to a file."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    cert = _certificate(subject, key, subject, key, ca=True)
    path = folder / f"{name.replace(' ', '-').lower()}.pem"
    path.write_bytes(cert)
    return key, subject, path


def make_signer(ca: tuple[rsa.RSAPrivateKey, x509.Name, Path], *, elliptic: bool = False) -> Signer:
    """A signer's key and certificate, of the usage that cards have: nonRepudiation alone."""
    key: Key = (
        ec.generate_private_key(ec.SECP256R1())
        if elliptic
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "Prov Signerare"),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, "SE0000000000-DOC1"),
        ]
    )
    return Signer(key, _certificate(subject, key, ca[1], ca[0], ca=False), ca[2])


def _certificate(
    subject: x509.Name, key: Key, issuer: x509.Name, issuer_key: rsa.RSAPrivateKey, *, ca: bool
) -> bytes:
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=not ca,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
    )
    cert = builder.sign(issuer_key, hashes.SHA256())
    return cert.public_bytes(serialization.Encoding.PEM)


def sign(
    body: bytes,
    signer: Signer,
    *,
    stylesheet: str = STYLESHEET,
    intersect: str = INTERSECT,
    subtract: str = SUBTRACT,
) -> bytes:
    """
    Sign the intyg in a RegisterCertificate element.

    Args:
        body: The request element without a signature.
        stylesheet, intersect, subtract: What the signature says; the
            defaults are the national profile's.
    """
    root = etree.fromstring(body)
    intyg = root.find(f"{{{ns.message('RegisterCertificate', 3)}}}intyg")
    assert intyg is not None
    intygs_id = intyg.findtext(f"{{{ns.CORE}}}intygs-id/{{{ns.TYPES}}}extension") or ""
    underskrift = etree.SubElement(intyg, f"{{{ns.EXT32}}}underskrift", nsmap={"e": ns.EXT32})
    algorithm = "ecdsa" if isinstance(signer.key, ec.EllipticCurvePrivateKey) else "rsa"
    template = _TEMPLATE.format(
        ds=ns.DS,
        dsf=ns.DSF,
        c14n=_EXC_C14N,
        method=f"http://www.w3.org/2001/04/xmldsig-more#{algorithm}-sha256",
        stylesheet=stylesheet,
        intersect=intersect.format(intygs_id=intygs_id),
        subtract=subtract,
    )
    signature = etree.fromstring(template)
    underskrift.append(signature)
    context = xmlsec.SignatureContext()
    pem = signer.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    context.key = xmlsec.Key.from_memory(pem, xmlsec.KeyFormat.PEM, None)
    context.key.load_cert_from_memory(signer.cert, xmlsec.KeyFormat.PEM)
    context.sign(signature)
    return etree.tostring(root, encoding="UTF-8")


_TEMPLATE: Final = (
    '<ds:Signature xmlns:ds="{ds}"><ds:SignedInfo>'
    '<ds:CanonicalizationMethod Algorithm="{c14n}"/><ds:SignatureMethod Algorithm="{method}"/>'
    '<ds:Reference URI=""><ds:Transforms>'
    '<ds:Transform Algorithm="{ds}enveloped-signature"/>'
    '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116">{stylesheet}'
    "</ds:Transform>"
    '<ds:Transform Algorithm="{dsf}"><dsf:XPath xmlns:dsf="{dsf}" Filter="intersect">{intersect}'
    "</dsf:XPath></ds:Transform>"
    '<ds:Transform Algorithm="{dsf}"><dsf:XPath xmlns:dsf="{dsf}" Filter="subtract">{subtract}'
    "</dsf:XPath></ds:Transform>"
    '<ds:Transform Algorithm="{c14n}"/></ds:Transforms>'
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/>'
    "</ds:Reference></ds:SignedInfo><ds:SignatureValue/>"
    "<ds:KeyInfo><ds:X509Data><ds:X509Certificate/></ds:X509Data></ds:KeyInfo></ds:Signature>"
)
