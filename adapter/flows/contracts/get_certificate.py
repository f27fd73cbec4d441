"""GetCertificate 2: one certificate, with the states that the asking part may see."""

from intyg.adapter.domain.errors import UnknownIntygError
from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.domain.intyg import IntygsStatus, StoredIntyg
from intyg.adapter.domain.texts import NO_INTYG
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.readers import let_read, refuse_part
from intyg.adapter.flows.shared.validate import validate
from intyg.adapter.flows.shared.visibility import NEVER_FOR_CITIZEN, visible_statuses
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.answer_writers import ShownIntyg, write_one_intyg
from intyg.adapter.formats.query_readers import read_get_certificate
from intyg.adapter.store import Rows
from intyg.schemas.codes import Part


def handle(inbound: Inbound, services: Services, unit: UnitOfWork) -> bytes:
    """
    Fetch a certificate. A revoked one is given too, with its state CANCEL.

    The request names no patient, so there is none to compare with.

    Raises:
        SchemaError: Not as the contract wants it.
        RuleError: No such part, or the caller may not speak for it.
        UnknownIntygError: No such certificate, or one that a citizen is not shown.
        TestPatientError: It may not be sent to whom it would be shown.
        TechnicalError: That cannot be told.
    """
    validate(inbound, services.contracts)
    query = read_get_certificate(inbound.element)
    refuse_part(inbound, services, query.part)
    hidden = NEVER_FOR_CITIZEN if query.part == Part.INVANA else ()

    def find(rows: Rows) -> tuple[StoredIntyg | None, tuple[IntygsStatus, ...]]:
        stored = rows.intyg.get(query.intygs_id, hidden_types=hidden)
        written = stored.intyg.intygs_id if stored else query.intygs_id
        return stored, rows.intyg.statuses(written)

    stored, statuses = unit.read(find)
    if stored is None:
        raise UnknownIntygError(NO_INTYG)
    let_read([stored], inbound, services, unit, query.part)
    shown = ShownIntyg(stored, visible_statuses(statuses, query.part))
    return write_one_intyg(inbound.contract, shown)
