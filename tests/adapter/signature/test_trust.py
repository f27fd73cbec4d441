"""Certificates: which count, at what time, for what."""

import base64
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from intyg.adapter.settings.settings import SettingsError, TrustSettings
from intyg.adapter.signature import (
    Chain,
    Refusal,
    SignatureOptions,
    SignatureOutcome,
    TrustStore,
    sign_document,
    why_no_issuer,
)
from intyg.adapter.signature.trust import is_personnummer, read_cert, read_certs
from intyg.schemas import ns
from tests.adapter import der
from tests.adapter.signed import (
    AT,
    COMPACT,
    ca,
    check,
    ec_key,
    edit,
    find,
    issue,
    make_ca,
    rsa_key,
    signed,
    signing_key,
    with_cert,
)

DS = f"{{{ns.DS}}}"


def add_cert(root: etree._Element, cert: x509.Certificate, first: bool = False) -> None:
    element = etree.Element(f"{DS}X509Certificate")
    element.text = base64.b64encode(cert.public_bytes(Encoding.DER)).decode()
    data = find(root, "X509Data")
    data.insert(0 if first else len(data), element)


def intermediate() -> x509.Certificate:
    usages = ("key_cert_sign",)
    return issue(
        ec_key(which=3),
        ca(),
        ec_key(which=1),
        name="Test CA 2",
        serial_number=None,
        usages=usages,
        is_ca=True,
    )


def by_intermediate(middle: x509.Certificate) -> bytes:
    key = with_cert(rsa_key(), issue(rsa_key(), middle, ec_key(which=3)))
    return sign_document(COMPACT, key)


def test_intermediates_come_from_the_configuration_or_the_message() -> None:
    middle = intermediate()
    data = by_intermediate(middle)
    assert check(data).code == "CERT_PATH"
    result = check(data, TrustStore([ca()], [middle]))
    assert (result.outcome, result.chain) == (SignatureOutcome.VALID, Chain.PATH)
    for first in (False, True):
        root = etree.fromstring(data)
        add_cert(root, middle, first)
        assert check(root).accepted
    assert not check(root, TrustStore(intermediates=[middle])).accepted, "no anchor, no trust"


def test_a_message_may_bring_five_certificates() -> None:
    middle = intermediate()

    def add(count: int) -> etree._Element:
        root = etree.fromstring(by_intermediate(middle))
        for _ in range(count):
            add_cert(root, middle)
        return root

    assert check(add(4)).accepted
    assert check(add(5)).code == "KEYINFO"


@pytest.mark.parametrize(
    ("usages", "is_ca", "reason"),
    [
        pytest.param(("crl_sign",), True, "keyUsage lacks keyCertSign", id="no keyCertSign"),
        pytest.param(None, True, "it has no keyUsage", id="no key usage"),
        pytest.param(("key_cert_sign",), False, "is no CA", id="no CA"),
    ],
)
@pytest.mark.parametrize("role", ["anchors", "intermediates"])
def test_an_issuer_that_may_not_issue_is_named(
    usages: tuple[str, ...] | None, is_ca: bool, reason: str, role: str
) -> None:
    key = ec_key(which=1)
    misfit = issue(key, None, key, name="Test CA", serial_number=None, usages=usages, is_ca=is_ca)
    others = [] if role == "anchors" else [make_ca(ec_key(which=6))]
    trusted = TrustStore(others or [misfit], [misfit] if others else [])
    result = check(signed(), trusted)
    assert (result.outcome, result.code) == (SignatureOutcome.UNTRUSTED, "CERT_PATH")
    assert f"CN=Test CA in trust.{role} " in result.text
    assert reason in result.text
    assert result.error().text == f"CERT_PATH: {result.text}."
    assert why_no_issuer(ca()) is None


def test_an_anchor_that_is_not_the_signers_is_not_blamed() -> None:
    key = ec_key(which=6)
    misfit = issue(key, None, key, name="Another CA", serial_number=None, usages=None, is_ca=True)
    assert "Another CA" not in check(signed(), TrustStore([misfit])).text


