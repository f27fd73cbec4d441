"""ListCertificatesForCitizen 4 and 3: a person's own certificates, archived or not.

The versions differ in the answer only: 3 has a result, 4 fails by SOAP fault. (The national store
answers a failing 4 with a result that the schema does not allow.)
"""

from datetime import date

from adapter.answer_writers import ShownIntyg, write_intygs_lista
from adapter.errors import ApplicationError, TechnicalError, TestPatientError
from adapter.model import Inbound, PatientKind, Result, StoredIntyg
from adapter.part_view import NEVER_FOR_CITIZEN, is_archived, patient_kind, visible_statuses
from adapter.parts import Parts
from adapter.person import check_person
from adapter.query_readers import CitizenQuery, read_list_certificates_for_citizen
from adapter.readers import swedish_day
from adapter.texts import CANNOT_TELL_NOT_SHOWN, NO_SUCH_PERSON, TEST_INTYG_NOT_SHOWN
from adapter.validate import validate
from schemas.codes import Part

_WITH_RESULT = 3
_NO_PERSON = frozenset({"PERSON_ID_DATE", "RESERVE_NUMBER"})


def handle(inbound: Inbound, parts: Parts) -> bytes:
    """
    List certificates, oldest first; never any about somebody who has died (DB and DOI).

    Raises:
        SchemaError, RuleError: Not as the contract wants it, or a date that no calendar can hold.
        ApplicationError: Nobody can have this person number.
        TestPatientError: One of them is a test patient's, and the part is
            neither care nor the citizen: then none is shown.
        TechnicalError: The same where it cannot be told.
    """
    validate(inbound, parts.contracts)
    query = read_list_certificates_for_citizen(inbound.element)
    today = swedish_day(parts.clock())
    if any(f.rule in _NO_PERSON for f in check_person(query.patient, "person-id", today)):
        raise ApplicationError(NO_SUCH_PERSON)
    with parts.store.read() as rows:
        found = rows.search_intyg(
            query.patient, typer=query.typer or None, not_typer=NEVER_FOR_CITIZEN
        )
        hits = [
            (stored, statuses)
            for stored in found
            if _signed_within(stored, query)
            and is_archived(statuses := rows.statuses(stored.intyg.intygs_id)) is query.arkiverade
        ]
    if query.part not in (Part.HSVARD, Part.INVANA):
        _check_patients([stored for stored, _ in hits], parts)
    shown = [ShownIntyg(stored, visible_statuses(each, query.part)) for stored, each in hits]
    result = Result.ok() if inbound.contract.major == _WITH_RESULT else None
    return write_intygs_lista(inbound.contract, shown, result)


def _signed_within(stored: StoredIntyg, query: CitizenQuery) -> bool:
    signed = _day_of(stored)
    return (query.from_datum is None or signed >= query.from_datum) and (
        query.tom_datum is None or signed <= query.tom_datum
    )


def _day_of(stored: StoredIntyg) -> date:
    """When it was signed, in Sweden; for one that does not say, when it arrived."""
    signed = stored.intyg.signeringstidpunkt or stored.received_at
    return swedish_day(signed)


def _check_patients(found: list[StoredIntyg], parts: Parts) -> None:
    kinds = {patient_kind(stored, parts.guard) for stored in found}
    if PatientKind.TEST in kinds:
        raise TestPatientError(TEST_INTYG_NOT_SHOWN)
    if PatientKind.CANNOT_TELL in kinds:
        raise TechnicalError(CANNOT_TELL_NOT_SHOWN)
