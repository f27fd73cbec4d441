"""ListRelationsForCertificate 1: what replaces, completes or renews what around certificates."""

from dataclasses import dataclass

from lxml import etree

from intyg.adapter.domain.errors import UnknownIntygError
from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.texts import NO_INTYG
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.known_intyg import relation_of
from intyg.adapter.flows.shared.readers import let_read
from intyg.adapter.flows.shared.validate import validate
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.answer_writers import RelationRow, write_relations
from intyg.adapter.formats.query_readers import read_intygs_ids
from intyg.adapter.rules.person_id import same_person
from intyg.adapter.store import Rows


def handle(inbound: Inbound, services: Services, unit: UnitOfWork) -> etree._Element:
    """
    Answer with the whole web of relations around each certificate asked for, newest last.

    Raises:
        SchemaError: Not as the contract wants it.
        UnknownIntygError: One of the ids is empty, or no certificate's.
        TestPatientError: One of them may not be sent to care here.
        TechnicalError: That cannot be told.
    """
    validate(inbound, services.contracts)
    asked = read_intygs_ids(inbound.element)
    webs = unit.read(lambda rows: [_around(rows, intygs_id) for intygs_id in asked])
    let_read([web.start for web in webs], inbound, services, unit)
    relations = [(web.start.intyg.intygs_id, web.rows) for web in webs]
    return write_relations(inbound.contract, relations)


@dataclass(frozen=True)
class _Web:
    """A certificate, and the relations around it, all of one patient's."""

    start: StoredIntyg
    rows: list[RelationRow]


def _around(rows: Rows, intygs_id: str) -> _Web:
    """
    Walk the relations both ways, to older and newer certificates of the same patient.

    A relation is not signed. One that points at another patient's certificate counts as none, and
    so tells nothing of that one; one that points at a certificate that is not here is told. One
    to itself, and one by an unknown code, are not.
    """
    start = rows.intyg.get(intygs_id)
    if start is None:
        raise UnknownIntygError(NO_INTYG)
    found = {start.intyg.intygs_id: start}
    queue = [start]
    while queue:
        stored = queue.pop()
        for neighbour in _neighbours(rows, stored):
            if neighbour.intyg.intygs_id not in found:
                found[neighbour.intyg.intygs_id] = neighbour
                queue.append(neighbour)
    oldest_first = sorted(
        found.values(), key=lambda stored: (stored.received_at, stored.intyg.intygs_id)
    )
    told = [row for stored in oldest_first if (row := _row(rows, stored)) is not None]
    return _Web(start, told)


def _neighbours(rows: Rows, stored: StoredIntyg) -> list[StoredIntyg]:
    newer = rows.intyg.related(stored.intyg.intygs_id)
    relation = relation_of(stored.intyg)
    older = rows.intyg.get(relation.intygs_id) if relation else None
    neighbours = [*(one for one in newer if relation_of(one.intyg)), *([older] if older else [])]
    return [other for other in neighbours if _same_patient(other, stored)]


def _row(rows: Rows, stored: StoredIntyg) -> RelationRow | None:
    relation = relation_of(stored.intyg)
    if relation is None:
        return None
    older = rows.intyg.get(relation.intygs_id)
    if older is not None and not _same_patient(older, stored):
        return None
    return RelationRow(
        typ=relation.typ,
        fran=stored.intyg.intygs_id,
        till=relation.intygs_id,
        skapad=stored.received_at,
        makulerat=stored.revoked_at is not None,
    )


def _same_patient(one: StoredIntyg, other: StoredIntyg) -> bool:
    return same_person(one.intyg.patient, other.intyg.patient)
