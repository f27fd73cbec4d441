from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from intyg.adapter.doctor.key_files import (
    SOON,
    cert_files,
    certs_of,
    ending_soon,
    readable_by_others,
    secret_files,
)
from intyg.adapter.settings.settings import Settings
from intyg.adapter.signature.demo_keys import VALID_FOR, make_test_keys
from tests.adapter.flows.rig import make_settings

NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    make_test_keys(folder, NOW)
    return folder


def settings(folder: Path) -> Settings:
    key, cert = folder / "signer.key.pem", folder / "signer.pem"
    destination = {
        "url": "https://a",
        "kind": "mock",
        "client_cert": folder / "client.pem",
        "client_key": folder / "client.key.pem",
        "ca": folder / "ca.pem",
    }
    return make_settings(
        signing={"key": key, "cert": cert},
        trust={"anchors": [folder / "ca.pem"]},
        console={
            "token_file": folder / "token",
            "tokens": [{"name": "Anna", "role": "viewer", "token_file": folder / "annas"}],
        },
        server={"tls": {"cert": folder / "server.pem", "key": folder / "server.key.pem"}},
        destinations={"fk": destination},
        routes=(),
        data_dir=folder,
    )


def test_every_secret_and_every_certificate_is_looked_at(folder: Path) -> None:
    secrets = {path.name for path in secret_files(settings(folder)).values()}
    assert secrets == {
        "signer.key.pem",
        "client.key.pem",
        "server.key.pem",
        "audit.key",
        "token",
        "annas",
    }
    certs = {path.name for paths in cert_files(settings(folder)).values() for path in paths}
    assert certs == {"signer.pem", "client.pem", "server.pem", "ca.pem"}


@pytest.mark.parametrize(
    ("mode", "told"),
    [(0o600, False), (0o640, False), (0o644, True), (0o660, True), (0o604, True), (0o602, True)],
)
def test_what_everybody_can_read_is_told(folder: Path, mode: int, told: bool) -> None:
    key = folder / "signer.key.pem"
    key.chmod(mode)
    found = list(readable_by_others(secret_files(settings(folder))))
    key.chmod(0o600)
    assert found == ([("signing.key", key)] if told else [])


def test_certificates_are_told_of_in_time(folder: Path) -> None:
    ends = NOW + VALID_FOR
    files = cert_files(settings(folder))
    assert not list(ending_soon(files, ends - SOON - timedelta(seconds=1)))
    found = list(ending_soon(files, ends - SOON + timedelta(seconds=1)))
    assert {setting for setting, _, _ in found} == {
        "signing.cert",
        "trust.anchors",
        "server.tls.cert",
        "destinations.fk.client_cert",
        "destinations.fk.ca",
    }
    assert {end for _, _, end in found} == {ends}


def test_a_certificate_that_cannot_be_read_hides_no_other(folder: Path, tmp_path: Path) -> None:
    odd = b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
    ca = (folder / "ca.pem").read_bytes()
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(odd + ca.replace(b" CERT", b" X509 CERT") + odd)
    assert certs_of(bundle) == certs_of(folder / "ca.pem")
    assert len(certs_of(bundle)) == 1


def test_what_is_no_certificate_is_not_judged_by_its_dates(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"nothing")
    assert not list(ending_soon({"x": (tmp_path / "a", tmp_path / "none")}, NOW))
