"""Signing: in place, on bytes, and in two phases; other engines must agree with the result."""

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from lxml import etree

from intyg.adapter.domain.errors import FaultError, SignatureError
from intyg.adapter.formats import safe_xml
from intyg.adapter.settings.settings import SettingsError, SigningSettings
from intyg.adapter.signature import (
    Method,
    SigningKey,
    TrustStore,
    attach,
    complete,
    find_one_intyg,
    load_signing_key,
    normalise,
    prepare,
    sign,
    sign_document,
    signing_key_from_settings,
    verify,
)
from intyg.schemas import ns
from intyg.schemas.contract.contract import Contracts
from tests.adapter.signed import (
    AT,
    COMPACT,
    INTYGS_ID,
    LISJP,
    ca,
    check,
    ec_key,
    find,
    general_verifier_accepts,
    issue,
    rsa_key,
    signed,
    signing_key,
)

UNDERSKRIFT = re.compile(rb"<e32:underskrift.*</e32:underskrift>", re.DOTALL)

TEXT = LISJP.decode()
BODY = TEXT.partition("?>")[2].strip()
HOSTILE = (
    'xmlns:ds="urn:x" xmlns:dsf="urn:y" xmlns:xsl="urn:z" xmlns:e32="urn:w" '
    f'xmlns:a="{ns.DS}" xmlns:b="{ns.DSF}" xmlns:c="{ns.XSL}" xmlns:rc='
)

STYLES = {
    "prefixed": LISJP,
    "compact": COMPACT,
    "default-namespace": TEXT.replace("xmlns:core=", "xmlns=").replace("core:", "").encode(),
    "prefixes-bound-otherwise": TEXT.replace("xmlns:rc=", HOSTILE).encode(),
    "crlf": LISJP.replace(b"\n", b"\r\n"),
    "bom": b"\xef\xbb\xbf" + LISJP,
    "no-declaration": BODY.encode(),
    "envelope": safe_xml.envelope(BODY.encode(), "TEST"),
    "envelope-in-default-namespace": (
        f'<Envelope xmlns="{ns.SOAP11}"><Header/><Body>{BODY}</Body></Envelope>'
    ).encode(),
    "single-quotes-and-comment-outside": TEXT.replace(
        "<t:code>FKASSA</t:code>", "<t:code >FKASSA</t:code >"
    )
    .replace("<rc:intyg>", "<!-- > </rc:intyg> --><rc:intyg\n>")
    .encode(),
}
ALL_STYLES = [pytest.param(data, id=name) for name, data in STYLES.items()]


@pytest.mark.parametrize("kind", ["rsa", "p256"])
@pytest.mark.parametrize("data", ALL_STYLES)
def test_signed_document_is_the_same_but_for_the_signature(data: bytes, kind: str) -> None:
    result = sign_document(data, signing_key(kind))
    assert UNDERSKRIFT.sub(b"", result) == data
    assert check(result).accepted
    root = safe_xml.parse(result).getroot()
    assert general_verifier_accepts(root)
    message = find_one_intyg(root).getparent()
    assert message is not None
    contracts = Contracts()
    assert contracts.check(contracts.get("RegisterCertificate", 3), message) == []


@pytest.mark.parametrize("data", ALL_STYLES)
def test_sign_in_place_gives_the_same(data: bytes) -> None:
    root = safe_xml.parse(data).getroot()
    sign(find_one_intyg(root), signing_key())
    again = etree.tostring(root, encoding="UTF-8")
    assert check(again).accepted
    assert general_verifier_accepts(root)
    assert check(again).octets == check(sign_document(data, signing_key())).octets


@pytest.mark.parametrize("data", ALL_STYLES)
def test_signature_is_written_as_the_central_services_write_it(data: bytes) -> None:
    """Exactly the prefixes ds, dsf and xsl, nothing between tags, no default namespace in scope."""
    for root in (
        safe_xml.parse(sign_document(data, signing_key())).getroot(),
        safe_xml.parse(data).getroot(),
    ):
        intyg = find_one_intyg(root)
        if intyg.find(f"{{{ns.EXT32}}}underskrift") is None:
            sign(intyg, signing_key())
        signature = find(root, "Signature")
        prefixes = {ns.DS: "ds", ns.DSF: "dsf", ns.XSL: "xsl"}
        for element in signature.iter():
            namespace = etree.QName(element).namespace
            assert namespace is not None
            assert element.prefix == prefixes[namespace]
            assert not element.nsmap.get(None)
            assert element.tail is None
            assert element.text is None or (len(element) == 0 and "\n" not in element.text)


def test_bare_intyg_is_signed() -> None:
    root = etree.fromstring(COMPACT)
    data = etree.tostring(find(root, "intyg"), encoding="UTF-8")
    result = sign_document(data, signing_key())
    assert UNDERSKRIFT.sub(b"", result) == data
    assert verify(etree.fromstring(result), TrustStore([ca()]), AT).accepted


