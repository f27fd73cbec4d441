"""GetCertificate 2: one certificate, with the states that the asking part may see."""

from adapter.answer_writers import ShownIntyg, write_one_intyg
from adapter.errors import TechnicalError, TestPatientError, UnknownIntygError
from adapter.model import Inbound, PatientKind, StoredIntyg
from adapter.part_view import NEVER_FOR_CITIZEN, patient_kind, visible_statuses
from adapter.parts import Parts
from adapter.query_readers import read_get_certificate
from adapter.texts import CANNOT_TELL_NOT_SHOWN, NO_INTYG, TEST_INTYG_NOT_SHOWN
from adapter.validate import validate
from schemas.codes import Part


def handle(inbound: Inbound, parts: Parts) -> bytes:
    """
    Fetch a certificate. A revoked one is given too, with its state CANCEL.

    The request names no patient, so there is none to compare with.

    Raises:
        SchemaError: Not as the contract wants it.
        UnknownIntygError: No such certificate, or one that a citizen is not shown.
        TestPatientError: A test patient's, and another part than care asks.
        TechnicalError: It cannot be told whether it is a test patient's.
    """
    validate(inbound, parts.contracts)
    query = read_get_certificate(inbound.element)
    with parts.store.read() as rows:
        hidden = NEVER_FOR_CITIZEN if query.part == Part.INVANA else ()
        stored = rows.get_intyg(query.intygs_id, hidden_types=hidden)
        if stored is None:
            raise UnknownIntygError(NO_INTYG)
        if query.part != Part.HSVARD:
            _check_patient(stored, parts)
        statuses = rows.statuses(query.intygs_id)
    shown = ShownIntyg(stored, visible_statuses(statuses, query.part))
    return write_one_intyg(inbound.contract, shown)


def _check_patient(stored: StoredIntyg, parts: Parts) -> None:
    kind = patient_kind(stored, parts.guard)
    if kind is PatientKind.TEST:
        raise TestPatientError(TEST_INTYG_NOT_SHOWN)
    if kind is PatientKind.CANNOT_TELL:
        raise TechnicalError(CANNOT_TELL_NOT_SHOWN)
