"""Certificates and their state history."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.domain.intyg import Intyg, IntygsStatus, Relation, StoredIntyg
from intyg.adapter.domain.person import PersonId
from intyg.adapter.store import tables
from intyg.adapter.store.base import (
    Transaction,
    checked_body,
    hos_personal_columns,
    hsa_id_forms,
    id_forms,
    is_hsa_id,
    is_id,
    names_it,
    person_columns,
    svar_pa_columns,
    to_hos_personal,
    to_person,
    to_svar_pa,
)
from intyg.adapter.store.fact_marks import mark_revoked, mark_status
from intyg.adapter.store.faults import DuplicateRow
from intyg.adapter.store.prepared import Prepared, insert, insert_new, one_of, same, values_of
from intyg.schemas.codes import Status

# Statements of the hot path are built once: building costs more than running them.

_SELECT_INTYG: Final = (
    sa.select(tables.intyg, tables.body.c.data)
    .join(tables.body, tables.body.c.sha256 == tables.intyg.c.body_sha256)
    .order_by(tables.intyg.c.seq)
)
_THIS: Final = names_it(tables.intyg.c.intygs_id)
_ONE_INTYG: Final = _SELECT_INTYG.where(_THIS)
_ONE_INTYG_BUT: Final = _ONE_INTYG.where(
    tables.intyg.c.typ.not_in(sa.bindparam("hidden", expanding=True))
)
# NO KEY: rows that refer to the certificate may be added meanwhile, which cannot deadlock with a
# transaction that first adds such a row and then wants this lock.
_LOCK_INTYG: Final = sa.select(tables.intyg.c.seq).where(_THIS).with_for_update(key_share=True)
_LOCK_INTYG_OF: Final = _LOCK_INTYG.where(
    tables.intyg.c.patient_extension == sa.bindparam("patient")
)
_THERE: Final = Prepared(
    lambda kind: sa.select(tables.intyg.c.intygs_id).where(
        one_of(kind, tables.intyg.c.intygs_id, "ids")
    )
)
_LOCK_FREE: Final = Prepared(
    lambda kind: (
        sa.select(tables.intyg.c.intygs_id)
        .where(one_of(kind, tables.intyg.c.intygs_id, "ids"))
        .with_for_update(key_share=True, skip_locked=True)
    )
)
_HAS_INTYG: Final = sa.select(tables.intyg.c.seq).where(_THIS)
_INTYG_OF: Final = _HAS_INTYG.where(tables.intyg.c.patient_extension == sa.bindparam("patient"))
_STATUSES: Final = (
    sa.select(tables.intygs_status)
    .where(tables.intygs_status.c.intygs_id == sa.bindparam("intygs_id"))
    .order_by(tables.intygs_status.c.seq)
)
_STATUSES_OF: Final = (
    sa.select(tables.intygs_status)
    .where(tables.intygs_status.c.intygs_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(tables.intygs_status.c.seq)
)
_BY_SEQ: Final = _SELECT_INTYG.where(tables.intyg.c.seq.in_(sa.bindparam("seqs", expanding=True)))
_AT_ONCE: Final = 200
"""Certificates of a list in memory, whole."""
_SIGNED: Final = sa.func.coalesce(tables.intyg.c.signeringstidpunkt, tables.intyg.c.received_at)
_ADD: Final = insert_new(tables.intyg)
_ADD_STATUS: Final = insert(tables.intygs_status)
_REF: Final = sa.select(tables.ehr_ref.c.ref).where(names_it(tables.ehr_ref.c.intygs_id))


def _names(column: sa.Column[str]) -> sa.ColumnElement[int]:
    """1 where a row has the certificate's id in this column, or 0."""
    found = sa.exists(sa.literal_column("1")).where(names_it(column))
    return sa.case((found, sa.literal_column("1")), else_=sa.literal_column("0"))


_FOLLOWS_A_DRAFT: Final = (tables.handelse, tables.delivery, tables.ehr_ref)
"""What may stand here of a certificate before it does: of its draft, or given beforehand."""

_WHAT_IS_THERE: Final = same(
    sa.select(
        _names(tables.intyg.c.intygs_id),
        _names(tables.intyg.c.relation_intygs_id),
        *(_names(table.c.intygs_id) for table in _FOLLOWS_A_DRAFT),
    )
)


