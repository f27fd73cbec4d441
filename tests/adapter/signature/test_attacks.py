"""Forgeries that a general XMLDSig verifier takes for valid, and the check that refuses each."""

import base64
import copy
import hashlib
import random
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from intyg.adapter.domain.errors import FaultError, SignatureError
from intyg.adapter.formats import safe_xml
from intyg.adapter.signature import (
    SignatureOptions,
    SignatureOutcome,
    TrustStore,
    normalise,
    sign_document,
    verify,
)
from intyg.adapter.signature.profile import SUBTRACT
from intyg.schemas import ns
from intyg.schemas.contract.contract import Contracts
from tests.adapter.signed import (
    AT,
    COMPACT,
    INTYGS_ID,
    ca,
    check,
    ec_key,
    edit,
    find,
    general_verifier_accepts,
    issue,
    make_ca,
    rsa_key,
    signed,
    signing_key,
    with_cert,
)

CORE, TYPES, DS = f"{{{ns.CORE}}}", f"{{{ns.TYPES}}}", f"{{{ns.DS}}}"
RC = f"{{{ns.message('RegisterCertificate', 3)}}}"
FOREIGN = "{urn:example:foreign}"


def schema_faults(root: etree._Element) -> list[object]:
    contracts = Contracts()
    fresh = etree.fromstring(etree.tostring(root))
    return list(contracts.check(contracts.get("RegisterCertificate", 3), fresh))


def refused_with(root: etree._Element | bytes) -> str | None:
    result = check(root)
    assert not result.accepted
    assert result.octets is None
    return result.code


def wrap(root: etree._Element, intygs_id: str) -> None:
    """The true intyg goes into an extension point of svarPa; a false one carries its signature."""
    true = find(root, "intyg")
    false = copy.deepcopy(true)
    true.remove(find(true, "underskrift"))
    find(false, "extension").text = intygs_id
    false.findall(f"{CORE}svar")[0][0].text = "true"
    svar_pa = etree.Element(f"{RC}svarPa")
    etree.SubElement(svar_pa, f"{CORE}meddelande-id").text = "1"
    svar_pa.append(true)
    root[:] = [svar_pa, false]


def test_1_true_intyg_moved_aside_for_a_false_one() -> None:
    root = edit(signed(), lambda root: wrap(root, "another-id"))
    assert schema_faults(root) == []
    assert general_verifier_accepts(root)
    assert refused_with(root) == "XPATH_INTERSECT"


def test_1_also_when_the_false_one_has_the_same_id() -> None:
    root = edit(signed(), lambda root: wrap(root, INTYGS_ID))
    assert schema_faults(root) == []
    assert refused_with(root) == "ID_NOT_UNIQUE"


def test_2_a_second_intyg_without_signature() -> None:
    def add(root: etree._Element) -> None:
        second = copy.deepcopy(find(root, "intyg"))
        second.remove(find(second, "underskrift"))
        find(second, "extension").text = "another-id"
        root.insert(0, second)

    root = edit(signed(), add)
    assert general_verifier_accepts(root)
    assert refused_with(root) == "PLACE"


def test_3_two_signatures_in_one_underskrift() -> None:
    def double(root: etree._Element) -> None:
        underskrift = find(root, "underskrift")
        underskrift.append(copy.deepcopy(underskrift[0]))

    assert refused_with(edit(signed(), double)) == "SIGNATURE_COUNT"


def test_3_two_underskrift() -> None:
    def double(root: etree._Element) -> None:
        intyg = find(root, "intyg")
        intyg.append(copy.deepcopy(find(root, "underskrift")))

    assert refused_with(edit(signed(), double)) == "SIGNATURE_COUNT"


