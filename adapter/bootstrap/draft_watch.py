"""The thread in which happens what is due by itself.

Of drafts: changes are told, old ones locked and removed. Of deliveries: what is finished for long
leaves the queue's table.
"""

import threading
from collections.abc import Callable
from typing import Final

from intyg.adapter.domain.kept_thread import KeptThread

LOOK_SECONDS: Final = 5.0
"""Between two looks. Nothing that is due is so by the second: the least is a window of changes."""


class DraftWatch:
    """
    Looks every so often, on the machine's time; what is due is asked of the adapter's clock.

    Args:
        run: Does whatever is due now.
    """

    def __init__(self, run: Callable[[], object]) -> None:
        self._run = run
        self._stop = threading.Event()
        self.thread = KeptThread("drafts", self._work)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        """Returns when the look that is under way is done."""
        self._stop.set()
        self.thread.join()

    def _work(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            self._run()
