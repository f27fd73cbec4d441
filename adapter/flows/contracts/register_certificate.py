"""RegisterCertificate 3: a signed certificate arrives and is kept.

It goes on to its recipient by itself when its type is sent on signing, and when it completes an
older certificate: then to whoever has that one. A certificate that completes, replaces or renews an
older one also closes the completion requests that are open on it.
"""

from dataclasses import dataclass
from datetime import date

from intyg.adapter.domain.clock import swedish_day
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.domain.intyg import Intyg, IntygsStatus, StoredIntyg
from intyg.adapter.domain.person import PatientKind
from intyg.adapter.domain.texts import REGISTERED_WITH_REMARKS
from intyg.adapter.flows.services import Asked, Services
from intyg.adapter.flows.shared.announce import announce_created
from intyg.adapter.flows.shared.beside_others import refuse_second, remarks_on_relation
from intyg.adapter.flows.shared.fragor import move_fragor
from intyg.adapter.flows.shared.known_intyg import parent_of, relation_of
from intyg.adapter.flows.shared.registered_before import registered_before
from intyg.adapter.flows.shared.send_by_itself import send_by_itself
from intyg.adapter.flows.shared.signature_policy import Settled, refuse_signer, settle_signature
from intyg.adapter.flows.shared.tell_care import tell_care
from intyg.adapter.flows.shared.validate import (
    find_type_in_use,
    refuse,
    validate,
    validate_intyg,
)
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.intyg_reader import read_register_certificate
from intyg.adapter.formats.result_writer import with_remarks
from intyg.adapter.rules.engine_events import Act
from intyg.adapter.rules.meddelande_rules import MAX_ID_LENGTH
from intyg.adapter.rules.person_id import check_person
from intyg.adapter.store import IntygFact, Rows
from intyg.schemas.codes import Handelse, Part, Status, TypAvRelation
from intyg.schemas.finding import Finding
from intyg.schemas.intyg_model import IntygType

_PATIENT = "/RegisterCertificate/intyg/patient/person-id"
_INTYGS_ID = "/RegisterCertificate/intyg/intygs-id/extension"

_IS_TEST = {
    PatientKind.TEST: True,
    PatientKind.NOT_TEST: False,
    PatientKind.CANNOT_TELL: None,
}

_CLOSING = frozenset({TypAvRelation.KOMPLT, TypAvRelation.ERSATT, TypAvRelation.FRLANG})


@dataclass(frozen=True)
class _New:
    """A certificate that may be stored: valid, its signature in order."""

    inbound: Inbound
    intyg: Intyg
    intyg_type: IntygType
    settled: Settled
    warnings: list[Finding]
    is_test: bool | None  # None: it could not be told
    facts: list[IntygFact]


def handle(inbound: Inbound, services: Services, unit: UnitOfWork) -> Result:
    """
    Take in a certificate; queue it where it goes by itself.

    Returns:
        OK; INFO when there are remarks, and when the same certificate was
        registered before.

    Raises:
        SchemaError, RuleError: Not as the contract or the type wants it; or the
            patient has one already of a type that there may be one of.
        SignatureError: The signature is missing, wrong or not trusted.
        TechnicalError: The staff directory does not answer.
        DuplicateError: The id is taken by another patient's certificate; or
            by another content, where the settings refuse that.
    """
    validate(inbound, services.contracts)
    intyg = read_register_certificate(inbound.element)
    intyg_type = find_type_in_use(intyg, services.types)
    today = swedish_day(services.clock())
    _check_ids(intyg, today)
    warnings = validate_intyg(
        inbound.element,
        intyg_type,
        services.types,
        today=today,
        strict=services.settings.strict_rules,
    )
    settled = settle_signature(inbound, services)
    refuse_signer(inbound, services, intyg, intyg_type, settled.signer)
    asked = services.ask(intyg.patient)
    is_test = _IS_TEST[asked.guard.verdict(intyg.patient).kind]
    facts = _facts(inbound, services, intyg, is_test)
    new = _New(inbound, intyg, intyg_type, settled, warnings, is_test, facts)
    return unit.write(lambda rows: _take_in(rows, asked, new))


def _take_in(rows: Rows, asked: Asked, new: _New) -> Result:
    """All or nothing: no certificate without its deliveries."""
    inbound, intyg = new.inbound, new.intyg
    earlier = rows.intyg.lock_or_none(intyg.intygs_id)
    if earlier is not None:
        strict = asked.settings.strict_duplicates
        return registered_before(inbound, intyg, earlier, strict=strict)
    refuse_second(rows, intyg, new.intyg_type)
    parent = parent_of(rows, intyg)
    remarks = remarks_on_relation(rows, asked, intyg, parent, new.intyg_type)
    stored = _store(rows, new)
    by, correlation_id = intyg.skapad_av.personal_id, inbound.correlation_id
    content = new.settled.intyg
    tell_care(rows, asked, stored, Handelse.SIGNAT, correlation_id, hanterat_av=by, content=content)
    if parent is not None and parent.revoked_at is None and _closes_kompletteringar(intyg):
        move_fragor(rows, asked, parent, Act.FOLLOWED, correlation_id, hanterat_av=by)
    announce_created(rows, stored, asked, correlation_id)
    not_sent = send_by_itself(rows, asked, stored, parent, new.intyg_type, inbound)
    return _registered(not_sent, new.warnings + remarks)


def _store(rows: Rows, new: _New) -> StoredIntyg:
    intyg = new.intyg
    stored = rows.intyg.add(
        intyg,
        new.inbound,
        body=new.settled.body,
        is_test=new.is_test,
        signature=new.settled.outcome,
    )
    rows.statistics.add(intyg.intygs_id, new.facts)
    received = IntygsStatus(Status.RECEIV, Part.HSVARD, new.inbound.received_at)
    rows.intyg.add_status(intyg.intygs_id, received)
    return stored


def _facts(
    inbound: Inbound, services: Services, intyg: Intyg, is_test: bool | None
) -> list[IntygFact]:
    if services.facts is None:
        return []
    return services.facts.facts_of(intyg, inbound.element, inbound.received_at, is_test)


def _closes_kompletteringar(intyg: Intyg) -> bool:
    relation = relation_of(intyg)
    return relation is not None and relation.typ in _CLOSING


def _check_ids(intyg: Intyg, today: date) -> None:
    findings = check_person(intyg.patient, _PATIENT, today)
    if not 1 <= len(intyg.intygs_id) <= MAX_ID_LENGTH:
        text = f"intygs-id must have 1 to {MAX_ID_LENGTH} characters"
        findings.append(Finding("INTYGS_ID", text, _INTYGS_ID))
    refuse(findings, "The certificate cannot be registered:")


def _registered(remarks: list[str], warnings: list[Finding]) -> Result:
    return with_remarks(REGISTERED_WITH_REMARKS, warnings, remarks)