@dataclass(frozen=True)
class Received:
    """A certificate's arrival: what the header said, and the request as it came."""

    contract: str
    logical_address: str
    sender: str | None
    correlation_id: str
    received_at: datetime
    body: bytes = field(repr=False)
    sha256: str = ""


@dataclass(frozen=True)
class Listed:
    """A certificate in a list; `seq` is its place in the order of arrival."""

    seq: int
    intygs_id: str
    typ: str
    version: str
    enhets_id: str
    enhetsnamn: str
    fullstandigt_namn: str
    received_at: datetime
    revoked_at: datetime | None


class IntygRows:
    """Certificates and their state history."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    def add(
        self,
        intyg: Intyg,
        inbound: Inbound,
        *,
        body: bytes,
        is_test: bool | None,
        signature: str,
    ) -> StoredIntyg:
        """
        Store a certificate that arrived.

        Args:
            intyg: Its facts.
            inbound: The request; its own body is kept too.
            body: What is sent on: `inbound.body`, or the same with a signature added.
            is_test: Whether the patient is a test patient; None: could not tell.
            signature: What the signature check said.

        Returns:
            As `get` would read it.

        Raises:
            DuplicateRow: The intygs-id is taken. The transaction can go on.
        """
        # With what its events refer to, so that they need not ask whether it is there.
        sha256, received_sha256, _ = self._transaction.store_bodies(
            body, inbound.body, tables.STANDS_ELSEWHERE
        )
        kept = {"body_sha256": sha256, "received_sha256": received_sha256}
        judged = {"is_test": is_test, "signature": signature}
        row = {**_intyg_columns(intyg), **_call_columns(inbound), **kept, **judged}
        if _ADD.run(self._connection, row).rowcount != 1:
            raise DuplicateRow("intyg", intyg.intygs_id)
        if intyg.relation:
            self._transaction.fill(tables.intyg, intyg.relation.intygs_id)
        return StoredIntyg(
            _as_kept(intyg), body, sha256, inbound.received_at.astimezone(UTC), is_test,
            str(signature), None,
        )  # fmt: skip

    def get(self, intygs_id: str, *, hidden_types: Collection[str] = ()) -> StoredIntyg | None:
        """
        The certificate with this id, or None; a UUID in either case.

        Args:
            hidden_types: Certificates of these types are not there; finding that out takes no
                longer than for an unknown id.
        """
        if hidden_types:
            asked = {**id_forms(intygs_id), "hidden": sorted(hidden_types)}
            row = self._connection.execute(_ONE_INTYG_BUT, asked).first()
        else:
            row = self._connection.execute(_ONE_INTYG, id_forms(intygs_id)).first()
        return _to_stored_intyg(row) if row else None

    def lock(self, intygs_id: str) -> StoredIntyg | None:
        """
        The certificate, locked until the transaction ends: decisions about it come one at a time.

        On SQLite every `begin` already holds the one write lock. The lock is taken again by
        `deliveries.add` and by what changes the certificate, never by reading.
        """
        self.lock_row(intygs_id)
        return self.get(intygs_id)

    def lock_or_none(self, intygs_id: str) -> StoredIntyg | None:
        """
        As `lock`, for one that is most likely new here: what there is of it is asked once.

        Where there is none, what follows in this transaction need not ask for what is not there.
        """
        asked = _WHAT_IS_THERE.run(self._connection, id_forms(intygs_id)).one()
        known, pointed_at, *rest = asked
        if known:
            return self.lock(intygs_id)
        named = {table for table, is_there in zip(_FOLLOWS_A_DRAFT, rest, strict=True) if is_there}
        # Messages refer to a certificate that is stored, so there can be none before it is.
        nothing_of = {tables.meddelande, *_FOLLOWS_A_DRAFT} - named
        self._transaction.know_blank(
            nothing_of if pointed_at else {*nothing_of, tables.intyg}, intygs_id
        )
        return None

    def lock_of(self, patient: PersonId, intygs_id: str) -> StoredIntyg | None:
        """
        As `lock`, if it is this patient's; None for another's, and for an unknown id.

        The two take the same time: another patient's is neither waited for nor read, however large
        it is. The patient's number decides, as in `same_person`.
        """
        asked = {**id_forms(intygs_id), "patient": patient.extension}
        found = self._connection.execute(_LOCK_INTYG_OF, asked).first()
        return self.get(intygs_id) if found else None

    def read_of(self, patient: PersonId, intygs_id: str) -> StoredIntyg | None:
        """As `lock_of`, without a lock."""
        asked = {**id_forms(intygs_id), "patient": patient.extension}
        found = self._connection.execute(_INTYG_OF, asked).first()
        return self.get(intygs_id) if found else None

    def has(self, intygs_id: str) -> bool:
        """Whether there is a certificate with this id, whoever's."""
        return self._connection.execute(_HAS_INTYG, id_forms(intygs_id)).first() is not None

    def lock_row(self, intygs_id: str) -> bool:
        """Take the certificate's lock; False: there is none, at most a draft."""
        return self._connection.execute(_LOCK_INTYG, id_forms(intygs_id)).first() is not None

    def lock_free(self, intygs_ids: Collection[str]) -> frozenset[str]:
        """
        Take the locks of those certificates of which nobody has it; returns those that are not had.

        Whoever needs several must wait for none: another might wait for those that it has. What is
        about none of the certificates is nobody's.
        """
        if not self._transaction.is_postgresql:
            return frozenset()  # one transaction writes at a time
        asked = {"ids": values_of(self._connection, sorted(intygs_ids))}
        there = set(_THERE.run(self._connection, asked).scalars())
        return frozenset(there - set(_LOCK_FREE.run(self._connection, asked).scalars()))

    def received(self, intygs_id: str) -> Received | None:
        """The call that brought a certificate, and the bytes that came; None for an unknown id."""
        table, body = tables.intyg, tables.body
        row = self._connection.execute(
            sa.select(table, body.c.data)
            .join(body, table.c.received_sha256 == body.c.sha256)
            .where(is_id(table.c.intygs_id, intygs_id))
        ).first()
        if row is None:
            return None
        return Received(
            contract=row.contract,
            logical_address=row.logical_address,
            sender=row.sender,
            correlation_id=row.correlation_id,
            received_at=row.received_at,
            body=checked_body(row.received_sha256, row.data),
            sha256=row.received_sha256,
        )

    def of_unit(
        self,
        enhets_id: str,
        limit: int,
        before: int | None = None,
        *,
        signer: str = "",
        since: datetime | None = None,
    ) -> tuple[Listed, ...]:
        """
        A unit's certificates, what arrived last first, without their contents.

        Args:
            before: Only those that arrived before this place.
            signer: Only those that this HSA-id signed; empty: anybody.
            since: Only those that arrived then or later; None: at any time.
        """
        table = tables.intyg
        query = sa.select(*_LISTED).where(table.c.enhets_id.in_(hsa_id_forms(enhets_id)))
        if before is not None:
            query = query.where(table.c.seq < before)
        if signer:
            query = query.where(is_hsa_id(table.c.personal_id, {signer}))
        if since is not None:
            query = query.where(table.c.received_at >= since)
        rows = self._connection.execute(query.order_by(table.c.seq.desc()).limit(limit))
        return tuple(_to_listed(row) for row in rows)

    def unit_name(self, enhets_id: str) -> str | None:
        """What a unit is called in the certificate that it signed last; None where it has none."""
        table = tables.intyg
        for written in hsa_id_forms(enhets_id):
            newest = (
                sa.select(table.c.enhetsnamn)
                .where(table.c.enhets_id == written)
                .order_by(table.c.signeringstidpunkt.desc())
                .limit(1)
            )
            name: str | None = self._connection.execute(newest).scalar_one_or_none()
            if name is not None:
                return name
        return None

    def listed_of_patient(self, number: str, limit: int) -> tuple[Listed, ...]:
        """A patient's certificates, what arrived last first, without their contents."""
        table = tables.intyg
        query = sa.select(*_LISTED).where(table.c.patient_extension == number)
        rows = self._connection.execute(query.order_by(table.c.seq.desc()).limit(limit))
        return tuple(_to_listed(row) for row in rows)

    def listed(self, ids: Collection[str]) -> dict[str, Listed]:
        """Certificates by their ids, without their contents; drafts are not among them."""
        query = sa.select(*_LISTED).where(tables.intyg.c.intygs_id.in_(ids))
        return {row.intygs_id: _to_listed(row) for row in self._connection.execute(query)}

    def related(
        self, intygs_id: str, typ: str | None = None, *, newer: bool = False
    ) -> tuple[StoredIntyg, ...]:
        """
        Certificates whose relation points at this one, in order of arrival.

        Args:
            typ: Only relations of this code.
            newer: Only those that arrived after it.
        """
        if self._transaction.is_blank(tables.intyg, intygs_id):
            return ()
        table, older = tables.intyg, sa.alias(tables.intyg, "older")
        conditions: list[sa.ColumnElement[bool]] = [is_id(table.c.relation_intygs_id, intygs_id)]
        if typ is not None:
            conditions.append(table.c.relation_typ == typ)
        if newer:
            place = sa.select(older.c.seq).where(older.c.intygs_id == intygs_id)
            conditions.append(table.c.seq > place.scalar_subquery())
        return self._find(*conditions)

    def set_revoked(self, intygs_id: str, at: datetime) -> bool:
        """Mark as revoked, for good. False when it already was, or is not there."""
        changed = self._connection.execute(
            sa.update(tables.intyg)
            .where(tables.intyg.c.intygs_id == intygs_id, tables.intyg.c.revoked_at.is_(None))
            .values(revoked_at=at)
        )
        mark_revoked(self._connection, intygs_id)
        return changed.rowcount == 1

    def add_status(self, intygs_id: str, status: IntygsStatus) -> None:
        """Add to the state history; entries are never changed."""
        values = {"status": status.status.value, "part": status.part}
        at = {"intygs_id": intygs_id, "tidpunkt": status.tidpunkt}
        _ADD_STATUS.run(self._connection, {**values, **at})
        mark_status(self._connection, intygs_id, status.status, status.part)

    def statuses(self, intygs_id: str) -> tuple[IntygsStatus, ...]:
        """The state history, oldest first."""
        rows = self._connection.execute(_STATUSES, {"intygs_id": intygs_id})
        return tuple(IntygsStatus(Status(row.status), row.part, row.tidpunkt) for row in rows)

    def of_patient(self, patient: PersonId, typ: str) -> tuple[StoredIntyg, ...]:
        """
        A patient's certificates of one type, in order of arrival.

        On PostgreSQL nobody else gets past here with the same patient and type until the
        transaction ends; on SQLite every `begin` already holds the one write lock.

        Args:
            typ: Code as written in certificates, in upper case: `DB`.
        """
        if self._transaction.is_postgresql:
            key = f"{patient.extension} {typ}"
            self._connection.execute(
                sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(key, 0)))
            )
        return self._find(
            tables.intyg.c.patient_extension == patient.extension, tables.intyg.c.typ == typ
        )

    def search(
        self,
        patient: PersonId,
        *,
        enhets_ids: frozenset[str] | None = None,
        vardgivare_id: str | None = None,
        typer: frozenset[str] | None = None,
        not_typer: frozenset[str] = frozenset(),
        signed: tuple[datetime | None, datetime | None] = (None, None),
        most: int | None = None,
    ) -> Sequence[int]:
        """
        A patient's certificates, oldest first: by when they were signed, then by arrival.

        When one was signed that does not say is when it arrived. `each` reads them.

        Args:
            patient: The number decides; which root it stands under does not.
            enhets_ids: Only those that these units issued; None: any unit.
            vardgivare_id: Only those of this care provider; None: any.
            typer: Only these types, as codes in upper case; None: any.
            not_typer: None of these.
            signed: From this moment on, and before that one; None: any.
            most: So many at most, the oldest.
        """
        table = tables.intyg
        begins, ends = signed
        conditions: list[sa.ColumnElement[bool]] = [
            table.c.patient_extension == patient.extension,
            table.c.typ.not_in(sorted(not_typer)),
        ]
        if enhets_ids is not None:
            conditions.append(is_hsa_id(table.c.enhets_id, enhets_ids))
        if vardgivare_id is not None:
            conditions.append(is_hsa_id(table.c.vardgivare_id, {vardgivare_id}))
        if typer is not None:
            conditions.append(table.c.typ.in_(sorted(typer)))
        if begins is not None:
            conditions.append(begins <= _SIGNED)
        if ends is not None:
            conditions.append(ends > _SIGNED)
        wanted = sa.select(table.c.seq).where(*conditions)
        wanted = wanted.order_by(_SIGNED, table.c.seq).limit(most)
        return self._connection.scalars(wanted).all()

    def each(self, seqs: Sequence[int]) -> Iterator[tuple[StoredIntyg, tuple[IntygsStatus, ...]]]:
        """Certificates that were found, with their state histories; a few at a time in memory."""
        for first in range(0, len(seqs), _AT_ONCE):
            rows = self._connection.execute(_BY_SEQ, {"seqs": seqs[first : first + _AT_ONCE]})
            found = {row.seq: _to_stored_intyg(row) for row in rows}
            states = self._statuses_of([one.intyg.intygs_id for one in found.values()])
            for seq in seqs[first : first + _AT_ONCE]:
                yield found[seq], states.get(found[seq].intyg.intygs_id, ())

    def set_ref(self, intygs_id: str, ref: str) -> None:
        """Keep the EHR's own reference for a certificate, which need not be here yet."""
        table = tables.ehr_ref
        written_otherwise = is_id(table.c.intygs_id, intygs_id) & (table.c.intygs_id != intygs_id)
        self._connection.execute(sa.delete(table).where(written_otherwise))
        insert = postgresql.insert if self._transaction.is_postgresql else sqlite.insert
        statement = insert(table).values(intygs_id=intygs_id, ref=ref)
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=["intygs_id"], set_={"ref": ref})
        )
        self._transaction.fill(tables.ehr_ref, intygs_id)

    def ref(self, intygs_id: str) -> str | None:
        """The EHR's own reference for a certificate, where it gave one."""
        if self._transaction.is_blank(tables.ehr_ref, intygs_id):
            return None
        return self._connection.execute(_REF, id_forms(intygs_id)).scalar_one_or_none()

    def _statuses_of(self, ids: Sequence[str]) -> Mapping[str, tuple[IntygsStatus, ...]]:
        found: dict[str, list[IntygsStatus]] = {}
        for row in self._connection.execute(_STATUSES_OF, {"ids": ids}):
            status = IntygsStatus(Status(row.status), row.part, row.tidpunkt)
            found.setdefault(row.intygs_id, []).append(status)
        return {intygs_id: tuple(each) for intygs_id, each in found.items()}

    def _find(self, *conditions: sa.ColumnElement[bool]) -> tuple[StoredIntyg, ...]:
        rows = self._connection.execute(_SELECT_INTYG.where(*conditions))
        return tuple(_to_stored_intyg(row) for row in rows)


