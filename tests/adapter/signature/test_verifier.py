"""What a right signature says, and what the checks outside the document come to."""

import base64
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

from intyg.adapter.formats import safe_xml
from intyg.adapter.signature import (
    Chain,
    SignatureCode,
    SignatureOutcome,
    TrustStore,
    ValiditySource,
    find_intyg,
    find_one_intyg,
    sign_document,
    verify,
)
from intyg.adapter.signature.place import PATHS
from intyg.adapter.signature.result import TEXTS, Refusal, error
from intyg.schemas import ns
from tests.adapter.signed import (
    AT,
    AUTHOR,
    COMPACT,
    INTYGS_ID,
    LISJP,
    ca,
    check,
    edit,
    find,
    signed,
    signing_key,
)

EXAMPLES = os.environ.get("INTYG_NATIONAL_EXAMPLES")


@pytest.mark.skipif(not EXAMPLES, reason="INTYG_NATIONAL_EXAMPLES does not name the examples")
def test_the_card_signed_example_is_valid_with_its_leaf_pinned_and_its_time_set() -> None:
    assert EXAMPLES
    data = (Path(EXAMPLES) / "signed" / "siths-card-2018-valid.xml").read_bytes()
    root = safe_xml.parse(data).getroot()
    leaf = x509.load_der_x509_certificate(
        base64.b64decode(find(root, "X509Certificate").text or "")
    )
    pinned = TrustStore(pinned=[leaf])
    result = check(root, pinned, at=None)
    assert result.outcome is SignatureOutcome.VALID
    assert (result.stylesheet, result.method, result.chain) == ("S2", "rsa-sha256", Chain.PINNED)
    assert result.validity_source is ValiditySource.SIGNERINGSTIDPUNKT
    assert result.validity_time == datetime(2018, 6, 28, 10, 3, 4, tzinfo=UTC)  # summer time
    assert result.signer is not None
    assert result.signer.usage == ("contentCommitment",)

    assert check(root, pinned, at=AT).code == "CERT_PATH", "the card ran out in 2019"
    unknown = check(root, at=None)
    assert (unknown.outcome, unknown.code) == (SignatureOutcome.UNTRUSTED, "CERT_PATH")


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("rsa", "rsa-sha256"),
        ("p256", "ecdsa-sha256"),
        ("p384", "ecdsa-sha256"),
        ("p521", "ecdsa-sha256"),
    ],
)
def test_round_trip(kind: str, method: str) -> None:
    result = check(signed(kind=kind))
    assert (result.outcome, result.code) == (SignatureOutcome.VALID, None)
    assert (result.method, result.stylesheet, result.chain) == (method, "S1", Chain.PATH)
    assert result.signer is not None
    assert result.signer.hsa_id == AUTHOR
    assert result.accepted
    assert (result.validity_time, result.validity_source) == (AT, ValiditySource.CALLER)


def test_verified_octets_hold_what_was_signed_and_nothing_else() -> None:
    octets = check(signed()).octets
    assert octets is not None
    intyg = etree.fromstring(octets)
    assert intyg.findtext("intygs-id/extension") == INTYGS_ID
    names = {element.tag for element in intyg.iter()}
    assert names.isdisjoint({"skickatTidpunkt", "relation", "status", "underskrift"})


def test_no_signature_is_absent_and_no_error_of_form() -> None:
    result = check(COMPACT)
    assert (result.outcome, result.code) == (SignatureOutcome.ABSENT, "ABSENT")
    assert not result.accepted


def test_changed_value_is_invalid() -> None:
    result = check(signed().replace(b"HALFTEN", b"HELT_NEDSATT"))
    assert (result.outcome, result.code) == (SignatureOutcome.INVALID, "DIGEST_MISMATCH")


def test_changed_signature_value_is_invalid() -> None:
    other = find(etree.fromstring(signed(LISJP.replace(b"J22", b"J20"))), "SignatureValue").text

    def change(root: etree._Element) -> None:
        find(root, "SignatureValue").text = other

    result = check(edit(signed(), change))
    assert (result.outcome, result.code) == (SignatureOutcome.INVALID, "SIGNATURE_INVALID")


@pytest.mark.parametrize("name", ["skickatTidpunkt", "relation", "status"])
def test_what_is_not_signed_may_change_on_the_way(name: str) -> None:
    def remove(root: etree._Element) -> None:
        element = root.find(f".//{{{ns.CORE}}}{name}")
        assert element is not None
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)

    assert check(edit(signed(), remove)).accepted


def test_survives_other_prefixes_indentation_and_an_envelope() -> None:
    data = signed()
    renamed = data.replace(b"core:", b"q:").replace(b":core=", b":q=")
    assert check(renamed).accepted
    head, mark, tail = data.partition(b"<ds:SignedInfo")
    assert check(head.replace(b"><core:", b">\n <core:") + mark + tail).accepted
    body = data.partition(b"?>")[2]
    assert check(safe_xml.envelope(body, "TEST")).accepted


