"""Questions as a unit follows them up: rows and numbers from one statement, so that they agree.

What is not handled is found by an index of its own, whatever the units: it is little of all there
is. What is handled is found by the units' certificates.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from intyg.adapter.domain.arende import (
    TOLD,
    Arende,
    ArendeFilter,
    ArendeList,
    Atgard,
    Kind,
    Place,
    Told,
)
from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.domain.meddelande import Direction, FragaState
from intyg.adapter.store import tables
from intyg.adapter.store.base import Transaction, hsa_id_forms, is_id
from intyg.adapter.store.tables import UNHANDLED, UtcDateTime
from intyg.schemas.codes import Amne, Handelse

MOST: Final = 2000
MOST_HANDLED: Final = 500
"""So many questions are looked through, the newest; units have tens of them that wait."""

_M, _I, _D, _DONE = tables.meddelande, tables.intyg, tables.delivery, tables.delivery_done
_UNDER = sa.alias(tables.meddelande, "under")  # what may stand under a question
_WAITS: Final = tuple(s.value for s in (FragaState.OPEN_CARE, FragaState.OPEN_RECIPIENT))


# --- what is known of a question ------------------------------------------------------------------

# A UUID may be written in either case. Two other ids of one certificate that differ in that alone
# are taken for one.
_REMINDS: Final = sa.and_(
    _UNDER.c.intygs_id == _M.c.intygs_id,
    _UNDER.c.amne == Amne.PAMINN.value,
    sa.func.lower(_UNDER.c.paminnelse_meddelande_id) == sa.func.lower(_M.c.meddelande_id),
)
_CAME_OF_IT: Final = sa.and_(
    _UNDER.c.intygs_id == _M.c.intygs_id,
    sa.or_(
        _UNDER.c.seq == _M.c.seq,
        _UNDER.c.meddelande_id == _M.c.answered_by,
        sa.func.lower(_UNDER.c.paminnelse_meddelande_id) == sa.func.lower(_M.c.meddelande_id),
    ),
)


def _of_those(what: sa.ColumnElement[Any], which: sa.ColumnElement[bool]) -> Any:
    return sa.select(what).where(which).correlate(_M).scalar_subquery()


_LAST_DAY_OF_REMINDER: Final = (
    sa.select(_UNDER.c.sista_datum_for_svar)
    .where(_REMINDS, _UNDER.c.sista_datum_for_svar.is_not(None))
    .order_by(_UNDER.c.seq.desc())
    .limit(1)
    .correlate(_M)
    .scalar_subquery()
)
_NEWEST: Final = sa.func.max(_UNDER.c.received_at, type_=UtcDateTime)

_FACTS: Final = (
    _M.c.seq,
    _M.c.meddelande_id,
    _M.c.intygs_id,
    _I.c.typ,
    _I.c.version,
    _I.c.enhetsnamn,
    _M.c.part,
    _I.c.patient_extension.label("patient"),
    _M.c.received_at,
    _of_those(_NEWEST, _CAME_OF_IT).label("latest_at"),
    sa.func.coalesce(_LAST_DAY_OF_REMINDER, _M.c.sista_datum_for_svar, type_=sa.Date).label(
        "answer_by"
    ),
    _of_those(sa.func.count(), _REMINDS).label("reminders"),
    _of_those(_NEWEST, _REMINDS).label("reminded_at"),
    _I.c.enhets_id,
    _M.c.state,
    _M.c.amne,
    _M.c.direction,
    _I.c.personal_id.label("signer_id"),
    _I.c.fullstandigt_namn.label("signer"),
    _M.c.forwarded,
)
_KIND: Final = (
    "enhets_id", "state", "amne", "direction", "signer_id", "signer", "overdue", "forwarded",
)  # fmt: skip


class ArendeRows:
    """Questions in lists."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def find(
        self, wanted: ArendeFilter, today: date, limit: int, after: Place | None = None
    ) -> ArendeList:
        """
        The questions of which something last came, and how many there are of each kind.

        Args:
            today: In Sweden.
            limit: At most so many rows.
            after: Only those that stand below this place.
        """
        found = self._connection.execute(_statement(wanted, today, limit + 1, after)).all()
        lines = [row for row in found if row.number is None]
        counts = {_to_kind(row): row.number for row in found if row.number is not None}
        shown = self._with_told([_to_arende(row) for row in lines[:limit]])
        return ArendeList(shown, len(lines) > limit, counts, sum(counts.values()) >= _most(wanted))

    def set_forwarded(self, intygs_id: str, *, forwarded: bool) -> None:
        """Note of a certificate's questions whether somebody was asked to go on with them."""
        self._connection.execute(
            sa.update(_M)
            .where(is_id(_M.c.intygs_id, intygs_id), _M.c.state.is_not(None))
            .values(forwarded=forwarded)
        )

    def _with_told(self, arenden: Sequence[Arende]) -> tuple[Arende, ...]:
        told = self._told({each.intygs_id for each in arenden}) if arenden else {}
        return tuple(
            replace(each, told=told.get((each.intygs_id, _code(each)))) for each in arenden
        )

    def _told(self, ids: Collection[str]) -> dict[tuple[str, Handelse], Told]:
        """The newest event of each certificate and code, and its delivery."""
        event = tables.handelse
        statement = (
            sa.select(event.c.intygs_id, event.c.handelsekod, event.c.tidpunkt, event.c.delivery_id)
            .where(event.c.intygs_id.in_(ids), event.c.handelsekod.in_(sorted(set(TOLD.values()))))
            .order_by(event.c.seq)
        )
        found = self._connection.execute(statement)
        newest = {(row.intygs_id, Handelse(row.handelsekod)): row for row in found}
        states = self._deliveries({row.delivery_id for row in newest.values() if row.delivery_id})
        return {key: _to_told(row, states) for key, row in newest.items()}

    def _deliveries(self, ids: Collection[str]) -> Mapping[str, tuple[DeliveryState, bool]]:
        """Where deliveries stand, in the queue or out of it; and whether one was tried."""
        statement = sa.union_all(
            *(
                sa.select(table.c.id, table.c.state, table.c.attempts).where(table.c.id.in_(ids))
                for table in (_D, _DONE)
            )
        )
        rows = self._connection.execute(statement)
        return {row.id: (DeliveryState(row.state), row.attempts > 0) for row in rows}


