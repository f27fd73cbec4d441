"""Questions, answers and reminders."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any, Final

import sqlalchemy as sa

from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.domain.meddelande import (
    FRAGA_MOVES,
    Direction,
    FragaState,
    Komplettering,
    Meddelande,
    StoredMeddelande,
)
from intyg.adapter.store import tables
from intyg.adapter.store.base import (
    Transaction,
    hos_personal_columns,
    id_forms,
    names_it,
    person_columns,
    svar_pa_columns,
    to_hos_personal,
    to_person,
    to_svar_pa,
)
from intyg.adapter.store.faults import DuplicateRow
from intyg.schemas.codes import Amne

# Statements of the hot path are built once: building costs more than running them.


def _select(condition: sa.ColumnElement[bool]) -> tuple[sa.Select[Any], sa.Select[Any]]:
    """Messages, and what they want completed; both in order of arrival."""
    table, komplettering = tables.meddelande, tables.komplettering
    return (
        sa.select(table).where(condition).order_by(table.c.seq),
        sa.select(komplettering).join(table).where(condition).order_by(komplettering.c.seq),
    )


_ONE: Final = _select(names_it(tables.meddelande.c.meddelande_id))
_ABOUT_INTYG: Final = _select(names_it(tables.meddelande.c.intygs_id))


class MeddelandeRows:
    """Questions, answers and reminders."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    def add(self, meddelande: Meddelande, inbound: Inbound, state: FragaState | None) -> None:
        """
        Store a message that arrived.

        Args:
            meddelande: What it says.
            inbound: The request; its body is kept.
            state: Where a question stands; None for answers and reminders.

        Raises:
            DuplicateRow: The meddelande-id is taken. The transaction can go on.
            ValueError: No question starts in this state.
        """
        if state is not None and state not in FRAGA_MOVES[None]:
            raise ValueError(f"no question starts as {state.value}")
        added = self._transaction.insert_new(
            tables.meddelande,
            {
                **_columns(meddelande),
                "body_sha256": self._transaction.store_body(inbound.body),
                "contract": inbound.contract.key,
                "logical_address": inbound.logical_address,
                "correlation_id": inbound.correlation_id,
                "sender": inbound.sender,
                "received_at": inbound.received_at,
                "state": state.value if state else None,
            },
        )
        if not added:
            raise DuplicateRow("meddelande", meddelande.meddelande_id)
        self._transaction.fill(tables.meddelande, meddelande.intygs_id)
        for row in meddelande.komplettering:
            self._connection.execute(
                sa.insert(tables.komplettering).values(
                    meddelande_id=meddelande.meddelande_id,
                    frage_id=row.frage_id,
                    instans=row.instans,
                    text=row.text,
                )
            )

    def get(self, meddelande_id: str) -> StoredMeddelande | None:
        """The message with this id, or None; a UUID in either case."""
        found = self._meddelanden(_ONE, id_forms(meddelande_id))
        return found[0] if found else None

    def of_intyg(self, intygs_id: str) -> tuple[StoredMeddelande, ...]:
        """All messages about a certificate, in order of arrival."""
        if self._transaction.is_blank(tables.meddelande, intygs_id):
            return ()
        return self._meddelanden(_ABOUT_INTYG, id_forms(intygs_id))

    def asked_about(self, intygs_ids: Collection[str]) -> frozenset[str]:
        """Those of some stored certificates, at most some hundreds, that any message is about."""
        column = tables.meddelande.c.intygs_id
        found = self._connection.scalars(sa.select(column).where(column.in_(sorted(intygs_ids))))
        return frozenset(found)

    def set_state(self, meddelande_id: str, state: FragaState) -> None:
        """
        Move a question.

        Raises:
            ValueError: There is no such question, or `FRAGA_MOVES` has no such move.
        """
        table = tables.meddelande
        found = self._connection.execute(
            sa.select(table.c.state)
            .where(table.c.meddelande_id == meddelande_id, table.c.state.is_not(None))
            .with_for_update()
        ).scalar_one_or_none()
        if found is None:
            raise ValueError(f"no question {meddelande_id}")
        if state not in FRAGA_MOVES[FragaState(found)]:
            raise ValueError(f"a question does not go from {found} to {state.value}")
        self._connection.execute(
            sa.update(table).where(table.c.meddelande_id == meddelande_id).values(state=state.value)
        )

    def set_answered(self, meddelande_id: str, answer_id: str) -> None:
        """
        Note which message answers a question: the first one, for good.

        Raises:
            DuplicateRow: It has an answer already.
            ValueError: There is no such message.
        """
        table = tables.meddelande
        changed = self._connection.execute(
            sa.update(table)
            .where(table.c.meddelande_id == meddelande_id, table.c.answered_by.is_(None))
            .values(answered_by=answer_id)
        )
        if changed.rowcount == 0:
            if self.get(meddelande_id) is None:
                raise ValueError(f"no message {meddelande_id}")
            raise DuplicateRow("answer", meddelande_id)

    def _meddelanden(
        self, statements: tuple[sa.Select[Any], sa.Select[Any]], wanted: Mapping[str, str]
    ) -> tuple[StoredMeddelande, ...]:
        meddelanden, komplettering = statements
        rows = self._connection.execute(meddelanden, wanted).all()
        asked = any(row.amne == Amne.KOMPLT for row in rows)  # nothing else has such rows
        found = self._komplettering(komplettering, wanted) if asked else {}
        return tuple(
            _to_stored_meddelande(row, tuple(found.get(row.meddelande_id, ()))) for row in rows
        )

    def _komplettering(
        self, statement: sa.Select[Any], wanted: Mapping[str, str]
    ) -> Mapping[str, list[Komplettering]]:
        by_meddelande: defaultdict[str, list[Komplettering]] = defaultdict(list)
        for row in self._connection.execute(statement, wanted):
            by_meddelande[row.meddelande_id].append(
                Komplettering(row.frage_id, row.instans, row.text)
            )
        return by_meddelande


