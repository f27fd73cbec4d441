"""What statistics are made of: facts kept as certificates and messages arrive, and read in bulk.

Days and months are numbers, as `tables.intyg_fact` says, so that a report adds and compares them
without making dates of a million rows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, NamedTuple, TypeAlias

import sqlalchemy as sa

from intyg.adapter.domain.clock import swedish_day
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.meddelande import Meddelande
from intyg.adapter.store import tables
from intyg.adapter.store.base import Transaction
from intyg.adapter.store.fact_marks import SEQ_OF, is_sent_to_fk
from intyg.adapter.store.intyg_rows import IntygRows
from intyg.adapter.store.prepared import Prepared, same
from intyg.schemas.codes import Amne

_FACT: Final = tables.intyg_fact
_MEDDELANDE: Final = tables.meddelande_fact
_ONCE: Final = _FACT.c.line == 0
"""One row of each certificate."""

Span: TypeAlias = tuple[int, int]
"""First and last, both inclusive: days, months or ages."""


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


class Line(NamedTuple):
    """A sick-leave period that counts. `intyg` is the order in which certificates arrived."""

    intyg: int
    person: str
    vardgivare_id: str
    enhets_id: str
    personal_id: str
    sex: str
    age: int
    diagnosis: str | None
    level: int
    first: int
    last: int


@dataclass(frozen=True)
class Forgotten:
    """Certificates whose facts are gone, and the last one's place; None where there were none."""

    intyg: tuple[StoredIntyg, ...]
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
_LINE_COLUMNS: Final = (
    _FACT.c.intyg_seq,
    _FACT.c.person,
    _FACT.c.vardgivare_id,
    _FACT.c.enhets_id,
    _FACT.c.personal_id,
    _FACT.c.sex,
    _FACT.c.age,
    _FACT.c.diagnosis,
    _FACT.c.level,
    _FACT.c.first_day,
    _FACT.c.last_day,
)
_IN_ORDER: Final = (_FACT.c.first_day, _FACT.c.intyg_seq, _FACT.c.level)

REACH: Final = 6
"""So many days after a period's last day, or before its first, another one may still join it."""

_LENGTH: Final = (_FACT.c.last_day - _FACT.c.first_day + 1).label("length")
_NOT_LOOKED: Final = sa.and_(_FACT.c.lone.is_(None), _FACT.c.first_day.is_not(None))
_UNSURE: Final = sa.select(_FACT.c.person).where(_NOT_LOOKED)
"""Persons of whom a period is not looked at yet: no other of theirs is known to be alone."""

_ALONE: Final = sa.and_(_FACT.c.lone.is_(True), _FACT.c.person.not_in(_UNSURE))
_NOT_ALONE: Final = sa.or_(_FACT.c.lone.is_not(True), _FACT.c.person.in_(_UNSURE))

_OTHER: Final = sa.alias(_FACT, "other")


def _near(fact: Any) -> sa.ColumnElement[bool]:
    """Periods near the one in the parameters, but for itself."""
    return sa.and_(
        fact.c.person == sa.bindparam("of_person", type_=sa.Text),
        fact.c.vardgivare_id == sa.bindparam("of_vardgivare", type_=sa.Text),
        fact.c.first_day <= sa.bindparam("until", type_=sa.Integer),
        fact.c.last_day >= sa.bindparam("since", type_=sa.Integer),
        sa.or_(
            fact.c.intyg_seq != sa.bindparam("of_seq", type_=sa.Integer),
            fact.c.line != sa.bindparam("of_line", type_=sa.Integer),
        ),
    )


_JOINED: Final = same(
    sa.update(_FACT).where(_near(_FACT), _FACT.c.lone.is_(True)).values(lone=False)
)
_LOOKED: Final = same(
    sa.update(_FACT)
    .where(
        _FACT.c.intyg_seq == sa.bindparam("of_seq", type_=sa.Integer),
        _FACT.c.line == sa.bindparam("of_line", type_=sa.Integer),
    )
    .values(lone=~sa.exists(sa.select(_OTHER.c.line).where(_near(_OTHER))))
)


