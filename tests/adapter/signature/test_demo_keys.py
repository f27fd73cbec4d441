"""Test keys: marked as such, usable for everything the demonstrations need."""

import ssl
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from intyg.adapter.domain.clock import system_clock
from intyg.adapter.signature import TrustStore, load_signing_key, sign_document
from intyg.adapter.signature.demo_keys import (
    CLIENT_HSA_ID,
    SIGNER_HSA_ID,
    TEST_PASSWORD,
    TestKeys,
    is_test_cert,
    make_test_keys,
)
from tests.adapter.signed import COMPACT, ca, check


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> TestKeys:
    return make_test_keys(tmp_path_factory.mktemp("keys") / "new", system_clock())


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_both_signers_sign_what_the_test_ca_vouches_for(keys: TestKeys) -> None:
    trusted = TrustStore.from_files([keys.ca])
    for files in (keys.signer, keys.signer_ec):
        for key in (
            load_signing_key(files.key, files.cert),
            load_signing_key(files.p12, None, TEST_PASSWORD),
        ):
            result = check(sign_document(COMPACT, key), trusted)
            assert result.accepted
            assert result.signer is not None
            assert (result.signer.hsa_id, result.signer.usage) == (
                SIGNER_HSA_ID,
                ("contentCommitment",),
            )
    assert isinstance(load(keys.signer.cert).public_key(), rsa.RSAPublicKey)


def test_private_keys_are_readable_by_their_owner_alone(keys: TestKeys) -> None:
    for files in (keys.signer, keys.signer_ec, keys.server, keys.client):
        for path in (files.key, files.p12):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_everything_is_marked_as_test(keys: TestKeys) -> None:
    for path in keys.paths:
        if path.suffix == ".pem" and ".key" not in path.name:
            assert is_test_cert(load(path))
    assert not is_test_cert(ca())


def test_tls_with_a_client_certificate_works(keys: TestKeys) -> None:
    """A handshake in memory, server name and both chains checked."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(keys.server.cert, keys.server.key)
    server.load_verify_locations(keys.ca)
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.create_default_context(cafile=keys.ca)
    client.load_cert_chain(keys.client.cert, keys.client.key)
    for name in ("localhost", "127.0.0.1", "::1"):
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        ends = [
            client.wrap_bio(to_client, to_server, server_hostname=name),
            server.wrap_bio(to_server, to_client, server_side=True),
        ]
        for _ in range(6):
            for end in ends:
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    continue
        peer = ends[1].getpeercert()
        assert peer is not None
        assert (("serialNumber", CLIENT_HSA_ID),) in peer["subject"]


def contents(keys: TestKeys) -> list[bytes]:
    return [path.read_bytes() for path in keys.paths]


def test_keep_leaves_a_complete_set_alone(tmp_path: Path) -> None:
    keys = make_test_keys(tmp_path, system_clock())
    before = contents(keys)
    assert contents(make_test_keys(tmp_path, system_clock(), keep=True)) == before
    keys.client.key.unlink()
    assert contents(make_test_keys(tmp_path, system_clock(), keep=True)) != before


def test_keep_makes_anew_what_has_run_out_or_does_not_belong_together(tmp_path: Path) -> None:
    keys = make_test_keys(tmp_path, system_clock() - timedelta(days=3640))
    old = contents(keys)
    kept = contents(make_test_keys(tmp_path, system_clock(), keep=True))
    assert kept != old
    keys.ca.write_bytes(old[0])
    assert contents(make_test_keys(tmp_path, system_clock(), keep=True)) != kept


def test_without_keep_keys_are_made_anew(tmp_path: Path) -> None:
    first = contents(make_test_keys(tmp_path, system_clock()))
    assert contents(make_test_keys(tmp_path, system_clock())) != first
