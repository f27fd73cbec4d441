"""How questions, deliveries and events fare, counted; for reports that no authority makes.

Of certificates that count in statistics, but for blocks, which are mostly of those that do not.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import sqlalchemy as sa

from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.store import tables
from intyg.adapter.store.base import Transaction
from intyg.schemas.codes import Amne

Moments: TypeAlias = tuple[datetime, datetime]
"""From the first, up to but not with the second; aware."""

Parts: TypeAlias = Sequence[Moments]
"""A time, cut where one ends and the next begins: months."""

_LOST = (
    DeliveryState.REFUSED,
    DeliveryState.UNKNOWN,
    DeliveryState.FAILED,
    DeliveryState.BLOCKED,
)


class CourseRows:
    """Questions, deliveries, blocks and events, counted."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def answers(self, parts: Parts, units: Iterable[str]) -> list[tuple[Any, ...]]:
        """
        Questions that came in a time and have an answer.

        Returns:
            Part of the time, direction, subject, when the question came and when its answer did; of
            each.
        """
        asked, answer = tables.meddelande, sa.alias(tables.meddelande, "answer")
        columns = (asked.c.direction, asked.c.amne, asked.c.received_at, answer.c.received_at)
        source = asked.join(answer, answer.c.meddelande_id == asked.c.answered_by)
        place = _part_of(asked.c.received_at, parts)
        found = sa.select(place, *columns).select_from(source)
        return self._rows(found, asked.c.received_at, parts, _counts(asked, units))

    def fragor(self, parts: Parts, units: Iterable[str]) -> list[tuple[Any, ...]]:
        """Part of the time, direction, part, and how many questions and reminders came."""
        table = tables.meddelande
        question = sa.and_(
            table.c.amne != Amne.PAMINN.value, table.c.svar_pa_meddelande_id.is_(None)
        )
        reminder = table.c.amne == Amne.PAMINN.value
        counted = (sa.func.sum(sa.case((one, 1), else_=0)) for one in (question, reminder))
        by = (table.c.direction, table.c.part)
        return self._grouped(by, counted, table.c.received_at, parts, _counts(table, units))

    def deliveries(self, parts: Parts, units: Iterable[str]) -> list[tuple[Any, ...]]:
        """
        Deliveries that were queued in a time.

        Returns:
            Part of the time, part, state, whether there was more than one attempt, and how many;
            perhaps in two rows, since what is finished stands in another table after a while.
        """
        found: list[tuple[Any, ...]] = []
        for table in (tables.delivery, tables.delivery_done):
            again = sa.case((table.c.attempts > 1, 1), else_=0).label("again")
            by, counted = (table.c.part, table.c.state, again), (sa.func.count(),)
            of_units = _counts(table, units)
            found += self._grouped(by, counted, table.c.created_at, parts, of_units)
        return found

    def blocks(self, parts: Parts) -> list[tuple[Any, ...]]:
        """Part of the time, contract, destination, and how often the guard stopped something."""
        table = tables.block
        by, counted = (table.c.contract, table.c.destination), (sa.func.count(),)
        return self._grouped(by, counted, table.c.at, parts, sa.true())

    def not_told(self, parts: Parts, units: Iterable[str]) -> list[tuple[Any, ...]]:
        """
        Events in a time.

        Returns:
            Part of the time, code, how many, how many of them there was nobody to tell, and how
            many were sent and did not arrive.
        """
        table, sent = tables.handelse, tables.delivery
        nobody = table.c.delivery_id.is_(None)
        lost = sent.c.state.in_([state.value for state in _LOST])
        counted = (sa.func.sum(sa.case((one, 1), else_=0)) for one in (nobody, lost))
        source = table.outerjoin(sent, sent.c.id == table.c.delivery_id)
        by = (table.c.handelsekod,)
        return self._grouped(
            by,
            (sa.func.count(), *counted),
            table.c.tidpunkt,
            parts,
            _counts(table, units),
            source=source,
        )

    def _grouped(
        self,
        by: Sequence[sa.ColumnElement[Any]],
        counted: Iterable[sa.ColumnElement[Any]],
        at: sa.Column[Any],
        parts: Parts,
        condition: sa.ColumnElement[bool],
        *,
        source: sa.FromClause | None = None,
    ) -> list[tuple[Any, ...]]:
        place = _part_of(at, parts)
        asked = sa.select(place, *by, *counted).select_from(at.table if source is None else source)
        # By the name: the same expression with values of its own is another one to PostgreSQL.
        grouped = asked.group_by(sa.literal_column(place.name), *by)
        return self._rows(grouped, at, parts, condition)

    def _rows(
        self,
        asked: sa.Select[Any],
        at: sa.Column[Any],
        parts: Parts,
        condition: sa.ColumnElement[bool],
    ) -> list[tuple[Any, ...]]:
        asked = asked.where(at >= parts[0][0], at < parts[-1][1], condition)
        return [tuple(row) for row in self._connection.execute(asked)]


def _part_of(at: sa.Column[Any], parts: Parts) -> sa.Label[int]:
    """The place of the part that a moment is in."""
    numbers: list[sa.ColumnElement[int]] = [sa.literal_column(str(n)) for n in range(len(parts))]
    *before, last = numbers
    places = [(at < end, number) for number, (_, end) in zip(before, parts, strict=False)]
    return (sa.case(*places, else_=last) if places else last).label("in_part")


def _counts(table: sa.Table, units: Iterable[str]) -> sa.ColumnElement[bool]:
    """Whether a row is about a certificate that counts, of some units, or of all."""
    fact = tables.intyg_fact
    counted = (
        sa.select(tables.intyg.c.intygs_id)
        .select_from(tables.intyg.join(fact, fact.c.intyg_seq == tables.intyg.c.seq))
        .where(fact.c.line == 0)
    )
    if wanted := sorted(units):
        return table.c.intygs_id.in_(counted.where(fact.c.enhets_id.in_(wanted)))
    return counted.where(tables.intyg.c.intygs_id == table.c.intygs_id).exists()