def test_two_possible_signers_are_ambiguous() -> None:
    other = issue(ec_key(which=4), ca(), ec_key(which=1), name="Annan")
    assert check(edit(signed(), lambda root: add_cert(root, other))).code == "LEAF_AMBIGUOUS"
    assert (
        check(edit(signed(), lambda root: add_cert(root, signing_key("rsa").cert.parsed))).code
        == "LEAF_AMBIGUOUS"
    )


def test_a_signer_s_certificate_cannot_issue_others() -> None:
    """A genuine leaf used as if it were a CA."""
    leaf = signing_key().cert.parsed
    rogue = issue(ec_key(which=5), leaf, rsa_key(), name="Annan")
    data = sign_document(COMPACT, with_cert(ec_key(which=5), rogue))
    result = check(edit(data, lambda root: add_cert(root, leaf)))
    assert (result.outcome, result.code) == (SignatureOutcome.UNTRUSTED, "CERT_PATH")


def test_a_ca_does_not_sign_intyg() -> None:
    usages = ("key_cert_sign", "content_commitment")
    cert = issue(rsa_key(), ca(), ec_key(which=1), usages=usages, is_ca=True)
    assert check(sign_document(COMPACT, with_cert(rsa_key(), cert))).code == "CERT_PATH"


@pytest.mark.parametrize(
    ("usages", "accepts_digital_signature", "code"),
    [
        (("content_commitment",), False, None),
        (("content_commitment", "digital_signature"), False, None),
        (("digital_signature",), False, "KEY_USAGE"),
        (("digital_signature",), True, None),
        (("key_encipherment",), True, "KEY_USAGE"),
        (None, True, "KEY_USAGE"),
    ],
)
def test_key_usage(
    usages: tuple[str, ...] | None, accepts_digital_signature: bool, code: str | None
) -> None:
    cert = issue(rsa_key(), ca(), ec_key(which=1), usages=usages)
    data = sign_document(COMPACT, with_cert(rsa_key(), cert))
    result = check(data, accept_digital_signature=accepts_digital_signature)
    assert result.code == code


@pytest.mark.parametrize(
    "pinned", [pytest.param(True, id="pinned"), pytest.param(False, id="path")]
)
def test_a_certificate_counts_while_it_is_valid(pinned: bool) -> None:
    cert = issue(
        rsa_key(),
        ca(),
        ec_key(which=1),
        not_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_after=datetime(2026, 12, 31, tzinfo=UTC),
    )
    data = sign_document(COMPACT, with_cert(rsa_key(), cert))
    trusted = TrustStore(pinned=[cert]) if pinned else TrustStore([ca()])
    for at, code in (
        (datetime(2025, 12, 31, tzinfo=UTC), "CERT_PATH"),
        (datetime(2026, 1, 2, tzinfo=UTC), None),
        (datetime(2027, 1, 2, tzinfo=UTC), "CERT_PATH"),  # though a path was found before
        (datetime(2026, 6, 2, tzinfo=UTC), None),
    ):
        assert check(data, trusted, at).code == code


def test_a_path_that_was_found_does_not_help_another_certificate() -> None:
    trusted = TrustStore([ca()])
    assert check(signed(), trusted).accepted
    rogue = make_ca(ec_key(which=2))
    data = sign_document(COMPACT, with_cert(rsa_key(), issue(rsa_key(), rogue, ec_key(which=2))))
    assert check(data, trusted).code == "CERT_PATH"


def test_a_pinned_leaf_needs_no_path_but_its_own_usage() -> None:
    cert = issue(rsa_key(), None, rsa_key(), usages=("digital_signature",))
    data = sign_document(COMPACT, with_cert(rsa_key(), cert))
    assert check(data, TrustStore(pinned=[cert])).code == "KEY_USAGE"
    cert = issue(rsa_key(), None, rsa_key())
    data = sign_document(COMPACT, with_cert(rsa_key(), cert))
    result = check(data, TrustStore(pinned=[cert]))
    assert (result.outcome, result.chain) == (SignatureOutcome.VALID, Chain.PINNED)


@pytest.mark.parametrize("curve", [ec.SECP224R1, ec.SECP256K1, ec.BrainpoolP256R1])
def test_other_curves_are_refused(curve: type[ec.EllipticCurve]) -> None:
    key = ec_key(curve)
    cert = issue(key, ca(), ec_key(which=1))

    def change(root: etree._Element) -> None:
        der = cert.public_bytes(Encoding.DER)
        find(root, "X509Certificate").text = base64.b64encode(der).decode()

    root = edit(signed(kind="p256"), change)
    assert check(root, TrustStore(pinned=[cert])).code == "KEY"