def _to_stored_meddelande(
    row: sa.Row[Any], komplettering: tuple[Komplettering, ...]
) -> StoredMeddelande:
    return StoredMeddelande(
        meddelande=Meddelande(
            direction=Direction(row.direction),
            meddelande_id=row.meddelande_id,
            referens_id=row.referens_id,
            skickat_tidpunkt=row.skickat_tidpunkt,
            intygs_id=row.intygs_id,
            patient=to_person(row),
            logisk_adress_mottagare=row.logisk_adress_mottagare,
            amne=row.amne,
            rubrik=row.rubrik,
            meddelande=row.meddelande,
            paminnelse_meddelande_id=row.paminnelse_meddelande_id,
            svar_pa=to_svar_pa(row),
            sista_datum_for_svar=row.sista_datum_for_svar,
            part=row.part,
            skickat_av=to_hos_personal(row) if row.personal_id is not None else None,
            komplettering=komplettering,
        ),
        received_at=row.received_at,
        state=FragaState(row.state) if row.state else None,
        answered_by=row.answered_by,
    )


def _columns(meddelande: Meddelande) -> dict[str, object]:
    """What a message says, but for its rows of what to complete."""
    return {
        "meddelande_id": meddelande.meddelande_id,
        "direction": meddelande.direction.value,
        "referens_id": meddelande.referens_id,
        "skickat_tidpunkt": meddelande.skickat_tidpunkt,
        "intygs_id": meddelande.intygs_id,
        **person_columns(meddelande.patient),
        "logisk_adress_mottagare": meddelande.logisk_adress_mottagare,
        "amne": meddelande.amne,
        "rubrik": meddelande.rubrik,
        "meddelande": meddelande.meddelande,
        "paminnelse_meddelande_id": meddelande.paminnelse_meddelande_id,
        **svar_pa_columns(meddelande.svar_pa),
        "sista_datum_for_svar": meddelande.sista_datum_for_svar,
        "part": meddelande.part,
        **hos_personal_columns(meddelande.skickat_av),
    }
