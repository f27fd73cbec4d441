"""Find the certificate that a request is about, or say that there is none."""

from dataclasses import replace

from intyg.adapter.domain.errors import UnknownIntygError
from intyg.adapter.domain.intyg import Intyg, Relation, StoredIntyg
from intyg.adapter.domain.meddelande import Meddelande
from intyg.adapter.domain.person import PersonId
from intyg.adapter.domain.texts import UNKNOWN_INTYG
from intyg.adapter.domain.uuids import same_id
from intyg.adapter.rules.person_id import same_person
from intyg.adapter.store import Rows
from intyg.schemas.codes import TypAvRelation


def known_intyg(rows: Rows, intygs_id: str, patient: PersonId) -> StoredIntyg:
    """
    The certificate with this id and patient, locked until the transaction ends.

    Raises:
        UnknownIntygError: There is none, or it is another patient's; which of
            the two is not told, nor can it be told from the time that it takes.
    """
    stored = rows.intyg.lock_of(patient, intygs_id)
    if stored is None:
        raise UnknownIntygError(UNKNOWN_INTYG)
    return stored


def as_registered(m: Meddelande, stored: StoredIntyg | None) -> Meddelande:
    """A message with its certificate's id as that was registered; the two may differ in case."""
    return replace(m, intygs_id=stored.intyg.intygs_id) if stored else m


def related_intyg(
    rows: Rows, stored: StoredIntyg, typ: str | None = None
) -> tuple[StoredIntyg, ...]:
    """
    Newer certificates of the same patient with this relation, or any, to it, oldest first.

    One that was registered before it is not newer: its relation has no effect.
    """
    return tuple(
        newer
        for newer in rows.intyg.related(stored.intyg.intygs_id, typ, newer=True)
        if same_person(newer.intyg.patient, stored.intyg.patient)
    )


def points_at_itself(intyg: Intyg) -> bool:
    """Whether a certificate's relation is to itself."""
    relation = intyg.relation
    return relation is not None and same_id(relation.intygs_id, intyg.intygs_id)


def relation_of(intyg: Intyg) -> Relation | None:
    """Its relation, if that can do anything: to another certificate, by a code that we know."""
    relation = intyg.relation
    if relation is None or relation.typ not in set(TypAvRelation) or points_at_itself(intyg):
        return None
    return relation


def parent_of(rows: Rows, intyg: Intyg) -> StoredIntyg | None:
    """
    The certificate that this one's relation points at, locked; None without one.

    One that is not stored here, or is another patient's, counts as none: relations are not signed.
    """
    relation = relation_of(intyg)
    if relation is None:
        return None
    return rows.intyg.lock_of(intyg.patient, relation.intygs_id)
