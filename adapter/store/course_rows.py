"""How questions, deliveries and events fare, counted; for reports that no authority makes.

Of certificates that count in statistics, but for blocks, which are mostly of those that do not.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeAlias

import sqlalchemy as sa

from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.store import tables
from intyg.adapter.store.base import Transaction
from intyg.schemas.codes import Amne

Moments: TypeAlias = tuple[datetime, datetime]
"""From the first, up to but not with the second; aware."""

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

    def answers(self, within: Moments, units: Iterable[str]) -> list[tuple[Any, ...]]:
        """
        Questions that came in a time and have an answer.

        Returns:
            Direction, subject, when the question came and when its answer did; of each.
        """
        asked, answer = tables.meddelande, sa.alias(tables.meddelande, "answer")
        return self._rows(
            sa.select(
                asked.c.direction, asked.c.amne, asked.c.received_at, answer.c.received_at
            ).join_from(asked, answer, answer.c.meddelande_id == asked.c.answered_by),
            asked,
            within,
            units,
        )

    def fragor(self, within: Moments, units: Iterable[str]) -> list[tuple[Any, ...]]:
        """Direction, subject, and how many questions and reminders came in a time."""
        table = tables.meddelande
        question = sa.and_(
            table.c.amne != Amne.PAMINN.value, table.c.svar_pa_meddelande_id.is_(None)
        )
        reminder = table.c.amne == Amne.PAMINN.value
        counted = (sa.func.sum(sa.case((one, 1), else_=0)) for one in (question, reminder))
        by = (table.c.direction, table.c.part)
        return self._rows(
            sa.select(*by, *counted).select_from(table).group_by(*by), table, within, units
        )

    def deliveries(self, within: Moments, units: Iterable[str]) -> list[tuple[Any, ...]]:
        """
        Deliveries that were queued in a time.

        Returns:
            Part, state, whether there was more than one attempt, and how many; perhaps in two rows,
            since what is finished stands in another table after a while.
        """
        found: list[tuple[Any, ...]] = []
        for table in (tables.delivery, tables.delivery_done):
            again = sa.case((table.c.attempts > 1, 1), else_=0)
            by = (table.c.part, table.c.state, again)
            asked = sa.select(*by, sa.func.count()).select_from(table).group_by(*by)
            found += self._rows(asked, table, within, units, at="created_at")
        return found

    def blocks(self, within: Moments) -> list[tuple[Any, ...]]:
        """Contract, destination, and how often the guard stopped something in a time."""
        table = tables.block
        by = (table.c.contract, table.c.destination)
        asked = sa.select(*by, sa.func.count()).where(
            table.c.at >= within[0], table.c.at < within[1]
        )
        return [tuple(row) for row in self._connection.execute(asked.group_by(*by))]

    def not_told(self, within: Moments, units: Iterable[str]) -> list[tuple[Any, ...]]:
        """
        Events in a time.

        Returns:
            Code, how many, how many of them there was nobody to tell, and how many were sent and
            did not arrive.
        """
        table, sent = tables.handelse, tables.delivery
        nobody = table.c.delivery_id.is_(None)
        lost = sent.c.state.in_([state.value for state in _LOST])
        counted = (sa.func.sum(sa.case((one, 1), else_=0)) for one in (nobody, lost))
        asked = (
            sa.select(table.c.handelsekod, sa.func.count(), *counted)
            .select_from(table.outerjoin(sent, sent.c.id == table.c.delivery_id))
            .group_by(table.c.handelsekod)
        )
        return self._rows(asked, table, within, units, at="tidpunkt")

    def _rows(
        self,
        asked: sa.Select[Any],
        table: sa.Table,
        within: Moments,
        units: Iterable[str],
        at: str = "received_at",
    ) -> list[tuple[Any, ...]]:
        """Those about certificates that count, of some units, or of all."""
        fact = tables.intyg_fact
        counts: sa.Select[Any] = (
            sa.select(sa.literal_column("1"))
            .select_from(tables.intyg.join(fact, fact.c.intyg_seq == tables.intyg.c.seq))
            .where(tables.intyg.c.intygs_id == table.c.intygs_id, fact.c.line == 0)
        )
        if wanted := sorted(units):
            counts = counts.where(fact.c.enhets_id.in_(wanted))
        moment = table.c[at]
        asked = asked.where(moment >= within[0], moment < within[1], counts.exists())
        return [tuple(row) for row in self._connection.execute(asked)]
