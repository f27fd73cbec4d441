"""Run a page's blocks as its reader would, one after the other, in one folder."""

import re
import shutil
import signal
import subprocess
import sys
from functools import cache
from typing import Final

from intyg.adapter.settings.settings import load_settings
from tests.docs.conftest import Reader
from tests.docs.pages import ROOT, Block

TIMEOUT_SECONDS: Final = 60

_SERVER: Final = re.compile(r"^(?=intyg (?:serve|mocks(?! (?!national)[a-z]))\b)", re.MULTILINE)
_RUNNING: Final = re.compile(
    r"^(?:adapter, environment|(?:Försäkringskassan|National mock service) +http)"
)
_FILE_NAME: Final = re.compile(r"# (test_\w+\.py)$", re.MULTILINE)
"""The first line of a block that says what its reader calls the file."""

_MAKE: Final = re.compile(r"make \w+")


class Shell:
    """
    A reader's shell.

    Attributes:
        not_run: Why blocks were left out, one text a block.
    """

    def __init__(self, reader: Reader, intygs_id: str) -> None:
        self._reader = reader
        self._environment = reader.environment(intygs_id)
        self.not_run: list[str] = []

    def run(self, block: Block) -> None:
        """Run a block; what it prints must be what the page says."""
        text = self._reader.here(block.text)
        match block.language:
            case "bash":
                printed = self._bash(text)
            case "python":
                named = _FILE_NAME.match(text)
                printed = self._python(text, named[1] if named else f"test_block_{block.line}.py")
            case "toml":
                printed = self._toml(text, f"block_{block.line}")
            case _:
                return
        if block.output is not None and printed is not None:
            wanted = self._reader.here(block.output)
            assert matches(printed, wanted), f"it prints:\n{printed}\nthe page says:\n{wanted}"

    def _bash(self, text: str) -> str | None:
        if _MAKE.fullmatch(text.strip()):
            # The targets themselves are tried where nothing is installed; here only that they are.
            return self._output(["make", "-n", "-C", str(ROOT), text.split()[1]])
        if "curl" in text and (reason := why_no_curl()):
            self.not_run.append(reason)
            return None
        # Variables live on from block to block, as in the reader's shell.
        begin = (
            "set -euo pipefail\n"
            "if [ -f .shell ]; then . ./.shell; fi\n"
            'curl() { command curl --fail-with-body "$@"; }\n'  # an HTTP error is a failure
            "set -a\n"
        )
        if _SERVER.search(text):
            self._server(begin + _SERVER.sub("exec ", text))
            return None
        return self._output(["bash", "-c", f"{begin}{text}\nexport -p > .shell"])

    def _server(self, script: str) -> None:
        """A command that stays: once it says that it runs, it is asked to stop."""
        process = subprocess.Popen(
            ["bash", "-c", script],
            cwd=self._reader.folder,
            env=self._environment,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        with process:
            assert process.stderr is not None
            said = []
            try:
                for line in process.stderr:
                    said.append(line)
                    if _RUNNING.match(line):
                        break
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=TIMEOUT_SECONDS)
            finally:
                process.kill()
        assert said, "it said nothing"
        assert _RUNNING.match(said[-1]), "".join(said)
        assert process.returncode == 0

    def _python(self, text: str, name: str) -> str:
        path = self._reader.folder / name
        path.write_text(text, "utf-8")
        if "def test_" not in text:
            return self._output([sys.executable, path.name])
        quiet = ["-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", "."]
        return self._output([sys.executable, "-m", "pytest", *quiet, path.name])

    def _toml(self, text: str, name: str) -> str:
        path = self._reader.folder / f"{name}.toml"
        path.write_text(text, "utf-8")
        rest = {} if "environment" in text else {"environment": "test"}
        return repr(load_settings(path, **rest))

    def _output(self, command: list[str]) -> str:
        done = subprocess.run(
            command,
            cwd=self._reader.folder,
            env=self._environment,
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout


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
