from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from intyg.adapter.signature.cert_titles import read_titles

TITLE_OID = bytes.fromhex("060355040c")


def der(tag: int, *content: bytes) -> bytes:
    data = b"".join(content)
    return bytes([tag, len(data)]) + data


def cert(title: str | None = None, attributes: bytes | None = None) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.COMMON_NAME, "Påhittad")]
    if title is not None:
        names.append(x509.NameAttribute(NameOID.TITLE, title))
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(names))
        .issuer_name(x509.Name(names))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
    )
    if attributes is not None:
        oid = x509.ObjectIdentifier("2.5.29.9")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, attributes), critical=False)
    return builder.sign(key, SHA256())


def directory(tag: int, text: bytes, oid: bytes = TITLE_OID) -> bytes:
    return der(0x30, der(0x30, oid, der(0x31, der(tag, text))))


@pytest.mark.parametrize(
    ("title", "attributes", "titles"),
    [
        pytest.param(None, None, (), id="none"),
        pytest.param("Läkare", None, ("Läkare",), id="subject"),
        pytest.param(None, directory(0x0C, "Läkare".encode()), ("Läkare",), id="UTF-8"),
        pytest.param(None, directory(0x14, "Läkare".encode("latin-1")), ("Läkare",), id="Teletex"),
        pytest.param("Chef", directory(0x13, b"SJ"), ("Chef", "SJ"), id="both"),
        pytest.param(None, directory(0x13, b"x", b"\x06\x03\x55\x04\x03"), (), id="a name"),
        pytest.param(None, b"\x30\x82\xff", (), id="cut off"),
        pytest.param(None, b"\x30\x05abc", (), id="shorter than it says"),
        pytest.param(None, directory(0x0C, b"\xff"), (), id="no UTF-8"),
        pytest.param(None, b"", (), id="empty"),
    ],
)
def test_titles_are_found_and_damage_says_nothing(
    title: str | None, attributes: bytes | None, titles: tuple[str, ...]
) -> None:
    assert read_titles(cert(title, attributes)) == titles
