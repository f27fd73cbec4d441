"""SetCertificateStatus 2: a part notes a state of a certificate; the citizen archives it.

It only records: nothing is sent and nobody is told. So a revocation is not taken here: noted like
this it would never reach those who have the certificate.
"""

from intyg.adapter.domain.errors import RuleError, ValidationError
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.domain.intyg import IntygsStatus, StoredIntyg
from intyg.adapter.domain.person import PatientKind
from intyg.adapter.domain.texts import NO_INTYG, STATUS_REFUSED
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.announce import announce_sent
from intyg.adapter.flows.shared.readers import why_not_part
from intyg.adapter.flows.shared.send_on import accepted_by
from intyg.adapter.flows.shared.validate import refuse, validate
from intyg.adapter.flows.shared.visibility import patient_kind
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.query_readers import StatusRequest, read_set_certificate_status
from intyg.adapter.store import Rows
from intyg.schemas.codes import Status
from intyg.schemas.finding import Finding


def handle(inbound: Inbound, services: Services, unit: UnitOfWork) -> Result:
    """
    Record a state, with the caller's time; also one that is recorded already.

    Raises:
        SchemaError: Not as the contract wants it.
        RuleError: The part or the state is not known; the caller may not speak for the part; a
            revocation; or a sending of a test patient's certificate.
        ValidationError: No such certificate.
    """
    validate(inbound, services.contracts)
    request = read_set_certificate_status(inbound.element)
    status = _status(request, why_not_part(inbound, services, request.part))
    # A certificate is for good, and so is whose it is: what is found here holds below.
    stored = unit.read(lambda rows: rows.intyg.get(request.intygs_id))
    if stored is None:
        raise ValidationError(NO_INTYG)
    if status is Status.SENTTO:
        _check_patient(stored, services)

    def note(rows: Rows) -> Result:
        intygs_id = stored.intyg.intygs_id
        rows.intyg.lock(intygs_id)
        before = accepted_by(rows, intygs_id)
        rows.intyg.add_status(intygs_id, IntygsStatus(status, request.part, request.tidpunkt))
        for part in accepted_by(rows, intygs_id) - before:
            announce_sent(rows, stored, part, services, inbound.correlation_id)
        return Result.ok()

    return unit.write(note)


def _status(request: StatusRequest, findings: list[Finding]) -> Status:
    known = [status for status in Status if status is not Status.CANCEL]
    if request.status == Status.CANCEL:
        text = "a certificate is revoked by RevokeCertificate, which tells those who have it"
        findings.append(_finding("STATUS_CANCEL", text, "status"))
    elif request.status not in known:
        text = f"status must be one of {', '.join(known)}"
        findings.append(_finding("STATUS_NOT_KNOWN_ERROR", text, "status"))
    refuse(findings, STATUS_REFUSED)
    return Status(request.status)


def _check_patient(stored: StoredIntyg, services: Services) -> None:
    if patient_kind(stored, services.guard) is PatientKind.TEST:
        text = "a test patient's certificate is sent to nobody"
        raise RuleError(STATUS_REFUSED, [_finding("TEST_CERTIFICATE", text, "status")])


def _finding(rule: str, text: str, name: str) -> Finding:
    return Finding(rule, text, f"/SetCertificateStatus/{name}")
