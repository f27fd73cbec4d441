"""Cases of sick leave as they count: kept a little after certificates came, and read in bulk.

`intyg_fact` is what is so. Rows here are made of it, all of a person's at once, and say how each
case counts in each month and in a longer time, so that a report needs to join no periods. A period
that came, or was revoked, since they were made is seen by `NOT_LOOKED` in the same moment; then
nothing that stands here about its person counts, and reports take the person's periods themselves.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import Any, Final, NamedTuple, TypeAlias

import sqlalchemy as sa

from intyg.adapter.store import base, tables
from intyg.adapter.store.base import Transaction, few_at_a_time
from intyg.adapter.store.prepared import insert, insert_new, same

_FACT: Final = tables.intyg_fact
_CASE: Final = tables.sjukfall
_WORD: Final = tables.fact_word

WORDS: Final = ("vardgivare_id", "enhets_id", "personal_id", "diagnosis")
"""Columns whose values are words."""

BETWEEN: Final = "\x1f"
"""Between several words; no XML holds it."""

LOOK_LOCK: Final = 0x736A756B  # «sjuk»; an advisory lock is two numbers per database


Span: TypeAlias = tuple[int, int]
"""First and last, both inclusive: days, months or ages."""


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


class Use(IntFlag):
    """Where a row counts."""

    MONTHS = 1  # in each month, where all periods are looked at
    SEEN = 2  # the same, where a filter lets all of the case's periods pass
    WHOLE = 4  # in a longer time, which all of them overlap


class Mixed(IntFlag):
    """Of what a case's periods have several, so that a filter may let some of them pass alone."""

    UNIT = 1
    DIAGNOSIS = 2
    AGE = 4
    WORDY = 8  # too many words, or too long ones: it has one row, with `WHOLE`, that never counts


class CaseRow(NamedTuple):
    """As `tables.sjukfall`, with words in place of their ids."""

    intyg_seq: int
    uses: int
    mixed: int
    vardgivare_id: str
    enhets_id: str
    personal_id: str
    diagnosis: str
    sex: str
    age: int
    level: int
    levels: int
    length: int
    intyg: int
    first_month: int
    last_month: int
    from_day: int
    to_day: int


@dataclass(frozen=True)
class CaseFilter:
    """
    Which rows count.

    Attributes:
        use: One of `Use`.
        months: Those that a report is of.
        mask: What may not be mixed.
        units, diagnoses: Words; None: any.
        ages: Spans of years; None: any.
        lengths: Spans of days; None: any.
    """

    use: Use
    months: Span
    mask: Mixed
    units: frozenset[str] | None = None
    diagnoses: frozenset[str] | None = None
    ages: Sequence[Span] | None = None
    lengths: Sequence[Span] | None = None


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


def _literal(number: int) -> sa.ColumnElement[int]:
    """A number in the statement itself: what is grouped by must be the same wherever it stands."""
    return sa.literal_column(str(int(number)))


_TO_LOOK: Final = sa.and_(
    sa.or_(_FACT.c.looked.is_(None), _FACT.c.looked != _FACT.c.active),
    _FACT.c.first_day.is_not(None),
)
_UNSURE: Final = sa.select(_FACT.c.person).where(_TO_LOOK)
"""Persons of whom nothing here counts."""

_BY_INDEX: Final = (_FACT.c.person,)
"""So that it is read from the index, however many a planner believes them to be."""

Unsure: TypeAlias = Sequence[str] | sa.Select[tuple[str]]
"""The same: by their hashes, or where they are many as the question who they are."""

_COUNTED: Final = sa.select(*_LINE_COLUMNS).where(_FACT.c.active, _FACT.c.first_day.is_not(None))
_OTHER: Final = sa.alias(_FACT, "other")
_OF_CASES: Final = _COUNTED.select_from(
    _CASE.join(
        _OTHER, sa.and_(_OTHER.c.intyg_seq == _CASE.c.intyg_seq, _OTHER.c.line == _literal(0))
    ).join(
        _FACT,
        sa.and_(
            _FACT.c.person == _OTHER.c.person,
            _FACT.c.vardgivare_id == _OTHER.c.vardgivare_id,
            _FACT.c.first_day.between(_CASE.c.from_day, _CASE.c.to_day),
        ),
    )
).where(_CASE.c.id.in_(sa.bindparam("cases", expanding=True)))
"""All periods of some cases."""

