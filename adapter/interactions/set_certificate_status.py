"""SetCertificateStatus 2: a part notes a state of a certificate; the citizen archives it.

It only records: nothing is sent and nobody is told. So a revocation is not taken here: noted like
this it would never reach those who have the certificate.
"""

from adapter.errors import RuleError, ValidationError
from adapter.model import Inbound, IntygsStatus, PatientKind, Result, StoredIntyg
from adapter.part_view import patient_kind
from adapter.parts import Parts
from adapter.query_readers import StatusRequest, read_set_certificate_status
from adapter.recipients import RecipientRegister
from adapter.texts import NO_INTYG, STATUS_REFUSED
from adapter.validate import refuse, validate
from schemas.codes import Status
from schemas.finding import Finding


def handle(inbound: Inbound, parts: Parts) -> Result:
    """
    Record a state, with the caller's time; also one that is recorded already.

    Raises:
        SchemaError: Not as the contract wants it.
        RuleError: The part or the state is not known; a revocation; or a
            sending of a test patient's certificate.
        ValidationError: No such certificate.
    """
    validate(inbound, parts.contracts)
    request = read_set_certificate_status(inbound.element)
    status = _status(request, parts)
    with parts.store.begin() as rows:
        stored = rows.lock_intyg(request.intygs_id)
        if stored is None:
            raise ValidationError(NO_INTYG)
        if status is Status.SENTTO:
            _check_patient(stored, parts)
        rows.add_status(request.intygs_id, IntygsStatus(status, request.part, request.tidpunkt))
    return Result.ok()


def _status(request: StatusRequest, parts: Parts) -> Status:
    findings = []
    if RecipientRegister(parts.settings).get(request.part) is None:
        text = "part must be a known recipient, HSVARD or INVANA"
        findings.append(_finding("PART_NOT_KNOWN_ERROR", text, "part"))
    known = [status for status in Status if status is not Status.CANCEL]
    if request.status == Status.CANCEL:
        text = "a certificate is revoked by RevokeCertificate, which tells those who have it"
        findings.append(_finding("STATUS_CANCEL", text, "status"))
    elif request.status not in known:
        text = f"status must be one of {', '.join(known)}"
        findings.append(_finding("STATUS_NOT_KNOWN_ERROR", text, "status"))
    refuse(findings, STATUS_REFUSED)
    return Status(request.status)


def _check_patient(stored: StoredIntyg, parts: Parts) -> None:
    if patient_kind(stored, parts.guard) is PatientKind.TEST:
        text = "a test patient's certificate is sent to nobody"
        raise RuleError(STATUS_REFUSED, [_finding("TEST_CERTIFICATE", text, "status")])


def _finding(rule: str, text: str, name: str) -> Finding:
    return Finding(rule, text, f"/SetCertificateStatus/{name}")