def move_signature(to: Callable[[etree._Element], etree._Element]) -> Callable[..., None]:
    def move(root: etree._Element) -> None:
        underskrift = find(root, "underskrift")
        signature = underskrift[0]
        parent = underskrift.getparent()
        assert parent is not None
        parent.remove(underskrift)
        to(root).append(signature)

    return move


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(lambda root: root, id="beside-intyg"),
        pytest.param(lambda root: find(root, "intyg"), id="directly-in-intyg"),
        pytest.param(lambda root: find(root, "delsvar"), id="in-delsvar"),
        pytest.param(
            lambda root: etree.SubElement(find(root, "intyg"), f"{CORE}underskrift"),
            id="in-another-underskrift",
        ),
    ],
)
def test_4_signature_in_another_place(place: Callable[[etree._Element], etree._Element]) -> None:
    assert refused_with(edit(signed(), move_signature(place))) == "SIGNATURE_PLACE"


def test_4_underskrift_is_not_the_last_child() -> None:
    def move(root: etree._Element) -> None:
        find(root, "intyg").insert(0, find(root, "underskrift"))

    assert refused_with(edit(signed(), move)) == "SIGNATURE_PLACE"


@pytest.mark.parametrize("name", ["status", "relation", "skickatTidpunkt", "underskrift"])
def test_5_unsigned_statement_inside_an_answer_in_a_foreign_namespace(name: str) -> None:
    def add(root: etree._Element) -> None:
        delsvar = root.findall(f".//{CORE}delsvar")[0]
        etree.SubElement(delsvar, f"{FOREIGN}{name}").text = "patienten är frisk"

    root = edit(signed(), add)
    assert schema_faults(root) == []
    assert general_verifier_accepts(root)
    assert refused_with(root) == "UNSIGNED_NAME_MISPLACED"


def test_5_unsigned_statement_inside_an_answer_in_the_own_namespace() -> None:
    def add(root: etree._Element) -> None:
        etree.SubElement(find(root, "delsvar"), f"{CORE}relation").text = "patienten är frisk"

    root = edit(signed(), add)
    assert general_verifier_accepts(root)
    assert refused_with(root) == "UNSIGNED_NAME_MISPLACED"


def test_5_unsigned_statement_beside_the_true_ones() -> None:
    """An unsigned name directly in intyg, but in the namespace of other parts."""

    def add(root: etree._Element) -> None:
        find(root, "intyg").insert(3, etree.Element(f"{TYPES}status"))

    assert refused_with(edit(signed(), add)) == "UNSIGNED_NAME_MISPLACED"


def test_5_foreign_content_inside_what_is_not_signed() -> None:
    def add(root: etree._Element) -> None:
        etree.SubElement(find(root, "relation"), f"{FOREIGN}anything")

    root = edit(signed(), add)
    assert general_verifier_accepts(root)
    assert refused_with(root) == "FOREIGN_NAMESPACE"


def test_6_element_in_a_foreign_namespace() -> None:
    def rename(root: etree._Element) -> None:
        find(root, "delsvar").tag = f"{FOREIGN}delsvar"

    root = edit(signed(), rename)
    assert general_verifier_accepts(root)
    assert refused_with(root) == "FOREIGN_NAMESPACE"


def test_6_element_in_another_national_namespace_is_left_to_the_schema() -> None:
    def rename(root: etree._Element) -> None:
        find(root, "version").tag = f"{TYPES}version"

    root = edit(signed(), rename)
    assert check(root).accepted, "the signed octets have no namespaces"
    assert schema_faults(root) != []


@pytest.mark.parametrize("node", [etree.Comment("x"), etree.PI("x", "y")])
def test_7_comment_or_pi_splits_a_text(node: etree._Element) -> None:
    def split(root: etree._Element) -> None:
        text = find(root, "displayName")
        assert text.text is not None
        inserted = copy.deepcopy(node)
        inserted.tail = text.text[5:]
        text.text = text.text[:5]
        text.insert(0, inserted)

    assert refused_with(edit(signed(), split)) == "COMMENT_OR_PI"


def test_7_comment_in_what_is_not_signed() -> None:
    def add(root: etree._Element) -> None:
        find(root, "relation").append(etree.Comment("x"))

    assert refused_with(edit(signed(), add)) == "COMMENT_OR_PI"


def test_8_whitespace_in_place_of_an_empty_value_reads_as_it_was_signed() -> None:
    def fill(root: etree._Element) -> None:
        find(root, "fornamn").text = "  \n"

    result = check(edit(signed(), fill))
    assert result.accepted
    assert result.octets is not None
    assert etree.fromstring(result.octets).findtext(".//fornamn") == ""


