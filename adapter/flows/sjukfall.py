"""Cases of sick leave are made after certificates came, a little at a time.

Reports are right without them, and faster with them. Registering a certificate does not wait.
"""

from typing import Final

import structlog

from intyg.adapter.domain.errors import StoreError
from intyg.adapter.statistics.case_rows import look
from intyg.adapter.store import Store

STEP: Final = 200
"""New periods in one transaction, so that nobody waits long for it."""

MOST_STEPS: Final = 50
"""Of one look; the next look goes on where it ended."""

_log = structlog.get_logger()


def make_cases(store: Store) -> int:
    """Make the cases of whom nobody has. Returns how many new periods there were."""
    looked = 0
    try:
        for _ in range(MOST_STEPS):
            if not _any(store):
                break
            found = store.write(lambda rows: look(rows, STEP))
            looked += found
            if not found:  # somebody else is at it
                break
    except StoreError as error:
        _log.error("statistics.not_looked", **{"error.message": error.text})
    return looked


def _any(store: Store) -> bool:
    """Asked without writing: mostly there is nothing to look at."""
    with store.read() as rows:
        return rows.sjukfall.has_to_look()
