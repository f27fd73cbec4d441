"""What happens to drafts by itself: changes are told, old ones are locked, very old ones go.

Each draft has a transaction of its own, in which it is looked at again: another process may have
been there first, and one that fails does not stop the others.
"""

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final, TypeAlias

import structlog

from intyg.adapter.domain.draft import EDITABLE, OPEN
from intyg.adapter.domain.errors import AdapterError
from intyg.adapter.domain.log import shown
from intyg.adapter.flows.drafts.about import about_draft
from intyg.adapter.flows.drafts.end import dispose, lock
from intyg.adapter.flows.drafts.tell import tell_unit
from intyg.adapter.flows.services import Services
from intyg.adapter.rules.draft_rules import disposed_until, locked_until, still_locks
from intyg.adapter.store import Rows
from intyg.schemas.codes import Handelse

PAGE: Final = 1000
"""Drafts of one look; the next look takes the next."""

_Act: TypeAlias = Callable[[Services, str], bool]

_log = structlog.get_logger()


def run(services: Services) -> dict[str, int]:
    """
    Do whatever is due now.

    Returns:
        How many drafts were told of, locked, disposed of.
    """
    return {
        "told": tell_changes(services),
        "locked": lock_old(services),
        "disposed": dispose_old(services),
    }


def tell_changes(services: Services) -> int:
    """Tell units of drafts that were changed a while ago: once, however often they were."""
    window = timedelta(seconds=services.settings.drafts.andrat_seconds)
    with services.store.read() as rows:
        due = rows.drafts.changed_until(services.clock() - window, PAGE)
    return sum(_guarded(_tell_change, services, intygs_id) for intygs_id in due)


def lock_old(services: Services) -> int:
    """Lock the drafts that are too old, where any are locked any more."""
    now, drafts = services.clock(), services.settings.drafts
    if not still_locks(now, services.settings.locking_ends):
        return 0
    until = locked_until(now, drafts.lock_after_days)
    with services.store.read() as rows:
        due = rows.drafts.created_until(until, EDITABLE, PAGE)
    return sum(_guarded(_lock, services, intygs_id) for intygs_id in due)


def dispose_old(services: Services) -> int:
    """Remove the drafts that nobody has signed for months."""
    months = services.settings.drafts.dispose_after_months
    if not months:
        return 0
    until = disposed_until(services.clock(), months)
    with services.store.read() as rows:
        due = rows.drafts.created_until(until, OPEN, PAGE)
    return sum(_guarded(_dispose, services, intygs_id) for intygs_id in due)


def _guarded(act: _Act, services: Services, intygs_id: str) -> bool:
    try:
        return act(services, intygs_id)
    except AdapterError as exc:
        _log.error("draft.left", **{"intyg.id": shown(intygs_id), "error.type": type(exc).__name__})
        return False


def _tell_change(services: Services, intygs_id: str) -> bool:
    with services.store.read() as rows:
        found = rows.drafts.get(intygs_id)
    if found is None:
        return False
    it = about_draft(services, found)

    def tell(rows: Rows) -> bool:
        draft = rows.drafts.lock(intygs_id)
        if draft is None or draft.changed_at is None:
            return False
        rows.drafts.put(replace(draft, changed_at=None), draft.state)
        if not draft.is_editable:
            return False
        by = draft.saved_by
        tell_unit(rows, it, draft, Handelse.ANDRAT, secrets.token_hex(16), by=by)
        return True

    return services.store.write(tell)


def _lock(services: Services, intygs_id: str) -> bool:
    return services.store.write(lambda rows: lock(rows, intygs_id))


def _dispose(services: Services, intygs_id: str) -> bool:
    with services.store.read() as rows:
        draft = rows.drafts.get(intygs_id)
    if draft is None or draft.state not in OPEN:
        return False
    it = about_draft(services, draft)
    return services.store.write(lambda rows: dispose(rows, it, intygs_id, secrets.token_hex(16)))
