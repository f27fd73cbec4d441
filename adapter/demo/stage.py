"""What the demonstration plays on: an adapter, Försäkringskassan, an EHR, and a tripwire."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from adapter.app import App, build_app
from adapter.make_keys import SIGNER_HSA_ID, TestKeys, make_test_keys
from adapter.settings import load_settings
from mocks.forsakringskassan import SETTINGS as FORSAKRINGSKASSAN
from mocks.forsakringskassan import Forsakringskassan
from mocks.journalsystem.client import EhrClient, Staff
from mocks.journalsystem.persona import SETTINGS as JOURNALSYSTEM
from mocks.journalsystem.persona import Journalsystem
from mocks.journalsystem.sample import UNIT
from mocks.serving import MockServer, serve
from schemas.contract import Contracts
from schemas.intyg_type import IntygTypes

TEST_PERSONS: Final = ("189001019802", "189001029819")
"""From Skatteverket's published test numbers."""

PATIENT: Final = TEST_PERSONS[0]

_SETTINGS: Final = """\
# Written by `intyg demo`: an adapter, a mock Försäkringskassan and a mock EHR on loopback.
environment = "demo"
data_dir = "."
logical_address = "INTYGSADAPTER"
signature = "require"

[server]
port = {adapter_port}

[trust]
anchors = ["{keys}/ca.pem"]

[signing]
key = "{keys}/signer.key.pem"
cert = "{keys}/signer.pem"

[test_patients]
list_files = ["test-patients.csv"]

[recipients.FKASSA]
name = "Försäkringskassan"
logical_address = "FKASSA"

[recipients.FBA]
name = "An authority that is marked real"
logical_address = "REAL-AUTHORITY"
types = ["LISJP"]

[destinations.forsakringskassan]
url = "{forsakringskassan}"
kind = "mock"

[destinations.real]
url = "{real}"
kind = "real"
allow = true     # to show that the guard stops what is on its way there

[destinations.ehr]
url = "{ehr}"
kind = "mock"
role = "care"

[[routes]]
contract = "*"
logical_address = "FKASSA"
destination = "forsakringskassan"

[[routes]]
contract = "*"
logical_address = "REAL-AUTHORITY"
destination = "real"

[[routes]]
contract = "*"
logical_address = "{unit}"
destination = "ehr"
"""


class Tripwire:
    """An address that nobody may connect to; counts those who do."""

    def __init__(self) -> None:
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._listen, name="tripwire", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()

    def close(self) -> None:
        """Stop listening."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@dataclass(frozen=True)
class Ports:
    """Where to listen; 0 takes a free port."""

    adapter: int = 0
    forsakringskassan: int = 0
    journalsystem: int = 0


@dataclass(frozen=True)
class Stage:
    """Everything that runs, and what the story needs to play on it."""

    folder: Path
    keys: TestKeys
    adapter: App
    forsakringskassan: MockServer
    journalsystem: MockServer
    real: Tripwire
    ehr: EhrClient
    staff: Staff

    @property
    def fk(self) -> Forsakringskassan:
        assert isinstance(self.forsakringskassan.mock, Forsakringskassan)
        return self.forsakringskassan.mock

    @property
    def journal(self) -> Journalsystem:
        assert isinstance(self.journalsystem.mock, Journalsystem)
        return self.journalsystem.mock


@contextmanager
def set_stage(folder: Path, keys: Path, ports: Ports = Ports()) -> Iterator[Stage]:
    """
    Start adapter and mocks on loopback, and stop them again.

    Args:
        folder: Gets the settings file, the database and the list of test
            patients. Use an empty one for an empty database.
        keys: Folder of the test keys; made if it is not there.
        ports: Where to listen.
    """
    made = make_test_keys(keys, keep=True)
    staff = Staff(SIGNER_HSA_ID, UNIT)
    test_patients = folder / "test-patients.csv"
    test_patients.write_text("\n".join(("testpersonnummer", *TEST_PERSONS)) + "\n", "utf-8")
    adapter_port = ports.adapter or _free_port()
    contracts, types = Contracts(), IntygTypes()
    fk_settings = replace(
        FORSAKRINGSKASSAN,
        adapter_url=f"http://127.0.0.1:{adapter_port}/services",
        ca_files=(made.ca,),
    )
    with (
        serve(Forsakringskassan(contracts, types, fk_settings), port=ports.forsakringskassan) as fk,
        serve(Journalsystem(contracts, JOURNALSYSTEM), port=ports.journalsystem) as journalsystem,
        _tripwire() as real,
    ):
        toml = folder / "adapter.toml"
        toml.write_text(
            _SETTINGS.format(
                adapter_port=adapter_port,
                keys=keys.resolve(),
                forsakringskassan=fk.url,
                real=real.url,
                ehr=journalsystem.url,
                unit=UNIT,
            ),
            "utf-8",
        )
        with build_app(load_settings(toml)) as adapter:
            ehr = EhrClient(f"{adapter.url}/services", "INTYGSADAPTER", staff)
            try:
                yield Stage(folder, made, adapter, fk, journalsystem, real, ehr, staff)
            finally:
                ehr.close()


@contextmanager
def _tripwire() -> Iterator[Tripwire]:
    tripwire = Tripwire()
    try:
        yield tripwire
    finally:
        tripwire.close()


def _free_port() -> int:
    """A port that was free a moment ago; both sides must know it before either starts."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def free_or_any(port: int) -> int:
    """The port, or 0 if somebody has it."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return 0
    return port
