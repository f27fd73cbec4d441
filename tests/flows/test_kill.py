"""The adapter is killed in the middle of its work, and nothing is lost."""

import os
import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from intyg.adapter import signature
from intyg.adapter.cli.options import swedish_now
from intyg.adapter.httpd.ports import held_port
from intyg.adapter.signature.demo_keys import SIGNER_HSA_ID
from intyg.mocks import forsakringskassan
from intyg.mocks.forsakringskassan import SETTINGS
from intyg.mocks.journalsystem.sample import fk7804
from intyg.mocks.server.serving import serve
from intyg.sandbox.demo.stage import PATIENT
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders

ROOT = Path(__file__).parents[2]

COUNT = 200
"""Certificates."""

KILL_AFTER = 60
"""How many have arrived when the adapter is killed."""

SETTINGS_FILE = """
environment = "demo"
data_dir = "."
[server]
port = {port}
[trust]
anchors = ["{keys}/ca.pem"]
[test_patients]
list_files = ["test-patients.csv"]
[recipients.FKASSA]
name = "Försäkringskassan"
logical_address = "FKASSA"
[destinations.fk]
url = "{fk}"
kind = "mock"
[[routes]]
contract = "*"
logical_address = "FKASSA"
destination = "fk"
[delivery]
waits_seconds = [0.5]
"""


class Adapter:
    """`intyg serve` as a process of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self.url = f"http://127.0.0.1:{port}/services"
        self.start()

    def start(self) -> None:
        with (self._folder / "adapter.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "intyg.adapter", "serve", "--config", "adapter.toml"],
                cwd=self._folder,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        deadline = time.monotonic() + 30
        while True:
            try:
                requests.get(self.url, timeout=1)
                return
            except requests.ConnectionError:
                assert self.process.poll() is None, (self._folder / "adapter.log").read_text()
                assert time.monotonic() < deadline, "the adapter did not start"
                time.sleep(0.05)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(timeout=20) == 0


def test_killed_adapter_delivers_every_certificate_once(tmp_path: Path, keys_folder: Path) -> None:
    """
    200 certificates are registered and sent by four callers that try again when a call fails. The
    process is killed once 60 have arrived, and started again.
    """
    key = signature.load_signing_key(keys_folder / "signer.key.pem", keys_folder / "signer.pem")
    now = swedish_now()
    messages = {}
    for _ in range(COUNT):
        intygs_id = str(uuid.uuid4())
        body = fk7804(intygs_id, PATIENT, SIGNER_HSA_ID, now)
        messages[intygs_id] = signature.sign_document(body, key)
    (tmp_path / "test-patients.csv").write_text(f"testpersonnummer\n{PATIENT}\n")
    fk_mock = forsakringskassan.PERSONA.make(Contracts(), IntygTypes(), SETTINGS)
    with serve(fk_mock) as fk, held_port() as port:
        toml = SETTINGS_FILE.format(port=port, keys=keys_folder, fk=fk.url)
        (tmp_path / "adapter.toml").write_text(toml)
        adapter = Adapter(tmp_path, port)
        try:
            with ThreadPoolExecutor(4) as callers:
                done = callers.map(
                    lambda item: register_and_send(adapter.url, *item),
                    messages.items(),
                )
                while len(fk_mock.persona.all_intyg()) < KILL_AFTER:
                    time.sleep(0.01)
                adapter.kill()
                arrived_at_kill = len(fk_mock.persona.all_intyg())
                adapter.start()
                list(done)
            deadline = time.monotonic() + 60
            while len(fk_mock.persona.all_intyg()) < COUNT and time.monotonic() < deadline:
                time.sleep(0.05)
        finally:
            adapter.stop()
    calls = fk_mock.journal.entries(contract="RegisterCertificate")
    assert arrived_at_kill < COUNT, "killed too late to show anything"
    assert {each.intygs_id for each in fk_mock.persona.all_intyg()} == set(messages)
    assert all(each.result_code in ("OK", "INFO") for each in calls)
    assert sum(each.result_code == "OK" for each in calls) == COUNT
    repeats = len(calls) - COUNT
    # only what a worker held when the process died is sent again: one for each of four workers
    assert repeats <= 4, f"{repeats} certificates were sent twice"


def register_and_send(url: str, intygs_id: str, body: bytes) -> None:
    """As an EHR that repeats a call until it is answered."""
    for contract, message in (
        ("RegisterCertificate/3", _envelope(body)),
        ("SendCertificateToRecipient/2", _envelope(_send_request(intygs_id))),
    ):
        address = f"{url}/clinicalprocess/healthcond/certificate/{contract}/rivtabp21"
        deadline = time.monotonic() + 60
        while True:
            try:
                reply = requests.post(
                    address, message, headers={"Content-Type": "text/xml"}, timeout=10
                )
                break
            except requests.RequestException:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        assert b">OK<" in reply.content or b">INFO<" in reply.content, reply.text


def _envelope(body: bytes) -> bytes:
    return (
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>'
        b'<LogicalAddress xmlns="urn:riv:itintegration:registry:1">A</LogicalAddress></s:Header>'
        b"<s:Body>" + body + b"</s:Body></s:Envelope>"
    )


def _send_request(intygs_id: str) -> bytes:
    return builders.send_certificate_to_recipient(intygs_id=intygs_id, person=PATIENT)
