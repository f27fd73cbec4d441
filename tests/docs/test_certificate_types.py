"""The pages about certificate types: made from the files, and the walk-through that adds one."""

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from intyg.adapter.httpd.ports import held_port
from intyg.schemas.export.pages import pages as made_pages
from intyg.schemas.typefile.lookup import IntygTypes
from tests.docs import pages
from tests.docs.conftest import environment_of_a_shell
from tests.docs.pages import ROOT, Block
from tests.docs.shell import TIMEOUT_SECONDS, matches

CERTIFICATES: Final = ROOT / "docs/certificates"
WALK_THROUGH: Final = "add-a-certificate-type.md"

_STAYS: Final = re.compile(r"^(?=intyg (?:serve|mocks)\b)", re.MULTILINE)
_RUNNING: Final = re.compile(r"^(?:adapter, environment|Journalsystem +http)", re.MULTILINE)
_CURL: Final = (
    f"{sys.executable} -c 'import sys, urllib.request as u;"
    " print(u.urlopen(sys.argv[1]).read().decode())'"
)


# --- one page a type ------------------------------------------------------------------------------


def test_pages_are_those_that_the_files_make() -> None:
    wanted = made_pages(IntygTypes())
    assert sorted(wanted) == sorted(path.name for path in CERTIFICATES.iterdir())
    for name, text in wanted.items():
        assert (CERTIFICATES / name).read_text("utf-8") == text, f"`make docs` writes {name} anew"


def test_every_rule_is_on_its_type_s_page() -> None:
    types = IntygTypes()
    for intyg_type in types.all():
        page = (CERTIFICATES / f"{intyg_type.code.lower()}.md").read_text("utf-8")
        for rule in intyg_type.rules:
            assert f"| `{intyg_type.key}/{rule.ref.id}` | {rule.ref.severity}" in page
        for question in intyg_type.questions:
            assert f"| **{question.svar}" in page
            for part in question.delsvar:
                assert f"| {part.id.replace('*', chr(92) + '*')} |" in page


def test_links_of_the_index_lead_to_the_pages() -> None:
    index = (CERTIFICATES / "README.md").read_text("utf-8")
    linked = {link for link in pages.links(index) if "/" not in link}
    assert linked == {path.name for path in CERTIFICATES.iterdir()} - {"README.md"}


# --- the walk-through -----------------------------------------------------------------------------


class Reader:
    """
    Somebody who does what the page says, with servers that stay until the end.

    Args:
        folder: Where they work.
        ports: For each port of the page, the one that is used instead.
    """

    def __init__(self, folder: Path, ports: Mapping[str, str]) -> None:
        self.folder = folder
        self._ports = ports
        self._environment = environment_of_a_shell()
        self._servers: list[subprocess.Popen[bytes]] = []

    def follow(self, block: Block) -> None:
        text = block.text
        for port, free in self._ports.items():
            text = text.replace(port, free)
        if block.language == "yaml":
            path = self.folder / text.splitlines()[0].removeprefix("# ")
            path.parent.mkdir()
            path.write_text(text, "utf-8")
        elif block.language == "toml":
            (self.folder / "adapter.toml").write_text(text, "utf-8")
        elif block.language == "bash":
            self._run(text, block.output)

    def _run(self, text: str, output: str | None) -> None:
        if "intyg mocks" in text:
            port = self._ports["8081"]
            text = text.rstrip() + f" --ports-from 0 --port forsakringskassan={port}\n"
        if shutil.which("curl") is None:
            text = text.replace("curl -s", _CURL)
        if _STAYS.search(text):
            self._start("set -eu\n" + _STAYS.sub("exec ", text))
            return
        done = subprocess.run(
            ["bash", "-euc", text],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        if output is not None:
            assert matches(done.stdout, output), f"it prints:\n{done.stdout}\nnot:\n{output}"

    def _start(self, script: str) -> None:
        log = self.folder / f"server-{len(self._servers)}.log"
        with log.open("wb") as stream:
            server = subprocess.Popen(
                ["bash", "-c", script],
                cwd=self.folder,
                env=self._environment,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        self._servers.append(server)
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not _RUNNING.search(log.read_text("utf-8")):
            assert server.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < deadline, "it does not say that it runs"
            time.sleep(0.1)

    def stop(self) -> None:
        for server in self._servers:
            server.send_signal(signal.SIGTERM)
        for server in self._servers:
            try:
                server.wait(TIMEOUT_SECONDS)
            finally:
                server.kill()


@contextmanager
def _following(folder: Path) -> Iterator[Reader]:
    with held_port() as adapter, held_port() as kassan:
        reader = Reader(folder, {"8080": str(adapter), "8081": str(kassan)})
        try:
            yield reader
        finally:
            reader.stop()
