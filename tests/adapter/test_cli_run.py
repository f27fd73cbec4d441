"""Commands that stay until a signal ends them."""

import subprocess
import sys

INTERRUPTED = """
import os, signal
from adapter.cli_run import run_until_signalled

said = []

def hangup():
    said.append("begins")
    os.kill(os.getpid(), signal.SIGTERM if "ends" in said else signal.SIGHUP)
    said.append("ends")

run_until_signalled(lambda: os.kill(os.getpid(), signal.SIGHUP), hangup)
print(*said)
"""


def test_a_signal_waits_for_what_the_one_before_asked_for() -> None:
    """What SIGHUP asks for takes locks: interrupted by itself, it would wait for ever."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "begins ends begins ends\n"
