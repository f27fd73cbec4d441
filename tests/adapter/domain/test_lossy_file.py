"""A log that cannot be written: lines are lost and counted, and whoever writes goes on."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest
import structlog

from intyg.adapter.domain import log, lossy_file
from intyg.adapter.domain.lossy_file import LossyFile, lossy
from tests.adapter.full_disk import small_disk


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lossy_file, "PATIENCE_SECONDS", 0.05)


@contextmanager
def counted(lines: int) -> Iterator[None]:
    before = LossyFile.lines_lost
    yield
    assert LossyFile.lines_lost - before == lines


class Disk(io.RawIOBase):
    """Takes as many bytes as there is room for; then it is full."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.held = b""

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        if self.room == 0:
            raise OSError(28, "No space left on device")
        taken = data[: self.room]
        self.room -= len(taken)
        self.held += taken
        return len(taken)


def test_a_line_that_was_cut_off_does_not_swallow_the_next() -> None:
    disk = Disk(room=9)
    file = LossyFile(disk)
    with counted(2):
        for line in (b"first\n", b"second\n", b"third\n"):
            assert file.write(line) == len(line)
    disk.room = 100
    with counted(0):
        file.write(b"fourth\n")
        file.write(b"fifth\n")
    assert disk.held == b"first\nsec\nfourth\nfifth\n"


def test_no_line_is_glued_to_half_a_line_however_full_the_disk_is() -> None:
    lines = [b"one\n", b"two\n", b"three\n"]
    for room in range(14):
        disk = Disk(room)
        file = LossyFile(disk)
        for line in lines:
            file.write(line)
        whole = disk.held.count(b"\n")
        assert lines[:whole] == disk.held.splitlines(keepends=True)[:whole]
        disk.room = 100
        file.write(b"last\n")
        assert disk.held.splitlines(keepends=True)[:whole] == lines[:whole]
        assert disk.held.endswith(b"\nlast\n" if room else b"last\n")
        assert b"\n\n" not in disk.held


def test_a_disk_that_is_full() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full, counted(2):
        log.configure(full)
        structlog.get_logger().info("soap.call")
        structlog.get_logger().info("soap.call")


def test_a_disk_that_was_full_is_written_again(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk, (disk.folder / "log").open("w", encoding="utf-8") as stream:
        log.configure(stream)
        disk.fill()
        with counted(50):
            for _ in range(50):
                structlog.get_logger().info("while.full")
        disk.free()
        with counted(0):
            structlog.get_logger().info("afterwards")
        [line] = (disk.folder / "log").read_text().splitlines()
        assert '"afterwards"' in line


def test_a_pipe_that_nobody_reads_any_more() -> None:
    reads, writes = os.pipe()
    os.close(reads)
    with open(writes, "wb", buffering=0) as pipe, counted(1):  # noqa: PTH123  a descriptor
        LossyFile(pipe).write(b"line\n")


def test_a_pipe_whose_reader_does_not_come_holds_nobody_up() -> None:
    reads, writes = os.pipe()
    line = b"x" * 999 + b"\n"
    with open(reads, "rb", buffering=0) as reader, open(writes, "wb", buffering=0) as pipe:  # noqa: PTH123
        file = LossyFile(pipe)
        before, began = LossyFile.lines_lost, time.monotonic()
        for _ in range(200):  # a pipe holds 64 KiB
            file.write(line)
        assert time.monotonic() - began < 5
        missing = LossyFile.lines_lost - before
        assert 100 < missing < 200
        assert len(reader.read(1 << 20)) == 1000 * (200 - missing)
        with counted(0):
            file.write(line)


def test_a_file_that_was_closed(tmp_path: Path) -> None:
    stream: BinaryIO
    with (tmp_path / "log").open("wb", buffering=0) as stream:
        file = LossyFile(stream)
    with counted(1):
        file.write(b"line\n")


def test_text_goes_where_the_stream_goes(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w", encoding="utf-8") as stream:
        text = lossy(stream)
        text.write("å\n")
        assert (tmp_path / "log").read_text("utf-8") == "å\n"  # at once
        assert (text.fileno(), text.isatty()) == (stream.fileno(), False)
        assert lossy(text) is text


WRITES = """
import sys, threading
from intyg.adapter.domain.lossy_file import LossyFile, lossy_stderr
import typer
from rich.console import Console
lossy_stderr()
Console(stderr=True).print("[red]one[/red]")
typer.echo("two", err=True)
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
print("goes on,", "lost" if LossyFile.lines_lost > 2 else "told")
"""


@pytest.mark.parametrize(
    ("command", "goes"),
    [
        pytest.param('exec "$0" -c "$1" 2>/dev/null', "told", id="well"),
        pytest.param('exec "$0" -c "$1" 2>/dev/full', "lost", id="full"),
        pytest.param('exec "$0" -c "$1" 2>&-', "lost", id="closed"),
        pytest.param('exec 3> >(:); wait $!; exec "$0" -c "$1" 2>&3', "lost", id="nobody reads"),
    ],
)
def test_whoever_writes_to_standard_error_goes_on(command: str, goes: str) -> None:
    """Libraries and Python itself do so, too; and the exit code is that of what was done."""
    # Without what is preloaded here, which may keep files of its own open where none should be.
    plain = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    done = subprocess.run(
        ["bash", "-c", command, sys.executable, WRITES],
        env=plain,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, f"goes on, {goes}\n")
