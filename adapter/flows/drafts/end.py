"""How a draft ends without being signed: deleted, locked, a locked one revoked, disposed of."""

from dataclasses import replace

from intyg.adapter.domain.draft import OPEN, Draft, DraftState
from intyg.adapter.domain.draft_texts import ALREADY_REVOKED, NEEDS_DOCTOR, NOT_LOCKED
from intyg.adapter.domain.errors import DraftRefusedError, DraftStateError
from intyg.adapter.flows.drafts.about import (
    About,
    Actor,
    about_draft,
    locked_draft,
    read_draft,
    require_assignment,
    require_editable,
    require_writer,
    staff_member,
)
from intyg.adapter.flows.drafts.save import require_stamp
from intyg.adapter.flows.drafts.tell import tell_unit
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.rules.signer_roles import role_of
from intyg.adapter.store import Rows
from intyg.schemas.codes import Handelse
from intyg.schemas.intyg_model import Role


def delete(
    intygs_id: str,
    stamp: int | None,
    by: Actor,
    services: Services,
    unit: UnitOfWork,
    correlation_id: str,
) -> None:
    """
    Delete a draft; its unit is told.

    Raises:
        DraftConflictError, DraftStateError, DraftRefusedError, UnknownDraftError: As they say.
    """
    draft = read_draft(services, intygs_id)
    it = about_draft(services, draft)
    require_writer(services, by, draft, it)

    def put(rows: Rows) -> None:
        now = locked_draft(rows, intygs_id)
        require_editable(now, "deleted")
        if stamp is not None:
            require_stamp(now, stamp)
        _remove(rows, it, now, correlation_id, by.personal_id)

    unit.write(put)


def _remove(rows: Rows, it: About, draft: Draft, correlation_id: str, by: str | None) -> None:
    """Tell the unit, then take the content away; the row stays, and its id with it."""
    tell_unit(rows, it, draft, Handelse.RADERA, correlation_id, by=by)
    emptied = replace(
        draft,
        state=DraftState.DELETED,
        content={},
        stamp=draft.stamp + 1,
        changed_at=None,
        prefill=None,
        to_sign=None,
    )
    rows.drafts.put(emptied, draft.state)


def lock(rows: Rows, intygs_id: str) -> bool:
    """
    Lock a draft that is too old; nobody is told. Relations to and from it are gone.

    Returns:
        Whether it was locked now.
    """
    draft = rows.drafts.lock(intygs_id)
    if draft is None or not draft.is_editable:
        return False
    locked = replace(
        draft,
        state=DraftState.LOCKED,
        relation=None,
        svar_pa=None,
        changed_at=None,
        to_sign=None,
    )
    rows.drafts.put(locked, draft.state)
    return True


def dispose(rows: Rows, it: About, intygs_id: str, correlation_id: str) -> bool:
    """Remove an unsigned draft that is too old; its unit is told. Whether it was there."""
    draft = rows.drafts.lock(intygs_id)
    if draft is None or draft.state not in OPEN:
        return False
    _remove(rows, it, draft, correlation_id, None)
    return True


def revoke_locked(
    intygs_id: str, by: Actor, services: Services, unit: UnitOfWork, correlation_id: str
) -> Draft:
    """
    Revoke a locked draft: by a doctor with an assignment on its unit. It stays locked.

    Raises:
        DraftStateError: Not locked, or revoked already.
        DraftRefusedError, UnknownDraftError: As they say.
    """
    draft = read_draft(services, intygs_id)
    it = about_draft(services, draft)
    require_doctor(services, by, draft)

    def put(rows: Rows) -> Draft:
        now = locked_draft(rows, intygs_id)
        if now.state is not DraftState.LOCKED:
            raise DraftStateError(NOT_LOCKED.format(done="revoked"))
        if now.revoked_at is not None:
            raise DraftStateError(ALREADY_REVOKED)
        new = replace(now, revoked_at=rows.now)
        rows.drafts.put(new, now.state)
        tell_unit(rows, it, new, Handelse.MAKULE, correlation_id, by=by.personal_id)
        return new

    return unit.write(put)


def require_doctor(services: Services, by: Actor, draft: Draft) -> None:
    """
    Let only doctors with an assignment on the draft's unit go on.

    Raises:
        DraftRefusedError: Somebody else. Without a staff directory nobody is asked.
    """
    unit = draft.skapad_av.enhet.enhets_id
    member = staff_member(services, by.personal_id, unit)
    require_assignment(services, member, by.personal_id, unit)
    if member is not None and role_of(member.yrken) is not Role.LAKARE:
        raise DraftRefusedError(NEEDS_DOCTOR)