def test_9_extra_key_value() -> None:
    def add(root: etree._Element) -> None:
        etree.SubElement(find(root, "KeyInfo"), f"{DS}KeyValue")

    assert refused_with(edit(signed(), add)) == "KEYINFO"


def test_9_extra_object() -> None:
    def add(root: etree._Element) -> None:
        etree.SubElement(find(root, "Signature"), f"{DS}Object").text = "x"

    root = edit(signed(), add)
    assert general_verifier_accepts(root)
    assert refused_with(root) == "SIGNATURE_CHILDREN"


def test_10_self_made_key() -> None:
    key = with_cert(rsa_key(), issue(rsa_key(), None, rsa_key()))
    result = check(sign_document(COMPACT, key))
    assert (result.outcome, result.code) == (SignatureOutcome.UNTRUSTED, "CERT_PATH")


def test_10_rogue_ca_with_the_same_name() -> None:
    rogue = make_ca(ec_key(which=2))
    assert rogue.subject == ca().subject
    key = with_cert(rsa_key(), issue(rsa_key(), rogue, ec_key(which=2)))
    result = check(sign_document(COMPACT, key))
    assert (result.outcome, result.code) == (SignatureOutcome.UNTRUSTED, "CERT_PATH")


def test_10_rogue_ca_sent_along() -> None:
    rogue = make_ca(ec_key(which=2))
    key = with_cert(rsa_key(), issue(rsa_key(), rogue, ec_key(which=2)))

    def add(root: etree._Element) -> None:
        der = rogue.public_bytes(Encoding.DER)
        data = find(root, "X509Data")
        etree.SubElement(data, f"{DS}X509Certificate").text = base64.b64encode(der).decode()

    assert refused_with(edit(sign_document(COMPACT, key), add)) == "CERT_PATH"


def test_11_genuine_key_of_another_doctor() -> None:
    key = signing_key(serial_number="TSTNMT2321000156-OTHER")
    result = check(sign_document(COMPACT, key))
    assert (result.outcome, result.code) == (SignatureOutcome.UNTRUSTED, "SIGNER_NOT_AUTHOR")


def set_digest(root: etree._Element, octets: bytes) -> None:
    digest = base64.b64encode(hashlib.sha256(octets).digest()).decode()
    find(root, "DigestValue").text = digest


def test_12_selection_that_matches_nothing() -> None:
    def change(root: etree._Element) -> None:
        root.findall(f".//{{{ns.DSF}}}XPath")[0].text = "//extension[text()='none']/../.."
        set_digest(root, b"")

    assert refused_with(edit(signed(), change, signing_key())) == "XPATH_INTERSECT"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{SUBTRACT}|//*[local-name() = 'svar']", id="hides-answers"),
        pytest.param(SUBTRACT.rpartition("|")[0], id="fewer"),
        pytest.param("", id="empty"),
    ],
)
def test_13_another_subtract_list(text: str) -> None:
    def change(root: etree._Element) -> None:
        root.findall(f".//{{{ns.DSF}}}XPath")[1].text = text

    assert refused_with(edit(signed(), change, signing_key())) == "XPATH_SUBTRACT"


def with_stylesheet(body: str) -> etree._Element:
    sheet = f'<xsl:stylesheet xmlns:xsl="{ns.XSL}" version="1.0">{body}</xsl:stylesheet>'

    def change(root: etree._Element) -> None:
        old = find(root, "stylesheet")
        parent = old.getparent()
        assert parent is not None
        parent.replace(old, etree.fromstring(sheet))

    return edit(signed(), change, signing_key())