def test_author_is_compared_without_case() -> None:
    key = signing_key(serial_number=AUTHOR.lower())
    assert check(sign_document(COMPACT, key)).accepted


@pytest.mark.parametrize(
    ("serial_number", "code"),
    [
        pytest.param("999999999999", "SIGNER_UNRESOLVED", id="personnummer"),
        pytest.param("PNOSE-999999999999", "SIGNER_UNRESOLVED", id="personnummer-etsi"),
        pytest.param("TSTNMT2321000156-TEST0", "SIGNER_NOT_AUTHOR", id="another"),
        pytest.param(None, "SIGNER_NOT_AUTHOR", id="none"),
    ],
)
def test_signer_must_be_the_author(serial_number: str | None, code: str) -> None:
    data = sign_document(COMPACT, signing_key(serial_number=serial_number))
    result = check(data)
    assert (result.outcome, result.code) == (SignatureOutcome.UNTRUSTED, code)
    assert not result.accepted
    assert check(data, require_author=False).accepted


def test_author_must_be_given_as_hsa_id() -> None:
    data = COMPACT.replace(b"1.2.752.129.2.1.4.1", b"1.2.752.129.2.1.3.1", 1)
    assert check(sign_document(data, signing_key())).code == "SIGNER_NOT_AUTHOR"


def test_without_a_time_the_sender_s_own_is_taken_and_marked() -> None:
    result = check(signed(), at=None)
    assert result.accepted
    assert result.validity_source is ValiditySource.SIGNERINGSTIDPUNKT
    assert result.validity_time == datetime(2026, 11, 20, 8, 15, tzinfo=UTC)  # winter time


@pytest.mark.parametrize("text", ["", "x", "0001-01-01T00:00:00", "9999-12-31T24:00:00"])
def test_without_any_time_nothing_is_trusted(text: str) -> None:
    def change(root: etree._Element) -> None:
        find(root, "signeringstidpunkt").text = text

    assert not check(edit(signed(), change), at=None).accepted


def test_a_result_shows_no_person_data() -> None:
    results = [
        check(signed()),
        check(sign_document(COMPACT, signing_key(serial_number="999999999999"))),
        check(signed().replace(b"HALFTEN", b"HELT_NEDSATT")),
    ]
    for result in results:
        shown = f"{result!r} {result.text} {result.detail}"
        for secret in ("Hemligt", "999999999999", "189001019802", "Läkare", "diagnos"):
            assert secret not in shown


def test_nothing_of_the_intyg_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """signxml logs what it canonicalises; our classes do not let it."""
    with caplog.at_level(logging.DEBUG):
        data = sign_document(COMPACT, signing_key())
        check(data)
    assert "diagnos" not in caplog.text


def test_not_exactly_one_intyg_is_a_wrong_place() -> None:
    for data in (
        b"<a/>",
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"/>',
        COMPACT.replace(b"rc:intyg", b"rc:other"),
    ):
        result = check(data)
        assert (result.outcome, result.code) == (SignatureOutcome.REFUSED, "PLACE")


def test_intyg_is_found_by_the_path_of_each_interaction() -> None:
    for root_tag, steps in PATHS.items():
        root = element = etree.Element(root_tag)
        for step in steps:
            element = etree.SubElement(element, step)
        assert find_intyg(root) == [element]
        element.append(etree.Element(steps[-1]))  # not at the path
        assert find_one_intyg(root) is element


def test_a_list_holds_each_its_own_signature() -> None:
    """Every result belongs to the very element, whatever stands beside it."""
    one = find(etree.fromstring(signed()), "intyg")
    other_id = "0e6b8b7e-54b7-4a6a-8a57-6d9f4d2f8c20"  # the relation of the first points at it
    other_data = COMPACT.replace(INTYGS_ID.encode(), other_id.encode(), 1)
    other_data = other_data.replace(b"<t:extension>" + other_id.encode(), b"<t:extension>x-1", 2)
    two = find(etree.fromstring(sign_document(other_data, signing_key("p256"))), "intyg")
    namespace = ns.message("ListCertificatesForCare", 3)
    root = etree.Element(f"{{{namespace}}}ListCertificatesForCareResponse")
    listed = etree.SubElement(root, f"{{{namespace}}}intygsLista")
    for intyg in (one, two):
        intyg.tag = f"{{{namespace}}}intyg"
        listed.append(intyg)
    root = etree.fromstring(etree.tostring(root))
    found = find_intyg(root)
    trusted = TrustStore([ca()])
    # the wrapper's name is not signed: N starts with the local name
    assert [verify(intyg, trusted, AT).outcome for intyg in found] == ["VALID", "VALID"]
    with pytest.raises(Refusal):
        find_one_intyg(root)


def test_every_code_has_a_text_and_makes_an_error() -> None:
    assert set(TEXTS) == set(SignatureCode)
    for code in SignatureCode:
        assert str(code) in error(code).text


# --- what libraries stumble over is a verdict -----------------------------------------------------


def b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def r_and_s(r: int, s: int) -> bytes:
    return r.to_bytes(32) + s.to_bytes(32)


