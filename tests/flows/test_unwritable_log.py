"""While its log cannot be written the adapter answers, delivers and is well."""

import os
import re
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BufferedWriter
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import requests

from intyg.adapter import signature
from intyg.adapter.httpd.ports import held_port
from intyg.adapter.signature.demo_keys import SIGNER_HSA_ID
from intyg.mocks import forsakringskassan
from intyg.mocks.forsakringskassan import SETTINGS
from intyg.mocks.journalsystem.sample import fk7804
from intyg.mocks.server.serving import serve
from intyg.sandbox.demo.stage import PATIENT
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests.adapter.databases import postgresql_schema, why_no_postgresql
from tests.adapter.full_disk import small_disk
from tests.flows.test_kill import SETTINGS_FILE, register_and_send
from tests.mocks.kinds import Kassan

WHILE_FULL, AFTERWARDS = 8, 3
"""Certificates; each is two calls."""


@dataclass(frozen=True)
class Running:
    """A running adapter, the mock it delivers to, and who signs."""

    url: str
    fk: Kassan
    keys: Path

    def health(self) -> tuple[int, str]:
        answer = requests.get(f"{self.url}/health", timeout=10)
        return answer.status_code, answer.json().get("status", answer.text)

    def has_lost_lines(self) -> bool:
        """As one of its processes says."""
        text = requests.get(f"{self.url}/metrics", timeout=10).text
        [lost] = re.findall(r"^intyg_log_lines_lost_total (.*)$", text, re.MULTILINE)
        return float(lost) > 0

    def round_trip(self, count: int) -> None:
        """Register and send certificates, each call answered OK, and all of them arrive."""
        key = signature.load_signing_key(self.keys / "signer.key.pem", self.keys / "signer.pem")
        now = datetime.now(ZoneInfo("Europe/Stockholm"))
        ids = {str(uuid.uuid4()) for _ in range(count)}
        bodies = {
            one: signature.sign_document(fk7804(one, PATIENT, SIGNER_HSA_ID, now), key)
            for one in ids
        }
        with ThreadPoolExecutor(8) as callers:
            list(
                callers.map(
                    lambda item: register_and_send(f"{self.url}/services", *item), bodies.items()
                )
            )
        await_(lambda: ids <= {intyg.intygs_id for intyg in self.fk.persona.all_intyg()})


def await_(happened: Callable[[], object], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


@contextmanager
def running(
    command: Path, folder: Path, keys: Path, stderr: BufferedWriter, database_url: str | None
) -> Iterator[Running]:
    """`intyg serve`, in two processes if there is a database for them; it ends well."""
    (folder / "test-patients.csv").write_text(f"testpersonnummer\n{PATIENT}\n")
    fk_mock = forsakringskassan.PERSONA.make(Contracts(), IntygTypes(), SETTINGS)
    with serve(fk_mock) as fk, held_port() as port:
        toml = SETTINGS_FILE.format(port=port, keys=keys, fk=fk.url)
        several = []
        if database_url is not None:
            toml = f'database_url = "{database_url}"\n{toml}'
            several = ["--processes=2"]
        (folder / "adapter.toml").write_text(toml)
        serve_it = [str(command), "serve", "--config", "adapter.toml", *several]
        with subprocess.Popen(serve_it, cwd=folder, stderr=stderr) as process:
            stderr.close()
            adapter = Running(f"http://127.0.0.1:{port}", fk_mock, keys)
            try:
                await_(lambda: process.poll() is not None or _answers(adapter))
                yield adapter
            finally:
                process.terminate()
                assert process.wait(timeout=60) == 0


def _answers(adapter: Running) -> bool:
    try:
        return adapter.health() == (200, "ok")
    except requests.ConnectionError:
        return False


@pytest.fixture(params=["one process", "several"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    if request.param == "one process":
        yield None
        return
    if reason := why_no_postgresql():
        pytest.skip(reason)
    with postgresql_schema() as url:
        yield url


@pytest.mark.timeout(300)
def test_a_full_disk_under_the_log(
    tmp_path: Path, keys_folder: Path, intyg_command: Path, database_url: str | None
) -> None:
    with small_disk(tmp_path) as disk:
        log = disk.folder / "log"
        with running(intyg_command, tmp_path, keys_folder, log.open("ab"), database_url) as adapter:
            disk.fill()
            adapter.round_trip(WHILE_FULL)
            assert adapter.health() == (200, "ok")
            await_(adapter.has_lost_lines)
            disk.free()
            adapter.round_trip(AFTERWARDS)
            assert adapter.health() == (200, "ok")
        said = log.read_text("utf-8")
    assert said.count('"delivery.attempt"') >= AFTERWARDS
    if database_url is None:  # several processes do not know of each other's half lines
        assert not re.search(r'[^\n]\{"@timestamp"', said), "a line was glued to half a line"


@pytest.mark.timeout(300)
def test_a_log_that_nobody_reads_any_more(
    tmp_path: Path, keys_folder: Path, intyg_command: Path, database_url: str | None
) -> None:
    reads, writes = os.pipe()
    with running(intyg_command, tmp_path, keys_folder, open(writes, "wb"), database_url) as adapter:  # noqa: PTH123
        os.close(reads)
        adapter.round_trip(WHILE_FULL)
        assert adapter.health() == (200, "ok")
        await_(adapter.has_lost_lines)
