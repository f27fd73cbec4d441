"""
The command `intyg`, imported once: each call is a fork of it, and begins at once.

    python -m tests.ready_command SOCKET    ends with its standard input

What is tried hundreds of times spends most of its time on importing; that it is imported as its
user has it is tried elsewhere. What each call prints and returns, and which signals it hears, is
its own: nothing of one is left for the next.
"""

import atexit
import gc
import importlib
import io
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

import intyg
from tests.ready_client import FORWARDED

ROOT: Final = Path(__file__).parents[1]

READY: Final = hasattr(os, "pidfd_open")
"""Whether this system can wait for a process and a socket at once."""

_NOT_IMPORTED: Final = ("__main__", ".migrations.", "pytest")
"""Run when they are imported, or not of the command."""

_FILES: Final = 4096


@contextmanager
def ready_command() -> Iterator[Path]:
    """
    Let a process wait; a path to run as one would run `intyg`.

    Whatever still runs when the block ends is killed.
    """
    with tempfile.TemporaryDirectory(prefix="ready-") as folder:  # a socket's path must be short
        path = Path(folder) / "socket"
        arguments = [sys.executable, "-m", "tests.ready_command", str(path)]
        with subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.PIPE) as process:
            assert process.stdin is not None
            try:
                _await(path, process)
                yield _command(path.with_name("intyg"), path)
            finally:
                process.stdin.close()


def _await(path: Path, process: "subprocess.Popen[bytes]") -> None:
    while not path.exists():
        assert process.poll() is None, "it ended before it was ready"
        time.sleep(0.02)


def _command(at: Path, path: Path) -> Path:
    at.write_text(
        f"#!{sys.executable} -SE\n"
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        f"from tests.ready_client import run_there\nrun_there({str(path)!r})\n",
        "utf-8",
    )
    at.chmod(0o755)
    return at


# --- the process ------------------------------------------------------------------------------


@dataclass
class _Calls:
    """Those that run, by what is waited for."""

    waiting: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    callers: dict[int, tuple[int, socket.socket]] = field(default_factory=dict)

    def begin(self, caller: socket.socket) -> None:
        words, streams = _heard(caller)
        pid = os.fork()
        if not pid:
            _become(words, streams)
        for stream in streams:
            os.close(stream)
        ended = os.pidfd_open(pid)
        self.callers[ended] = (pid, caller)
        self.waiting.register(ended, selectors.EVENT_READ, self.end)
        self.waiting.register(caller, selectors.EVENT_READ, lambda one: _signal(pid, one))

    def end(self, ended: int) -> None:
        pid, caller = self.callers.pop(ended)
        for each in (ended, caller):
            self.waiting.unregister(each)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with suppress(OSError), caller:
            caller.sendall(str(status).encode())
        os.close(ended)

    def kill_all(self) -> None:
        for pid, _ in self.callers.values():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _signal(pid: int, caller: socket.socket) -> None:
    """What the caller was told; that it is gone is a kill."""
    with suppress(ConnectionResetError):
        if told := caller.recv(1):
            os.kill(pid, told[0])
            return
    os.kill(pid, signal.SIGKILL)


def _heard(caller: socket.socket) -> tuple[dict[str, Any], list[int]]:
    size, streams, _, _ = socket.recv_fds(caller, 4, 3)
    data, wanted = b"", int.from_bytes(size, "big")
    while len(data) < wanted:
        data += caller.recv(wanted - len(data))
    words: dict[str, Any] = json.loads(data)
    return words, streams


def _become(words: dict[str, Any], streams: list[int]) -> NoReturn:
    """The command that was called, in a process that holds nothing else."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, _FILES)
    for one in FORWARDED:
        signal.signal(one, signal.SIG_IGN if one in words["ignored"] else signal.SIG_DFL)
    if signal.SIGINT not in words["ignored"]:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(words["env"])
    time.tzset()
    os.chdir(words["cwd"])
    sys.argv = words["argv"]
    sys.modules["__main__"].__package__ = None  # else its usage names this module
    _open_streams()
    os._exit(_run())


def _open_streams() -> None:
    """As Python opens them in its UTF-8 mode."""
    sys.stdin = sys.__stdin__ = _stream(0, "r", "surrogateescape")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _stream(1, "w", "surrogateescape")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _stream(2, "w", "backslashreplace")  # type: ignore[misc]
    sys.stderr.reconfigure(line_buffering=True)


def _stream(number: int, mode: str, errors: str) -> io.TextIOWrapper:
    opened = open(number, mode, encoding="utf-8", errors=errors, closefd=False)  # noqa: SIM115  for good
    assert isinstance(opened, io.TextIOWrapper)
    return opened


def _run() -> int:
    """The exit code, after all that Python does at its end."""
    from intyg.adapter.__main__ import main

    code = 1
    try:
        code = _code_of(main)
        threading._shutdown()  # type: ignore[attr-defined]
    except BaseException:  # noqa: BLE001  it ends here
        traceback.print_exc()
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except OSError:
        return 120  # as Python's own end
    return code


def _code_of(main: Any) -> int:
    try:
        main()
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        sys.stderr.write(f"{ended.code}\n")
        return 1
    return 0


def _import_all() -> None:
    for module in pkgutil.walk_packages(intyg.__path__, "intyg."):
        if not any(name in module.name for name in _NOT_IMPORTED):
            importlib.import_module(module.name)
    gc.collect()
    gc.freeze()  # so that forks share what is there already


def main(path: str) -> None:
    """Import, then take calls until the standard input ends."""
    _import_all()
    calls = _Calls()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path + "-")
        listener.listen(64)
        calls.waiting.register(
            listener, selectors.EVENT_READ, lambda _: calls.begin(listener.accept()[0])
        )
        calls.waiting.register(0, selectors.EVENT_READ, None)
        Path(path + "-").rename(path)
        while _once(calls):
            pass
    calls.kill_all()


def _once(calls: _Calls) -> bool:
    """Whether it goes on."""
    for key, _ in calls.waiting.select():
        if key.data is None:
            return False
        if key.fd in calls.waiting.get_map():
            key.data(key.fileobj)
    return True


if __name__ == "__main__":
    main(sys.argv[1])