@pytest.mark.parametrize(
    "key", [ed25519.Ed25519PrivateKey.generate(), dsa.generate_private_key(1024)], ids=type
)
def test_other_kinds_of_key_are_refused(key: Any) -> None:
    cert = issue(key, ca(), ec_key(which=1))

    def change(root: etree._Element) -> None:
        der = cert.public_bytes(Encoding.DER)
        find(root, "X509Certificate").text = base64.b64encode(der).decode()

    assert check(edit(signed(), change), TrustStore(pinned=[cert])).code == "KEY"


def code_of_cert(der: bytes) -> str | None:
    try:
        TrustStore([ca()]).check([read_cert(der)], AT, SignatureOptions())
    except Refusal as refusal:
        return refusal.code
    return None


def test_damaged_certificates_are_refused_and_nothing_else() -> None:
    """Seeded; whatever the library raises must come out as KEYINFO."""
    der = signing_key().cert.parsed.public_bytes(Encoding.DER)
    chance = random.Random(20261123)
    codes: list[str | None] = []
    for _ in range(1500):
        damaged = bytearray(der)
        for _ in range(chance.choice((1, 1, 3))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        codes.append(code_of_cert(bytes(damaged)))
    read_cert.cache_clear()
    assert set(codes) <= {"KEYINFO", "CERT_PATH", "KEY_USAGE", None}
    assert codes.count(None) < 50, "unchanged by chance, no more"


Damage: TypeAlias = Callable[[list[der.Item]], object]

SERIAL, ALGORITHM, ISSUER, VALIDITY, SUBJECT, KEY, EXTENSIONS = range(1, 8)
"""Where the parts of a TBSCertificate stand; 0 is the version (RFC 5280 section 4.1)."""


def integer(value: int) -> der.Item:
    return der.Item(0x02, value.to_bytes(value.bit_length() // 8 + 1))


def named(text: bytes, tag: int = 0x0C, which: int = 0) -> Damage:
    """Another common name in the subject, or another serialNumber: the second there."""

    def change(tbs: list[der.Item]) -> None:
        tbs[SUBJECT].items[which].items[0].items[1] = der.Item(tag, text)

    return change


def valid_until(text: bytes, tag: int = 0x18) -> Damage:
    def change(tbs: list[der.Item]) -> None:
        tbs[VALIDITY].items[1] = der.Item(tag, text)

    return change


def rsa_of(modulus: int, exponent: int) -> Damage:
    def change(tbs: list[der.Item]) -> None:
        key = der.Item(0x30, items=[integer(modulus), integer(exponent)])
        tbs[KEY].items[1] = der.Item(0x03, b"\0" + key.encode())

    return change


def version_6(tbs: list[der.Item]) -> None:
    tbs[0].items = [integer(5)]


def serial_number_0(tbs: list[der.Item]) -> None:
    tbs[SERIAL] = integer(0)


def explicit_curve(tbs: list[der.Item]) -> None:
    """Parameters of a curve in place of its name (RFC 3279); these are nobody's."""
    p256 = der.decode(signing_key("p256").der).items[0].items[KEY]
    field = der.Item(
        0x30, items=[der.Item(0x06, b"\x2a\x86\x48\xce\x3d\x01\x01"), integer(2**256 - 189)]
    )
    curve = der.Item(0x30, items=[der.Item(0x04, b"\1"), der.Item(0x04, b"\2")])
    point = der.Item(0x04, b"\4" + bytes(64))
    p256.items[0].items[1] = der.Item(0x30, items=[integer(1), field, curve, point, integer(7)])
    tbs[KEY] = p256


def extension_twice(tbs: list[der.Item]) -> None:
    extensions = tbs[EXTENSIONS].items[0].items
    extensions.append(extensions[0])


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        pytest.param(lambda tbs: tbs.clear(), "KEYINFO", id="nothing in it"),
        pytest.param(extension_twice, "KEYINFO", id="an extension twice"),
        pytest.param(version_6, "KEYINFO", id="version 6"),
        pytest.param(serial_number_0, "KEYINFO", id="serial number 0"),
        pytest.param(named(b"a\0b"), None, id="NUL in a name"),
        pytest.param(named(b"\xff"), "KEYINFO", id="no UTF-8 in a name"),
        pytest.param(named(b"\0\x80", 0x03), "KEYINFO", id="a bit string as a name"),
        pytest.param(named(b"\xd8\0", 0x1E), "KEYINFO", id="half a letter in a name"),
        pytest.param(named(b"[/red]", which=1), "SIGNER_NOT_AUTHOR", id="markup for an HSA-id"),
        pytest.param(named(b"", which=1), "SIGNER_NOT_AUTHOR", id="an empty serialNumber"),
        pytest.param(valid_until(b"99991231235959Z"), None, id="year 9999"),
        pytest.param(valid_until(b"00000101000000Z"), "KEYINFO", id="year 0"),
        pytest.param(valid_until(b"20301332000000Z"), "KEYINFO", id="no day"),
        pytest.param(valid_until(b""), "KEYINFO", id="no time"),
        pytest.param(explicit_curve, "KEYINFO", id="explicit curve"),
        pytest.param(rsa_of(2**511 + 1, 65537), "KEY", id="RSA of 512 bits"),
        pytest.param(rsa_of(2**2047 + 1, 1), "KEYINFO", id="exponent 1"),
        pytest.param(rsa_of(2**2047, 65537), "SIGNATURE_INVALID", id="even modulus"),
        pytest.param(rsa_of(2**2047 + 1, 2**2046 + 1), "SIGNATURE_INVALID", id="huge exponent"),
        pytest.param(rsa_of(0, 0), "KEYINFO", id="modulus 0"),
    ],
)  # fmt: skip
def test_a_curious_certificate_of_the_ca_gets_a_verdict(damage: Damage, code: str | None) -> None:
    """Its issuer signed it like that; what is right in it is no reason to refuse it."""
    cert = der.decode(signing_key().der)
    damage(cert.items[0].items)
    value = ec_key(which=1).sign(cert.items[0].encode(), ec.ECDSA(SHA256()))
    cert.items[2] = der.Item(0x03, b"\0" + value)

    def change(root: etree._Element) -> None:
        find(root, "X509Certificate").text = base64.b64encode(cert.encode()).decode()

    assert check(edit(signed(), change)).code == code


def test_bytes_after_a_certificate_are_refused() -> None:
    der = signing_key().cert.parsed.public_bytes(Encoding.DER)
    with pytest.raises(Refusal) as raised:
        read_certs([der + b"\0"])
    assert raised.value.code == "KEYINFO"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("999999999999", True),
        ("99999999-9999", True),
        ("PNOSE-999999999999", True),
        ("TSTNMT2321000156-1019", False),
        ("SE2321000156-A999", False),
        ("9999999999", False),
    ],
)
def test_a_personnummer_is_told_from_an_hsa_id(text: str, expected: bool) -> None:
    assert is_personnummer(text) is expected


def test_trust_comes_from_pem_files(tmp_path: Path) -> None:
    anchors = tmp_path / "anchors.pem"
    other = make_ca(ec_key(which=2))
    anchors.write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in (other, ca())))
    trusted = TrustStore.from_settings(TrustSettings(anchors=(anchors,)))
    assert len(trusted.anchors) == 2
    assert check(signed(), trusted).accepted


def test_trust_comes_from_a_der_file_too(tmp_path: Path) -> None:
    pinned = tmp_path / "signer.cer"
    pinned.write_bytes(signing_key("rsa").der)
    result = check(signed(), TrustStore.from_files(pinned=[pinned]))
    assert (result.outcome, result.chain) == (SignatureOutcome.VALID, Chain.PINNED)


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_files_without_certificates_are_refused_loudly(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "x.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"x\.pem"):
        TrustStore.from_files(pinned=[path])


def test_options_come_from_the_settings() -> None:
    settings = TrustSettings(
        require_author=False, accept_digital_signature=True, accept_time_unsigned=True
    )
    assert SignatureOptions.from_settings(settings) == SignatureOptions(
        require_author=False, accept_digital_signature=True, accept_time_unsigned=True
    )
    assert SignatureOptions.from_settings(TrustSettings()) == SignatureOptions()
