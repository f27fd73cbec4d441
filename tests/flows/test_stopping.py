"""SIGTERM while attempts hang: it ends in time, and what hangs is left to the lease."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.formats.safe_xml import envelope
from intyg.adapter.httpd.ports import held_port
from intyg.adapter.settings.settings import DeliverySettings
from intyg.adapter.store import Store
from intyg.schemas.contract.contract import Contracts
from tests import builders
from tests.adapter.databases import postgresql_schema, sqlite_url, why_no_postgresql
from tests.adapter.receivers import HANG, receiver

STOP_SECONDS = 1.0
SLACK_SECONDS = 5.0
"""On a busy machine. An attempt would hang for a minute."""

TOML = """
environment = "demo"
data_dir = "."
database_url = "{database}"
signature = "accept"
[server]
port = {port}
threads = 2
[recipients.FKASSA]
name = "FK"
logical_address = "FK"
[destinations.fk]
url = "{fk}"
kind = "mock"
timeout_seconds = 60
[[routes]]
contract = "*"
logical_address = "FK"
destination = "fk"
[delivery]
workers = 2
poll_seconds = 0.1
stop_seconds = {stop_seconds}
"""


def await_(happened: Callable[[], object], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


def call(url: str, name: str, major: int, body: bytes) -> None:
    path = Contracts().get(name, major).path
    headers = {"Content-Type": "text/xml; charset=UTF-8"}
    data = envelope(body, "INTYGSADAPTER")
    answer = requests.post(f"{url}/services{path}", data, headers=headers, timeout=30).text
    assert ">OK<" in answer or ">INFO<" in answer, answer


def register_and_send(url: str, intygs_id: str) -> None:
    call(url, "RegisterCertificate", 3, builders.register_certificate(intygs_id))
    send = builders.send_certificate_to_recipient(intygs_id)
    call(url, "SendCertificateToRecipient", 2, send)


@contextmanager
def serving(
    folder: Path, port: int, *options: str, code: Path | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """`intyg serve`, as it is now or as it was; killed at the end if it runs still."""
    command = [sys.executable, "-m", "intyg.adapter", "serve", "-c", f"{port}.toml", *options]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("INTYG_")}
    if code is not None:
        environment["PYTHONPATH"] = str(code)
    with (folder / f"{port}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stderr=log, env=environment)
    try:
        await_(lambda: process.poll() is not None or is_well(port))
        assert process.poll() is None, (folder / f"{port}.log").read_text()
        yield process
    finally:
        process.kill()
        process.wait()


def is_well(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


@contextmanager
def a_database(processes: int, folder: Path) -> Iterator[str]:
    if processes == 1:
        yield sqlite_url(folder)
        return
    if reason := why_no_postgresql():
        pytest.skip(reason)
    with postgresql_schema() as url:
        yield url


@pytest.mark.timeout(180)
@pytest.mark.parametrize("processes", [1, 2])
def test_it_ends_in_time_though_attempts_hang(tmp_path: Path, processes: int) -> None:
    with (
        receiver() as fk,
        a_database(processes, tmp_path) as database,
        held_port() as port,
    ):
        fk.answer = lambda _: HANG
        toml = TOML.format(database=database, port=port, fk=fk.url, stop_seconds=STOP_SECONDS)
        (tmp_path / f"{port}.toml").write_text(toml)
        with serving(tmp_path, port, f"--processes={processes}") as process:
            register_and_send(f"http://127.0.0.1:{port}", "intyg-1")
            await_(lambda: fk.received)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
            took = time.monotonic() - began
        assert STOP_SECONDS <= took < STOP_SECONDS + SLACK_SECONDS
        assert "delivery.left_under_way" in (tmp_path / f"{port}.log").read_text()
        store = Store(database, system_clock, read_only=True)
        with store.read() as rows:
            [left] = rows.deliveries.find("intyg-1")
        store.close()
    assert left.state is DeliveryState.SENDING


def test_by_default_it_ends_before_a_container_is_killed() -> None:
    assert DeliverySettings().stop_seconds == 8.0
