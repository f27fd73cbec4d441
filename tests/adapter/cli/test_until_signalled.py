"""Commands that stay until a signal ends them, and the signals that come while they start."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

INTERRUPTED = """
import os, signal
from intyg.adapter.cli.until_signalled import ENDING, Signals

said = []

def hangup():
    said.append("begins")
    os.kill(os.getpid(), signal.SIGTERM if "ends" in said else signal.SIGHUP)
    said.append("ends")

Signals(signal.SIGHUP, *ENDING).stay(lambda: os.kill(os.getpid(), signal.SIGHUP), hangup)
print(*said)
"""

PAIRS = 1000
MANY = f"""
import os, queue, signal, threading
from intyg.adapter.cli.until_signalled import ENDING, Signals

signals = Signals(signal.SIGHUP, *ENDING)
stays, ended = queue.Queue(), threading.Event()

def send():
    for sent in range({PAIRS}):
        stays.get()
        ended.clear()
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
        if not ended.wait(10):
            print("lost after", sent, flush=True)
            os._exit(1)

threading.Thread(target=send, daemon=True).start()
hangups = []
for _ in range({PAIRS}):
    signals.stay(lambda: stays.put(None), lambda: hangups.append(None))
    signals._came.clear()
    ended.set()
print("none lost")
"""

WHILE_IT_STARTS = """
import os, signal
from intyg.adapter.cli.until_signalled import ENDING, Signals

signals = Signals(signal.SIGHUP)
os.kill(os.getpid(), signal.SIGHUP)
signals.note(*ENDING)
os.kill(os.getpid(), signal.{ending})
print("ended", signals.ended())
signals.stay(lambda: print("announced"), lambda: print("read again"))
os.kill(os.getpid(), signal.{ending})
print("a second one changes nothing")
"""


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


def test_a_signal_waits_for_what_the_one_before_asked_for() -> None:
    """What SIGHUP asks for takes locks: interrupted by itself, it would wait for ever."""
    assert run(INTERRUPTED) == "begins ends begins ends\n"


def test_no_sigterm_just_after_a_sighup_is_lost() -> None:
    """A handler that runs just before the main thread waits for it must not be waited for."""
    assert run(MANY) == "none lost\n"


@pytest.mark.parametrize("ending", ["SIGTERM", "SIGINT"])
def test_signals_wait_while_a_command_starts(ending: str) -> None:
    printed = run(WHILE_IT_STARTS.format(ending=ending)).splitlines()
    assert printed == ["ended True", "announced", "a second one changes nothing"]


IMPORTING = """
import os, signal, sys, types
import intyg.adapter.__main__

stub = types.ModuleType("intyg.adapter.cli.main")
stub.main = lambda: os.kill(os.getpid(), signal.SIGHUP) or print("still here")
sys.modules["intyg.adapter.cli.main"] = stub  # so the signal comes before the command's first line
sys.argv = ["intyg", "serve"]
intyg.adapter.__main__.main()
"""


def test_a_sighup_while_the_command_is_imported_does_not_end_it() -> None:
    assert run(IMPORTING) == "still here\n"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_server_that_is_signalled_while_it_starts(number: signal.Signals, tmp_path: Path) -> None:
    """SIGHUP is nothing to it; SIGTERM ends it at once, or as soon as it has started."""
    (tmp_path / "adapter.toml").write_text(
        'environment = "demo"\ndata_dir = "."\n[server]\nport = 0\n'
    )
    with subprocess.Popen(
        [sys.executable, "-m", "intyg.adapter", "serve", "--config", "adapter.toml"],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if not key.startswith("INTYG_")},
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stderr is not None
        said = process.stderr.readline()  # what an operator should know, before anything runs
        assert not said.startswith("adapter, environment")
        process.send_signal(number)
        if number is signal.SIGHUP:
            for said in process.stderr:
                if said.startswith("adapter, environment"):
                    break
            assert said.startswith("adapter, environment")
            process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=60)[0]
    assert "Traceback" not in f"{said}{rest}"
    assert process.returncode in ((0,) if number is signal.SIGHUP else (0, -signal.SIGTERM))
