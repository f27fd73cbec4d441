"""Commands that stay: until a signal ends them."""

import signal
import threading
from collections.abc import Callable


def run_until_signalled(announce: Callable[[], None]) -> None:
    """Stay until SIGINT or SIGTERM."""
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    announce()
    done.wait()