def test_14_stylesheet_with_constant_output() -> None:
    root = with_stylesheet('<xsl:template match="/"><intyg>x</intyg></xsl:template>')
    assert refused_with(root) == "STYLESHEET"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            '<xsl:template match="/"><xsl:copy-of select="document(\'file:///etc/passwd\')"/>'
            "</xsl:template>",
            id="reads-a-file",
        ),
        pytest.param(
            '<xsl:template match="/" name="a"><xsl:call-template name="a"/></xsl:template>',
            id="never-ends",
        ),
    ],
)
def test_15_stylesheet_is_compared_and_never_run(body: str) -> None:
    started = time.process_time()
    assert refused_with(with_stylesheet(body)) == "STYLESHEET"
    assert time.process_time() - started < 1


def test_16_second_reference() -> None:
    def add(root: etree._Element) -> None:
        find(root, "SignedInfo").append(copy.deepcopy(find(root, "Reference")))

    root = edit(signed(), add, signing_key())
    assert general_verifier_accepts(root)
    assert refused_with(root) == "SIGNEDINFO_CHILDREN"


@pytest.mark.parametrize(
    ("local", "code"),
    [("SignatureValue", "SIGNATURE_INVALID"), ("X509Certificate", "KEYINFO")],
)
@pytest.mark.parametrize("noise", ["*", "\u00a0", "-", "=", "é"])
def test_17_base64_with_noise(local: str, code: str, noise: str) -> None:
    def change(root: etree._Element) -> None:
        element = find(root, local)
        assert element.text is not None
        element.text = element.text[:40] + noise + element.text[40:]

    assert refused_with(edit(signed(), change)) == code


def test_17_base64_with_noise_in_a_digest_that_was_signed_so() -> None:
    def change(root: etree._Element) -> None:
        element = find(root, "DigestValue")
        assert element.text is not None
        element.text = element.text[:4] + "*" + element.text[4:]

    assert refused_with(edit(signed(), change, signing_key())) == "DIGEST_MISMATCH"


@pytest.mark.parametrize(
    ("local", "code"),
    [
        ("SignatureValue", "SIGNATURE_INVALID"),
        ("X509Certificate", "KEYINFO"),
        ("DigestValue", "DIGEST_MISMATCH"),
    ],
)
def test_17_comment_inside_base64(local: str, code: str) -> None:
    def change(root: etree._Element) -> None:
        element = find(root, local)
        assert element.text is not None
        comment = etree.Comment("x")
        comment.tail = element.text[40:]
        element.text = element.text[:40]
        element.append(comment)

    assert refused_with(edit(signed(), change)) == code


def test_17_spare_bits_in_base64() -> None:
    """256 octets end in one padding sign, with two bits that decoders ignore."""

    def change(root: etree._Element) -> None:
        element = find(root, "SignatureValue")
        text = element.text or ""
        assert text.endswith("==")
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        element.text = text[:-3] + alphabet[alphabet.index(text[-3]) + 1] + "=="

    assert refused_with(edit(signed(), change)) == "SIGNATURE_INVALID"


def test_18_default_namespace_on_the_stylesheet_changes_nothing() -> None:
    data = signed().replace(b"<xsl:stylesheet ", b'<xsl:stylesheet xmlns="urn:x" ')
    assert data != signed()
    result = check(data)
    assert result.accepted
    assert result.octets == check(signed()).octets


def set_algorithm(local: str, algorithm: str) -> Callable[[etree._Element], None]:
    return lambda root: find(root, local).set("Algorithm", algorithm)


@pytest.mark.parametrize(
    ("local", "algorithm", "code"),
    [
        pytest.param(
            "SignatureMethod", f"{ns.DS}rsa-sha1", "SIGNATURE_METHOD", id="19-sha1-signature"
        ),
        pytest.param("DigestMethod", f"{ns.DS}sha1", "DIGEST_METHOD", id="19-sha1-digest"),
        pytest.param(
            "SignatureMethod",
            "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
            "SIGNATURE_METHOD",
            id="20-hmac",
        ),
        pytest.param(
            "SignatureMethod",
            "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
            "SIGNATURE_METHOD",
            id="21-rsa-pss",
        ),
        pytest.param(
            "SignatureMethod",
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
            "SIGNATURE_METHOD",
            id="21-rsa-sha512",
        ),
        pytest.param(
            "SignatureMethod",
            "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
            "KEY",
            id="21-ecdsa-with-an-rsa-key",
        ),
        pytest.param(
            "CanonicalizationMethod",
            "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
            "C14N",
            id="c14n-with-comments",
        ),
        pytest.param("Transform", "urn:invented", "TRANSFORMS", id="invented-transform"),
    ],
)
def test_algorithm_outside_the_profile(local: str, algorithm: str, code: str) -> None:
    assert refused_with(edit(signed(), set_algorithm(local, algorithm), signing_key())) == code


