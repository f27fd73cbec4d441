"""Something that is looked at every second, in a thread of its own."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path

from intyg.adapter.clients.watched_file import LOOK_SECONDS, Changes
from intyg.adapter.domain.kept_thread import KeptThread


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


class FilesWatch(Watch):
    """
    Reads files again when one of them has changed, and nobody is writing it any more.

    Args:
        files: As they were read when the adapter started.
    """

    def __init__(self, name: str, files: Iterable[Path]) -> None:
        super().__init__(name)
        self._changes = [Changes(path) for path in sorted(set(files))]
        for changes in self._changes:
            changes.settle()
        self._lock = threading.Lock()

    @abstractmethod
    def read(self) -> bool:
        """
        Read the files; by one thread at a time.

        Returns:
            Whether what stands in them counts from now on.
        """

    def look(self) -> None:
        changed = [changes for changes in self._changes if changes.look()]
        if changed:
            self._take(changed)

    def reload(self) -> bool:
        """Read the files now; see `read`."""
        for changes in self._changes:
            changes.look()
        return self._take(self._changes)

    def _take(self, changed: Sequence[Changes]) -> bool:
        with self._lock:
            for changes in changed:
                changes.settle()
            return self.read()
