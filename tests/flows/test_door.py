"""The door of an adapter outside demo: TLS, certificates, permissions, and rows that change."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from intyg.adapter.bootstrap.app import App, build_app
from intyg.adapter.formats import safe_xml
from intyg.adapter.settings.settings import load_settings
from tests import builders
from tests.adapter.tls_certs import HSA_ID, TlsCerts, make_tls_certs

REGISTER = "/services/clinicalprocess/healthcond/certificate/RegisterCertificate/3/rivtabp21"

SETTINGS = """
environment = "test"
data_dir = "data"
signature = "accept"
routes_file = "routes.toml"
[server]
port = 0
[server.tls]
cert = "server.pem"
client_ca = ["ca.pem"]
[delivery]
workers = 0
"""
PERMITTED = f"""
[[permissions]]
sender = "{HSA_ID}"
contract = "RegisterCertificate"
logical_address = "*"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("door")


@pytest.fixture(scope="module")
def certs(folder: Path) -> TlsCerts:
    return make_tls_certs(folder)


@pytest.fixture(scope="module")
def adapter(folder: Path, certs: TlsCerts) -> Iterator[App]:
    (folder / "routes.toml").write_text(PERMITTED)
    (folder / "adapter.toml").write_text(SETTINGS)
    with build_app(load_settings(folder / "adapter.toml")) as running:
        yield running


def post(adapter: App, certs: TlsCerts, cert: Path | None, address: str = "INTYGSADAPTER") -> str:
    return requests.post(
        adapter.url.replace("127.0.0.1", "localhost") + REGISTER,
        safe_xml.envelope(builders.register_certificate(), address),
        headers={"Content-Type": "text/xml"},
        verify=str(certs.ca),
        cert=str(cert) if cert else None,
        timeout=20,
    ).text


def test_only_whom_the_rows_permit_gets_in_and_is_remembered(
    adapter: App, certs: TlsCerts, folder: Path
) -> None:
    assert "VP002 " in post(adapter, certs, None)
    assert "VP007 " in post(adapter, certs, certs.other)
    assert "VP004 " in post(adapter, certs, certs.client, " INTYGSADAPTER")
    with adapter.services.store.read() as rows:
        assert rows.intyg.get(builders.INTYGS_ID) is None  # nothing of it was taken in

    answer = post(adapter, certs, certs.client)
    assert "resultCode>OK<" in answer or "resultCode>INFO<" in answer  # remarks, on a later day
    with adapter.services.store.read() as rows:
        assert rows.intyg.get(builders.INTYGS_ID) is not None

    (folder / "routes.toml").write_text(PERMITTED.replace(HSA_ID, "SE2321000016-NEW"))
    adapter.reload()
    assert "VP007 " in post(adapter, certs, certs.client)


def test_a_certificate_that_was_renewed_is_shown_after_a_reload(
    adapter: App, certs: TlsCerts, folder: Path
) -> None:
    before = (folder / "server.pem").read_bytes()
    (folder / "server.pem").write_bytes(certs.elsewhere.read_bytes())
    adapter.reload()
    with pytest.raises(requests.exceptions.SSLError, match=r"(?i)hostname mismatch"):
        post(adapter, certs, certs.client)
    (folder / "server.pem").write_text("half a fi")
    adapter.reload()  # changes nothing
    (folder / "server.pem").write_bytes(before)
    adapter.reload()
    assert "VP" in post(adapter, certs, None)
