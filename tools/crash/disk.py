"""A disk that fails: fsync and writes by libfiu, and one that is full."""

import ctypes
import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LIBRARIES: Final = ("/usr/lib/fiu/fiu_run_preload.so", "/usr/lib/fiu/fiu_posix_preload.so")
"""Of Debian's fiu-utils."""

SMALL_DISK_BYTES: Final = 8 * 1024 * 1024


def why_no_libfiu() -> str | None:
    """Why fsync and writes cannot be made to fail; None when they can."""
    if not all(Path(one).exists() for one in LIBRARIES):
        return "libfiu is not there (Debian: fiu-utils)"
    return None


def preloaded() -> bool:
    """Whether this process has libfiu in it."""
    return LIBRARIES[1] in os.environ.get("LD_PRELOAD", "")


def start_again_with_libfiu(arguments: list[str]) -> None:
    """Become the same program with libfiu in it."""
    os.environ["LD_PRELOAD"] = " ".join(LIBRARIES)
    os.execv(sys.executable, [sys.executable, *arguments])


def fail_later(fault: str, probability: float, now: Callable[[], bool]) -> None:
    """
    Let the disk of this process fail, from some moment on.

    Args:
        fault: `fsync` or `write-error`.
        now: Whether that moment has come.
    """
    names = {"fsync": "posix/io/sync/*", "write-error": "posix/io/rw/pwrite*"}

    def wait() -> None:
        while not now():
            time.sleep(0.002)
        _enable(names[fault], errno.EIO, probability)

    threading.Thread(target=wait, daemon=True).start()


def _enable(name: str, error: int, probability: float) -> None:
    fiu = ctypes.CDLL("libfiu.so.0")
    enable = fiu.fiu_enable_random
    enable.argtypes = [
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_uint,
        ctypes.c_float,
    ]
    if enable(name.encode(), 1, ctypes.c_void_p(error), 0, probability) != 0:
        raise OSError(f"libfiu does not know {name}")


class SmallDisk:
    """A disk that can be filled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Until not one byte more goes onto it."""
        with self._ballast.open("ab", buffering=0) as ballast:
            for size in (65536, 512):
                try:
                    while True:
                        ballast.write(b"x" * size)
                except OSError:
                    continue

    def free(self) -> None:
        """Room for everybody again."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk | None]:
    """A tmpfs, which root alone can mount; None where it cannot be had."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_BYTES}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
