"""Adapter and mocks share no code: what one writes the other must read, and they must agree."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from lxml import etree

from intyg.adapter.formats import safe_xml
from intyg.adapter.signature import (
    SigningKey,
    TrustStore,
    load_signing_key,
    sign_document,
    verify_message,
)
from intyg.mocks.server.authority import INTYG_TAG
from intyg.mocks.wire import envelope
from intyg.mocks.wire.signature import SignatureCheck
from tests import builders
from tests.mocks import calls, signing
from tests.mocks.signing import Signer, make_ca, make_signer


@pytest.fixture(scope="module", params=["rsa", "ecdsa"])
def signer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Signer:
    ca = make_ca(tmp_path_factory.mktemp("ca"))
    return make_signer(ca, elliptic=request.param == "ecdsa")


@pytest.fixture(scope="module")
def key(signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    folder = tmp_path_factory.mktemp("keys")
    (folder / "key.pem").write_bytes(
        signer.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (folder / "cert.pem").write_bytes(signer.cert)
    return load_signing_key(folder / "key.pem", folder / "cert.pem")


def verdicts(message: bytes, ca_file: Path) -> tuple[bool, bool]:
    """What the adapter and the mocks say of a call: is its signature valid?"""
    root = safe_xml.parse(message).getroot()
    trusted = TrustStore.from_files([ca_file])
    ours = verify_message(root, trusted, datetime.now(UTC))
    theirs = SignatureCheck([ca_file]).check(message, "UTF-8", INTYG_TAG)
    return ours.outcome == "VALID", theirs.outcome == "valid"


def test_both_accept_what_either_signs(signer: Signer, key: SigningKey) -> None:
    body = builders.register_certificate()
    for signed in (sign_document(body, key), signing.sign(body, signer)):
        assert verdicts(calls.envelope(signed), signer.ca_file) == (True, True)
        assert verdicts(safe_xml.envelope(signed, "FKASSA"), signer.ca_file) == (True, True)


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda b: b.replace(b"Kakels", b"Golvl"), id="changed answer"),
        pytest.param(lambda b: b.replace(b"M239", b"M238"), id="changed code"),
        pytest.param(lambda b: b.replace(b"1.3</", b"1.<!-- -->3</"), id="comment"),
        pytest.param(
            lambda b: b.replace(b'<delsvar id="17.1">', b'<delsvar id="17.1"><status>x</status>'),
            id="content that the digest does not see",
        ),
        pytest.param(
            lambda b: b.replace(b'<svar id="17"', b'<svar xml:lang="sv" id="17"'),
            id="namespaced attribute",
        ),
        pytest.param(
            lambda b: b.replace(b"</ds:KeyInfo>", b"</ds:KeyInfo><ds:Object/>"), id="Object"
        ),
        pytest.param(lambda b: b.replace(b"displayName", b"originalText"), id="renamed elements"),
        pytest.param(
            lambda b: b.replace(builders.INTYGS_ID.encode(), b"another-id", 1), id="another id"
        ),
    ],
)
def test_both_refuse_what_was_forged(
    signer: Signer, key: SigningKey, forge: Callable[[bytes], bytes]
) -> None:
    signed = sign_document(builders.register_certificate(), key)
    forged = forge(signed)
    assert forged != signed
    assert verdicts(calls.envelope(forged), signer.ca_file) == (False, False)


def test_both_refuse_a_signer_whom_nobody_vouches_for(key: SigningKey, tmp_path: Path) -> None:
    signed = sign_document(builders.register_certificate(), key)
    assert verdicts(calls.envelope(signed), make_ca(tmp_path, "Other")[2]) == (False, False)


def test_each_reads_the_others_envelopes() -> None:
    body = builders.revoke_certificate()
    ours = envelope.read(safe_xml.envelope(body, "FKASSA"))
    assert ours.logical_address == "FKASSA"
    assert _canonical(ours.element) == _canonical(etree.fromstring(body))
    theirs = safe_xml.body_slice(envelope.write_request(etree.fromstring(body), "FKASSA"))
    assert _canonical(etree.fromstring(theirs)) == _canonical(etree.fromstring(body))


def _canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_tail=False)