class StatisticsRows:
    """Facts about certificates and messages."""

    def __init__(self, transaction: Transaction, intyg: IntygRows) -> None:
        self._connection = transaction.connection
        self._intyg = intyg

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
            The certificates, locked: nobody revokes one before the transaction ends. Fewer than
            were looked at, should one have been removed meanwhile.
        """
        table = tables.intyg
        wanted = sa.select(table.c.seq, table.c.intygs_id).where(table.c.seq > after)
        found = self._connection.execute(
            wanted.order_by(table.c.seq).limit(limit).with_for_update(key_share=True)
        ).all()
        if not found:
            return Forgotten((), None)
        for fact in (_MEDDELANDE, _FACT):
            between = fact.c.intyg_seq.between(found[0].seq, found[-1].seq)
            self._connection.execute(sa.delete(fact).where(between))
        stored = (self._intyg.get(row.intygs_id) for row in found)
        return Forgotten(tuple(one for one in stored if one is not None), found[-1].seq)

    def add_again(self, stored: StoredIntyg, facts: Sequence[IntygFact]) -> None:
        """Keep a certificate's facts as they stand today: whether it is revoked, and sent."""
        intygs_id = stored.intyg.intygs_id
        active = stored.revoked_at is None
        sent = any(
            is_sent_to_fk(status.status, status.part) for status in self._intyg.statuses(intygs_id)
        )
        self.add(intygs_id, [replace(fact, active=active, sent_to_fk=sent) for fact in facts])

    def has_not_looked(self) -> bool:
        """Whether `look_for_lone` has anything to do."""
        asked = sa.select(_FACT.c.person).where(_NOT_LOOKED).limit(1)
        return self._connection.execute(asked).first() is not None

    def look_for_lone(self, limit: int) -> int:
        """
        Find out of some periods whether another lies so near that it may join; `lone` says so.

        Whoever looks later sees whoever came before: of two that come at once and do not see each
        other neither is looked at before it can be seen.

        Returns:
            How many were looked at.
        """
        asked = sa.select(
            _FACT.c.intyg_seq.label("of_seq"),
            _FACT.c.line.label("of_line"),
            _FACT.c.person.label("of_person"),
            _FACT.c.vardgivare_id.label("of_vardgivare"),
            (_FACT.c.last_day + REACH).label("until"),
            (_FACT.c.first_day - REACH).label("since"),
        ).where(_NOT_LOOKED)
        found = self._connection.execute(
            asked.limit(limit).with_for_update(skip_locked=True, key_share=True)
        )
        rows = [dict(row) for row in found.mappings()]
        if rows:
            _JOINED.run_many(self._connection, rows)
            _LOOKED.run_many(self._connection, rows)
        return len(rows)

    def all(self) -> list[tuple[Any, ...]]:
        """Every fact, in order: to compare two ways of coming by them."""
        found: list[tuple[Any, ...]] = []
        for table in (_FACT, _MEDDELANDE):
            columns = [column for column in table.c if column is not _FACT.c.lone]
            rows = self._connection.execute(
                sa.select(*columns).order_by(*table.primary_key.columns)
            )
            found += (tuple(row) for row in rows)
        return found

    # --- reports ---

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

    def lines(
        self, days: Span, *, earlier: bool, later: bool, of_units: frozenset[str] | None
    ) -> list[Line]:
        """
        Sick-leave periods that count and may join, sorted: by start, then certificate, then level.

        The others are for `lone`.

        Args:
            days: Those that overlap these.
            earlier: Those that end before them, too, of the same persons.
            later: With them, those that begin after them.
            of_units: Only of persons who have one from these units in those days; of such a person
                all of them, whichever unit they are from. None: of everybody.
        """
        overlapping = (*_overlapping(days, scanned=of_units is None), _NOT_ALONE)
        asked = sa.select(*_LINE_COLUMNS).where(
            _FACT.c.active, _FACT.c.first_day.is_not(None), _NOT_ALONE
        )
        if not later:
            asked = asked.where(_FACT.c.first_day <= days[1])
        if of_units is not None or earlier:
            persons = sa.select(_FACT.c.person).where(_FACT.c.active, *overlapping)
            if of_units is not None:
                persons = persons.where(_FACT.c.enhets_id.in_(sorted(of_units)))
            asked = asked.where(_FACT.c.person.in_(persons))
        else:
            asked = asked.where(*overlapping)
        found = self._connection.execute(asked.order_by(*_IN_ORDER)).all()  # faster than one by one
        return list(map(Line._make, found))

    def lone(
        self,
        parts: Sequence[Span],
        by: Mapping[str, Sequence[int]],
        chosen: FactFilter,
        *,
        lengths: Sequence[Span] | None,
        by_vardgivare: bool,
    ) -> list[Any]:
        """
        Count the sick-leave periods that no other can join.

        Args:
            parts: Of the days that they overlap, one after the other without gaps.
            by: Columns to count by, or `length`, in days: as it is, or where there are numbers, as
                the place of the first one that it does not exceed.
            chosen: Only these; ages are those of `age`.
            lengths: Only so long.
            by_vardgivare: By care provider, too.

        Returns:
            For each: `sex`, `vardgivare_id` ("" for all), the columns; the `first` and `last` part
            that they overlap, `number`, and `intyg` of one of them.
        """
        ends = [last for _, last in parts][:-1]
        days = (_FACT.c.first_day, _FACT.c.last_day)
        grouped = [_FACT.c.sex, *(_place(_column(name), bounds) for name, bounds in by.items())]
        places = [_place(day, ends) if ends else _NO_PLACE for day in days]
        grouped += places if ends else []
        grouped += [_FACT.c.vardgivare_id] if by_vardgivare else []
        asked = (
            sa.select(
                _FACT.c.sex,
                (_FACT.c.vardgivare_id if by_vardgivare else _NOBODY).label("vardgivare_id"),
                *grouped[1 : len(by) + 1],
                places[0].label("first"),
                places[1].label("last"),
                sa.func.count().label("number"),
                sa.func.max(_FACT.c.intyg_seq).label("intyg"),
            )
            .where(*self._lone_conditions((parts[0][0], parts[-1][1]), chosen, lengths))
            .group_by(*grouped)
        )
        return list(self._connection.execute(asked).all())

    def _lone_conditions(
        self, days: Span, chosen: FactFilter, lengths: Sequence[Span] | None
    ) -> Iterator[sa.ColumnElement[bool]]:
        yield _FACT.c.active
        yield _FACT.c.first_day.is_not(None)
        yield _ALONE
        yield from _overlapping(days, scanned=chosen.units is None)
        yield from chosen.conditions("age")
        if lengths is not None:
            yield sa.or_(*(_column("length").between(*span) for span in lengths))

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
            by: Columns of `tables.intyg_fact` to count by.
            months: When they were signed.
            chosen: Ages are those of `age_signed`; of `age_month` with `sent_to_fk`.
            sent_to_fk: Count what Försäkringskassan has accepted, revoked or not, and those among
                it that it has asked to complete; otherwise what is not revoked.

        Returns:
            Values of the columns, then the number, then with `sent_to_fk` the number asked about.
        """
        columns = [_FACT.c[name] for name in by]
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
        return [tuple(row) for row in self._connection.execute(asked.group_by(*columns))]

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
            by: Columns of `tables.intyg_fact`, or of `tables.meddelande_fact`, to count by.
            chosen: Of their certificates; ages are those of `age_month`.
            signed: Months in which their certificates were signed.
            sent: Days on which they were sent.
            fragor: Count the questions that completion requests list, not the messages.

        Returns:
            Values of the columns, then the number, then the last certificate's place.
        """
        columns = [_FACT.c[name] if name in _FACT.c else _MEDDELANDE.c[name] for name in by]
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
            .group_by(*columns)
        )
        return [tuple(row) for row in self._connection.execute(asked)]

    def names(self, column: str, by_intyg: Iterable[int]) -> dict[int, str]:
        """
        What some certificates call their unit or doctor.

        Args:
            column: `enhetsnamn` or `fullstandigt_namn`.
            by_intyg: Their places in the order of arrival.
        """
        table = tables.intyg
        wanted = sorted(set(by_intyg))
        found: dict[int, str] = {}
        for start in range(0, len(wanted), _AT_A_TIME):
            some = wanted[start : start + _AT_A_TIME]
            asked = sa.select(table.c.seq, table.c[column]).where(table.c.seq.in_(some))
            found |= {row[0]: row[1] for row in self._connection.execute(asked)}
        return found