NO_OCTETS = [
    pytest.param(None, id="empty"),
    pytest.param(" \n", id="white space"),
    pytest.param("\xa0", id="no-break space"),
    pytest.param("A", id="one letter"),
    pytest.param("åäö", id="no base64"),
    pytest.param("=", id="padding"),
]
OCTETS = [
    pytest.param(b64(b"\0"), id="one octet"),
    pytest.param(b64(bytes(64)), id="zeros of ECDSA's length"),
    pytest.param(b64(bytes(256)), id="zeros of RSA's length"),
    pytest.param(b64(b"\xff" * 256), id="more than the modulus"),
    pytest.param(b64(bytes(255) + b"\1"), id="one"),
    pytest.param(b64(r_and_s(0, 1)), id="r is 0"),
    pytest.param(b64(r_and_s(1, 0)), id="s is 0"),
    pytest.param(b64(r_and_s(P256_ORDER, 1)), id="r is the order"),
    pytest.param(b64(r_and_s(1, P256_ORDER + 1)), id="s is more than the order"),
    pytest.param(b64(encode_dss_signature(P256_ORDER, 0)), id="DER"),
    pytest.param(b64(encode_dss_signature(1, 2**600)), id="DER out of range"),
    pytest.param(b64(b"\x30\x06\x02\x01\xff\x02\x01\xff"), id="DER of negatives"),
    pytest.param(b64(bytes(1_000_000)), id="a million octets"),
]


def set_text(local: str, text: str | None) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        find(root, local).text = text

    return change


@pytest.mark.parametrize("text", NO_OCTETS + OCTETS)
@pytest.mark.parametrize("kind", ["rsa", "p256"])
def test_a_signature_value_that_is_none_is_invalid(kind: str, text: str | None) -> None:
    result = check(edit(signed(kind=kind), set_text("SignatureValue", text)))
    assert (result.outcome, result.code) == (SignatureOutcome.INVALID, "SIGNATURE_INVALID")


@pytest.mark.parametrize("text", NO_OCTETS + OCTETS)
def test_a_digest_that_is_none_is_invalid_also_when_it_was_signed_so(text: str | None) -> None:
    change = set_text("DigestValue", text)
    assert check(edit(signed(), change)).code == "SIGNATURE_INVALID"
    result = check(edit(signed(), change, signing_key()))
    assert (result.outcome, result.code) == (SignatureOutcome.INVALID, "DIGEST_MISMATCH")


@pytest.mark.parametrize("text", NO_OCTETS + OCTETS)
def test_a_certificate_that_is_none_is_refused_at_key_info(text: str | None) -> None:
    assert check(edit(signed(), set_text("X509Certificate", text))).code == "KEYINFO"


@pytest.mark.parametrize(
    ("local", "code"),
    [
        ("SignatureValue", "SIGNATURE_INVALID"),
        ("DigestValue", "DIGEST_MISMATCH"),
        ("X509Certificate", "KEYINFO"),
    ],
)
def test_a_comment_is_no_value(local: str, code: str) -> None:
    def change(root: etree._Element) -> None:
        find(root, local).text = None
        find(root, local).append(etree.Comment("x"))

    assert (
        check(edit(signed(), change, signing_key() if local == "DigestValue" else None)).code
        == code
    )


@pytest.mark.parametrize(
    "tag", ["rc:RegisterCertificate", "ds:Signature", "ds:SignedInfo", "xsl:stylesheet"]
)
@pytest.mark.parametrize("name", ["relative", "../x", "#x", "//x"])
def test_what_has_no_canonical_form_is_refused(tag: str, name: str) -> None:
    """A relative namespace name, even where nothing uses it."""
    data = signed().replace(f"<{tag} ".encode(), f'<{tag} xmlns:zz="{name}" '.encode(), 1)
    data = data.replace(f"<{tag}>".encode(), f'<{tag} xmlns:zz="{name}">'.encode(), 1)
    assert data != signed()
    result = check(data)
    assert (result.outcome, result.code) == (SignatureOutcome.REFUSED, "C14N")


HALF = "x" * 6_000_000  # two of them are more than lxml takes in one text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("<xsl:stylesheet ", "<xsl:stylesheet xml:id='a b' ", id="an id that is none"),
        pytest.param("<xsl:output ", f"{HALF}<!-- -->{HALF}<xsl:output ", id="a long text"),
    ],
)  # fmt: skip
def test_a_stylesheet_that_no_parser_takes_is_refused(old: str, new: str) -> None:
    data = signed().replace(old.encode(), new.encode(), 1)
    assert data != signed()
    assert check(data).code == "STYLESHEET"


def test_an_indented_stylesheet_with_comments_is_the_same() -> None:
    """White space and comments in it are nobody's; what is signed is then that."""

    def change(root: etree._Element) -> None:
        for element in find(root, "stylesheet").iter("{*}template"):
            element.tail = "\n  "
            element.addnext(etree.Comment("x"))

    result = check(edit(signed(), change, signing_key()))
    assert (result.outcome, result.stylesheet) == (SignatureOutcome.VALID, "S1")
