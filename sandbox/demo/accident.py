"""The accident: a test patient used in production, whose certificate goes to the authority.

Played for real: an adapter of its own process in the environment production, with keys that it
takes, and an authority that listens and counts. Nothing reaches it. Then a certificate of somebody
whom no signal knows goes the same way and arrives, so that one sees that it would have.
"""

import contextlib
import socket
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import requests
from rich.console import Console

from intyg.adapter import signature
from intyg.adapter.cli.blocked import block_line, read_blocked
from intyg.adapter.cli.options import swedish_now
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.httpd.ports import held_port
from intyg.adapter.settings.settings import load_settings
from intyg.adapter.signature.demo_keys import (
    CLIENT_HSA_ID,
    SIGNER_HSA_ID,
    TestKeys,
    make_stand_in_keys,
)
from intyg.mocks.journalsystem.client import Answer, EhrClient, Staff
from intyg.mocks.journalsystem.sample import UNIT, fk7804
from intyg.sandbox.demo.narrator import (
    ADAPTER,
    EHR,
    REAL,
    WAIT_SECONDS,
    Narrator,
    StoryError,
    result_of,
)
from intyg.sandbox.demo.stage import TEST_PERSONS, Tripwire
from intyg.schemas import ns

PATIENT: Final = TEST_PERSONS[0]

SOMEBODY: Final = "195801082743"
"""Stands for a real person: a published test number that looks like anybody's, on no list here."""

START_SECONDS: Final = 60.0

QUIET_SECONDS: Final = 1.5
"""Longer than a worker waits before it looks for work: then nothing will come any more."""

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


@dataclass
class Accident(Narrator):
    """
    Plays the accident and prints it.

    Attributes:
        folder: Made; gets keys, settings and database of the adapter in production.
        log: Its log.
        console: Where it is told.
        first_step: Number of the first step.
        wait_seconds: How long an effect may take to show.
        list_patient: Whether the test patient is on the list. False lets the accident happen.
    """

    folder: Path
    log: Path
    console: Console
    first_step: int = 1
    wait_seconds: float = WAIT_SECONDS
    list_patient: bool = True
    last_step: int = 0
    intygs_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    other_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    _started: float = field(default_factory=time.monotonic)

    def play(self) -> None:
        """
        Run every step.

        Raises:
            StoryError: The first step that did not do what it should.
        """
        self.folder.mkdir(parents=True)
        self._keys = make_stand_in_keys(self.folder / "keys", system_clock())
        with contextlib.closing(Authority(self._keys)) as self._authority, held_port() as port:
            self._write_settings(port)
            url = f"https://127.0.0.1:{port}"
            with self.adapter(url), self._ehr(url) as self._client:
                steps = [
                    ("In production, a test patient's certificate is signed", self._register),
                    ("It is sent, by mistake, to the real authority", self._send),
                    ("Somebody else's certificate goes the same way", self._control),
                ]
                self.steps(steps, self.first_step)

    # --- steps ------------------------------------------------------------------------------------

    def _register(self) -> None:
        self.note("an adapter of its own: environment production, with TLS and its own keys")
        answer = self._client.register(self._issue(self.intygs_id, PATIENT))
        self.tell(EHR, ADAPTER, "RegisterCertificate", answer)

    def _send(self) -> None:
        answer = self._ask_to_send(self.intygs_id, PATIENT)
        self.line(EHR, ADAPTER, "SendCertificateToRecipient", result_of(answer))
        if (answer.code, answer.error_id) != ("ERROR", "VALIDATION_ERROR"):
            raise StoryError(f"expected ERROR VALIDATION_ERROR, got {result_of(answer)}")
        self.note(answer.text or "")
        row = self._blocked_row()
        self.line("operator", ADAPTER, "intyg blocked", "1 block")
        self.note(row)
        time.sleep(QUIET_SECONDS)
        if self._authority.connections:
            raise StoryError(f"{self._authority.connections} connections to the real authority")
        self.line(ADAPTER, REAL, "nothing", "0 connections, 0 bytes")

    def _control(self) -> None:
        self.note("of a person whom no signal knows, so that one sees what would have happened")
        answer = self._client.register(self._issue(self.other_id, SOMEBODY))
        self.tell(EHR, ADAPTER, "RegisterCertificate", answer)
        answer = self._ask_to_send(self.other_id, SOMEBODY)
        self.tell(EHR, ADAPTER, "SendCertificateToRecipient", answer)
        # Not its first bytes: head and body may come apart, and all of them are told.
        self.eventually(lambda: self._authority.requests, f"nothing came to the {REAL}")
        connections = self._authority.connections
        counted = f"{connections} connection, {self._authority.bytes} bytes"
        self.line(ADAPTER, REAL, "RegisterCertificate", counted)
        if connections != 1:
            raise StoryError(f"{connections} connections to the real authority instead of one")

    # --- what is played on ------------------------------------------------------------------------

    def _issue(self, intygs_id: str, person: str) -> bytes:
        signed_at = swedish_now(timedelta(minutes=1))
        key = signature.load_signing_key(self._keys.signer.key, self._keys.signer.cert)
        return signature.sign_document(fk7804(intygs_id, person, SIGNER_HSA_ID, signed_at), key)

    def _ask_to_send(self, intygs_id: str, person: str) -> Answer:
        return self._client.send(intygs_id, person, "FKASSA", swedish_now())

    def _blocked_row(self) -> str:
        """What `intyg blocked` tells of the certificate."""
        blocks = read_blocked(load_settings(self.folder / "adapter.toml"))["blocks"]
        rows = [row for row in blocks if row["intygsId"] == self.intygs_id]
        if len(rows) != 1:
            raise StoryError(f"intyg blocked tells of {len(rows)} blocks")
        return block_line(rows[0])

    def _write_settings(self, port: int) -> None:
        patients = TEST_PERSONS if self.list_patient else TEST_PERSONS[1:]
        text = "\n".join(("testpersonnummer", *patients)) + "\n"
        (self.folder / "test-patients.csv").write_text(text, "utf-8")
        settings = _SETTINGS.format(
            port=port,
            keys=self._keys.ca.parent.resolve(),
            authority=self._authority.url,
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
            health = requests.get(f"{url}/health", verify=str(self._keys.ca), timeout=5)
        except requests.RequestException:
            return False
        return health.headers.get("x-intyg-environment") == "production"

    @contextmanager
    def _ehr(self, url: str) -> Iterator[EhrClient]:
        client = self._keys.client
        ehr = EhrClient(
            f"{url}/services",
            "INTYGSADAPTER",
            Staff(SIGNER_HSA_ID, UNIT),
            verify=str(self._keys.ca),
            cert=(str(client.cert), str(client.key)),
        )
        try:
            yield ehr
        finally:
            ehr.close()
