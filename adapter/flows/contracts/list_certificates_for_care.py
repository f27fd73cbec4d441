"""ListCertificatesForCare 3: a patient's certificates from some units, or from one care provider.

The national store reads the units alone, and answers a request that names a care provider with the
patient's certificates from everywhere. That is other care providers' patient data, so here the care
provider counts.
"""

from collections.abc import Iterator

from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.domain.pieces import Pieces
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.listing import Listed, gather, read_each
from intyg.adapter.flows.shared.readers import let_read
from intyg.adapter.flows.shared.validate import validate
from intyg.adapter.flows.shared.visibility import visible_statuses
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.answer_writers import ShownIntyg, write_intyg, write_intygs_lista
from intyg.adapter.formats.query_readers import CareQuery, read_list_certificates_for_care
from intyg.adapter.store import Rows
from intyg.schemas.codes import Part


def handle(inbound: Inbound, services: Services, unit: UnitOfWork) -> Pieces:
    """
    List certificates, oldest first: revoked, archived and test patients' ones too.

    A person number that nobody can have gives an empty list.

    Raises:
        SchemaError: Not as the contract wants it.
        TestPatientError: One of them may not be sent to care here: then none is shown.
        TechnicalError: That cannot be told.
        ApplicationError: There are more than `server.most_listed`.
    """
    validate(inbound, services.contracts)
    query = read_list_certificates_for_care(inbound.element)
    most = services.settings.server.most_listed
    namespace = inbound.contract.namespace
    listing = unit.read(
        lambda rows: gather((hit[0], _write(namespace, hit)) for hit in _search(rows, query, most))
    )
    let_read(listing.of, inbound, services, unit)
    return write_intygs_lista(inbound.contract, listing.written)


def _search(rows: Rows, query: CareQuery, most: int) -> Iterator[Listed]:
    found = rows.intyg.search(
        query.patient,
        enhets_ids=query.enhets_ids or None,
        vardgivare_id=query.vardgivar_id,
        most=most + 1,
    )
    return read_each(rows, found, most)


def _write(namespace: str, listed: Listed) -> bytes:
    stored, statuses = listed
    return write_intyg(ShownIntyg(stored, visible_statuses(statuses, Part.HSVARD)), namespace)
