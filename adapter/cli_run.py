"""Commands that stay: until a signal ends them."""

import os
import queue
import signal
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
    # Handlers do nothing but put, which may interrupt anything: one that takes a lock, as an Event
    # does, waits for ever when it interrupts whoever has it.
    asked: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: asked.put(number))
    if on_hangup is not None:
        signal.signal(signal.SIGHUP, lambda number, _: asked.put(number))
    announce()
    while asked.get() not in (signal.SIGINT, signal.SIGTERM):
        if on_hangup is not None:
            on_hangup()


def stop_running() -> None:
    """End `run_until_signalled`, from another thread."""
    os.kill(os.getpid(), signal.SIGTERM)
