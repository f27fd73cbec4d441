"""What all rows share: one transaction, the bodies, and columns that stand in several tables."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from intyg.adapter.domain.errors import StoreError
from intyg.adapter.domain.hsa_id import hsa_key
from intyg.adapter.domain.intyg import Enhet, HosPersonal, MeddelandeReferens
from intyg.adapter.domain.person import PersonId
from intyg.adapter.domain.uuids import forms_of, id_key
from intyg.adapter.store import tables
from intyg.adapter.store.prepared import insert_new

_NEW_BODY: Final = insert_new(tables.body)
_insert_new_row: Final = cache(insert_new)
"""One statement a table; there are as many as modules name."""


AT_A_TIME: Final = 500
"""Values in one statement."""

T = TypeVar("T")


def few_at_a_time(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Values in their order, as many at a time as one statement may have."""
    for start in range(0, len(values), AT_A_TIME):
        yield values[start : start + AT_A_TIME]


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
        self._blank: set[tuple[sa.Table, str]] = set()
        self._kept: set[str] = set()

    @property
    def is_postgresql(self) -> bool:
        return self.connection.dialect.name == "postgresql"

    def know_blank(self, in_tables: Collection[sa.Table], intygs_id: str) -> None:
        """Nothing of this certificate stands in these tables: nobody need ask until `fill`."""
        self._blank |= {(table, id_key(intygs_id)) for table in in_tables}

    def is_blank(self, table: sa.Table, intygs_id: str) -> bool:
        """Whether it is known that nothing of the certificate stands there."""
        return (table, id_key(intygs_id)) in self._blank

    def fill(self, table: sa.Table, intygs_id: str) -> None:
        """For whoever adds a row about a certificate."""
        self._blank.discard((table, id_key(intygs_id)))

    def insert_new(self, table: sa.Table, values: Mapping[str, Any]) -> bool:
        """
        Insert a row; False when a unique value of it is taken.

        No error is raised inside the database, so a PostgreSQL transaction stays usable. A
        concurrent insert of the same value is waited for.
        """
        return _insert_new_row(table).run(self.connection, values).rowcount == 1

    def store_body(self, data: bytes) -> str:
        """Keep a body once, whoever refers to it. Returns its SHA-256, hexadecimal."""
        (sha256,) = self.store_bodies(data)
        return sha256

    def store_bodies(self, *bodies: bytes) -> list[str]:
        """The same for several at once."""
        names = {data: hashlib.sha256(data).hexdigest() for data in bodies}
        new = [(data, name) for data, name in names.items() if name not in self._kept]
        if new:
            _NEW_BODY.run_many(self.connection, [{"sha256": name, "data": d} for d, name in new])
            self._kept.update(name for _, name in new)
        return [names[data] for data in bodies]


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


def hsa_id_forms(wanted: str) -> tuple[str, ...]:
    """An HSA-id as it may be written, for an index: as it stands, in large and in small letters."""
    return tuple(dict.fromkeys((wanted, hsa_key(wanted), wanted.lower())))


def is_hsa_id(column: sa.Column[str], wanted: Collection[str]) -> sa.ColumnElement[bool]:
    """As `same_hsa_id`: A to Z in either case. Beside the patient's number no index is needed."""
    keys = sorted(map(hsa_key, wanted))
    return sa.or_(column.in_(sorted(wanted)), sa.func.upper(column).in_(keys))