@pytest.mark.parametrize("encoding", ["UTF-16", "ISO-8859-1"])
def test_other_encodings_become_utf_8(encoding: str) -> None:
    text = TEXT.replace("\U0001fa7a", "").replace("UTF-8", encoding)
    result = sign_document(text.encode(encoding), signing_key())
    assert check(result).accepted
    assert result.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    assert UNDERSKRIFT.sub(b"", result).decode() == text.replace(encoding, "UTF-8", 1)


@pytest.mark.parametrize("data", ALL_STYLES)
def test_an_old_signature_is_replaced(data: bytes) -> None:
    old = sign_document(data, signing_key("p256"))
    new = sign_document(old, signing_key("rsa"))
    assert UNDERSKRIFT.sub(b"", new) == data
    assert check(new).method == "rsa-sha256"


@pytest.mark.parametrize(
    "old",
    [
        b"<e2:underskrift/>",
        b"<e2:underskrift />",
        b"<e2:underskrift></e2:underskrift >",
        b"<e2:underskrift>/></e2:underskrift>",
        b'<e2:underskrift a="/>"/>',
    ],
)
def test_a_broken_underskrift_is_replaced_to_the_byte(old: bytes) -> None:
    data = COMPACT.replace(b"</rc:intyg>", old + b"</rc:intyg>")
    assert UNDERSKRIFT.sub(b"", sign_document(data, signing_key())) == COMPACT


def test_an_old_signature_stays_if_told_so() -> None:
    with pytest.raises(SignatureError) as raised:
        sign_document(signed(), signing_key(), replace=False)
    assert raised.value.code == "ALREADY_SIGNED"


def test_sign_in_place_does_not_sign_twice() -> None:
    root = etree.fromstring(signed())
    with pytest.raises(SignatureError) as raised:
        sign(find(root, "intyg"), signing_key())
    assert raised.value.code == "ALREADY_SIGNED"
    assert etree.tostring(root) == etree.tostring(etree.fromstring(signed()))


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (INTYGS_ID.encode(), b"a b", "INTYGS_ID"),
        (INTYGS_ID.encode(), b"a'b", "INTYGS_ID"),
        (INTYGS_ID.encode(), b"a" * 65, "INTYGS_ID"),
        (INTYGS_ID.encode(), b"", "INTYGS_ID"),
        (b"<core:signeringstidpunkt>2026-11-20T09:15:00</core:signeringstidpunkt>", b"", "NO_TIME"),
        (b"false</core:delsvar>", b"fa<!-- x -->lse</core:delsvar>", "COMMENT_OR_PI"),
        (b'id="27"', b'id="27" xml:lang="sv"', "NAMESPACED_ATTRIBUTE"),
        (b"false</core:delsvar>", b'<x xmlns="urn:x"/></core:delsvar>', "FOREIGN_NAMESPACE"),
        (b"false</core:delsvar>", b"<core:status/></core:delsvar>", "UNSIGNED_NAME_MISPLACED"),
        (b"189001019802", INTYGS_ID.encode(), "ID_NOT_UNIQUE"),
        (b"rc:intyg>", b"rc:other>", "PLACE"),
    ],
)
def test_what_no_verifier_should_accept_is_not_signed(old: bytes, new: bytes, code: str) -> None:
    data = COMPACT.replace(old, new, 2 if b"rc:" in old else 1)
    assert data != COMPACT
    with pytest.raises(SignatureError) as raised:
        sign_document(data, signing_key())
    assert raised.value.code == code


@pytest.mark.parametrize("data", [b"", b"<a", b"<!DOCTYPE a><a/>"])
def test_what_is_no_document_is_refused_as_everywhere(data: bytes) -> None:
    with pytest.raises(FaultError):
        sign_document(data, signing_key())


def test_what_would_not_be_verified_for_its_size_is_not_signed() -> None:
    with pytest.raises(SignatureError) as raised:
        sign_document(COMPACT, signing_key(), max_bytes=1000)
    assert raised.value.code == "SIZE"


def test_two_phases_with_a_signer_that_sends_der() -> None:
    """The signing service may send ECDSA values as an ASN.1 sequence; its configuration says so."""
    root = etree.fromstring(COMPACT)
    intyg = find(root, "intyg")
    key = signing_key("p256")
    assert isinstance(key.private_key, ec.EllipticCurvePrivateKey)
    pending = prepare(intyg, Method.ECDSA_SHA256)
    value = key.private_key.sign(pending.signed_info, ec.ECDSA(SHA256()))
    with pytest.raises(SignatureError) as raised:
        complete(intyg, pending, value, key.der)
    assert raised.value.code == "SIGNATURE_INVALID"
    attach(intyg, complete(intyg, pending, value, key.der, value_is_der=True))
    assert check(etree.fromstring(etree.tostring(root))).accepted


def test_two_phases_notice_a_change_in_between() -> None:
    intyg = find(etree.fromstring(COMPACT), "intyg")
    pending = prepare(intyg, Method.RSA_SHA256)
    value = signing_key().sign(pending.signed_info)
    find(intyg, "version").text = "1.4"
    with pytest.raises(SignatureError) as raised:
        complete(intyg, pending, value, signing_key().der)
    assert raised.value.code == "CHANGED"


