"""The command `intyg` of a ready process: what it is given goes there, what comes back is its own.

It imports next to nothing, so that a command takes as long as what it does.
"""

import array
import json
import os
import signal
import socket
import sys
from typing import Any

FORWARDED = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


def run_there(path: str) -> None:
    """
    Run this process's command as a fork of the one that listens at `path`, and end as it ends.

    Working folder, environment, standard streams and signals are this process's own.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as ready:
        ready.connect(path)
        _send(ready, json.dumps(_own()).encode())
        for number in FORWARDED:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, lambda one, _: ready.sendall(bytes([one])))
        answer = ready.recv(16)
    _end_as(int(answer) if answer else 70)


def _own() -> dict[str, Any]:
    ignored = [one for one in FORWARDED if signal.getsignal(one) == signal.SIG_IGN]
    environment = dict(os.environ)
    return {"argv": sys.argv, "cwd": os.path.realpath("."), "env": environment, "ignored": ignored}


def _send(ready: socket.socket, data: bytes) -> None:
    """The length, with the three streams; then the words."""
    streams = array.array("i", [0, 1, 2])
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)]
    ready.sendmsg([len(data).to_bytes(4, "big")], rights)
    ready.sendall(data)


def _end_as(status: int) -> None:
    """With its exit code; negative: by the same signal."""
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)
