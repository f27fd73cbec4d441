"""What statistics are made of: facts kept as certificates and messages arrive, and read in bulk.

Days and months are numbers, as `tables.intyg_fact` says, so that a report adds and compares them
without making dates of a million rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from intyg.adapter.domain.clock import swedish_day
from intyg.adapter.domain.intyg import IntygsStatus, StoredIntyg
from intyg.adapter.domain.meddelande import Meddelande
from intyg.adapter.store import tables
from intyg.adapter.store.base import Transaction, few_at_a_time
from intyg.adapter.store.fact_marks import SEQ_OF, is_sent_to_fk
from intyg.adapter.store.intyg_rows import IntygRows
from intyg.adapter.store.prepared import Prepared
from intyg.adapter.store.sjukfall_rows import SjukfallRows, Span
from intyg.schemas.codes import Amne

_FACT: Final = tables.intyg_fact
_MEDDELANDE: Final = tables.meddelande_fact
_NO_FACTS: Final = frozenset({"lone", "looked"})
"""Columns that say how far the cases are that are made of facts."""

_ONCE: Final = _FACT.c.line == sa.literal_column("0")
"""One row of each certificate; in the words of an index."""


@dataclass(frozen=True)
class IntygFact:
    """
    A certificate, or one sick-leave period of it; as `tables.intyg_fact`.

    Attributes:
        person: Keyed hash, not the number.
        level: Of the period, in per cent; None, as its days, without one.
    """

    line: int
    person: str = field(repr=False)
    vardgivare_id: str
    enhets_id: str
    personal_id: str
    typ: str
    sex: str
    age: int
    age_signed: int
    age_month: int
    diagnosis: str | None
    signed_day: int
    signed_month: int
    level: int | None = None
    first_day: int | None = None
    last_day: int | None = None
    active: bool = True
    sent_to_fk: bool = False


Stored: TypeAlias = tuple[StoredIntyg, tuple[IntygsStatus, ...]]
"""A certificate, and its state history."""


@dataclass(frozen=True)
class Forgotten:
    """Certificates whose facts are gone, and the last one's place; None where there were none."""

    intyg: tuple[Stored, ...]
    seq: int | None


@dataclass(frozen=True)
class FactFilter:
    """
    Which certificates count; None: any.

    Attributes:
        units: HSA-ids in upper case.
        typer: As in certificates.
        diagnoses: As facts hold them; "" stands for none.
        ages: Spans of years.
    """

    units: frozenset[str] | None = None
    typer: frozenset[str] | None = None
    diagnoses: frozenset[str] | None = None
    ages: tuple[Span, ...] | None = None

    def conditions(self, age: str) -> list[sa.ColumnElement[bool]]:
        """In SQL; `age` is the column that counts."""
        found: list[sa.ColumnElement[bool]] = []
        if self.units is not None:
            found.append(_FACT.c.enhets_id.in_(sorted(self.units)))
        if self.typer is not None:
            found.append(_FACT.c.typ.in_(sorted(self.typer)))
        if self.diagnoses is not None:
            diagnosis = sa.func.coalesce(_FACT.c.diagnosis, "")
            found.append(diagnosis.in_(sorted(self.diagnoses)))
        if self.ages is not None:
            found.append(sa.or_(*(_FACT.c[age].between(*span) for span in self.ages)))
        return found


# Statements of the hot path are built once: building costs more than running them.

_ADD: Final = Prepared(
    lambda _: sa.insert(_FACT).values(intyg_seq=SEQ_OF).inline(),  # nothing is given back
    [one.name for one in fields(IntygFact)],
)
_ADD_MEDDELANDE: Final = sa.insert(_MEDDELANDE).from_select(
    ["meddelande_seq", "line", "intyg_seq", "amne", "frage_id", "sent_day", "sent_month"],
    sa.select(
        tables.meddelande.c.seq,
        sa.bindparam("on_line", type_=sa.Integer),
        _FACT.c.intyg_seq,
        tables.meddelande.c.amne,
        sa.bindparam("of_frage_id", type_=sa.Text),
        sa.bindparam("on_day", type_=sa.Integer),
        sa.bindparam("in_month", type_=sa.Integer),
    )
    .select_from(
        tables.meddelande.join(
            tables.intyg, tables.intyg.c.intygs_id == tables.meddelande.c.intygs_id
        ).join(_FACT, sa.and_(_FACT.c.intyg_seq == tables.intyg.c.seq, _ONCE))
    )
    .where(tables.meddelande.c.meddelande_id == sa.bindparam("of_meddelande_id")),
)


_READY: Final = sa.select(
    sa.func.set_config("work_mem", "64MB", True), sa.func.set_config("jit", "off", True)
)