_ADD: Final = insert(_CASE)
_ADD_WORD: Final = insert_new(_WORD)
_LOOKED: Final = same(
    sa.update(_FACT)
    .where(
        _FACT.c.intyg_seq == sa.bindparam("of_seq", type_=sa.Integer),
        _FACT.c.line == sa.bindparam("of_line", type_=sa.Integer),
    )
    .values(looked=_FACT.c.active)
)
_LOOK_AGAIN: Final = same(
    sa.update(_FACT)
    .where(_FACT.c.person == sa.bindparam("of_person", type_=sa.Text))
    .values(looked=None)
)


class SjukfallRows:
    """Cases of sick leave."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection
        self._is_postgresql = transaction.is_postgresql

    # --- kept ---

    def has_to_look(self) -> bool:
        """Whether any person's cases are to be made."""
        return self._connection.execute(_UNSURE.order_by(*_BY_INDEX).limit(1)).first() is not None

    def take(self, limit: int) -> tuple[int, list[Line]]:
        """
        Drop the cases of persons of whom something is new, and mark what is new as looked at.

        Whatever comes, or is revoked, meanwhile stays new: what is marked is locked, and read after
        that. One transaction does this at a time; another finds nothing.

        Args:
            limit: At most so many new periods.

        Returns:
            How many there were; and those persons' periods that count, in order.
        """
        if not self._may_look(wait=False):
            return 0, []
        asked = sa.select(_FACT.c.intyg_seq, _FACT.c.line, _FACT.c.person).where(_TO_LOOK)
        found = self._connection.execute(
            asked.order_by(*_BY_INDEX)
            .limit(limit)
            .with_for_update(skip_locked=True, key_share=True)
        ).all()
        persons = sorted({row.person for row in found})
        if not found:
            return 0, []
        self._forget_of(persons)
        marked = [{"of_seq": row.intyg_seq, "of_line": row.line} for row in found]
        _LOOKED.run_many(self._connection, marked)
        theirs = _COUNTED.where(_FACT.c.person.in_(persons))
        lines = self._connection.execute(theirs.order_by(*_IN_ORDER)).all()
        return len(found), list(map(Line._make, lines))

    def add(self, rows: Iterable[CaseRow], examples: Mapping[tuple[str, str], int]) -> None:
        """
        Keep cases.

        Args:
            examples: Kind and word, and a certificate that has it, of all that stand in the rows.
        """
        ids = self._ids(examples)
        made = [
            {**row._asdict(), **{kind: ids[kind, getattr(row, kind)] for kind in WORDS}}
            for row in rows
        ]
        if made:
            _ADD.run_many(self._connection, made)

    def forget(self, first_seq: int, last_seq: int) -> None:
        """Drop the cases of whoever has one of these certificates: they are to be made again."""
        self._may_look(wait=True)
        asked = (
            sa.select(_FACT.c.person)
            .distinct()
            .where(_FACT.c.intyg_seq.between(first_seq, last_seq))
        )
        persons = list(self._connection.scalars(asked))
        self._forget_of(persons)
        if persons:
            _LOOK_AGAIN.run_many(self._connection, [{"of_person": one} for one in persons])

    def _forget_of(self, persons: Sequence[str]) -> None:
        """Drop the cases of some persons: by numbers, for which the index is sure."""
        asked = sa.select(_FACT.c.intyg_seq)
        theirs = {row.intyg_seq for row in self._of_some(asked, _FACT.c.person, persons)}
        for seqs in few_at_a_time(sorted(theirs)):
            self._connection.execute(sa.delete(_CASE).where(_CASE.c.intyg_seq.in_(seqs)))

    def _may_look(self, *, wait: bool) -> bool:
        """On PostgreSQL one transaction at a time, which others wait for, or not."""
        if not self._is_postgresql:
            return True
        lock = sa.func.pg_advisory_xact_lock if wait else sa.func.pg_try_advisory_xact_lock
        schema = sa.func.hashtext(sa.func.current_schema())  # others have tables of their own
        return self._connection.scalar(sa.select(lock(LOOK_LOCK, schema))) is not False

    def _ids(self, examples: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
        wanted = set(examples)
        found = self._known(wanted)
        new = [
            {"kind": kind, "word": word, "intyg_seq": examples[kind, word]}
            for kind, word in sorted(wanted - found.keys())
        ]
        if new:
            _ADD_WORD.run_many(self._connection, new)
            found |= self._known(wanted - found.keys())
        return found

    def _known(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
        asked = sa.select(_WORD.c.kind, _WORD.c.word, _WORD.c.id).where(_WORD.c.kind.in_(WORDS))
        found = self._of_some(asked, _WORD.c.word, {word for _, word in wanted})
        return {(kind, word): number for kind, word, number in found}

    def _of_some(
        self, asked: sa.Select[Any], column: sa.Column[Any], values: Collection[Any]
    ) -> Iterator[Any]:
        """Rows of what is asked for, where a column has one of some values, however many."""
        for some in few_at_a_time(sorted(values)):
            yield from self._connection.execute(asked.where(column.in_(some)))

    # --- reports ---

    def words(self, kind: str, ids: Collection[int]) -> dict[int, str]:
        """Words of a kind by their ids."""
        asked = sa.select(_WORD.c.id, _WORD.c.word).where(_WORD.c.kind == kind)
        return dict(self._of_some(asked, _WORD.c.id, ids))

    def all_words(self, kind: str) -> list[str]:
        """Every word of a kind that cases have had."""
        return list(self._connection.scalars(sa.select(_WORD.c.word).where(_WORD.c.kind == kind)))

    def examples(self, kind: str, words: Collection[str]) -> dict[str, int]:
        """A certificate of each word, as far as there is one."""
        asked = sa.select(_WORD.c.word, _WORD.c.intyg_seq).where(_WORD.c.kind == kind)
        return dict(self._of_some(asked, _WORD.c.word, words))

    def count(
        self,
        by: Mapping[str, Sequence[int]],
        chosen: CaseFilter,
        unsure: Unsure,
        *,
        by_vardgivare: bool,
    ) -> list[Any]:
        """
        Count cases of which all that counts stands here.

        Args:
            by: Columns to count by: as they are, or where there are numbers, as the place of the
                first one that they do not exceed.
            by_vardgivare: By care provider, too.

        Returns:
            For each: `sex`, `vardgivare_id` (0 for all), the columns, `first` and `last` month
            within those of the report, and `number`. Words are ids. Without `Use.WHOLE` alone the
            months are 0.
        """
        keys = [_CASE.c.sex]
        keys += [_CASE.c.vardgivare_id] if by_vardgivare else []
        columns = [_place(_CASE.c[name], bounds) for name, bounds in by.items()]
        months = [] if chosen.use is Use.WHOLE else _clamped(chosen.months)
        asked = (
            sa.select(
                _CASE.c.sex,
                (_CASE.c.vardgivare_id if by_vardgivare else _ZERO).label("vardgivare_id"),
                *columns,
                *(months or (_ZERO, _ZERO)),
                sa.func.count().label("number"),
            )
            .where(*self._conditions(chosen))
            .group_by(*keys, *columns, *months)
        )
        if _is_any(unsure):
            new = _of_persons(sa.select(_FACT.c.intyg_seq.label("seq")).distinct(), unsure)
            theirs = new.subquery("theirs")
            asked = asked.outerjoin_from(_CASE, theirs, theirs.c.seq == _CASE.c.intyg_seq)
            asked = asked.where(theirs.c.seq.is_(None))
        return list(self._connection.execute(asked).all())

    def _conditions(self, chosen: CaseFilter) -> list[sa.ColumnElement[bool]]:
        first, last = chosen.months
        found = [
            _has(_CASE.c.uses, chosen.use),
            ~_has(_CASE.c.mixed, chosen.mask),
            _CASE.c.first_month <= _literal(last),
            _CASE.c.last_month >= _literal(first),
        ]
        for kind, words in (("enhets_id", chosen.units), ("diagnosis", chosen.diagnoses)):
            if words is not None:
                found.append(_CASE.c[kind].in_(sorted(self._ids_of(kind, words))))
        for name, spans in (("age", chosen.ages), ("length", chosen.lengths)):
            if spans is not None:
                found.append(sa.or_(*(_CASE.c[name].between(*span) for span in spans)))
        return found

    def _ids_of(self, kind: str, words: Collection[str]) -> list[int]:
        found = self._known({(kind, word) for word in words})
        return [number for (of_kind, _), number in found.items() if of_kind == kind]

    def unsure(self) -> Unsure:
        """Persons of whom nothing here counts; one call serves all of a report."""
        asked = _UNSURE.distinct().order_by(*_BY_INDEX).limit(base.AT_A_TIME + 1)
        found = list(self._connection.scalars(asked))
        return found if len(found) <= base.AT_A_TIME else _UNSURE

    def lines_unsure(self, days: Span, units: frozenset[str] | None, unsure: Unsure) -> list[Line]:
        """
        All periods that count of persons of whom nothing here counts, in order.

        Args:
            days: Of whoever has one in these days.
            units: And that from one of these units.
        """
        if not _is_any(unsure):
            return []
        persons = sa.select(_FACT.c.person).where(
            _FACT.c.active, _FACT.c.last_day >= days[0], _FACT.c.first_day <= days[1]
        )
        if units is not None:
            persons = persons.where(_FACT.c.enhets_id.in_(sorted(units)))
        theirs = _COUNTED.where(_FACT.c.person.in_(_of_persons(persons, unsure)))
        found = self._connection.execute(theirs.order_by(*_IN_ORDER)).all()
        return list(map(Line._make, found))  # faster than one by one

    def lines_beside(self, chosen: CaseFilter, days: Span) -> list[Line]:
        """
        All periods of the cases in these days that `count` leaves out, in order.

        They are looked up a few cases at a time: no planner knows how few those are.
        """
        first, last = map(_literal, chosen.months)
        left_out = _has(_CASE.c.mixed, chosen.mask)
        if chosen.use is Use.WHOLE:
            cut = sa.or_(_CASE.c.first_month > last, _CASE.c.last_month < first)
            left_out = sa.or_(left_out, cut)
        near = (_CASE.c.from_day <= days[1], _CASE.c.to_day >= days[0])
        asked = sa.select(_CASE.c.id).where(sa.text(tables.SEVERAL), *near, left_out)
        if chosen.units is not None:
            asked = asked.where(_CASE.c.enhets_id.in_(self._with_any(chosen.units)))
        found = [
            Line._make(row)
            for some in few_at_a_time(list(self._connection.scalars(asked)))
            for row in self._connection.execute(_OF_CASES, {"cases": some}).all()
        ]
        return sorted(found, key=lambda line: (line.first, line.intyg, line.level))

    def _with_any(self, units: frozenset[str]) -> list[int]:
        """Words that one of these units is, or is among."""
        asked = sa.select(_WORD.c.id, _WORD.c.word).where(_WORD.c.kind == "enhets_id")
        several = asked.where(_WORD.c.word.contains(BETWEEN))
        found = self._ids_of("enhets_id", units)
        return found + [
            number
            for number, word in self._connection.execute(several)
            if not units.isdisjoint(word.split(BETWEEN))
        ]


_ZERO: Final = _literal(0)


def _has(column: sa.Column[int], bits: int) -> sa.ColumnElement[bool]:
    """Whether any of the bits is set."""
    return column.op("&")(_literal(bits)) != _ZERO


def _clamped(months: Span) -> list[sa.ColumnElement[int]]:
    first, last = map(_literal, months)
    return [
        sa.case((_CASE.c.first_month < first, first), else_=_CASE.c.first_month),
        sa.case((_CASE.c.last_month > last, last), else_=_CASE.c.last_month),
    ]


def _is_any(unsure: Unsure) -> bool:
    return isinstance(unsure, sa.Select) or bool(unsure)


def _of_persons(asked: sa.Select[Any], unsure: Unsure) -> sa.Select[Any]:
    return asked.where(_FACT.c.person.in_(unsure))


def _place(column: sa.ColumnElement[Any], bounds: Sequence[int]) -> sa.ColumnElement[Any]:
    """The place of the first bound that a number does not exceed: by halves; itself without any."""
    return _halved(column, list(bounds), 0) if bounds else column


def _halved(column: sa.ColumnElement[Any], bounds: list[int], start: int) -> sa.ColumnElement[Any]:
    if not bounds:
        return _literal(start)
    middle = len(bounds) // 2
    below = _halved(column, bounds[:middle], start)
    above = _halved(column, bounds[middle + 1 :], start + middle + 1)
    return sa.case((column <= _literal(bounds[middle]), below), else_=above)