def test_20_hmac_output_length() -> None:
    def add(root: etree._Element) -> None:
        etree.SubElement(find(root, "SignatureMethod"), f"{DS}HMACOutputLength").text = "1"

    assert refused_with(edit(signed(), add, signing_key())) == "SIGNATURE_METHOD"


def test_22_ecdsa_value_in_der_form() -> None:
    def change(root: etree._Element) -> None:
        octets = etree.tostring(
            find(root, "SignedInfo"), method="c14n", exclusive=True, with_comments=False
        )
        private_key = signing_key("p256").private_key
        assert isinstance(private_key, ec.EllipticCurvePrivateKey)
        value = private_key.sign(octets, ec.ECDSA(SHA256()))
        utils.decode_dss_signature(value)
        find(root, "SignatureValue").text = base64.b64encode(value).decode()

    result = check(edit(signed(kind="p256"), change))
    assert (result.outcome, result.code) == (SignatureOutcome.INVALID, "SIGNATURE_INVALID")
    assert "DER" in result.detail


@pytest.mark.parametrize("uri", ["http://127.0.0.1/x", "file:///etc/passwd", "#x", None])
def test_23_another_reference(uri: str | None) -> None:
    def change(root: etree._Element) -> None:
        reference = find(root, "Reference")
        if uri is None:
            del reference.attrib["URI"]
        else:
            reference.set("URI", uri)

    assert refused_with(edit(signed(), change, signing_key())) == "REFERENCE_URI"


def test_24_doubled_signed_info() -> None:
    def double(root: etree._Element) -> None:
        find(root, "Signature").insert(0, copy.deepcopy(find(root, "SignedInfo")))

    assert refused_with(edit(signed(), double)) == "SIGNATURE_CHILDREN"


DTD = b'<!DOCTYPE x [<!ENTITY e "Text">]>'


def with_dtd() -> bytes:
    declaration, rest = signed().split(b"?>", 1)
    return declaration + b"?>" + DTD + rest


def test_25_dtd_stops_at_the_parser() -> None:
    with pytest.raises(FaultError, match="DTD"):
        safe_xml.parse(with_dtd())


def test_25_dtd_is_refused_even_if_another_parser_let_it_in() -> None:
    assert refused_with(etree.fromstring(with_dtd())) == "XML"


def test_26_small_rsa_key_of_a_known_ca() -> None:
    key = rsa_key(1024)
    cert = issue(key, ca(), ec_key(which=1))
    small = with_cert(key, cert)

    def change(root: etree._Element) -> None:
        find(root, "X509Certificate").text = base64.b64encode(small.der).decode()

    root = edit(signed(), change, small)
    assert check(root).code == "KEY"
    assert check(root, TrustStore(pinned=[cert])).code == "KEY"


def test_27_quote_in_the_id_cannot_be_signed() -> None:
    quoted = COMPACT.replace(INTYGS_ID.encode(), b"x'] | //*['", 1)
    with pytest.raises(SignatureError) as raised:
        sign_document(quoted, signing_key())
    assert raised.value.code == "INTYGS_ID"


def test_27_quote_in_the_id_is_refused() -> None:
    def change(root: etree._Element) -> None:
        find(root, "extension").text = "x'] | //*['"
        xpath = root.findall(f".//{{{ns.DSF}}}XPath")[0]
        xpath.text = "//extension[text()='x'] | //*['']/../.."

    assert refused_with(edit(signed(), change, signing_key())) == "XPATH_INTERSECT"


def test_28_replay_is_left_to_the_store() -> None:
    """The same signed intyg verifies again: its id, not its signature, tells a repeated one."""
    first, second = check(signed()), check(signed())
    assert first == second
    assert first.accepted