class StatisticsRows:
    """Facts about certificates and messages."""

    def __init__(self, transaction: Transaction, intyg: IntygRows, sjukfall: SjukfallRows) -> None:
        self._connection = transaction.connection
        self._is_postgresql = transaction.is_postgresql
        self._intyg = intyg
        self._sjukfall = sjukfall

    # --- as they arrive ---

    def add(self, intygs_id: str, facts: Sequence[IntygFact]) -> None:
        """Keep what a stored certificate counts for; nothing for one that does not count."""
        if facts:
            rows = [{**vars(fact), "of_intygs_id": intygs_id} for fact in facts]
            _ADD.run_many(self._connection, rows)

    def add_meddelande(self, m: Meddelande) -> None:
        """Keep what a stored message counts for: nothing, where its certificate does not count."""
        day = swedish_day(m.skickat_tidpunkt)
        rows = [
            {
                "of_meddelande_id": m.meddelande_id,
                "on_line": line,
                "of_frage_id": frage_id,
                "on_day": day.toordinal(),
                "in_month": 12 * day.year + day.month - 1,
            }
            for line, frage_id in enumerate([None, *(row.frage_id for row in m.komplettering)])
        ]
        self._connection.execute(_ADD_MEDDELANDE, rows)

    # --- made anew ---

    def last_seq(self) -> int:
        """Of the newest certificate; 0 without any."""
        return self._connection.scalar(sa.select(sa.func.max(tables.intyg.c.seq))) or 0

    def forget(self, after: int, limit: int) -> "Forgotten":
        """
        Drop the facts of some certificates, in order of arrival.

        Args:
            after: Those that came after this one.
            limit: At most so many.

        Returns:
            The certificates, locked: nobody revokes one before the transaction ends.
        """
        table = tables.intyg
        wanted = sa.select(table.c.seq).where(table.c.seq > after)
        found = self._connection.scalars(
            wanted.order_by(table.c.seq).limit(limit).with_for_update(key_share=True)
        ).all()
        if not found:
            return Forgotten((), None)
        self._sjukfall.forget(found[0], found[-1])
        for fact in (_MEDDELANDE, _FACT):
            self._connection.execute(sa.delete(fact).where(fact.c.intyg_seq.in_(found)))
        return Forgotten(tuple(self._intyg.each(found)), found[-1])

    def add_again(self, facts: Iterable[tuple[Stored, Sequence[IntygFact]]]) -> None:
        """Keep certificates' facts as they stand today: whether each is revoked, and sent."""
        rows = [
            {
                **vars(fact),
                "of_intygs_id": stored.intyg.intygs_id,
                "active": stored.revoked_at is None,
                "sent_to_fk": any(is_sent_to_fk(one.status, one.part) for one in statuses),
            }
            for (stored, statuses), some in facts
            for fact in some
        ]
        if rows:
            _ADD.run_many(self._connection, rows)

    def all(self) -> list[tuple[Any, ...]]:
        """Every fact, in order: to compare two ways of coming by them."""
        found: list[tuple[Any, ...]] = []
        for table in (_FACT, _MEDDELANDE):
            columns = [column for column in table.c if column.name not in _NO_FACTS]
            rows = self._connection.execute(
                sa.select(*columns).order_by(*table.primary_key.columns)
            )
            found += (tuple(row) for row in rows)
        return found

    # --- reports ---

    def get_ready(self) -> None:
        """Let PostgreSQL group in memory, and not compile what runs for a second, until the end."""
        if self._is_postgresql:
            self._connection.execute(_READY)

    def has_unit(self, enhets_id: str) -> bool:
        """Whether any certificate of a unit counts."""
        asked = sa.select(_FACT.c.intyg_seq).where(_FACT.c.enhets_id == enhets_id).limit(1)
        return self._connection.execute(asked).first() is not None

    def units(self, limit: int) -> list[tuple[str, str]]:
        """
        Units that have had a certificate that counts, in order, each with a name of it.

        Each by one step of the index, however many certificates they have.
        """
        first = sa.select(sa.func.min(_FACT.c.enhets_id).label("id")).cte("unit", recursive=True)
        further = sa.select(sa.func.min(_FACT.c.enhets_id)).where(_FACT.c.enhets_id > first.c.id)
        unit = first.union_all(sa.select(further.scalar_subquery()).where(first.c.id.is_not(None)))
        one = sa.select(_FACT.c.intyg_seq).where(_FACT.c.enhets_id == unit.c.id).correlate(unit)
        newest = one.order_by(_FACT.c.last_day.desc()).limit(1).scalar_subquery()
        name = sa.select(tables.intyg.c.enhetsnamn).where(tables.intyg.c.seq == newest)
        asked = sa.select(unit.c.id, name.scalar_subquery()).where(unit.c.id.is_not(None))
        return [(row[0], row[1]) for row in self._connection.execute(asked.limit(limit))]

    def diagnoses(self) -> set[str]:
        """Every diagnosis that facts hold, "" for none."""
        found = self._connection.scalars(sa.select(_FACT.c.diagnosis).distinct())
        return {one or "" for one in found}

    def count_intyg(
        self,
        by: Iterable[str],
        months: Span,
        chosen: FactFilter,
        *,
        sent_to_fk: bool = False,
    ) -> list[tuple[Any, ...]]:
        """
        Count certificates by when they were signed, each once.

        Args:
            by: Columns of `tables.intyg_fact` to count by; "" stands for one that is always "".
            months: When they were signed.
            chosen: Ages are those of `age_signed`; of `age_month` with `sent_to_fk`.
            sent_to_fk: Count what Försäkringskassan has accepted, revoked or not, and those among
                it that it has asked to complete; otherwise what is not revoked.

        Returns:
            Values of the columns, then the number, then with `sent_to_fk` the number asked about.
        """
        columns = [_counted_by(name) for name in by]
        counted: list[sa.ColumnElement[Any]] = [*columns, sa.func.count()]
        if sent_to_fk:
            about = _is_asked_about(one_by_one=chosen.units is not None)
            counted.append(sa.func.sum(sa.case((about, 1), else_=0)))
        asked = sa.select(*counted)
        state = _FACT.c.sent_to_fk if sent_to_fk else _FACT.c.active
        age = "age_month" if sent_to_fk else "age_signed"
        asked = asked.where(
            _ONCE, state, _FACT.c.signed_month.between(*months), *chosen.conditions(age)
        )
        grouped = asked.group_by(*(one for one in columns if one is not _NOTHING))
        return list(map(tuple, self._connection.execute(grouped).all()))

    def count_meddelanden(
        self,
        by: Iterable[str],
        chosen: FactFilter,
        *,
        signed: Span | None = None,
        sent: Span | None = None,
        fragor: bool = False,
    ) -> list[tuple[Any, ...]]:
        """
        Count messages to care.

        Args:
            by: Columns of `tables.intyg_fact`, or of `tables.meddelande_fact`, to count by; "" as
                above.
            chosen: Of their certificates; ages are those of `age_month`.
            signed: Months in which their certificates were signed.
            sent: Days on which they were sent.
            fragor: Count the questions that completion requests list, not the messages.

        Returns:
            Values of the columns, then the number, then the last certificate's place.
        """
        columns = [_counted_by(name) for name in by]
        conditions = [_MEDDELANDE.c.line > 0 if fragor else _MEDDELANDE.c.line == 0]
        if fragor:
            conditions.append(_MEDDELANDE.c.amne == Amne.KOMPLT.value)
        if signed is not None:
            conditions.append(_FACT.c.signed_month.between(*signed))
        if sent is not None:
            conditions.append(_MEDDELANDE.c.sent_day.between(*sent))
        asked = (
            sa.select(*columns, sa.func.count(), sa.func.max(_FACT.c.intyg_seq))
            .select_from(
                _MEDDELANDE.join(
                    _FACT, sa.and_(_FACT.c.intyg_seq == _MEDDELANDE.c.intyg_seq, _ONCE)
                )
            )
            .where(*conditions, *chosen.conditions("age_month"))
            .group_by(*(one for one in columns if one is not _NOTHING))
        )
        return list(map(tuple, self._connection.execute(asked).all()))

    def names(self, column: str, by_intyg: Iterable[int]) -> dict[int, str]:
        """
        What some certificates call their unit or doctor.

        Args:
            column: `enhetsnamn` or `fullstandigt_namn`.
            by_intyg: Their places in the order of arrival.
        """
        table = tables.intyg
        found: dict[int, str] = {}
        for some in few_at_a_time(sorted(set(by_intyg))):
            asked = sa.select(table.c.seq, table.c[column]).where(table.c.seq.in_(some))
            found |= {row[0]: row[1] for row in self._connection.execute(asked)}
        return found


_NOTHING: Final[sa.ColumnElement[str]] = sa.literal_column("''")


def _counted_by(name: str) -> sa.ColumnElement[Any]:
    if not name:
        return _NOTHING
    return _FACT.c[name] if name in _FACT.c else _MEDDELANDE.c[name]


def _is_asked_about(*, one_by_one: bool) -> sa.ColumnElement[bool]:
    """
    Whether a completion request is about a certificate.

    Args:
        one_by_one: Each is looked up; otherwise all requests are gathered first, which is faster
            for many certificates.
    """
    about = sa.select(_MEDDELANDE.c.intyg_seq).where(sa.text(tables.ASKED))
    if not one_by_one:
        return _FACT.c.intyg_seq.in_(about)
    return sa.exists(about.where(_MEDDELANDE.c.intyg_seq == _FACT.c.intyg_seq).correlate(_FACT))


_FIELDS: Final = {one.name for one in fields(IntygFact)}
assert {"intyg_seq", *_FIELDS, *_NO_FACTS} == set(_FACT.c.keys())
