"""ListCertificatesForCareWithQA 3: what an EHR needs to repair its copy of what happened.

Made from the events: a certificate without one in the span of time is not listed. The national
editor knows only events that it tried to send; here every event counts, so that a unit whose EHR
had no address yet can catch up.
"""

from collections.abc import Iterator

from intyg.adapter.domain.errors import RuleError
from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.domain.intyg import IntygsStatus, StoredIntyg
from intyg.adapter.domain.meddelande import Direction, StoredHandelse, count_arenden
from intyg.adapter.domain.pieces import Pieces
from intyg.adapter.domain.texts import UNIT_OR_PROVIDER
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.listing import gather, read_each
from intyg.adapter.flows.shared.readers import let_read
from intyg.adapter.flows.shared.validate import validate
from intyg.adapter.flows.shared.visibility import visible_statuses
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.answer_writers import (
    IntygWithQA,
    ShownIntyg,
    write_item_with_qa,
    write_list_with_qa,
)
from intyg.adapter.formats.query_readers import CareQuery, read_list_certificates_for_care
from intyg.adapter.store import Rows
from intyg.schemas.codes import Part
from intyg.schemas.finding import Finding


def handle(inbound: Inbound, services: Services, unit: UnitOfWork) -> Pieces:
    """
    List certificates with their events, oldest first, and the questions as they stand now.

    Raises:
        SchemaError: Not as the contract wants it.
        TestPatientError: One of them may not be sent to care here: then none is shown.
        TechnicalError: That cannot be told.
        ApplicationError: There are more than `server.most_listed`.
        RuleError: Neither units nor a care provider; or a time that no calendar can hold.
    """
    validate(inbound, services.contracts)
    query = read_list_certificates_for_care(inbound.element)
    if not query.enhets_ids and query.vardgivar_id is None:
        finding = Finding("UNIT_OR_PROVIDER", UNIT_OR_PROVIDER, "/ListCertificatesForCareWithQA")
        raise RuleError("The request is too wide:", [finding])
    most = services.settings.server.most_listed
    namespace = inbound.contract.namespace
    listing = unit.read(
        lambda rows: gather(
            (item.shown.stored, write_item_with_qa(item, namespace))
            for item in _search(rows, query, most)
        )
    )
    let_read(listing.of, inbound, services, unit)
    return write_list_with_qa(inbound.contract, listing.written)


def _search(rows: Rows, query: CareQuery, most: int) -> Iterator[IntygWithQA]:
    found = rows.intyg.search(
        query.patient,
        enhets_ids=query.enhets_ids or None,
        vardgivare_id=None if query.enhets_ids else query.vardgivar_id,  # units win
        most=most + 1,
    )
    for stored, statuses in read_each(rows, found, most):
        if handelser := _within(rows.events.of_intyg(stored.intyg.intygs_id), query):
            yield _item(rows, stored, statuses, handelser)


def _within(handelser: tuple[StoredHandelse, ...], query: CareQuery) -> list[StoredHandelse]:
    return [
        handelse
        for handelse in handelser
        if (query.from_tidpunkt is None or handelse.tidpunkt >= query.from_tidpunkt)
        and (query.tom_tidpunkt is None or handelse.tidpunkt <= query.tom_tidpunkt)
    ]


def _item(
    rows: Rows,
    stored: StoredIntyg,
    statuses: tuple[IntygsStatus, ...],
    handelser: list[StoredHandelse],
) -> IntygWithQA:
    intygs_id = stored.intyg.intygs_id
    meddelanden = rows.meddelanden.of_intyg(intygs_id)
    return IntygWithQA(
        shown=ShownIntyg(stored, visible_statuses(statuses, Part.HSVARD)),
        handelser=handelser,
        skickade_fragor=count_arenden(Direction.TO_RECIPIENT, meddelanden),
        mottagna_fragor=count_arenden(Direction.TO_CARE, meddelanden),
        ref=rows.intyg.ref(intygs_id),
    )
