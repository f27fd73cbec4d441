"""ListCertificatesForCitizen 4 and 3: a person's own certificates, archived or not.

The versions differ in the answer only: 3 has a result, 4 fails by SOAP fault. (The national store
answers a failing 4 with a result that the schema does not allow.)
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from intyg.adapter.domain.clock import swedish_day, swedish_midnight
from intyg.adapter.domain.errors import ApplicationError
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.domain.pieces import Pieces
from intyg.adapter.domain.texts import NO_SUCH_PERSON
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.listing import Listed, gather, read_each
from intyg.adapter.flows.shared.readers import let_read, refuse_part
from intyg.adapter.flows.shared.validate import validate
from intyg.adapter.flows.shared.visibility import (
    NEVER_FOR_CITIZEN,
    is_archived,
    visible_statuses,
)
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.answer_writers import ShownIntyg, write_intyg, write_intygs_lista
from intyg.adapter.formats.query_readers import CitizenQuery, read_list_certificates_for_citizen
from intyg.adapter.rules.person_id import check_person
from intyg.adapter.store import Rows
from intyg.schemas.codes import Part

_WITH_RESULT = 3
_NO_PERSON = frozenset({"PERSON_ID_DATE", "RESERVE_NUMBER"})
_OWN: Final = frozenset({Part.HSVARD, Part.INVANA})
"""Who gets test patients' too, as nationally: care, and the citizens themselves."""


def handle(inbound: Inbound, services: Services, unit: UnitOfWork) -> Pieces:
    """
    List certificates, oldest first; never any about somebody who has died (DB and DOI).

    Raises:
        SchemaError, RuleError: Not as the contract wants it, or a date that no calendar can hold.
        ApplicationError: Nobody can have this person number; or there are more than
            `server.most_listed`.
        RuleError: No such part, or the caller may not speak for it.
        TestPatientError: One of them may not be sent to whom it would be shown: then none is.
        TechnicalError: The same where it cannot be told.
    """
    validate(inbound, services.contracts)
    query = read_list_certificates_for_citizen(inbound.element)
    refuse_part(inbound, services, query.part)
    today = swedish_day(services.clock())
    if any(f.rule in _NO_PERSON for f in check_person(query.patient, "person-id", today)):
        raise ApplicationError(NO_SUCH_PERSON)
    most = services.settings.server.most_listed
    write = partial(_write, inbound.contract.namespace, query.part)
    listing = unit.read(
        lambda rows: gather((hit[0], write(hit)) for hit in _search(rows, query, most))
    )
    let_read(listing.of, inbound, services, unit, query.part, _OWN)
    result = Result.ok() if inbound.contract.major == _WITH_RESULT else None
    return write_intygs_lista(inbound.contract, listing.written, result)


def _search(rows: Rows, query: CitizenQuery, most: int) -> Iterator[Listed]:
    found = rows.intyg.search(
        query.patient,
        typer=query.typer or None,
        not_typer=NEVER_FOR_CITIZEN,
        signed=_signed(query),
        most=most + 1,
    )
    hits = read_each(rows, found, most)
    return (hit for hit in hits if is_archived(hit[1]) is query.arkiverade)


def _write(namespace: str, part: str, listed: Listed) -> bytes:
    stored, statuses = listed
    return write_intyg(ShownIntyg(stored, visible_statuses(statuses, part)), namespace)


def _signed(query: CitizenQuery) -> tuple[datetime | None, datetime | None]:
    """The days asked for, in Sweden, as moments; nothing was signed where calendars end."""
    first, last = query.from_datum, query.tom_datum
    begins = swedish_midnight(first) if first and first.year > date.min.year else None
    after = last + timedelta(days=1) if last and last.year < date.max.year else None
    return begins, swedish_midnight(after) if after else None
