"""Drafts."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from intyg.adapter.domain.draft import DRAFT_MOVES, OPEN, Draft, DraftState, ToSign
from intyg.adapter.domain.intyg import Relation
from intyg.adapter.domain.person import PersonId
from intyg.adapter.store import tables
from intyg.adapter.store.base import (
    Transaction,
    hos_personal_columns,
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
from intyg.adapter.store.faults import DuplicateRow

_TABLE: Final = tables.utkast
_THIS: Final = names_it(_TABLE.c.intygs_id)
_IN_WORK: Final = _TABLE.c.state.in_([state.value for state in OPEN])
_ONE: Final = sa.select(_TABLE).where(_THIS)
_LOCK: Final = sa.select(_TABLE.c.seq).where(_THIS).with_for_update(key_share=True)
_TO_SIGN: Final = ("method", "digest", "info", "body", "stamp", "by")


class DraftRows:
    """Drafts. Whoever changes one has locked it first, in the same transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    def add(self, draft: Draft) -> None:
        """
        Store a new draft.

        Raises:
            DuplicateRow: The intygs-id is taken.
        """
        assert draft.state in DRAFT_MOVES[None]
        values = {"intygs_id": draft.intygs_id, **person_columns(draft.patient), **_values(draft)}
        if not self._transaction.insert_new(_TABLE, values):
            raise DuplicateRow("utkast", draft.intygs_id)

    def get(self, intygs_id: str) -> Draft | None:
        """The draft with this id, or None."""
        row = self._connection.execute(_ONE, id_forms(intygs_id)).first()
        return _to_draft(row) if row else None

    def lock(self, intygs_id: str) -> Draft | None:
        """The draft, locked until the transaction ends; on SQLite every `begin` is the lock."""
        self._connection.execute(_LOCK, id_forms(intygs_id))
        return self.get(intygs_id)

    def put(self, draft: Draft, was: DraftState) -> None:
        """
        Store a draft's new content and facts; it is locked.

        Args:
            was: Its state before.
        """
        assert draft.state is was or draft.state in DRAFT_MOVES[was], (was, draft.state)
        self._connection.execute(
            sa.update(_TABLE)
            .where(_TABLE.c.intygs_id == draft.intygs_id)
            .values(**person_columns(draft.patient), **_values(draft))
        )

    def of_patient(self, patient: PersonId, typ: str) -> tuple[Draft, ...]:
        """
        A patient's drafts of one type that can still be signed, oldest first.

        On PostgreSQL nobody else gets past `IntygRows.of_patient` meanwhile, which is asked first.
        """
        return self._find(
            _TABLE.c.patient_extension == patient.extension,
            _TABLE.c.typ == typ,
            _TABLE.c.state.in_([DraftState.INCOMPLETE.value, DraftState.COMPLETE.value]),
        )

    def of_unit(self, enhets_id: str) -> tuple[Draft, ...]:
        """A unit's drafts that have content, oldest first; HSA-ids without regard to case."""
        return self._find(
            is_hsa_id(_TABLE.c.enhets_id, [enhets_id]),
            _IN_WORK,
        )

    def units(self) -> tuple[tuple[str, str, int], ...]:
        """Units with drafts that have content: HSA-id, name, how many; by name."""
        rows = self._connection.execute(
            sa.select(_TABLE.c.enhets_id, sa.func.max(_TABLE.c.enhetsnamn), sa.func.count())
            .where(_IN_WORK)
            .group_by(_TABLE.c.enhets_id)
        )
        found = [(str(unit), str(name), int(count)) for unit, name, count in rows]
        return tuple(sorted(found, key=lambda each: each[1]))

    def count_of_unit(self, enhets_id: str) -> int:
        """How many of them there are."""
        mine = is_hsa_id(_TABLE.c.enhets_id, [enhets_id])
        counted = sa.select(sa.func.count()).select_from(_TABLE).where(mine, _IN_WORK)
        return self._connection.execute(counted).scalar_one()

    def related(self, intygs_id: str, typ: str) -> tuple[Draft, ...]:
        """Drafts that can still be signed, and whose relation of this kind points at this id."""
        return self._find(
            is_id(_TABLE.c.relation_intygs_id, intygs_id),
            _TABLE.c.relation_typ == typ,
            _TABLE.c.state.in_([DraftState.INCOMPLETE.value, DraftState.COMPLETE.value]),
        )

    def created_until(
        self, until: datetime, states: Collection[DraftState], limit: int
    ) -> tuple[str, ...]:
        """Ids of drafts in these states that were created then or before, oldest first."""
        rows = self._connection.execute(
            sa.select(_TABLE.c.intygs_id)
            .where(_TABLE.c.state.in_([s.value for s in states]), _TABLE.c.created_at <= until)
            .order_by(_TABLE.c.created_at)
            .limit(limit)
        )
        return tuple(rows.scalars())

    def changed_until(self, until: datetime, limit: int) -> tuple[str, ...]:
        """Ids of drafts whose unit waits to be told of a change since then or longer."""
        rows = self._connection.execute(
            sa.select(_TABLE.c.intygs_id)
            .where(_TABLE.c.changed_at <= until)
            .order_by(_TABLE.c.changed_at)
            .limit(limit)
        )
        return tuple(rows.scalars())

    def first_changed(self) -> datetime | None:
        """Since when the unit that waits longest waits to be told of a change."""
        first = sa.func.min(_TABLE.c.changed_at, type_=tables.UtcDateTime)
        found: datetime | None = self._connection.execute(sa.select(first)).scalar_one()
        return found

    def _find(self, *conditions: sa.ColumnElement[bool]) -> tuple[Draft, ...]:
        found = self._connection.execute(
            sa.select(_TABLE).where(*conditions).order_by(_TABLE.c.seq)
        )
        return tuple(map(_to_draft, found))


