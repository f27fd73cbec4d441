"""
Walk through pages as somebody does who has just cloned the project: paste each block, in order.

    python3 -m tools.walk README.md docs/for-qa.md

In this very clone, with its own ports, and with nothing but the standard library: `make demo` and
`make setup` are blocks as others. What a page says that a block prints, it must print. Says each
block and how long it took; ends with 1 at the first one that fails.
"""

import sys
import tempfile
import time
from pathlib import Path

from tests.docs import pages
from tests.docs.shell import FIRST_PORT, Shell


def walk(names: list[str]) -> int:
    """Paste the blocks of some pages; the number of the first that failed, 0 if none did."""
    with tempfile.TemporaryDirectory() as scratch:
        shell = Shell(pages.ROOT, Path(scratch), FIRST_PORT)
        try:
            for name in names:
                text = (pages.ROOT / name).read_text("utf-8")
                for block in (*pages.needed(text), *pages.blocks(text)):
                    if not _paste(shell, name, block):
                        return 1
        finally:
            shell.close()
    for reason in shell.not_run:
        print(f"NOT RUN: {reason}")
    return 1 if shell.not_run else 0


def _paste(shell: Shell, name: str, block: pages.Block) -> bool:
    began = time.monotonic()
    try:
        shell.run(block)
    except AssertionError as fault:
        print(f"{name}:{block.line}: FAILED\n{block.text}{fault}", flush=True)
        return False
    first = block.text.splitlines()[0]
    print(f"{name}:{block.line}: {time.monotonic() - began:5.1f} s  {first}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(walk(sys.argv[1:] or ["README.md"]))
