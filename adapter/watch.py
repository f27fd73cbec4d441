"""Something that is looked at every second, in a thread of its own."""

import threading
from abc import ABC, abstractmethod
from typing import Final

import structlog

LOOK_SECONDS: Final = 1.0

_log = structlog.get_logger("adapter.watch")


class Watch(ABC):
    """
    Looks, between `start` and `stop`.

    Args:
        name: Of what is looked at: `routes`. A look that fails is logged as `routes.look_failed`.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def look(self) -> None:
        """What to do every second; quick when nothing has changed."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception as exc:  # noqa: BLE001 - a door: the next look may go well
                _log.error(f"{self._name}.look_failed", **{"error.type": type(exc).__name__})
