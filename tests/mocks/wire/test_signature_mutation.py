"""
The mocks' engine answers any damaged signature with a verdict, too.

More of them: INTYG_MUTATION_EXAMPLES, as in tests/adapter/test_signature_mutation.py.
"""

import re
from collections import Counter
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given

from intyg.adapter.formats import safe_xml
from intyg.adapter.signature import find_one_intyg, normalise
from intyg.mocks.server.authority import INTYG_TAG
from intyg.mocks.server.serving import MockServer
from intyg.mocks.wire import envelope
from intyg.mocks.wire.signature import SignatureCheck, SignatureOutcome
from tests import builders
from tests.adapter.signature.test_mutation import tried
from tests.adapter.signature_mutation import damaged
from tests.adapter.signed import ca, signed, signing_key
from tests.mocks.calls import post
from tests.mocks.signing import Signer, sign


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> SignatureCheck:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    path.write_bytes(ca().public_bytes(Encoding.PEM))
    return SignatureCheck([path])


def normal_form(data: bytes) -> bytes:
    return normalise(find_one_intyg(safe_xml.parse(data).getroot()))


@pytest.mark.parametrize("kind", ["rsa", "p256"])
def test_a_damaged_document_gets_a_verdict_and_is_valid_only_as_it_was_signed(
    engine: SignatureCheck, kind: str, record_property: Callable[[str, object], None]
) -> None:
    true, seen = normal_form(signed(kind=kind)), Counter[str]()

    @tried(80)
    @given(data=damaged(signed(kind=kind), signing_key(kind)))
    def check(data: bytes) -> None:
        try:
            verdict = engine.check(data, "UTF-8", INTYG_TAG)
        except envelope.FaultError:  # the door's word, which comes first: an `xml:id` that is none
            seen["fault"] += 1
            return
        seen[verdict.detail or verdict.outcome] += 1
        if verdict.outcome is SignatureOutcome.VALID:
            assert normal_form(data) == true

    check()
    record_property("table", f"damaged signatures, mocks, {kind}: {dict(seen.most_common())}")
    assert seen["valid"] > 2
    assert len(seen) > 8


@pytest.mark.parametrize("tag", [b"xsl:stylesheet", b"core:enhet", b"rc:RegisterCertificate"])
def test_what_has_no_canonical_form_is_invalid_and_nothing_of_it_is_written(
    engine: SignatureCheck, tag: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    data = signed().replace(b"<" + tag, b"<" + tag + b' xmlns:zz="relative"', 1)
    verdict = engine.check(data, "UTF-8", INTYG_TAG)
    assert verdict.outcome is SignatureOutcome.INVALID
    assert "relative namespace" in verdict.detail
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("instead", [b"<!-- x -->", b"<?x y?>", b"", b"x"])
def test_something_else_than_a_stylesheet_is_invalid(
    engine: SignatureCheck, instead: bytes
) -> None:
    data = signed()
    start, end = data.index(b"<xsl:stylesheet"), data.index(b"</xsl:stylesheet>")
    changed = data[:start] + instead + data[end + len(b"</xsl:stylesheet>") :]
    verdict = engine.check(changed, "UTF-8", INTYG_TAG)
    assert verdict.outcome is SignatureOutcome.INVALID
    assert "stylesheet" in verdict.detail


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rb"<ds:SignatureValue>[^<]*", b"<ds:SignatureValue>"),
        (rb"<xsl:stylesheet .*</xsl:stylesheet>", b"<!-- x -->"),
        (rb"<ds:SignedInfo", b'<ds:SignedInfo xmlns:zz="relative"'),
    ],
)
def test_an_authority_tells_the_sender_of_it(
    server: MockServer, signer: Signer, old: bytes, new: bytes
) -> None:
    body = sign(builders.register_certificate(), signer)
    changed = re.sub(old, new, body)
    assert changed != body
    response = post(server, changed)
    answer = envelope.read_reply(response.content)
    assert (response.status_code, answer.error_id) == (200, "VALIDATION_ERROR")
    assert envelope.read_reply(post(server, body).content).result_code == "OK"
