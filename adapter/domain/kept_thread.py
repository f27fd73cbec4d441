"""Threads that go on, whatever happens in them."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

import structlog
from prometheus_client import Counter

AGAIN_SECONDS: Final = 0.5
"""Before a thread goes on, so that one that fails at once, and again, leaves the others time."""

FAILURES: Final = Counter(
    "intyg_thread_failures",
    "Exceptions in spite of which a thread of this process goes on.",
    ["thread"],
    registry=None,
)

_log = structlog.get_logger("intyg.adapter.threads")


class KeptThread(threading.Thread):
    """
    A thread that ends when its work is done, and not when it fails.

    Args:
        name: For the log, the metric and `/health`.
        work: Returns when the thread is to end. After an exception it is called again.
    """

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        super().__init__(target=go_on, args=(name, work), name=name, daemon=True)


def go_on(name: str, work: Callable[[], None]) -> None:
    """Do a thread's work until it returns, however often it fails."""
    while True:
        try:
            return work()
        except BaseException as exc:  # noqa: BLE001  a door; SystemExit would end it silently
            FAILURES.labels(name).inc()
            # The error's text may quote a message.
            fields = {"process.thread.name": name, "error.type": type(exc).__name__}
            _log.error("thread.failed", **fields)
            time.sleep(AGAIN_SECONDS)


def names_of_ended(threads: Iterable[threading.Thread]) -> list[str]:
    """Which of them do not run."""
    return [thread.name for thread in threads if not thread.is_alive()]
