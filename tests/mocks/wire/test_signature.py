import os
from collections.abc import Callable
from pathlib import Path

import pytest

from intyg.mocks.server.authority import INTYG_TAG
from intyg.mocks.wire.signature import SignatureCheck, SignatureOutcome
from tests import builders
from tests.mocks import signing
from tests.mocks.calls import envelope
from tests.mocks.signing import STYLESHEET, Signer, make_ca, make_signer, sign


def check(body: bytes, *ca_files: Path) -> tuple[SignatureOutcome, str]:
    verdict = SignatureCheck(ca_files).check(envelope(body), "UTF-8", INTYG_TAG)
    return verdict.outcome, verdict.detail


def test_rsa_and_ecdsa_by_a_trusted_ca_are_valid(ca_folder: Path) -> None:
    ca = make_ca(ca_folder)
    for elliptic in (False, True):
        signer = make_signer(ca, elliptic=elliptic)
        body = sign(builders.register_certificate(), signer)
        assert check(body, signer.ca_file) == (SignatureOutcome.VALID, "")


def test_one_of_several_ca_in_one_file_is_enough(ca_folder: Path, signer: Signer) -> None:
    other = make_ca(ca_folder, "Other CA")[2]
    both = ca_folder / "both.pem"
    both.write_bytes(other.read_bytes() + signer.ca_file.read_bytes())
    body = sign(builders.register_certificate(), signer)
    assert check(body, both)[0] is SignatureOutcome.VALID


def test_signature_survives_other_prefixes_and_indentation_around_it(signer: Signer) -> None:
    body = sign(builders.register_certificate(), signer)
    moved = body.replace(b"xmlns:t=", b"xmlns:q='urn:q' xmlns:t=").replace(
        b"<version>", b"\n\n<version>"
    )
    assert moved != body
    assert check(moved, signer.ca_file)[0] is SignatureOutcome.VALID


def test_a_stylesheet_is_the_profiles_however_it_is_laid_out(signer: Signer) -> None:
    laid_out = STYLESHEET.replace("><", "> <!-- as the profile has it -->\n  <")
    body = sign(builders.register_certificate(), signer, stylesheet=laid_out)
    assert check(body, signer.ca_file) == (SignatureOutcome.VALID, "")
    other = STYLESHEET.replace('indent="no"', 'indent="yes"')
    body = sign(builders.register_certificate(), signer, stylesheet=other)
    assert "the stylesheet is not one of the national profile's" in check(body, signer.ca_file)[1]


def test_a_changed_answer_is_invalid(signer: Signer) -> None:
    body = sign(builders.register_certificate(), signer)
    changed = body.replace("Kan inte stå på knä".encode(), "Kan stå på knä".encode())
    assert changed != body  # the test itself would be void otherwise
    outcome, detail = check(changed, signer.ca_file)
    assert outcome is SignatureOutcome.INVALID
    assert "digest" in detail


def test_a_relative_namespace_is_invalid_and_nothing_of_the_message_is_written_anywhere(
    signer: Signer, capfd: pytest.CaptureFixture[str]
) -> None:
    """There is no canonical form then (Canonical XML, section 1), so nothing to sign or digest."""
    body = sign(builders.register_certificate(), signer)
    changed = body.replace(b"</skapadAv>", b'<a xmlns="u"/></skapadAv>', 1)
    outcome, detail = check(changed, signer.ca_file)
    assert outcome is SignatureOutcome.INVALID
    assert detail.startswith("a relative namespace name is in scope")
    assert capfd.readouterr() == ("", "")


def test_a_signer_of_an_unknown_ca_is_invalid(ca_folder: Path, signer: Signer) -> None:
    body = sign(builders.register_certificate(), signer)
    outcome, detail = check(body, make_ca(ca_folder, "Other CA")[2])
    assert outcome is SignatureOutcome.INVALID
    assert "trusted CA" in detail


def test_without_a_ca_nothing_is_run_and_that_is_said(signer: Signer) -> None:
    body = sign(builders.register_certificate(), signer)
    assert check(body)[0] is SignatureOutcome.NOT_CHECKED


