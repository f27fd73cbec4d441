"""Lists of certificates with their states; one too long for a single answer is refused."""

from collections.abc import Sequence
from typing import TypeAlias

from intyg.adapter.domain.errors import ApplicationError
from intyg.adapter.domain.intyg import IntygsStatus, StoredIntyg
from intyg.adapter.domain.texts import TOO_MANY_INTYG
from intyg.adapter.store import Rows

Listed: TypeAlias = tuple[StoredIntyg, tuple[IntygsStatus, ...]]


def with_statuses(rows: Rows, found: Sequence[StoredIntyg], most: int) -> list[Listed]:
    """
    Certificates with all their states.

    Args:
        most: How many may be in an answer; one more was looked for.

    Raises:
        ApplicationError: There are more.
    """
    if len(found) > most:
        raise ApplicationError(TOO_MANY_INTYG.format(most=most))
    states = rows.intyg.statuses_of([stored.intyg.intygs_id for stored in found])
    return [(stored, states.get(stored.intyg.intygs_id, ())) for stored in found]
