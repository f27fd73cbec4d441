"""Whether periods of sick leave are alone is found out after they came, a little at a time.

Reports are right without it, and faster with it. Registering a certificate does not wait for it.
"""

from typing import Final

import structlog

from intyg.adapter.domain.errors import StoreError
from intyg.adapter.store import Store

STEP: Final = 200
"""Periods in one transaction, so that nobody waits long for it."""

MOST_STEPS: Final = 50
"""Of one look; the next look goes on where it ended."""

_log = structlog.get_logger()


def look_for_lone(store: Store) -> int:
    """Look at what nobody has looked at. Returns how many periods that were."""
    looked = 0
    try:
        for _ in range(MOST_STEPS):
            if not _any(store):
                break
            looked += store.write(lambda rows: rows.statistics.look_for_lone(STEP))
    except StoreError as error:
        _log.error("statistics.not_looked", **{"error.message": error.text})
    return looked


def _any(store: Store) -> bool:
    """Asked without writing: mostly there is nothing to look at."""
    with store.read() as rows:
        return rows.statistics.has_not_looked()
