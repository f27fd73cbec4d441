"""ListCertificatesForCare 3: a patient's certificates from some units, or from one care provider.

The national store reads the units alone, and answers a request that names a care provider with the
patient's certificates from everywhere. That is other care providers' patient data, so here the care
provider counts.
"""

from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.validate import validate
from intyg.adapter.flows.shared.visibility import visible_statuses
from intyg.adapter.formats.answer_writers import ShownIntyg, write_intygs_lista
from intyg.adapter.formats.query_readers import read_list_certificates_for_care
from intyg.schemas.codes import Part


def handle(inbound: Inbound, services: Services) -> bytes:
    """
    List certificates, oldest first: revoked, archived and test patients' ones too.

    A person number that nobody can have gives an empty list.

    Raises:
        SchemaError: Not as the contract wants it.
    """
    validate(inbound, services.contracts)
    query = read_list_certificates_for_care(inbound.element)
    with services.store.read() as rows:
        found = rows.intyg.search(
            query.patient,
            enhets_ids=query.enhets_ids or None,
            vardgivare_id=query.vardgivar_id,
        )
        shown = [
            ShownIntyg(
                stored, visible_statuses(rows.intyg.statuses(stored.intyg.intygs_id), Part.HSVARD)
            )
            for stored in found
        ]
    return write_intygs_lista(inbound.contract, shown)
