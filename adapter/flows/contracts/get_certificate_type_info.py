"""GetCertificateTypeInfo 1: the type and version of a certificate."""

from lxml import etree

from intyg.adapter.domain.errors import UnknownIntygError
from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.domain.texts import NO_INTYG
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.readers import let_read
from intyg.adapter.flows.shared.validate import find_type, validate
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.answer_writers import write_type_info
from intyg.adapter.formats.query_readers import read_intygs_ids


def handle(inbound: Inbound, services: Services, unit: UnitOfWork) -> etree._Element:
    """
    Tell the type as certificates write it (`LISJP`), and the version as this one does (`1.3`).

    Raises:
        SchemaError: Not as the contract wants it.
        UnknownIntygError: The id is empty, or no certificate's.
        TestPatientError: It may not be sent to care here.
        TechnicalError: That cannot be told.
    """
    validate(inbound, services.contracts)
    (intygs_id,) = read_intygs_ids(inbound.element)
    stored = unit.read(lambda rows: rows.intyg.get(intygs_id))
    if stored is None:
        raise UnknownIntygError(NO_INTYG)
    let_read([stored], inbound, services, unit)
    known = find_type(stored.intyg, services.types)
    return write_type_info(
        inbound.contract, known.xml_code, known.xml_system, known.xml_display, stored.intyg.version
    )
