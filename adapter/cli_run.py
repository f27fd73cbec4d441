"""Commands that stay: until a signal ends them."""

import os
import signal
import threading
from collections.abc import Callable


def run_until_signalled(
    announce: Callable[[], None], on_hangup: Callable[[], None] | None = None
) -> None:
    """
    Stay until SIGINT or SIGTERM.

    Args:
        announce: Says that all is running.
        on_hangup: What SIGHUP asks for; None: it ends the process, as it does anywhere.
    """
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    if on_hangup is not None:
        signal.signal(signal.SIGHUP, lambda *_: on_hangup())
    announce()
    done.wait()


def stop_running() -> None:
    """End `run_until_signalled`, from another thread."""
    os.kill(os.getpid(), signal.SIGTERM)