def test_namespaced_attribute_is_refused() -> None:
    for name in ("{http://www.w3.org/XML/1998/namespace}space", f"{FOREIGN}x"):
        root = etree.fromstring(signed())
        find(root, "delsvar").set(name, "preserve")
        assert refused_with(root) == "NAMESPACED_ATTRIBUTE"


def test_every_change_of_one_character_is_refused_unless_it_is_not_signed() -> None:
    """Seeded, so that a failure comes back."""
    data = signed()
    true = check(data)
    assert true.accepted
    patterns = (
        rb"<\?xml.*?\?>",
        rb"<core:skickatTidpunkt>.*</core:skickatTidpunkt>",
        rb"<core:relation>.*</core:relation>",
        rb"<core:status>.*</core:status>",
        rb' xmlns:(?:e2|rc)="[^"]*"',  # not used; of the wrapper, which the schema looks at
    )
    free = [m.span() for pattern in patterns for m in re.finditer(pattern, data)]
    chance = random.Random(20261123)
    letters = b"abcXYZ0189<>&\"'/=:; -\n"
    accepted = 0
    for _ in range(600):
        at = chance.randrange(len(data))
        letter = chance.choice(letters)
        if data[at] == letter:
            continue
        changed = data[:at] + bytes([letter]) + data[at + 1 :]
        try:
            root = safe_xml.parse(changed).getroot()
        except FaultError:
            continue
        result = check(root)
        if result.accepted:
            accepted += 1
            assert result.octets == true.octets
            assert any(start <= at < end for start, end in free), data[at - 30 : at + 30]
    assert accepted > 5, "the test changes nothing that may be changed"


def test_deep_content_is_refused_without_recursion() -> None:
    def nest(root: etree._Element) -> None:
        inner = find(root, "delsvar")
        for _ in range(100):
            inner = etree.SubElement(inner, f"{TYPES}cv")

    assert refused_with(edit(signed(), nest)) == "SIZE"


def test_deep_content_in_what_is_not_signed_is_refused() -> None:
    def nest(root: etree._Element) -> None:
        inner = find(root, "relation")
        for _ in range(100):
            inner = etree.SubElement(inner, f"{TYPES}cv")

    assert refused_with(edit(signed(), nest)) == "SIZE"


def test_large_message_is_not_checked() -> None:
    root = etree.fromstring(signed())
    result = verify(
        find(root, "intyg"), TrustStore([ca()]), AT, SignatureOptions(max_bytes=5000), size=5001
    )
    assert result.code == "SIZE"
    assert check(signed(), max_bytes=1000).code == "SIZE", "and so are many signed octets"


def test_signature_from_before_the_time_was_set_is_never_valid() -> None:
    def change(root: etree._Element) -> None:
        set_digest(root, normalise(find(root, "intyg"), with_time=False))

    root = edit(signed(), change, signing_key())
    result = check(root)
    assert (result.outcome, result.accepted) == (SignatureOutcome.TIME_UNSIGNED, False)
    result = check(root, accept_time_unsigned=True)
    assert (result.outcome, result.accepted) == (SignatureOutcome.TIME_UNSIGNED, True)


def test_signature_from_before_the_time_was_set_still_needs_trust_and_author() -> None:
    def change(root: etree._Element) -> None:
        set_digest(root, normalise(find(root, "intyg"), with_time=False))

    other = signing_key(serial_number="TSTNMT2321000156-OTHER")
    root = edit(sign_document(COMPACT, other), change, other)
    result = check(root, accept_time_unsigned=True)
    assert (result.code, result.accepted) == ("SIGNER_NOT_AUTHOR", False)
    root = edit(signed(), change, signing_key())
    result = check(root, TrustStore(), accept_time_unsigned=True)
    assert (result.code, result.accepted) == ("CERT_PATH", False)


def test_certificates_are_judged_at_the_given_time() -> None:
    late = datetime(2031, 1, 1, tzinfo=UTC)
    assert check(signed(), at=late).code == "CERT_PATH"
    assert check(signed(), at=AT).accepted
