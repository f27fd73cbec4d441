"""Commands that stay: until a signal ends them."""

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
        on_hangup: What SIGHUP asks for; None: it ends the process, as it always does.
    """
    done = threading.Event()
    if on_hangup is not None:
        signal.signal(signal.SIGHUP, lambda *_: on_hangup())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    announce()
    done.wait()
