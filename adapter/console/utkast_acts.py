"""What is done with drafts, by programs and by people alike; each act with its audit row."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from intyg.adapter.domain.draft import Draft, DraftState
from intyg.adapter.domain.errors import RuleError
from intyg.adapter.domain.inbound import Result
from intyg.adapter.domain.intyg import HosPersonal
from intyg.adapter.domain.person import PersonId
from intyg.adapter.drafts.answers import check_answers
from intyg.adapter.drafts.contents import certificate_json, request_of
from intyg.adapter.flows.drafts import save, signing
from intyg.adapter.flows.drafts.about import (
    Actor,
    about_draft,
    facts_of,
    require_assignment,
    staff_member,
)
from intyg.adapter.flows.drafts.create import Created, NewDraft, create, refuse_person, type_of
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.intyg_json import Json
from intyg.adapter.formats.safe_xml import parse_own
from intyg.adapter.rules.draft_rules import Way
from intyg.adapter.rules.signer_roles import StaffMember
from intyg.adapter.store import Rows
from intyg.schemas.export.render import Rendering, render

MARKS: Final = {DraftState.LOCKED: "LÅST UTKAST"}
REVOKED_MARK: Final = "MAKULERAT UTKAST"
MARK: Final = "UTKAST"


@dataclass(frozen=True)
class Order:
    """
    A draft that somebody orders.

    Attributes:
        version: Of the type; None: its newest.
        ref: The EHR's own reference.
        dry: Say what would come of it, and keep nothing.
    """

    typ: str
    patient: PersonId
    skapad_av: HosPersonal
    version: str | None = None
    answers: Json = field(default_factory=dict, repr=False)
    ref: str | None = None
    dry: bool = False


@dataclass(frozen=True)
class Acts:
    """
    Acts of one visitor.

    Attributes:
        by: As the audit log names who does it; None: unknown.
    """

    services: Services
    by: str | None

    def unit(self, action: str, intygs_id: str | None) -> tuple[UnitOfWork, str]:
        """A transaction, with the audit's row of it; and its correlation id."""
        trace = secrets.token_hex(16)
        return UnitOfWork(self.services.store, self.record(action, intygs_id, trace)), trace

    def record(
        self, action: str, intygs_id: str | None, trace: str
    ) -> Callable[[Rows, object], None] | None:
        """What adds the audit's row; None where there is no audit log."""
        audit, by = self.services.audit, self.by
        if audit is None:
            return None

        def record(rows: Rows, outcome: object) -> None:
            made = outcome.draft.intygs_id if isinstance(outcome, Created) else ""
            audit.record_console(rows, action, intygs_id or made, trace, by)

        return record

    def looked(self, intygs_id: str) -> None:
        """Each look at somebody's answers is recorded."""
        unit, _ = self.unit("utkast read", intygs_id)
        unit.end(None)

    def order(self, order: Order) -> Created:
        """
        Make a draft.

        Raises:
            RuleError: The answers are none that its type could hold.
            DraftRefusedError: There is something against type, person, role or number.
        """
        services = self.services
        intyg_type = type_of(services.types, order.typ, order.version)
        member = self._writer(order.skapad_av)
        facts = facts_of(services, order.patient)
        refuse_person(intyg_type, Way.CREATE, facts, member)
        findings = check_answers(order.answers, intyg_type)
        if findings:
            raise RuleError("The answers are not of this type's form:", findings)
        new = NewDraft(
            intyg_type=intyg_type,
            patient=order.patient,
            skapad_av=order.skapad_av,
            answers=order.answers,
            ref=order.ref,
            dry=order.dry,
        )
        unit, trace = self.unit("utkast create", None)
        return create(new, facts, member, services, unit, trace)

    def _writer(self, skapad_av: HosPersonal) -> StaffMember | None:
        unit = skapad_av.enhet.enhets_id
        member = staff_member(self.services, skapad_av.personal_id, unit)
        require_assignment(self.services, member, skapad_av.personal_id, unit)
        return member

    def save(self, intygs_id: str, stamp: int | None, content: Json, by: Actor) -> save.Saved:
        """As `save.save`."""
        unit, _ = self.unit("utkast save", intygs_id)
        return save.save(intygs_id, stamp, content, by, self.services, unit)

    def sign(self, intygs_id: str, stamp: int | None, by: Actor) -> Result:
        """As `signing.sign_with_test_key`."""
        trace = secrets.token_hex(16)
        record = self.record("utkast sign", intygs_id, trace)
        unit = UnitOfWork(self.services.store)
        return signing.sign_with_test_key(
            intygs_id, stamp, by, self.services, unit, record, trace
        )  # fmt: skip


def in_words(services: Services, draft: Draft) -> Rendering:
    """A draft as a person reads it."""
    it = about_draft(services, draft)
    data = certificate_json(draft, it.intyg_type, it.facts)
    return render(it.intyg_type, parse_own(request_of(draft, it.intyg_type, data))[-1])


def mark_of(draft: Draft) -> str:
    """What stands across a print of it."""
    return REVOKED_MARK if draft.revoked_at else MARKS.get(draft.state, MARK)