# --- the one statement ----------------------------------------------------------------------------


def _statement(
    wanted: ArendeFilter, today: date, limit: int, after: Place | None
) -> sa.CompoundSelect[Any]:
    """The rows, and beneath them how many there are of each kind, `number`."""
    base = _questions(wanted, today)
    lines = (
        sa.select(*base.c, sa.cast(sa.null(), sa.Integer).label("number"))
        .where(*_chosen(base, wanted), *_below(base, after))
        .order_by(base.c.latest_at.desc(), base.c.seq.desc())
        .limit(limit)
        .subquery()
    )
    kinds = [base.c[name] for name in _KIND]
    rest = [
        sa.cast(sa.null(), column.type).label(column.name)
        for column in base.c
        if column.name not in _KIND
    ]
    counts = sa.select(*rest, *kinds, sa.func.count().label("number")).group_by(*kinds)
    both = sa.union_all(sa.select(lines), counts)
    columns = both.selected_columns
    return both.order_by(columns.latest_at.desc(), columns.seq.desc())


def _most(wanted: ArendeFilter) -> int:
    return MOST_HANDLED if wanted.handled else MOST


def _questions(wanted: ArendeFilter, today: date) -> sa.CTE:
    """What is looked through: the units' questions, or the patient's."""
    of_intyg = _M.c.intygs_id == _I.c.intygs_id
    newest = (
        sa.select(_M.c.seq)
        .join_from(_M, _I, of_intyg)
        .where(*_looked_through(wanted))
        .order_by((_M.c.seq + 0).desc())  # not by the table, which SQLite would read from its end
        .limit(_most(wanted))
    )  # by itself, so that nothing is looked up for what is left out
    facts = sa.select(*_FACTS).join_from(_M, _I, of_intyg).where(_M.c.seq.in_(newest))
    known = facts.subquery()
    late = sa.and_(known.c.state.in_(_WAITS), known.c.answer_by < today)
    rest = [column for column in known.c if column.name not in _KIND]
    kinds = {**known.c, "overdue": sa.case((late, sa.true()), else_=sa.false()).label("overdue")}
    return sa.select(*rest, *(kinds[name] for name in _KIND)).cte("question")


