"""What the pages take for granted: an adapter and mocks that run, and a few files."""

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import structlog

from intyg.adapter.cli.options import swedish_now
from intyg.adapter.cli.send import post_file
from intyg.adapter.formats import safe_xml
from intyg.mocks.journalsystem.sample import fk7804
from intyg.mocks.personas import FIRST_PORT, ports_from
from intyg.sandbox.demo import write_token
from intyg.sandbox.demo.stage import PATIENT, Stage, set_stage
from intyg.sandbox.demo.story import issue
from intyg.schemas.contract.contract import Contracts
from tests import builders
from tests.docs import pages

TOKEN: Final = "token-of-a-page"
"""What the mocks want of a reader."""

FREE_PORT: Final = re.compile(r"^port = 8080$", re.MULTILINE)


def environment_of_a_shell() -> dict[str, str]:
    """This process's, with the commands of this installation and without settings of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("INTYG_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return {**kept, "PATH": path, "PYTHONUTF8": "1"}


@dataclass(frozen=True)
class Reader:
    """
    Somebody who has installed the adapter, started it with the mocks, and now reads a page.

    Attributes:
        folder: Where they are; holds the files that the pages mention.
        stage: What is running.
    """

    folder: Path
    stage: Stage

    def here(self, text: str) -> str:
        """A block with the ports that things really run on."""
        ports = ports_from(FIRST_PORT)
        urls = {ports[key]: server.url for key, server in self.stage.mocks.items()}
        for port, url in {8080: self.stage.adapter.url, **urls}.items():
            text = text.replace(f"http://127.0.0.1:{port}", url)
        return text

    def environment(self, intygs_id: str) -> dict[str, str]:
        """Their shell's, and a certificate to speak of."""
        return {**environment_of_a_shell(), "INTYGS_ID": intygs_id}

    def issue(self, intygs_id: str) -> None:
        """What `make up` leaves: its settings, and a signed certificate in its envelope."""
        envelope = safe_xml.envelope(issue(self.stage, intygs_id), "INTYGSADAPTER")
        folder = self.folder / "data/up"
        folder.symlink_to(self.stage.folder)
        (folder / "fk7804.xml").write_bytes(envelope)
        settings = (self.stage.folder / "adapter.toml").read_text("utf-8")
        here = settings.replace('data_dir = "."', f'data_dir = "{self.stage.folder}"')
        (folder / "adapter.toml").write_text(here, "utf-8")
        write_token(folder, TOKEN)

    def register(self, intygs_id: str) -> None:
        """Have a certificate registered, and sent to Försäkringskassan."""
        self._post(issue(self.stage, intygs_id))
        self._post(builders.send_certificate_to_recipient(intygs_id, PATIENT))
        self.stage.journal.await_handelse("SKICKA", intygs_id)

    def _post(self, request: bytes) -> None:
        to = f"{self.stage.adapter.url}/services"
        answer = post_file(request, Contracts(), to, "INTYGSADAPTER", 10)
        assert answer.accepted, answer.text


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Adapter and mocks on loopback, for every page of the module."""
    before = structlog.get_config()
    folder = tmp_path_factory.mktemp("stage")
    with (folder / "adapter.log").open("w", encoding="utf-8") as stream:
        structlog.configure(logger_factory=structlog.WriteLoggerFactory(stream))
        with set_stage(folder, folder / "keys", control_token=TOKEN) as running:
            yield running
        structlog.configure(**before)


@pytest.fixture
def reader(stage: Stage, tmp_path: Path) -> Reader:
    reader = Reader(tmp_path, stage)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/keys").symlink_to(stage.keys.ca.parent)
    now = swedish_now()
    unsigned = fk7804("7c9c0a52-fk7804-of-a-page", PATIENT, stage.staff.personal_id, now)
    (tmp_path / "fk7804.xml").write_bytes(unsigned)
    signed = issue(stage, "7c9c0a52-envelope-of-a-page")
    (tmp_path / "signed-envelope.xml").write_bytes(safe_xml.envelope(signed, "FKASSA"))
    example = next(
        b.text for b in pages.blocks(pages.read("configuration.md")) if b.language == "toml"
    )
    (tmp_path / "adapter.toml").write_text(FREE_PORT.sub("port = 0", reader.here(example)), "utf-8")
    (tmp_path / "test-patients.csv").write_text(f"{PATIENT}\n", "utf-8")
    return reader
