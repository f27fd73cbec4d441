"""GetCertificate 2: one certificate, with the states that the asking part may see."""

from intyg.adapter.domain.errors import TechnicalError, TestPatientError, UnknownIntygError
from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.person import PatientKind
from intyg.adapter.domain.texts import CANNOT_TELL_NOT_SHOWN, NO_INTYG, TEST_INTYG_NOT_SHOWN
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.validate import validate
from intyg.adapter.flows.shared.visibility import NEVER_FOR_CITIZEN, patient_kind, visible_statuses
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.answer_writers import ShownIntyg, write_one_intyg
from intyg.adapter.formats.query_readers import read_get_certificate
from intyg.schemas.codes import Part


def handle(inbound: Inbound, services: Services, unit: UnitOfWork) -> bytes:
    """
    Fetch a certificate. A revoked one is given too, with its state CANCEL.

    The request names no patient, so there is none to compare with.

    Raises:
        SchemaError: Not as the contract wants it.
        UnknownIntygError: No such certificate, or one that a citizen is not shown.
        TestPatientError: A test patient's, and another part than care asks.
        TechnicalError: It cannot be told whether it is a test patient's.
    """
    validate(inbound, services.contracts)
    query = read_get_certificate(inbound.element)
    hidden = NEVER_FOR_CITIZEN if query.part == Part.INVANA else ()
    stored, statuses = unit.read(
        lambda rows: (
            rows.intyg.get(query.intygs_id, hidden_types=hidden),
            rows.intyg.statuses(query.intygs_id),
        )
    )
    if stored is None:
        raise UnknownIntygError(NO_INTYG)
    if query.part != Part.HSVARD:
        _check_patient(stored, services)
    shown = ShownIntyg(stored, visible_statuses(statuses, query.part))
    return write_one_intyg(inbound.contract, shown)


def _check_patient(stored: StoredIntyg, services: Services) -> None:
    kind = patient_kind(stored, services.guard)
    if kind is PatientKind.TEST:
        raise TestPatientError(TEST_INTYG_NOT_SHOWN)
    if kind is PatientKind.CANNOT_TELL:
        raise TechnicalError(CANNOT_TELL_NOT_SHOWN)
