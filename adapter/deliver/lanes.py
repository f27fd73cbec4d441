"""Lanes: how much each destination has under way, how fast it begins, whose turn it is."""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Final

from intyg.adapter.domain.destination import Destination
from intyg.adapter.domain.way import NO_DESTINATION

FindDestination = Callable[[str, int, str], Destination | None]
"""(contract's name, major version, logical address) → where to, if there is a route."""

MOST_AT_ONCE: Final = 1_000_000
"""Of what goes nowhere, and so takes no time."""


class RouteLanes:
    """
    Lanes as the routes say; one for all threads of a process.

    How many attempts are under way is counted in the database, over all processes. How fast they
    begin is counted here, so that each process has a rate of its own.

    Args:
        find_destination: The routes.
        workers: Half of them, at least one, is what a destination gets by default.
        clock: Seconds, as of `time.monotonic`.
    """

    def __init__(
        self,
        find_destination: FindDestination,
        workers: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find_destination
        self._default = max(1, workers // 2)
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, Destination] = {}
        self._free_at: dict[str, float] = {}
        self._last = NO_DESTINATION

    def of(self, contract: str, logical_address: str) -> str:
        """The destination's name; `NO_DESTINATION` without a route."""
        name, _, major = contract.partition(":")
        try:
            found = self._find(name, int(major), logical_address)
        except Exception:  # noqa: BLE001  one that cannot be asked about must not stop the others
            return NO_DESTINATION  # whoever attempts it will say why
        if found is None:
            return NO_DESTINATION
        with self._lock:
            self._seen[found.name] = found
        return found.name

    def room(self, destination: str, in_flight: int) -> int:
        """How many more attempts a destination may have under way; 0 while its rate says no."""
        if destination == NO_DESTINATION:
            return MOST_AT_ONCE
        with self._lock:
            known = self._seen.get(destination)
            most = (known and known.max_in_flight) or self._default
            if self._free_at.get(destination, 0.0) > self._clock():
                return 0
            rated = known is not None and known.max_per_second is not None
            return max(0, min(most - in_flight, 1 if rated else most))

    def in_turn(self, destinations: Collection[str]) -> Sequence[str]:
        """The same in the order of their names, beginning after the one that had its turn last."""
        names = sorted(destinations)
        with self._lock:
            later = [name for name in names if name > self._last]
        return later + [name for name in names if name not in later]

    def used(self, destination: str | None) -> None:
        """An attempt begins."""
        with self._lock:
            self._last = destination or NO_DESTINATION
            known = self._seen.get(self._last)
            if known is not None and known.max_per_second is not None:
                self._free_at[self._last] = self._clock() + 1 / known.max_per_second

    def wait_seconds(self, longest: float) -> float:
        """How long nothing more can begin for the rates' sake, or as long as given."""
        with self._lock:
            now = self._clock()
            waits = [at - now for at in self._free_at.values() if at > now]
        return max(0.01, min([longest, *waits]))
