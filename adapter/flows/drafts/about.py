"""What every act about a draft has asked before its transaction: type, patient, who acts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from intyg.adapter.clients.people import PeopleDownError
from intyg.adapter.domain.clock import swedish_day
from intyg.adapter.domain.draft import Draft, DraftState
from intyg.adapter.domain.draft_texts import (
    MAY_NOT_WRITE,
    NO_ASSIGNMENT,
    NOT_EDITABLE,
    NOT_IN_REGISTER,
    REGISTER_DOWN,
    REGISTER_NOT_SET,
    UNKNOWN_DRAFT,
)
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.errors import (
    DraftRefusedError,
    DraftStateError,
    UnknownDraftError,
)
from intyg.adapter.domain.log import shown
from intyg.adapter.domain.person import PersonFacts, PersonId
from intyg.adapter.drafts.answers import Filler
from intyg.adapter.drafts.contents import findings_of
from intyg.adapter.flows.services import Asked, Services
from intyg.adapter.rules.draft_rules import may_write
from intyg.adapter.rules.signer_roles import StaffMember, has_assignment
from intyg.adapter.store import Rows
from intyg.schemas.finding import Finding
from intyg.schemas.intyg_model import IntygType

_log = structlog.get_logger()

_STATES: Final = {
    DraftState.LOCKED: "locked",
    DraftState.SIGNED: "signed",
    DraftState.DELETED: "deleted",
}


@dataclass(frozen=True)
class Actor:
    """Who does something, as the caller says."""

    personal_id: str  # HSA-id
    name: str = ""


@dataclass(frozen=True)
class About:
    """
    A draft's type and patient, and what was asked of them.

    Attributes:
        facts: What the population register says of the patient.
        now: When it was asked.
    """

    services: Services
    asked: Asked
    intyg_type: IntygType
    facts: PersonFacts
    filler: Filler
    now: datetime

    def findings(self, draft: Draft) -> list[Finding]:
        """Everything that keeps a draft from being signed."""
        found = findings_of(
            draft,
            self.intyg_type,
            self.facts,
            contracts=self.services.contracts,
            types=self.services.types,
            filler=self.filler,
            today=self.now,
        )
        return list(found)

    def state_of(self, draft: Draft) -> DraftState:
        """Complete or not, by its content."""
        return DraftState.INCOMPLETE if self.findings(draft) else DraftState.COMPLETE


def about(
    services: Services, patient: PersonId, intyg_type: IntygType, facts: PersonFacts
) -> About:
    """Ask what a transaction about a draft needs to know."""
    return About(
        services=services,
        asked=services.ask(patient),
        intyg_type=intyg_type,
        facts=facts,
        filler=Filler(intyg_type, services.diagnoses),
        now=services.clock(),
    )


def about_draft(services: Services, draft: Draft) -> About:
    """
    The same of a draft that is there.

    A register that does not answer stops nothing that is done with a draft that is there: its
    patient is then told without a name, or later, where names are filled in when it is sent.
    """
    intyg_type = services.types.find(draft.typ, draft.version)
    return about(services, draft.patient, intyg_type, facts_if_any(services, draft.patient))


# --- the patient ----------------------------------------------------------------------------------


def facts_of(services: Services, patient: PersonId) -> PersonFacts:
    """
    What the population register says of the patient of a new draft.

    Raises:
        DraftRefusedError: It does not answer, or knows nobody with this number; or there is none,
            which only production minds.
    """
    if services.people is None:
        if services.settings.environment is Environment.PRODUCTION:
            raise DraftRefusedError(REGISTER_NOT_SET)
        return PersonFacts()
    try:
        facts = services.people.find(patient)
    except PeopleDownError as exc:
        raise DraftRefusedError(REGISTER_DOWN.format(why=exc)) from None
    if facts is None:
        raise DraftRefusedError(NOT_IN_REGISTER)
    return facts


def facts_if_any(services: Services, patient: PersonId) -> PersonFacts:
    """The same of a patient who has a draft: unknown protection where it does not say."""
    try:
        return facts_of(services, patient)
    except DraftRefusedError:
        return PersonFacts(is_protected=None)


# --- who acts -------------------------------------------------------------------------------------


def staff_member(services: Services, personal_id: str, enhets_id: str) -> StaffMember | None:
    """
    Somebody as the staff directory knows them; None: there is no directory, and nobody is asked.

    Raises:
        DraftRefusedError: It knows nobody with this HSA-id.
        TechnicalError: It does not answer.
    """
    if services.staff is None:
        return None
    member = services.staff.find(personal_id)
    if member is None:
        raise no_assignment(personal_id, enhets_id)
    return member


def require_assignment(
    services: Services, member: StaffMember | None, personal_id: str, enhets_id: str
) -> None:
    """
    Let only those go on who work at a unit today.

    Raises:
        DraftRefusedError: No assignment for care there.
    """
    today = swedish_day(services.clock())
    if member is not None and not has_assignment(member, enhets_id, today):
        raise no_assignment(personal_id, enhets_id)


def require_writer(services: Services, by: Actor, draft: Draft, about_it: About) -> None:
    """
    Let only those change a draft who may write its type, at its unit.

    Raises:
        DraftRefusedError: No assignment there, or a role that may not.
    """
    unit = draft.skapad_av.enhet.enhets_id
    member = staff_member(services, by.personal_id, unit)
    require_assignment(services, member, by.personal_id, unit)
    if member is not None and not may_write(member, about_it.intyg_type):
        raise DraftRefusedError(MAY_NOT_WRITE.format(typ=draft.typ))


def no_assignment(personal_id: str, enhets_id: str) -> DraftRefusedError:
    """What is said of somebody without an assignment; noted in the log as nationally."""
    _log.warning(
        "draft.no_assignment",
        **{"event.code": "USER_MISSING_MIU_ON_ENHET", "intyg.unit": shown(enhets_id)},
    )
    return DraftRefusedError(NO_ASSIGNMENT.format(who=shown(personal_id), unit=shown(enhets_id)))


# --- the draft ------------------------------------------------------------------------------------


def read_draft(services: Services, intygs_id: str) -> Draft:
    """
    A draft as it stands.

    Raises:
        UnknownDraftError: There is none, or it was deleted.
    """
    with services.store.read() as rows:
        return _there(rows.drafts.get(intygs_id))


def locked_draft(rows: Rows, intygs_id: str) -> Draft:
    """The same, with its lock held until the transaction ends."""
    return _there(rows.drafts.lock(intygs_id))


def _there(draft: Draft | None) -> Draft:
    if draft is None or draft.state is DraftState.DELETED:
        raise UnknownDraftError(UNKNOWN_DRAFT)
    return draft


def require_editable(draft: Draft, done: str) -> None:
    """
    Raises:
        DraftStateError: Locked, signed or deleted.
    """
    if not draft.is_editable:
        raise DraftStateError(NOT_EDITABLE.format(state=_STATES[draft.state], done=done))