def _values(draft: Draft) -> dict[str, Any]:
    relation = draft.relation
    return {
        "typ": draft.typ,
        "version": draft.version,
        **hos_personal_columns(draft.skapad_av),
        "content": _dumped(draft.content),
        "state": draft.state.value,
        "stamp": draft.stamp,
        "created_at": draft.created_at,
        "saved_at": draft.saved_at,
        "saved_by": draft.saved_by,
        "saved_by_name": draft.saved_by_name,
        "ready_at": draft.ready_at,
        "forwarded": draft.forwarded,
        "revoked_at": draft.revoked_at,
        "relation_typ": relation.typ if relation else None,
        "relation_intygs_id": relation.intygs_id if relation else None,
        "svar_pa_meddelande_id": None,
        "svar_pa_referens_id": None,
        **svar_pa_columns(draft.svar_pa),
        "source": draft.source,
        "changed_at": draft.changed_at,
        "prefill": None if draft.prefill is None else _dumped(draft.prefill),
        "is_test": draft.is_test,
        **_to_sign_columns(draft.to_sign),
    }


def _dumped(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _to_sign_columns(given: ToSign | None) -> dict[str, Any]:
    if given is None:
        return dict.fromkeys((f"to_sign_{name}" for name in _TO_SIGN), None)
    values = (given.method, given.digest, given.signed_info, given.body, given.stamp, given.by)
    return {f"to_sign_{name}": value for name, value in zip(_TO_SIGN, values, strict=True)}


def _to_draft(row: sa.Row[Any]) -> Draft:
    return Draft(
        intygs_id=row.intygs_id,
        typ=row.typ,
        version=row.version,
        patient=to_person(row),
        skapad_av=to_hos_personal(row),
        content=json.loads(row.content),
        state=DraftState(row.state),
        created_at=row.created_at,
        saved_at=row.saved_at,
        saved_by=row.saved_by,
        saved_by_name=row.saved_by_name,
        stamp=row.stamp,
        ready_at=row.ready_at,
        forwarded=row.forwarded,
        revoked_at=row.revoked_at,
        relation=_to_relation(row),
        svar_pa=to_svar_pa(row),
        source=row.source,
        changed_at=row.changed_at,
        prefill=None if row.prefill is None else json.loads(row.prefill),
        is_test=row.is_test,
        to_sign=_to_given(row),
    )


def _to_relation(row: sa.Row[Any]) -> Relation | None:
    if row.relation_intygs_id is None:
        return None
    return Relation(row.relation_typ, row.relation_intygs_id)


def _to_given(row: sa.Row[Any]) -> ToSign | None:
    if row.to_sign_method is None:
        return None
    return ToSign(
        method=row.to_sign_method,
        digest=bytes(row.to_sign_digest),
        signed_info=bytes(row.to_sign_info),
        body=bytes(row.to_sign_body),
        stamp=row.to_sign_stamp,
        by=row.to_sign_by,
    )
