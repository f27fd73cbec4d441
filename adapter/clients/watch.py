"""Something that is looked at every second, in a thread of its own."""

import threading
from abc import ABC, abstractmethod
from typing import Final

from intyg.adapter.domain.kept_thread import KeptThread

LOOK_SECONDS: Final = 1.0
"""How often the file system is asked: in between, using a file's content costs a comparison."""


class Watch(ABC):
    """
    Looks, between `start` and `stop`.

    Args:
        name: Of what is looked at, and of the thread: `routes`.

    Attributes:
        thread: The one that looks.
    """

    def __init__(self, name: str) -> None:
        self._stopping = threading.Event()
        self.thread = KeptThread(name, self._run)

    @abstractmethod
    def look(self) -> None:
        """What to do every second; quick when nothing has changed."""

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self.thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            self.look()
