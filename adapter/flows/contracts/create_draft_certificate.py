"""CreateDraftCertificate 3: an EHR orders a draft.

What may stand against it is asked in the national order, and the first that does is the answer:

    1  the contract's schema
    2  the staff directory knows who orders it           VALIDATION_ERROR
    3  names, ids, person number; all in one text        VALIDATION_ERROR
    4  an assignment for care on the unit                VALIDATION_ERROR
    5  the population register knows the patient         APPLICATION_ERROR
    6  the type; role or protection, and death           APPLICATION_ERROR
    7  the patient's others of a type that is unique     APPLICATION_ERROR

Not idempotent, as nationally: two calls make two drafts. A dry run is asked for by HTTP header; it
is refused as an order is, else answered INFO with what would come of it, and without an id.
"""

from typing import Final

from intyg.adapter.domain.clock import swedish_day
from intyg.adapter.domain.draft_texts import DRY_RUN, FIELDS_MISSING, NOT_IN_REGISTER
from intyg.adapter.domain.errors import DraftRefusedError, RuleError
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.domain.intyg import Enhet, HosPersonal
from intyg.adapter.flows.drafts.about import facts_of, require_assignment, staff_member
from intyg.adapter.flows.drafts.create import (
    Created,
    NewDraft,
    create,
    refuse_person,
    type_of,
)
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.validate import refuse, validate
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.draft_reader import DraftOrder, read_create_draft
from intyg.adapter.rules.draft_rules import Way
from intyg.adapter.rules.person_id import check_person
from intyg.adapter.rules.signer_roles import StaffMember
from intyg.schemas.finding import Finding

_INTYG: Final = "/CreateDraftCertificate/intyg"
_RESERVE: Final = "RESERVE_NUMBER"


def handle(inbound: Inbound, services: Services, unit: UnitOfWork) -> Result:
    """
    Make the draft.

    Returns:
        OK, or INFO with a remark on others of the patient; with the draft's id, whose root is the
        unit. Where the settings want it, the text says what became of the answers sent along.

    Raises:
        SchemaError, RuleError: 1 to 4 above.
        DraftRefusedError: 5 to 7.
        TechnicalError: The staff directory does not answer.
    """
    validate(inbound, services.contracts)
    order = read_create_draft(inbound.element)
    member = _who_orders(order, services)
    facts = facts_of(services, order.patient)
    intyg_type = type_of(services.types, order.typ)
    refuse_person(intyg_type, Way.CREATE, facts, member)
    enhet = Enhet(order.enhets_id, order.enhetsnamn, "")
    new = NewDraft(
        intyg_type=intyg_type,
        patient=order.patient,
        skapad_av=HosPersonal(order.personal_id, order.fullstandigt_namn, enhet),
        sent=order.svar,
        ref=order.ref,
        dry=inbound.dry_run,
    )
    created = create(new, facts, member, services, unit, inbound.correlation_id)
    if new.dry:
        return _dry(created)
    return _answer(created, order, tells_prefill=services.settings.drafts.report_prefill)


def _who_orders(order: DraftOrder, services: Services) -> StaffMember | None:
    """2 to 4 above."""
    try:
        member = staff_member(services, order.personal_id, order.enhets_id)
        findings = _fields(order) + _person(order, services)
        refuse([f for f in findings if f.rule != _RESERVE], FIELDS_MISSING)
        require_assignment(services, member, order.personal_id, order.enhets_id)
    except DraftRefusedError as exc:
        raise RuleError(exc.text) from None  # here the contract's word is VALIDATION_ERROR
    if findings:
        raise DraftRefusedError(NOT_IN_REGISTER)
    return member


def _fields(order: DraftOrder) -> list[Finding]:
    wanted = (
        (order.efternamn, "the patient's surname is missing", "patient/efternamn"),
        (order.fornamn, "the patient's first name is missing", "patient/fornamn"),
        (order.fullstandigt_namn, "the name of who orders it is missing", "skapadAv"),
        (order.personal_id, "the HSA-id of who orders it is missing", "skapadAv/personal-id"),
        (order.enhets_id, "the unit's HSA-id is missing", "skapadAv/enhet/enhets-id"),
        (order.enhetsnamn, "the unit's name is missing", "skapadAv/enhet/enhetsnamn"),
    )
    return [
        Finding("FIELD_MISSING", text, f"{_INTYG}/{path}")
        for value, text, path in wanted
        if not value
    ]


def _person(order: DraftOrder, services: Services) -> list[Finding]:
    today = swedish_day(services.clock())
    return check_person(order.patient, f"{_INTYG}/patient/person-id", today)


def _dry(created: Created) -> Result:
    """What would come of it."""
    texts = [DRY_RUN.format(state=created.draft.state.value), created.remark]
    if created.prefill is not None:
        texts.append(created.prefill.text())
    return Result.info("\n".join(filter(None, texts)))


def _answer(created: Created, order: DraftOrder, *, tells_prefill: bool) -> Result:
    texts = [created.remark] if created.remark else []
    if tells_prefill and created.prefill is not None:
        texts.append(created.prefill.text())
    result = Result.info if created.remark else Result.ok
    made = result("\n".join(texts)) if texts else Result.ok()
    return Result(made.code, made.text, None, (order.enhets_id, created.draft.intygs_id))
