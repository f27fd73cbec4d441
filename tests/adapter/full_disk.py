"""A disk of 64 KiB of one's own, to be filled: a tmpfs, which root alone can mount."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

SIZE = 64 * 1024


@dataclass(frozen=True)
class SmallDisk:
    """Its folder; `ballast` takes the room."""

    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self) -> None:
        """Until not one byte more goes onto it."""
        with self._ballast.open("ab", buffering=0) as ballast:
            while True:
                try:
                    ballast.write(b"x" * 512)
                except OSError:
                    return

    def read_only(self) -> None:
        """Nothing more is written onto it, by nobody."""
        remount = ["mount", "-o", "remount,ro", str(self.folder)]
        subprocess.run(remount, check=True)

    def free(self, size: int | None = None) -> None:
        """Room for everybody again, or for so many bytes."""
        if size is None:
            self._ballast.unlink()
        else:
            os.truncate(self._ballast, self._ballast.stat().st_size - size)


@contextmanager
def small_disk(folder: Path, size: int = SIZE) -> Iterator[SmallDisk]:
    """For as long as the block lasts; skips the test where it cannot be had."""
    disk = folder / "disk"
    disk.mkdir()
    if os.geteuid() != 0:
        pytest.skip("a full disk was NOT tried: only root can mount one")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a full disk was NOT tried: {done.stderr.strip()}")
    try:
        yield SmallDisk(disk)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
