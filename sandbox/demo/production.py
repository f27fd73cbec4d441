"""Where the accident is played: an adapter in production, of its own process, and an authority."""

import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import requests

from intyg.adapter.domain.clock import system_clock
from intyg.adapter.signature.demo_keys import CLIENT_HSA_ID, TestKeys
from intyg.mocks.testing.ehr import Ehr, Issuer
from intyg.mocks.wire.http_session import http_session
from intyg.sandbox.demo.narrator import WAIT_SECONDS, Narrator, StoryError
from intyg.sandbox.demo.stage import TEST_PERSONS, Signer, Tripwire
from intyg.schemas import ns
from intyg.schemas.typefile.lookup import IntygTypes

START_SECONDS: Final = 60.0

_SETTINGS: Final = """\
# Written by `intyg demo`: an adapter in production, with a stand-in for a real authority.
environment = "production"
data_dir = "data"
signature = "require"

[server]
port = {port}

[server.tls]
cert = "{keys}/server.pem"
key = "{keys}/server.key.pem"
client_ca = ["{keys}/ca.pem"]

[trust]
anchors = ["{keys}/ca.pem"]

[test_patients]
list_files = ["test-patients.csv"]

[recipients.FKASSA]
name = "Försäkringskassan"
logical_address = "FKASSA"

[destinations.authority]
url = "{authority}"
kind = "real"
ca = "{keys}/ca.pem"

[[routes]]
contract = "*"
logical_address = "FKASSA"
destination = "authority"

[[permissions]]
sender = "{ehr}"
contract = "*"
logical_address = "*"
"""

_ACCEPTED: Final = (
    f'<s:Envelope xmlns:s="{ns.SOAP11}"><s:Body><RegisterCertificateResponse '
    f'xmlns="{ns.message("RegisterCertificate", 3)}"><result><resultCode xmlns="{ns.CORE}">OK'
    "</resultCode></result></RegisterCertificateResponse></s:Body></s:Envelope>"
).encode()


class Authority(Tripwire):
    """
    A stand-in for a real authority: speaks TLS, takes everything, and counts.

    Attributes:
        bytes: How many came, also of what never became whole.
        requests: How many came whole.
    """

    scheme = "https"

    def __init__(self, keys: TestKeys) -> None:
        self.bytes = 0
        self.requests = 0
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(keys.server.cert, keys.server.key)
        super().__init__()

    def take(self, connection: socket.socket) -> None:
        connection.settimeout(WAIT_SECONDS)
        with self._tls.wrap_socket(connection, server_side=True) as tls:
            self._answer(tls)

    def _answer(self, tls: ssl.SSLSocket) -> None:
        with tls.makefile("rb") as incoming:
            line, length = b"", 0
            for line in incoming:
                self.bytes += len(line)
                if line == b"\r\n":
                    break
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            body = incoming.read(length)
            self.bytes += len(body)
            self.requests += line == b"\r\n" and len(body) == length
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(_ACCEPTED)}\r\n"
        tls.sendall(f"{head}Connection: close\r\n\r\n".encode() + _ACCEPTED)


class _MachineTime:
    """The clock of an adapter in production, which nobody moves."""

    @property
    def now(self) -> datetime:
        return system_clock()


class InProduction(Narrator):
    """
    A story in production.

    Attributes:
        folder: Gets settings and database of the adapter.
        log: Its log.
        list_patient: Whether the test patient is on the list.
        keys: What the adapter, the authority and the EHR show.
        authority: The one real destination.
    """

    folder: Path
    log: Path
    list_patient: bool
    keys: TestKeys
    authority: Authority

    def write_settings(self, port: int) -> None:
        patients = TEST_PERSONS if self.list_patient else TEST_PERSONS[1:]
        text = "\n".join(("testpersonnummer", *patients)) + "\n"
        (self.folder / "test-patients.csv").write_text(text, "utf-8")
        settings = _SETTINGS.format(
            port=port,
            keys=self.keys.ca.parent.resolve(),
            authority=self.authority.url,
            ehr=CLIENT_HSA_ID,
        )
        if not self.list_patient:
            settings = settings.replace(
                "[test_patients]\n", "[test_patients]\nreserved_numbers = false\n"
            )
        (self.folder / "adapter.toml").write_text(settings, "utf-8")

    @contextmanager
    def adapter(self, url: str) -> Iterator[None]:
        """The adapter in production, until it is no longer needed."""
        config = str(self.folder / "adapter.toml")
        command = [sys.executable, "-m", "intyg.adapter", "serve", "--config", config]
        with (
            self.log.open("w", encoding="utf-8") as log,
            subprocess.Popen(command, stderr=log) as process,  # noqa: S603  this installation's own
        ):
            try:
                self.eventually(
                    lambda: self._is_up(url, process), "it did not start", START_SECONDS
                )
                yield
            finally:
                process.terminate()

    def _is_up(self, url: str, process: "subprocess.Popen[bytes]") -> bool:
        if process.poll() is not None:
            last = self.log.read_text("utf-8").strip().splitlines()[-1:]
            raise StoryError(f"the adapter did not start in production: {last}")
        try:
            with http_session(str(self.keys.ca)) as session:
                health = session.get(f"{url}/health", timeout=5)
        except requests.RequestException:
            return False
        return health.headers.get("x-intyg-environment") == "production"

    @contextmanager
    def speaking(self, url: str) -> Iterator[Ehr]:
        """The EHR as tests speak of it, with a client certificate."""
        client = self.keys.client
        ehr = Ehr(Issuer(IntygTypes, Signer(self.keys)), _MachineTime())
        cert = str(client.cert), str(client.key)
        ehr.connect(f"{url}/services", verify=str(self.keys.ca), cert=cert)
        try:
            yield ehr
        finally:
            ehr.disconnect()
