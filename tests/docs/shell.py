"""Follow a page as its reader would: paste its blocks into a shell, in order, in a clone."""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final

from tests.docs.pages import ROOT, Block
from tests.free_ports import ports_in_a_row
from tests.real_tools import need

TIMEOUT_SECONDS: Final = 180
"""For one block, on a machine that does much else; installing takes no longer."""

FIRST_PORT: Final = 8080
"""The adapter's in the pages; the mocks have the next ones."""

_PORT: Final = re.compile(r"\b808([0-6])\b")

_STAYS: Final = re.compile(
    r"^(?=make up\b|intyg (?:serve|mocks(?! (?!national)[a-z]))\b)", re.MULTILINE
)
"""Commands that end when they are stopped."""

_RUNS: Final = re.compile(
    r"^(?:Ctrl-C stops|adapter, environment|(?:Arbetsförmedlingen|National mock service) +http)",
    re.MULTILINE,
)
"""What the last of those that start together says when it runs."""

_ANOTHER_TERMINAL: Final = re.compile(r"source |make up\b")
"""How a block for another terminal begins; what runs there goes on while the page is read."""

_FILE_NAME: Final = re.compile(r"# (data/try/\S+)$", re.MULTILINE)
"""The first line of a block that is a file."""

_TOOLS: Final = {"softhsm2-util": "softhsm2", "pkcs11-tool": "opensc"}
"""Programs that a page may use and that may be missing, and the Debian packages that have them."""

_BEGIN: Final = """\
set -euo pipefail
curl() { command curl --fail-with-body "$@"; }  # an HTTP error is a failure
"""


