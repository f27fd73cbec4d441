"""Commands that stay: until a signal ends them."""

import os
import select
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Final

ENDING: Final = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """
    Signals that wait until somebody looks. For the main thread, once a process.

    None is lost: the system's handler, in C, writes each to a pipe (`signal.set_wakeup_fd`),
    whatever the threads are doing. Python's handlers run later, between two steps of the main
    thread; where its next step is to wait for what a handler does, it waits for ever. So ours do
    nothing, and are there because a signal without any ends the process.

    Args:
        early: Those that wait from now on; others, until `note`, do as they do anywhere.
    """

    def __init__(self, *early: signal.Signals) -> None:
        self._pipe, writes = os.pipe()
        os.set_blocking(writes, False)  # as `set_wakeup_fd` wants it
        signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
        self._poll = select.poll()
        self._poll.register(self._pipe, select.POLLIN)
        self._came: set[int] = set()
        self.note(*early)

    def note(self, *numbers: signal.Signals) -> None:
        """Let these wait, too, from now on."""
        for number in numbers:
            signal.signal(number, lambda *_: None)

    def ended(self) -> bool:
        """True once one came that ends the process; also before `stay`."""
        while self._poll.poll(0):
            self._came.update(os.read(self._pipe, 4096))
        return not self._came.isdisjoint(ENDING)

    def stay(
        self, announce: Callable[[], None], on_hangup: Callable[[], None] = lambda: None
    ) -> None:
        """
        Stay until SIGINT or SIGTERM; a second one, while everything ends, changes nothing.

        Args:
            announce: Says that all is running; where it cannot, nobody is told.
            on_hangup: What SIGHUP asks for, if that is noted. One that comes meanwhile asks anew.
        """
        with suppress(OSError):
            announce()
        while not self.ended():
            if signal.SIGHUP in self._came:
                self._came.clear()
                on_hangup()
            else:
                self._poll.poll()


def run_until_signalled(announce: Callable[[], None]) -> None:
    """
    Stay until SIGINT or SIGTERM. SIGHUP ends the process, as it does anywhere.

    Args:
        announce: Says that all is running.
    """
    Signals(*ENDING).stay(announce)


def stop_running() -> None:
    """End `Signals.stay`, from another thread."""
    os.kill(os.getpid(), signal.SIGTERM)
