"""Whoever comes first does it for all that wait: one commit, one question, for many callers.

Meanwhile others come and wait; one of them is next. Nobody waits for company: who comes alone is
served at once.
"""

import threading
from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar


class Visit:
    """What a caller comes with, and waits for."""

    def __init__(self) -> None:
        self._wakes = threading.Lock()
        self._wakes.acquire()
        self._leads = False

    def wake(self, *, leads: bool = False) -> None:
        """Let its caller go on: it has been served, or leads."""
        self._leads = leads
        self._wakes.release()

    def wait(self) -> bool:
        """Until it is served (False), or leads (True)."""
        self._wakes.acquire()
        return self._leads


V = TypeVar("V", bound=Visit)


class Leading(Generic[V]):
    """Those that wait, and whether one of them leads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[V] = deque()
        self._is_led = False

    def __len__(self) -> int:
        """How many wait, its leader among them until it is taken."""
        return len(self._waiting)

    def come(self, visit: V) -> bool:
        """
        Wait with others.

        Returns:
            False: it was served. True: it leads, and is the first that waits. Its caller serves it,
            with as many of those after it as it likes, and then must `leave`.
        """
        with self._lock:
            self._waiting.append(visit)
            leads, self._is_led = not self._is_led, True
        return leads or visit.wait()

    def take(self) -> V:
        """The first that waits; for who leads."""
        with self._lock:
            return self._waiting.popleft()

    def leave(self, served: Iterable[V]) -> None:
        """
        Let the first that waits lead, or whoever comes next; and wake those that were served.

        Args:
            served: But who led.
        """
        with self._lock:
            self._is_led = bool(self._waiting)
            if self._is_led:
                self._waiting[0].wake(leads=True)
        for visit in served:
            visit.wake()