def _looked_through(wanted: ArendeFilter) -> Iterator[sa.ColumnElement[bool] | sa.TextClause]:
    by_index = wanted.patient is None and not wanted.handled
    if wanted.patient is not None:
        yield _I.c.patient_extension == wanted.patient
    if wanted.handled:
        yield _M.c.state == FragaState.HANDLED.value
    else:
        yield sa.text(f"meddelande.{UNHANDLED}")  # by its very words, for its index
    if wanted.units is not None:
        # Nothing that another index could be for: that of what is not handled is the better one.
        unit = _I.c.enhets_id.concat("") if by_index else _I.c.enhets_id
        yield unit.in_(_written(wanted.units))


def _written(hsa_ids: Collection[str]) -> list[str]:
    return sorted({form for each in hsa_ids for form in hsa_id_forms(each)})


def _chosen(base: sa.CTE, wanted: ArendeFilter) -> Iterator[sa.ColumnElement[bool]]:
    """As `ArendeFilter.takes`."""
    c = base.c
    if wanted.unit is not None:
        yield c.enhets_id.in_(_written([wanted.unit]))
    if wanted.signer_id is not None:
        yield c.signer_id.in_(_written([wanted.signer_id]))
    if wanted.turn is not None:
        yield c.state.in_([state.value for state in FragaState if _kind(state).turn is wanted.turn])
    if wanted.atgard is not None:
        yield _waits_for(base, wanted.atgard)
    if wanted.asker is not None:
        yield c.direction == wanted.asker.value
    for name in ("amne", "overdue", "forwarded"):
        if (value := getattr(wanted, name)) is not None:
            yield c[name] == value


def _waits_for(base: sa.CTE, atgard: Atgard) -> sa.ColumnElement[bool]:
    def states(amne: Amne) -> list[str]:
        return [state.value for state in FragaState if _kind(state, amne).atgard is atgard]

    is_komplt = base.c.amne == Amne.KOMPLT.value
    return sa.or_(
        sa.and_(is_komplt, base.c.state.in_(states(Amne.KOMPLT))),
        sa.and_(sa.not_(is_komplt), base.c.state.in_(states(Amne.OVRIGT))),
    )


def _kind(state: FragaState, amne: Amne = Amne.OVRIGT) -> Kind:
    return Kind("", state, amne, Direction.TO_CARE, "", "", overdue=False, forwarded=False)


def _below(base: sa.CTE, after: Place | None) -> Iterator[sa.ColumnElement[bool]]:
    if after is not None:
        at = base.c.latest_at
        yield sa.or_(at < after.latest_at, sa.and_(at == after.latest_at, base.c.seq < after.seq))


# --- rows to values -------------------------------------------------------------------------------


def _to_kind(row: sa.Row[Any]) -> Kind:
    return Kind(
        enhets_id=row.enhets_id,
        state=FragaState(row.state),
        amne=row.amne,
        asker=Direction(row.direction),
        signer_id=row.signer_id,
        signer=row.signer,
        overdue=bool(row.overdue),
        forwarded=bool(row.forwarded),
    )


def _to_arende(row: sa.Row[Any]) -> Arende:
    return Arende(
        seq=row.seq,
        meddelande_id=row.meddelande_id,
        intygs_id=row.intygs_id,
        typ=row.typ,
        version=row.version,
        enhetsnamn=row.enhetsnamn,
        part=row.part,
        patient=row.patient,
        kind=_to_kind(row),
        received_at=row.received_at,
        latest_at=row.latest_at,
        answer_by=row.answer_by,
        reminders=row.reminders,
        reminded_at=row.reminded_at,
    )


def _code(each: Arende) -> Handelse:
    return TOLD[each.kind.asker, each.kind.state]


def _to_told(
    row: sa.Row[Any, Any, Any, Any], states: Mapping[str, tuple[DeliveryState, bool]]
) -> Told:
    state, tried = states.get(row.delivery_id, (None, False))
    return Told(Handelse(row.handelsekod), row.tidpunkt, state, tried)