_NO_PLACE: Final[sa.ColumnElement[int]] = sa.literal_column("0")
_NOBODY: Final[sa.ColumnElement[str]] = sa.literal_column("''")


def _is_asked_about(*, one_by_one: bool) -> sa.ColumnElement[bool]:
    """
    Whether a completion request is about a certificate.

    Args:
        one_by_one: Each is looked up; otherwise all requests are gathered first, which is faster
            for many certificates.
    """
    about = sa.select(_MEDDELANDE.c.intyg_seq).where(
        _MEDDELANDE.c.line == 0, _MEDDELANDE.c.amne == Amne.KOMPLT.value
    )
    if not one_by_one:
        return _FACT.c.intyg_seq.in_(about)
    return sa.exists(about.where(_MEDDELANDE.c.intyg_seq == _FACT.c.intyg_seq).correlate(_FACT))


def _column(name: str) -> sa.ColumnElement[Any]:
    return _LENGTH.element if name == "length" else _FACT.c[name]


def _overlapping(days: Span, *, scanned: bool) -> tuple[sa.ColumnElement[bool], ...]:
    """
    Periods that overlap some days.

    Args:
        scanned: The whole table is read: a third of it is read faster so than by an index.
    """
    last_day: sa.ColumnElement[int] = _FACT.c.last_day
    return (last_day + 0 if scanned else last_day) >= days[0], _FACT.c.first_day <= days[1]


def _place(column: sa.ColumnElement[Any], bounds: Sequence[int]) -> sa.ColumnElement[Any]:
    """The place of the first bound that a number does not exceed: by halves; itself without any."""
    return _halved(column, list(bounds), 0) if bounds else column


def _halved(column: sa.ColumnElement[Any], bounds: list[int], start: int) -> sa.ColumnElement[Any]:
    if not bounds:
        return sa.literal_column(str(start))
    middle = len(bounds) // 2
    below = _halved(column, bounds[:middle], start)
    above = _halved(column, bounds[middle + 1 :], start + middle + 1)
    return sa.case((column <= sa.literal_column(str(bounds[middle])), below), else_=above)


_AT_A_TIME: Final = 500  # values in one statement
_FIELDS: Final = {one.name for one in fields(IntygFact)}
assert _FIELDS | {"intyg_seq", "lone"} == set(_FACT.c.keys())