def test_no_signature_is_absent_with_or_without_a_ca(signer: Signer) -> None:
    assert check(builders.register_certificate())[0] is SignatureOutcome.ABSENT
    assert check(builders.register_certificate(), signer.ca_file)[0] is SignatureOutcome.ABSENT


CONSTANT = signing.STYLESHEET.replace(
    '<xsl:apply-templates select="node()|@*"/>', "<xsl:text>always the same</xsl:text>"
)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(
            lambda b, s: sign(b, s, stylesheet=CONSTANT), "stylesheet", id="stylesheet of its own"
        ),
        pytest.param(
            lambda b, s: sign(b, s, intersect="//extension[text()='other']/../.."),
            "does not name",
            id="names another intyg",
        ),
        pytest.param(
            lambda b, s: sign(
                b, s, subtract=f"{signing.SUBTRACT}|//*[local-name() = 'displayName']"
            ),
            "leaves out",
            id="subtracts an answer",
        ),
        pytest.param(
            lambda b, s: sign(b, s).replace(b'URI=""', b'URI="http://127.0.0.1:9/x"'),
            "URI",
            id="reference to elsewhere",
        ),
        pytest.param(
            lambda b, s: sign(b, s).replace(b"<ds:KeyInfo>", b"<ds:Object/><ds:KeyInfo>"),
            "must hold",
            id="an Object",
        ),
        pytest.param(
            lambda b, s: _twice(sign(b, s)), "one Signature is allowed, 2", id="two Signatures"
        ),
        pytest.param(
            lambda b, s: (
                sign(b, s)
                .replace(b"<e:underskrift", b"<underskrift")
                .replace(b"</e:underskrift", b"</underskrift")
            ),
            "not in intyg/underskrift",
            id="underskrift of another namespace",
        ),
        pytest.param(
            lambda b, s: sign(b, s).replace(
                b'<svar id="17">', b'<x:status xmlns:x="urn:x">healthy</x:status><svar id="17">'
            ),
            "would not cover",
            id="status the digest does not see, of another namespace",
        ),
        pytest.param(
            lambda b, s: sign(b, s).replace(
                b'<delsvar id="17.1">', b'<delsvar id="17.1"><status>well</status>'
            ),
            "would not cover",
            id="status inside an answer",
        ),
        pytest.param(
            lambda b, s: sign(b, s).replace(b"<version>1.3", b"<version>1.<!-- -->3"),
            "comments",
            id="comment that splits a value",
        ),
        pytest.param(
            lambda b, s: sign(b, s).replace(b"<ds:SignatureValue>", b"<ds:SignatureValue>AAAA"),
            "",
            id="signature value changed",
        ),
    ],
)
def test_forgeries_are_invalid(
    signer: Signer, make: Callable[[bytes, Signer], bytes], words: str
) -> None:
    outcome, detail = check(make(builders.register_certificate(), signer), signer.ca_file)
    assert outcome is SignatureOutcome.INVALID
    assert words in detail


def _twice(body: bytes) -> bytes:
    start, end = body.index(b"<ds:Signature "), body.index(b"</e:underskrift>")
    return body[:end] + body[start:end] + body[end:]


def test_a_ca_file_without_certificate_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "empty.pem"
    path.write_text("nothing")
    with pytest.raises(ValueError, match=r"empty\.pem"):
        SignatureCheck([path])


def test_a_damaged_ca_certificate_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "damaged.pem"
    path.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(ValueError, match="damaged"):
        SignatureCheck([path])


@pytest.mark.skipif(
    not os.environ.get("INTYG_NATIONAL_EXAMPLES"),
    reason="INTYG_NATIONAL_EXAMPLES names no folder with the official examples",
)
def test_the_form_of_a_real_card_signature_is_the_profile() -> None:
    """Its CA is not public: it must get as far as wanting one."""
    folder = Path(os.environ["INTYG_NATIONAL_EXAMPLES"])
    data = (folder / "signed" / "siths-card-2018-valid.xml").read_bytes()
    verdict = SignatureCheck(()).check(data, None, INTYG_TAG)
    assert verdict.outcome is SignatureOutcome.NOT_CHECKED
