"""`intyg verify`."""

import base64
from pathlib import Path

import pytest
from lxml import etree

from intyg.adapter.domain.clock import system_clock
from intyg.adapter.signature.demo_keys import SIGNER_HSA_ID, make_test_keys
from tests.adapter.cli.calls import lines, run


def test_signed_file_verifies_and_changed_one_does_not(good: Path, keys: Path, here: Path) -> None:
    signed = here / "signed.xml"
    result = run(
        "sign", good, "--key", keys / "signer.key.pem", "--cert", keys / "signer.pem", "-o", signed
    )
    assert result.exit_code == 0, result.output
    verified = run("verify", "--json", signed, "--trust", keys / "ca.pem")
    [answer] = lines(verified)
    assert (verified.exit_code, answer["outcome"], answer["code"]) == (0, "VALID", None)
    assert answer["signer"] == SIGNER_HSA_ID

    signed.write_bytes(signed.read_bytes().replace("Påhittad".encode(), b"Annan"))
    changed = run("verify", signed, "--trust", keys / "ca.pem")
    assert (changed.exit_code, changed.stdout.strip()) == (1, "INVALID DIGEST_MISMATCH")


def test_untrusted_signer_is_named_and_pinning_trusts_it(
    good: Path, keys: Path, here: Path
) -> None:
    run("sign", good, "--key", keys / "signer.key.pem", "--cert", keys / "signer.pem", "-o", good)
    other = make_test_keys(here / "other", system_clock())
    result = run("verify", good, "--trust", other.ca)
    assert (result.exit_code, result.stdout.strip()) == (1, "UNTRUSTED CERT_PATH")
    assert run("verify", good, "--pin", keys / "signer.pem").stdout.strip() == "VALID"


def test_certificate_is_judged_at_the_time_given(good: Path, keys: Path) -> None:
    run("sign", good, "--key", keys / "signer.key.pem", "--cert", keys / "signer.pem", "-o", good)
    result = run("verify", good, "--trust", keys / "ca.pem", "--at", "2001-01-01T00:00:00")
    assert result.stdout.strip() == "UNTRUSTED CERT_PATH"


def test_unsigned_file_is_absent(good: Path) -> None:
    assert run("verify", good).stdout.strip() == "ABSENT"


@pytest.mark.parametrize(
    ("local", "text", "verdict"),
    [
        ("SignatureValue", "", "INVALID SIGNATURE_INVALID"),
        ("DigestValue", " ", "INVALID SIGNATURE_INVALID"),
        ("X509Certificate", "", "REFUSED KEYINFO"),
        ("X509Certificate", "AAAA", "REFUSED KEYINFO"),
        ("stylesheet", "x", "REFUSED STYLESHEET"),
    ],
)
def test_a_damaged_signature_is_a_verdict(
    good: Path, keys: Path, local: str, text: str, verdict: str
) -> None:
    run("sign", good, "--key", keys / "signer.p12", "--password", "test", "-o", good)
    root = etree.fromstring(good.read_bytes())
    element = root.find(f".//{{*}}{local}")
    assert element is not None
    element.text = text
    good.write_bytes(etree.tostring(root))

    result = run("verify", good, "--trust", keys / "ca.pem")
    assert (result.exit_code, result.stdout.strip()) == (1, verdict)
    assert len(result.stderr.splitlines()) <= 2, "a sentence, and no traceback"
    answered = run("verify", "--json", good, "--trust", keys / "ca.pem")
    [answer] = lines(answered)
    assert (answered.exit_code, f"{answer['outcome']} {answer['code']}") == (1, verdict)


def test_the_signer_in_a_strangers_certificate_is_a_word_like_others(
    good: Path, keys: Path
) -> None:
    """Not a command to the terminal, nor to what writes there."""
    run("sign", good, "--key", keys / "signer.p12", "--password", "test", "-o", good)
    root = etree.fromstring(good.read_bytes())
    element = root.find(".//{*}X509Certificate")
    assert element is not None
    cert = base64.b64decode(element.text or "")
    assert cert.count(SIGNER_HSA_ID.encode()) == 1
    odd = b"[/red]\x1b[31m".ljust(len(SIGNER_HSA_ID), b"x")
    at = cert.index(SIGNER_HSA_ID.encode())
    cert = (
        cert[: at - 2] + b"\x0c" + cert[at - 1 :]
    )  # UTF8String: a PrintableString has no brackets
    element.text = base64.b64encode(cert.replace(SIGNER_HSA_ID.encode(), odd)).decode()
    good.write_bytes(etree.tostring(root))

    result = run("verify", good, "--trust", keys / "ca.pem")
    assert (result.exit_code, result.stdout.strip()) == (1, "UNTRUSTED CERT_PATH")
    assert "signer (not shown)" in result.stderr
