"""What the demonstration plays on: an adapter, all mocks, and a tripwire."""

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from intyg.adapter import signature
from intyg.adapter.bootstrap.app import App, build_app
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.virtual_clock import VirtualClock
from intyg.adapter.httpd.ports import held_port
from intyg.adapter.settings.settings import load_settings
from intyg.adapter.signature.demo_keys import SIGNER_HSA_ID, TestKeys, make_test_keys
from intyg.mocks import testing
from intyg.mocks.clock.adapter_clock import AdapterClock
from intyg.mocks.clock.timeline import Timeline
from intyg.mocks.forsakringskassan import Forsakringskassan
from intyg.mocks.journalsystem import Journalsystem
from intyg.mocks.journalsystem.client import EhrClient, Staff
from intyg.mocks.journalsystem.sample import UNIT
from intyg.mocks.personas import make_personas
from intyg.mocks.server.serving import MockServer, run_mocks
from intyg.mocks.testing.ehr import Issuer
from intyg.mocks.testing.link import InProcess
from intyg.sandbox.demo.settings_file import settings_text, write_lists
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes

TEST_PERSONS: Final = ("189001019802", "189001029819")
"""From Skatteverket's published test numbers."""

PATIENT: Final = TEST_PERSONS[0]


class Tripwire:
    """An address that nobody may connect to; counts those who do."""

    scheme = "http"

    def __init__(self) -> None:
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"{self.scheme}://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._listen, name="tripwire", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            with contextlib.suppress(OSError), connection:
                self.take(connection)

    def take(self, connection: socket.socket) -> None:
        """What happens to whoever connects: nothing."""

    def close(self) -> None:
        """Stop listening."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@dataclass(frozen=True)
class Signer:
    """Who signs with the test keys; for the EHR's sentences."""

    keys: TestKeys
    hsa_id: str = SIGNER_HSA_ID

    def sign(self, body: bytes) -> bytes:
        """The same RegisterCertificate element with a signature in its intyg."""
        key = signature.load_signing_key(self.keys.signer.key, self.keys.signer.cert)
        return signature.sign_document(body, key)


@dataclass(frozen=True)
class Ports:
    """Where to listen: the adapter, and the mocks by persona; 0, or none, takes a free port."""

    adapter: int = 0
    mocks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Stage:
    """Everything that runs, and what the story needs to play on it."""

    folder: Path
    keys: TestKeys
    adapter: App
    mocks: Mapping[str, MockServer]
    real: Tripwire
    ehr: EhrClient
    staff: Staff
    timeline: Timeline

    @property
    def forsakringskassan(self) -> MockServer:
        return self.mocks["forsakringskassan"]

    @property
    def journalsystem(self) -> MockServer:
        return self.mocks["journalsystem"]

    @property
    def fk(self) -> Forsakringskassan:
        found = self.forsakringskassan.mock.persona
        assert isinstance(found, Forsakringskassan)
        return found

    @property
    def journal(self) -> Journalsystem:
        found = self.journalsystem.mock.persona
        assert isinstance(found, Journalsystem)
        return found

    @contextmanager
    def speaking(self) -> Iterator[tuple[testing.Journalsystem, testing.Forsakringskassan]]:
        """The EHR and Försäkringskassan as tests speak of them."""
        fk, ehr = self.forsakringskassan, self.journalsystem
        issuer = Issuer(IntygTypes, Signer(self.keys))
        settings, link = ehr.mock.settings, InProcess(ehr.mock, ehr.url)
        care = testing.Journalsystem("journalsystem", settings, link, issuer)
        care.connect(f"{self.adapter.url}/services")
        settings, link = fk.mock.settings, InProcess(fk.mock, fk.url)
        try:
            yield care, testing.Forsakringskassan("forsakringskassan", settings, link)
        finally:
            care.disconnect()


@contextmanager
def set_stage(
    folder: Path, keys: Path, ports: Ports = Ports(), control_token: str | None = None
) -> Iterator[Stage]:
    """
    Start adapter and mocks on loopback, and stop them again.

    Args:
        folder: Gets the settings file, the database and the lists that the
            settings name. Use an empty one for an empty database.
        keys: Folder of the test keys; made if it is not there.
        ports: Where to listen.
        control_token: What the mocks' control interfaces want; None: nothing.
    """
    made = make_test_keys(keys, system_clock(), keep=True)
    staff = Staff(SIGNER_HSA_ID, UNIT)
    write_lists(folder, TEST_PERSONS)
    timeline = Timeline()
    with contextlib.ExitStack() as stack:
        adapter_port = ports.adapter or stack.enter_context(held_port())
        services = f"http://127.0.0.1:{adapter_port}/services"
        personas = make_personas(
            Contracts(), IntygTypes(), services, (made.ca,), timeline, control_token=control_token
        )
        mocks = stack.enter_context(run_mocks(personas, ports=ports.mocks))
        real = stack.enter_context(contextlib.closing(Tripwire()))
        toml = folder / "adapter.toml"
        urls = {key: server.url for key, server in mocks.items()}
        toml.write_text(settings_text(adapter_port, keys, urls, real.url), "utf-8")
        with build_app(load_settings(toml), VirtualClock()) as adapter:
            timeline.follow(AdapterClock(f"{adapter.url}/api/clock"))
            ehr = EhrClient(services, "INTYGSADAPTER", staff)
            try:
                yield Stage(folder, made, adapter, mocks, real, ehr, staff, timeline)
            finally:
                ehr.close()