class Shell:
    """
    A reader's shell, in a clone where `make setup` has installed what it installs, and no more.

    Attributes:
        folder: The clone.
        not_run: Why blocks were left out, one text a block.
    """

    def __init__(self, folder: Path, scratch: Path, first_port: int) -> None:
        self.folder = folder
        self.not_run: list[str] = []
        self._scratch = scratch
        self._first_port = first_port
        self._started: list[int] = []
        self._blocks = 0
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=_environment(first_port),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._paste(_BEGIN)

    def run(self, block: Block) -> None:
        """Do what a block says; what it prints must be what the page says."""
        text = self._here(block.text)
        named = _FILE_NAME.match(text)
        match block.language:
            case "bash":
                printed = self._commands(text)
            case "python" if named:
                (self.folder / named[1]).write_text(text, "utf-8")
                printed = self._commands(f"pytest -q {named[1]}")
            case "python":
                printed = self._commands(f"python - <<'PYTHON'\n{text}\nPYTHON")
            case "toml" if named:
                (self.folder / named[1]).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / named[1]).write_text(text, "utf-8")
                printed = None
            case "toml":
                printed = self._settings(text)
            case _:
                return
        if block.output is not None and printed is not None:
            wanted = self._here(block.output)
            assert matches(printed, wanted), f"it prints:\n{printed}\nthe page says:\n{wanted}"

    def close(self) -> None:
        """End all that was started, whatever has become of it."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        try:
            for process in self._started:
                _end(process)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._bash.pid, signal.SIGKILL)
            self._bash.wait(TIMEOUT_SECONDS)
            self._bash.stdin.close()
            self._bash.stdout.close()

    def _here(self, text: str) -> str:
        """A text with the ports that things really run on."""
        return _PORT.sub(lambda match: str(self._first_port + int(match[1])), text)

    def _commands(self, text: str) -> str | None:
        for tool, package in _TOOLS.items():
            if tool in text:
                need(package, tool)
        if "curl" in text and (reason := why_no_curl()):
            self.not_run.append(reason)
            return None
        if not _STAYS.search(text):
            return self._paste(text)
        self._start(_STAYS.sub("exec ", text))
        if not _ANOTHER_TERMINAL.match(text):
            _end(self._started.pop())  # as its reader does, who cannot paste anything there before
        return None

    def _paste(self, text: str) -> str:
        """Paste commands; what they print on standard output."""
        out, err = self._scratch / f"out-{self._blocks}", self._scratch / f"err-{self._blocks}"
        self._blocks += 1
        assert self._bash.stdin is not None
        script = f"{{\n{text}\n}} < /dev/null > {out} 2> {err}\necho\n"
        self._bash.stdin.write(script.encode())
        self._bash.stdin.flush()
        ended = self._said() == b""
        printed = out.read_text("utf-8")
        assert not ended, f"{text}\nfailed:\n{printed}{err.read_text('utf-8')}"
        return printed

    def _said(self) -> bytes:
        """The next words of the shell itself; none when it ended, as it does at an error."""
        assert self._bash.stdout is not None
        readable, _, _ = select.select([self._bash.stdout], [], [], TIMEOUT_SECONDS)
        assert readable, "it takes too long"
        return os.read(self._bash.stdout.fileno(), 4096)

    def _start(self, text: str) -> None:
        """Start what stays, and wait until it says that it runs."""
        log = self._scratch / f"log-{self._blocks}"
        log.touch()  # before somebody else does
        process = int(self._paste(f"(\n{text}\n) > {log} 2>&1 &\necho $!"))
        self._started.append(process)
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not _RUNS.search(log.read_text("utf-8")):
            assert _lives(process), f"{text}\nended:\n{log.read_text('utf-8')}"
            assert time.monotonic() < deadline, f"{text}\ndoes not say that it runs"
            time.sleep(0.1)

    def _settings(self, text: str) -> str:
        path = self._scratch / "part.toml"
        path.write_text(text, "utf-8")
        from intyg.adapter.settings.settings import (
            load_settings,
        )  # a walk begins before there is one

        rest = {} if "environment" in text else {"environment": "test"}
        return repr(load_settings(path, **rest))


@contextmanager
def shell_in_a_clone(folder: Path, command: Path) -> Iterator[Shell]:
    """
    A shell in a new clone with nothing in `data/`; nothing is left running.

    Pasting may leave things in `data/`, which belongs to nobody's commit, and nowhere else.

    Args:
        command: What is installed there as `intyg`.
    """
    clone, scratch = folder / "clone", folder / "scratch"
    scratch.mkdir()
    _make_clone(clone, command)
    before = set(clone.iterdir())
    with ports_in_a_row(7) as first_port:
        shell = Shell(clone, scratch, first_port)
        try:
            yield shell
        finally:
            shell.close()
    left = {path.name for path in set(clone.iterdir()) - before}
    assert left <= {"data"}, left


def _make_clone(clone: Path, command: Path) -> None:
    """What a clone holds after `make setup`, but for the keys in `data/`."""
    installed = clone / ".venv"
    installed.mkdir(parents=True)
    for entry in ROOT.iterdir():
        if entry.name not in {"data", ".venv", ".git"}:
            (clone / entry.name).symlink_to(entry)
    for entry in Path(sys.prefix).iterdir():
        if entry.name not in {".done", "bin"}:
            (installed / entry.name).symlink_to(entry)
    _install_programs(installed, command)
    (installed / ".done").touch()  # newer than what `make` compares it with


def _install_programs(installed: Path, command: Path) -> None:
    """Those of this installation, but for the command, and for where a shell looks for them."""
    own, here = installed / "bin", Path(sys.prefix) / "bin"
    own.mkdir()
    for entry in here.iterdir():
        if entry.name not in {"activate", "intyg"}:
            (own / entry.name).symlink_to(entry)
    (own / "intyg").symlink_to(command)
    activate = (here / "activate").read_text("utf-8")
    (own / "activate").write_text(activate.replace(sys.prefix, str(installed)), "utf-8")


def _environment(first_port: int) -> dict[str, str]:
    """This process's, without what is installed here, and without settings of its own."""
    installed = str(Path(sys.prefix) / "bin") if sys.prefix != sys.base_prefix else None
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("INTYG_", "MAKE", "MFLAGS", "PYTEST_", "VIRTUAL_ENV"))
    }
    if first_port != FIRST_PORT:
        kept["MAKEFLAGS"] = f"PORTS_FROM={first_port}"
    return {
        **kept,
        "PATH": os.pathsep.join(each for each in path if each != installed),
        "PYTHONUTF8": "1",
    }


def _lives(process: int) -> bool:
    """Whether a child of the shell is there still."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _end(process: int) -> None:
    with suppress(ProcessLookupError):  # the page has stopped it itself
        os.kill(process, signal.SIGTERM)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while _lives(process):
        assert time.monotonic() < deadline, "it does not stop"
        time.sleep(0.05)


@cache
def why_no_curl() -> str | None:
    """Why blocks with curl cannot be run here; None when they can."""
    if shutil.which("curl") is None:
        return "there is no curl"
    done = subprocess.run(["curl", "--help", "all"], capture_output=True, check=False)
    return None if b"--json" in done.stdout else "curl is older than 7.82 and knows no --json"


def matches(printed: str, wanted: str) -> bool:
    """Whether a text is as the page has it; `…` in the page stands for anything."""
    parts = [re.escape(part) for part in wanted.strip().split("…")]
    return re.fullmatch(".*".join(parts), printed.strip(), re.DOTALL) is not None
