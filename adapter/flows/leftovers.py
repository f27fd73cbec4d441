"""What is finished for long leaves the outbox's table, a little at a time."""

from datetime import datetime, timedelta
from typing import Final

import structlog

from intyg.adapter.domain.clock import Clock
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.store import Store

STEP: Final = 200
"""Deliveries in one transaction, so that nobody waits long for it."""

MOST_STEPS: Final = 50
"""Of one look; the next look goes on where it ended."""

BETWEEN: Final = timedelta(hours=1)
"""From one time through to the next."""

_log = structlog.get_logger()


class Leftovers:
    """
    Moves what has ended, from time to time; one for a process.

    Args:
        after_days: After so many days.
    """

    def __init__(self, store: Store, clock: Clock, after_days: int) -> None:
        self._store = store
        self._clock = clock
        self._after = timedelta(days=after_days)
        self._reached = 0
        self._done_at: datetime | None = None

    def run(self) -> int:
        """Move what is due. Returns how many deliveries that were."""
        if self._is_resting():
            return 0
        moved = 0
        try:
            for _ in range(MOST_STEPS):
                moved += self._step()
                if self._reached == 0:
                    break
        except StoreError as error:
            _log.error("delivery.leftovers_stay", **{"error.message": error.text})
        if moved:
            _log.info("delivery.leftovers_moved", **{"intyg.deliveries": moved})
        return moved

    # --- inside ---

    def _is_resting(self) -> bool:
        """Where the clock was put back, it does not rest until it stands there again."""
        done_at = self._done_at
        return done_at is not None and done_at <= self._clock() < done_at + BETWEEN

    def _step(self) -> int:
        before, after = self._clock() - self._after, self._reached
        step = self._store.write(lambda rows: rows.leftovers.move(before, after, STEP))
        self._reached = step.reached or 0
        self._done_at = self._clock() if step.reached is None else None
        return step.moved