_LISTED: Final[tuple[sa.Column[Any], ...]] = (
    tables.intyg.c.seq,
    tables.intyg.c.intygs_id,
    tables.intyg.c.typ,
    tables.intyg.c.version,
    tables.intyg.c.enhets_id,
    tables.intyg.c.enhetsnamn,
    tables.intyg.c.fullstandigt_namn,
    tables.intyg.c.received_at,
    tables.intyg.c.revoked_at,
)


def _to_listed(row: sa.Row[Any]) -> Listed:
    return Listed(**row._mapping)


def _intyg_columns(intyg: Intyg) -> dict[str, Any]:
    relation = intyg.relation
    return {
        "intygs_id": intyg.intygs_id,
        "typ": intyg.typ,
        "version": intyg.version,
        "signeringstidpunkt": intyg.signeringstidpunkt,
        **person_columns(intyg.patient),
        **hos_personal_columns(intyg.skapad_av),
        "relation_typ": relation.typ if relation else None,
        "relation_intygs_id": relation.intygs_id if relation else None,
        **svar_pa_columns(intyg.svar_pa),
    }


def _call_columns(inbound: Inbound) -> dict[str, Any]:
    return {
        "contract": inbound.contract.key,
        "logical_address": inbound.logical_address,
        "correlation_id": inbound.correlation_id,
        "sender": inbound.sender,
        "received_at": inbound.received_at,
    }


def _as_kept(intyg: Intyg) -> Intyg:
    """Times come back in UTC."""
    if intyg.signeringstidpunkt is None:
        return intyg
    return replace(intyg, signeringstidpunkt=intyg.signeringstidpunkt.astimezone(UTC))


def _to_stored_intyg(row: sa.Row[Any]) -> StoredIntyg:
    relation = None
    if row.relation_intygs_id is not None:
        relation = Relation(row.relation_typ, row.relation_intygs_id)
    return StoredIntyg(
        intyg=Intyg(
            intygs_id=row.intygs_id,
            typ=row.typ,
            version=row.version,
            signeringstidpunkt=row.signeringstidpunkt,
            patient=to_person(row),
            skapad_av=to_hos_personal(row),
            relation=relation,
            svar_pa=to_svar_pa(row),
        ),
        body=checked_body(row.body_sha256, row.data),
        sha256=row.body_sha256,
        received_at=row.received_at,
        is_test=row.is_test,
        signature=row.signature,
        revoked_at=row.revoked_at,
    )