@pytest.mark.parametrize(
    ("value", "cert", "code"),
    [
        pytest.param(b"x", "right", "SIGNATURE_INVALID", id="not-a-signature"),
        pytest.param(None, "other", "SIGNATURE_INVALID", id="certificate-of-another-key"),
        pytest.param(None, "p256", "KEY", id="certificate-of-another-kind"),
        pytest.param(None, "broken", "KEYINFO", id="no-certificate"),
    ],
)
def test_two_phases_notice_what_does_not_fit(value: bytes | None, cert: str, code: str) -> None:
    other = rsa_key(3072)
    certs = {
        "right": signing_key().der,
        "other": issue(other, ca(), ec_key(which=1)).public_bytes(Encoding.DER),
        "p256": signing_key("p256").der,
        "broken": b"broken",
    }
    intyg = find(etree.fromstring(COMPACT), "intyg")
    pending = prepare(intyg, Method.RSA_SHA256)
    if value is None:
        value = signing_key().sign(pending.signed_info)
    with pytest.raises(SignatureError) as raised:
        complete(intyg, pending, value, certs[cert])
    assert raised.value.code == code


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"no DER",
        encode_dss_signature(0, 0),
        encode_dss_signature(2**256, 1),
        b"\x30\x06\x02\x01\xff\x02\x01\xff",  # -1, -1
    ],
)
@pytest.mark.parametrize("value_is_der", [True, False])
def test_two_phases_refuse_a_value_that_is_none(value: bytes, value_is_der: bool) -> None:
    intyg = find(etree.fromstring(COMPACT), "intyg")
    pending = prepare(intyg, Method.ECDSA_SHA256)
    with pytest.raises(SignatureError) as raised:
        complete(intyg, pending, value, signing_key("p256").der, value_is_der=value_is_der)
    assert raised.value.code == "SIGNATURE_INVALID"


def test_a_signature_of_another_intyg_is_not_attached() -> None:
    intyg = find(etree.fromstring(COMPACT), "intyg")
    pending = prepare(intyg, Method.RSA_SHA256)
    signature = complete(intyg, pending, signing_key().sign(pending.signed_info), signing_key().der)
    find(intyg, "version").text = "1.4"
    before = normalise(intyg)
    with pytest.raises(SignatureError) as raised:
        attach(intyg, signature)
    assert raised.value.code == "DIGEST_MISMATCH"
    assert intyg.find(f"{{{ns.EXT32}}}underskrift") is None
    assert normalise(intyg) == before


def write_key(folder: Path, key: SigningKey, password: bytes | None) -> tuple[Path, Path, Path]:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    pem, cert, p12 = (folder / name for name in ("key.pem", "cert.pem", "key.p12"))
    pem.write_bytes(key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    cert.write_bytes(ca().public_bytes(Encoding.PEM) + key.cert.parsed.public_bytes(Encoding.PEM))
    p12.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"k", key.private_key, key.cert.parsed, [ca()], encryption
        )
    )
    return pem, cert, p12


@pytest.mark.parametrize("password", [None, b"hemligt"])
@pytest.mark.parametrize("kind", ["rsa", "p256"])
def test_keys_are_read_from_pem_and_pkcs12(
    tmp_path: Path, kind: str, password: bytes | None
) -> None:
    key = signing_key(kind)
    pem, cert, p12 = write_key(tmp_path, key, password)
    both = tmp_path / "both.pem"
    both.write_bytes(pem.read_bytes() + cert.read_bytes())
    for loaded in (
        load_signing_key(pem, cert, password),
        load_signing_key(both, None, password),
        load_signing_key(p12, None, password),
    ):
        assert loaded.der == key.der
        assert loaded.method is key.method
        assert check(sign_document(COMPACT, loaded)).accepted
        assert "Hemligt" not in repr(loaded)


def test_wrong_keys_are_refused_loudly(tmp_path: Path) -> None:
    pem, cert, p12 = write_key(tmp_path, signing_key(), b"hemligt")
    small = rsa_key(1024)
    (tmp_path / "small.pem").write_bytes(
        small.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + issue(small, ca(), ec_key(which=1)).public_bytes(Encoding.PEM)
    )
    (tmp_path / "other.pem").write_bytes(ca().public_bytes(Encoding.PEM))
    for arguments in (
        (pem, cert, "fel"),
        (pem, cert, None),
        (p12, None, "fel"),
        (p12, None, None),
        (pem, None, "hemligt"),
        (pem, tmp_path / "other.pem", "hemligt"),
        (tmp_path / "small.pem",),
        (tmp_path / "none.pem",),
        (cert,),
    ):
        with pytest.raises(SettingsError) as raised:
            load_signing_key(*arguments)
        assert "hemligt" not in str(raised.value)


def test_key_comes_from_the_settings(tmp_path: Path) -> None:
    _, _, p12 = write_key(tmp_path, signing_key(), b"hemligt")
    assert signing_key_from_settings(SigningSettings()) is None
    settings = SigningSettings.model_validate({"key": p12, "password": "hemligt"})
    key = signing_key_from_settings(settings)
    assert key is not None
    assert key.der == signing_key().der
