"""Colours, and the bar of `intyg validate`: on terminals, and nowhere else."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests import builders

ESCAPE = b"\x1b"
COLOUR = b"\x1b[3"  # foreground colours begin so; bold is `\x1b[1m`
VALIDATE = ("validate", "--today", f"{builders.NOW:%Y-%m-%d}")


def on_a_terminal(*words: str | Path, out: int | None = None, **environment: str) -> bytes:
    """What a command prints there; with `out`, only its standard error is there."""
    there, here = pty.openpty()
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    with subprocess.Popen(
        [sys.executable, "-m", "intyg.adapter", *words],
        stdin=subprocess.DEVNULL,
        stdout=here if out is None else out,
        stderr=here,
        env={**kept, "TERM": "xterm-256color", **environment},
    ) as process:
        os.close(here)
        shown = bytearray()
        try:
            while piece := os.read(there, 4096):
                shown += piece
        except OSError:  # how Linux says that nobody has it open any more
            pass
        os.close(there)
    assert process.returncode in (0, 1)
    return bytes(shown)


@pytest.fixture
def files(good: Path, bad: Path) -> tuple[Path, Path]:
    return good, bad


def test_a_terminal_gets_colours_unless_it_wants_none(files: tuple[Path, Path]) -> None:
    assert COLOUR in on_a_terminal(*VALIDATE, files[1])
    assert COLOUR not in on_a_terminal(*VALIDATE, files[1], NO_COLOR="1")


def test_a_file_gets_the_text_and_the_terminal_beside_it_the_bar(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    with (tmp_path / "out.txt").open("wb") as stream:
        shown = on_a_terminal(*VALIDATE, *files, out=stream.fileno())
    written = (tmp_path / "out.txt").read_bytes()
    assert ESCAPE not in written
    assert written.endswith(b"\n2 files: 1 valid, 1 not valid\n")
    assert b"validate" in shown
    assert b"100%" in shown


def test_without_a_terminal_there_is_no_bar_and_no_escape(files: tuple[Path, Path]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "intyg.adapter", *VALIDATE, *files],
        capture_output=True,
        check=False,
    )
    assert (ESCAPE in done.stdout, done.stderr) == (False, b"")
    assert b"not valid" in done.stdout


def test_what_is_valid_is_green_on_a_terminal(files: tuple[Path, Path]) -> None:
    assert b"\x1b[32mvalid" in on_a_terminal(*VALIDATE, files[0])
