"""RegisterCertificate 3: a signed certificate arrives and is kept.

It goes on to its recipient by itself when its type is sent on signing, and when it completes an
older certificate: then to whoever has that one. A certificate that completes, replaces or renews an
older one also closes the completion requests that are open on it.
"""

from dataclasses import dataclass
from datetime import date

import structlog
from lxml import etree

from intyg.adapter.domain.clock import swedish_day
from intyg.adapter.domain.errors import DuplicateError, RuleError, UnknownRecipientError
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.domain.intyg import Intyg, IntygsStatus, StoredIntyg
from intyg.adapter.domain.log import shown
from intyg.adapter.domain.meddelande import FragaState
from intyg.adapter.domain.person import GuardDecision, PatientKind
from intyg.adapter.domain.texts import (
    ALREADY_REGISTERED,
    CONTENT_DIFFERS,
    NOT_FORWARDED,
    NOT_UNIQUE,
    REGISTERED_HELD,
    REGISTERED_NOT_SENT,
    REGISTERED_WITH_WARNINGS,
)
from intyg.adapter.flows.services import Asked, Services
from intyg.adapter.flows.shared.fragor import move_fragor
from intyg.adapter.flows.shared.known_intyg import parent_of, related_intyg
from intyg.adapter.flows.shared.send_on import (
    MAY_HAVE_ARRIVED,
    accepted_by,
    send_on,
    sent_towards,
)
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
from intyg.adapter.formats.result_writer import error_text
from intyg.adapter.formats.safe_xml import parse
from intyg.adapter.rules.fraga_moves import Cause
from intyg.adapter.rules.meddelande_rules import MAX_ID_LENGTH
from intyg.adapter.rules.person_id import check_person, same_person
from intyg.adapter.rules.relation_rules import RelationFacts, check_relation
from intyg.adapter.settings.guard_answers import BlockReply
from intyg.adapter.signature import Refusal, normalise
from intyg.adapter.store import Rows
from intyg.schemas import ns
from intyg.schemas.codes import (
    Amne,
    Handelse,
    Part,
    Status,
    TypAvRelation,
)
from intyg.schemas.finding import Finding
from intyg.schemas.intyg_model import IntygType, Unique

_log = structlog.get_logger()
_INTYG = f"{{{ns.message('RegisterCertificate', 3)}}}intyg"
_PATIENT = "/RegisterCertificate/intyg/patient/person-id"
_TYP = "/RegisterCertificate/intyg/typ"
_INTYGS_ID = "/RegisterCertificate/intyg/intygs-id/extension"

_IS_TEST = {
    PatientKind.TEST: True,
    PatientKind.NOT_TEST: False,
    PatientKind.CANNOT_TELL: None,
}

_CLOSES_KOMPLETTERINGAR = frozenset(
    {TypAvRelation.KOMPLT, TypAvRelation.ERSATT, TypAvRelation.FRLANG}
)


@dataclass(frozen=True)
class _New:
    """A certificate that may be stored: valid, its signature in order."""

    inbound: Inbound
    intyg: Intyg
    intyg_type: IntygType
    settled: Settled
    warnings: list[Finding]


