"""In processes of their own: both change the whole process, for good."""

import subprocess
import sys

PARSE_LARGE_MESSAGES = """
import resource, sys, threading
from pathlib import Path
from intyg.adapter.bootstrap import process_memory
from intyg.adapter.formats import safe_xml

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

def work():
    for _ in range(3):
        safe_xml.parse(message)

if sys.argv[1] == "given back":
    process_memory.give_memory_back()
message = b"<a>" + b"x" * 9_000_000 + b"</a>"
before = resident()
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(resident() - before)
"""

FREEZE = """
import gc
from intyg.adapter.bootstrap import process_memory

before = len(gc.get_objects())
process_memory.keep_what_is_there()
print(len(gc.get_objects()) < before / 10 and gc.get_freeze_count() > before / 2)
"""


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


def test_large_messages_leave_nothing_behind() -> None:
    given_back = int(run(PARSE_LARGE_MESSAGES, "given back"))
    kept = int(run(PARSE_LARGE_MESSAGES, "kept"))
    assert given_back < 8_000_000
    assert given_back < kept  # by glibc as it is


def test_what_was_there_is_not_collected_again() -> None:
    assert run(FREEZE) == "True"
