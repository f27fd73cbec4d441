"""What all rows share: one transaction, the bodies, and columns that stand in several tables."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from intyg.adapter.domain.errors import StoreError
from intyg.adapter.domain.hsa_id import hsa_key
from intyg.adapter.domain.intyg import Enhet, HosPersonal, MeddelandeReferens
from intyg.adapter.domain.person import PersonId
from intyg.adapter.domain.uuids import forms_of
from intyg.adapter.store import tables


class Transaction:
    """
    One transaction, as all rows in it share it. Made by `Store` only.

    Attributes:
        connection: On which it runs.
        now: When it began, aware UTC: the one moment of everything that is written in it.
        work_added: Something was stored that a worker can take once it is committed.
        at_end: Called in order, last in the transaction.
        after_commit: Called in order, once it is committed.
    """

    def __init__(self, connection: sa.Connection, now: datetime) -> None:
        self.connection = connection
        self.now = now
        self.work_added = False
        self.at_end: list[Callable[[], None]] = []
        self.after_commit: list[Callable[[], None]] = []

    @property
    def is_postgresql(self) -> bool:
        return self.connection.dialect.name == "postgresql"

    def insert_new(self, table: sa.Table, values: Mapping[str, Any]) -> bool:
        """
        Insert a row; False when a unique value of it is taken.

        No error is raised inside the database, so a PostgreSQL transaction stays usable. A
        concurrent insert of the same value is waited for.
        """
        insert = postgresql.insert if self.is_postgresql else sqlite.insert
        statement = insert(table).values(**values).on_conflict_do_nothing()
        inserted = self.connection.execute(statement.returning(*table.primary_key.columns))
        return inserted.first() is not None

    def store_body(self, data: bytes) -> str:
        """Keep a body once, whoever refers to it. Returns its SHA-256, hexadecimal."""
        sha256 = hashlib.sha256(data).hexdigest()
        self.insert_new(tables.body, {"sha256": sha256, "data": data})
        return sha256


def checked_body(sha256: str, data: bytes) -> bytes:
    """
    The body, if it still is what was stored.

    Raises:
        StoreError: The bytes do not have the hash they are stored under.
    """
    if hashlib.sha256(data).hexdigest() != sha256:
        raise StoreError(f"stored body {sha256} is damaged: its bytes have another hash")
    return bytes(data)


def person_columns(person: PersonId) -> dict[str, Any]:
    return {"patient_root": person.root, "patient_extension": person.extension}


def to_person(row: sa.Row[Any]) -> PersonId:
    return PersonId(row.patient_root, row.patient_extension)


def hos_personal_columns(hos: HosPersonal | None) -> dict[str, Any]:
    if hos is None:
        return {}
    return {
        "personal_id": hos.personal_id,
        "fullstandigt_namn": hos.fullstandigt_namn,
        "enhets_id": hos.enhet.enhets_id,
        "enhetsnamn": hos.enhet.enhetsnamn,
        "vardgivare_id": hos.enhet.vardgivare_id,
    }


def to_hos_personal(row: sa.Row[Any]) -> HosPersonal:
    return HosPersonal(
        row.personal_id,
        row.fullstandigt_namn,
        Enhet(row.enhets_id, row.enhetsnamn, row.vardgivare_id),
    )


def svar_pa_columns(svar_pa: MeddelandeReferens | None) -> dict[str, Any]:
    if svar_pa is None:
        return {}
    return {
        "svar_pa_meddelande_id": svar_pa.meddelande_id,
        "svar_pa_referens_id": svar_pa.referens_id,
    }


def to_svar_pa(row: sa.Row[Any]) -> MeddelandeReferens | None:
    if row.svar_pa_meddelande_id is None:
        return None
    return MeddelandeReferens(row.svar_pa_meddelande_id, row.svar_pa_referens_id)


_FORMS: Final = ("as_written", "small", "large")


def names_it(column: sa.Column[str]) -> sa.ColumnElement[bool]:
    """Whether a column is the id of `id_forms`, in a statement that is built once."""
    return column.in_([sa.bindparam(name) for name in _FORMS])


def id_forms(wanted: str) -> dict[str, str]:
    """An id for `names_it`."""
    return dict(zip(_FORMS, forms_of(wanted), strict=True))


def is_id(column: sa.Column[str], wanted: str) -> sa.ColumnElement[bool]:
    """As `same_id`, by an index: a UUID in small or large letters, anything else as it stands."""
    return column.in_(sorted(set(forms_of(wanted))))


def is_hsa_id(column: sa.Column[str], wanted: Collection[str]) -> sa.ColumnElement[bool]:
    """As `same_hsa_id`: A to Z in either case. Beside the patient's number no index is needed."""
    keys = sorted(map(hsa_key, wanted))
    return sa.or_(column.in_(sorted(wanted)), sa.func.upper(column).in_(keys))