def handle(inbound: Inbound, services: Services, unit: UnitOfWork) -> Result:
    """
    Take in a certificate; queue it where it goes by itself.

    Returns:
        OK, with remarks in the text if there are any; INFO when the same
        certificate was registered before.

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
    new = _New(inbound, intyg, intyg_type, settled, warnings)
    return unit.write(lambda rows: _take_in(rows, asked, new))


def _take_in(rows: Rows, asked: Asked, new: _New) -> Result:
    """All or nothing: no certificate without its deliveries."""
    inbound, intyg = new.inbound, new.intyg
    earlier = rows.intyg.lock(intyg.intygs_id)
    if earlier is not None:
        return _registered_before(inbound, intyg, earlier, asked)
    _refuse_second(rows, intyg, new.intyg_type)
    parent = parent_of(rows, intyg)
    remarks = _check_relation(rows, intyg, parent, strict=asked.settings.strict_rules)
    stored = _store(rows, asked, new)
    by, correlation_id = intyg.skapad_av.personal_id, inbound.correlation_id
    tell_care(rows, asked, stored, Handelse.SIGNAT, correlation_id, hanterat_av=by)
    if parent is not None and _relation(stored) in _CLOSES_KOMPLETTERINGAR:
        move_fragor(rows, asked, parent, Cause.COMPLETED, correlation_id, hanterat_av=by)
    not_sent = [
        remark
        for part in _goes_to(rows, stored, parent, new.intyg_type)
        if (remark := _send_by_itself(rows, asked, stored, part, new.intyg_type, inbound))
    ]
    return _registered(not_sent, new.warnings + remarks)


def _store(rows: Rows, asked: Asked, new: _New) -> StoredIntyg:
    intyg = new.intyg
    rows.intyg.add(
        intyg,
        new.inbound,
        body=new.settled.body,
        is_test=_IS_TEST[asked.guard.verdict(intyg.patient).kind],
        signature=new.settled.outcome,
    )
    received = IntygsStatus(Status.RECEIV, Part.HSVARD, new.inbound.received_at)
    rows.intyg.add_status(intyg.intygs_id, received)
    stored = rows.intyg.get(intyg.intygs_id)
    assert stored is not None
    return stored


def _check_ids(intyg: Intyg, today: date) -> None:
    findings = check_person(intyg.patient, _PATIENT, today)
    if not 1 <= len(intyg.intygs_id) <= MAX_ID_LENGTH:
        text = f"intygs-id must have 1 to {MAX_ID_LENGTH} characters"
        findings.append(Finding("INTYGS_ID", text, _INTYGS_ID))
    refuse(findings, "The certificate cannot be registered:")


def _refuse_second(rows: Rows, intyg: Intyg, intyg_type: IntygType) -> None:
    """
    Refuse a death certificate beside another that is signed and not revoked.

    One that replaces such another is let through. Nationally the editor asks this at signing; here
    certificates come signed.
    """
    if intyg_type.unique is None:
        return
    in_force = [
        one.intyg
        for one in rows.intyg.of_patient(intyg.patient, intyg.typ)
        if one.revoked_at is None
    ]
    if intyg_type.unique is Unique.CARE_PROVIDER:
        provider = intyg.skapad_av.enhet.vardgivare_id
        in_force = [one for one in in_force if one.skapad_av.enhet.vardgivare_id == provider]
    relation = intyg.relation
    replaces = relation.intygs_id if relation and relation.typ == TypAvRelation.ERSATT else None
    if in_force and replaces not in {one.intygs_id for one in in_force}:
        text = NOT_UNIQUE[intyg_type.unique]
        refuse([Finding("INTYG_NOT_UNIQUE", text, _TYP)], "The certificate cannot be registered:")


def _check_relation(
    rows: Rows, intyg: Intyg, parent: StoredIntyg | None, *, strict: bool
) -> list[Finding]:
    """
    Look at what the certificate replaces, renews or completes, as it stands before this one.

    Raises:
        RuleError: A rule is broken, and warnings refuse.
    """
    if parent is None or intyg.relation is None:
        return []
    facts = RelationFacts(
        older=parent,
        newer=related_intyg(rows, parent),
        sent=bool(_who_has(rows, parent)),
        asked=any(
            m.meddelande.amne == Amne.KOMPLT and m.state is FragaState.OPEN_CARE
            for m in rows.meddelanden.of_intyg(parent.intyg.intygs_id)
        ),
    )
    findings = check_relation(intyg.relation.typ, facts)
    if strict:
        refuse(findings, "The certificate cannot be registered:")
    return findings


# --- the same id again --------------------------------------------------------------------------


def _registered_before(
    inbound: Inbound, intyg: Intyg, earlier: StoredIntyg, asked: Asked
) -> Result:
    if not same_person(earlier.intyg.patient, intyg.patient):
        raise DuplicateError(ALREADY_REGISTERED)
    if _same_content(inbound, intyg, earlier):
        return Result.info(ALREADY_REGISTERED)
    _log.warning(
        "register_certificate.content_differs",
        **{"trace.id": inbound.correlation_id, "intyg.id": shown(intyg.intygs_id)},
    )
    text = f"{ALREADY_REGISTERED}\n{CONTENT_DIFFERS}"
    if asked.settings.strict_duplicates:
        raise DuplicateError(text)
    return Result.info(text)


def _same_content(inbound: Inbound, intyg: Intyg, earlier: StoredIntyg) -> bool:
    """
    Whether two requests carry the same certificate.

    Not byte for byte: what a signature would cover is compared, with the relation and `svarPa`, so
    that another prefix, a new signature or the adapter's own makes no difference.
    """
    if inbound.body == earlier.body:
        return True
    if (intyg.relation, intyg.svar_pa) != (earlier.intyg.relation, earlier.intyg.svar_pa):
        return False
    try:
        return normalise(_intyg(inbound.element)) == normalise(
            _intyg(parse(earlier.body).getroot())
        )
    except Refusal:  # not what can be signed, e.g. it holds comments: then only equal bytes count
        return False


def _intyg(request: etree._Element) -> etree._Element:
    intyg = request.find(_INTYG)
    assert intyg is not None  # the schema requires it
    return intyg


# --- going on by itself -------------------------------------------------------------------------


def _relation(stored: StoredIntyg) -> str | None:
    return stored.intyg.relation.typ if stored.intyg.relation else None


def _goes_to(
    rows: Rows, stored: StoredIntyg, parent: StoredIntyg | None, intyg_type: IntygType
) -> list[str]:
    """The parts that a certificate is sent to without being asked for, in order of their codes."""
    goes_to: set[str] = set()
    if _relation(stored) == TypAvRelation.KOMPLT:
        if parent is not None:
            goes_to |= _who_has(rows, parent)
        if not goes_to and intyg_type.recipient:
            goes_to.add(intyg_type.recipient)
    if intyg_type.sent_on_signing and intyg_type.recipient:
        goes_to.add(intyg_type.recipient)
    return sorted(goes_to)


def _who_has(rows: Rows, stored: StoredIntyg) -> set[str]:
    """The parts that have a certificate, may have it, or will get it."""
    intygs_id = stored.intyg.intygs_id
    towards = sent_towards(rows, intygs_id, MAY_HAVE_ARRIVED)
    return {*accepted_by(rows, intygs_id), *(recipient.part for recipient in towards)}


def _send_by_itself(
    rows: Rows,
    asked: Asked,
    stored: StoredIntyg,
    part: str,
    intyg_type: IntygType,
    inbound: Inbound,
) -> str | None:
    """
    Queue a certificate for a part; whatever stops that, the certificate stays registered.

    Returns:
        A remark for the caller, where there is one: a block is journalled and,
        as nationally, told to nobody, unless the settings want that.
    """
    try:
        recipient = asked.routes.recipient(part, intyg_type)
        signer = stored.intyg.skapad_av.personal_id
        sending = send_on(rows, asked, stored, recipient, inbound, requested_by=signer)
    except UnknownRecipientError as exc:
        return REGISTERED_NOT_SENT.format(reason=exc.text)
    if sending.decision is GuardDecision.HOLD:
        return REGISTERED_HELD.format(part=part)
    told = asked.guard.told(inbound.contract.name)
    if sending.decision is GuardDecision.BLOCK and told is BlockReply.NOT_FORWARDED:
        return NOT_FORWARDED.format(destination=sending.destination.name)
    return None


def _registered(remarks: list[str], warnings: list[Finding]) -> Result:
    texts = list(remarks)
    if warnings:
        heading = REGISTERED_WITH_WARNINGS.format(count=len(warnings))
        texts.append(error_text(RuleError(heading, warnings)))
    text = "\n".join(texts)
    return Result.info(text) if remarks else Result.ok(text or None)
