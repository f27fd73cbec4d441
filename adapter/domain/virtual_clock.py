"""A clock that can be stopped and moved, for demonstrations.

The mocks have one of their own and share no code with the adapter; `console/clock.py` is how theirs
leads this one.
"""

import threading
from datetime import UTC, datetime, timedelta

from intyg.adapter.domain.clock import Clock, system_clock


class VirtualClock:
    """
    Runs as the machine's clock does, ahead of it or behind, or stands still. A `Clock`.

    Args:
        base: The clock that it follows while it runs.
    """

    def __init__(self, base: Clock = system_clock) -> None:
        self._base = base
        self._lock = threading.Lock()
        self._ahead = timedelta()
        self._stands_at: datetime | None = None

    def __call__(self) -> datetime:
        with self._lock:
            return self._stands_at or self._base() + self._ahead

    @property
    def frozen(self) -> bool:
        """True while it stands still."""
        with self._lock:
            return self._stands_at is not None

    def put(self, moment: datetime, *, frozen: bool) -> None:
        """Stand still at a moment, or run from there. It must have a zone."""
        with self._lock:
            self._ahead = moment - self._base()
            self._stands_at = moment.astimezone(UTC) if frozen else None
