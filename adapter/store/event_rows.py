"""What happened to certificates, as the EHR is told of it."""

from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa

from intyg.adapter.domain.meddelande import Arenden, StoredHandelse
from intyg.adapter.store import tables
from intyg.adapter.store.base import Transaction
from intyg.adapter.store.prepared import insert
from intyg.schemas.codes import Handelse

# Built once: building costs more than running them.
_ADD: Final = insert(tables.handelse)
_OF_INTYG: Final = (
    sa.select(tables.handelse)
    .where(tables.handelse.c.intygs_id == sa.bindparam("intygs_id"))
    .order_by(tables.handelse.c.seq)
)


class EventRows:
    """Events of certificates."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    def add(self, handelse: StoredHandelse) -> None:
        """Add an event, as the EHR is told of it (or would be)."""
        _ADD.run(
            self._connection,
            {
                "intygs_id": handelse.intygs_id,
                "handelsekod": handelse.handelsekod.value,
                "tidpunkt": handelse.tidpunkt,
                **_arenden_columns("skickade", handelse.skickade_fragor),
                **_arenden_columns("mottagna", handelse.mottagna_fragor),
                "amne": handelse.amne,
                "sista_datum_for_svar": handelse.sista_datum_for_svar,
                "hanterat_av": handelse.hanterat_av,
                "delivery_id": handelse.delivery_id,
            },
        )
        self._transaction.fill(tables.handelse, handelse.intygs_id)

    def of_intyg(self, intygs_id: str) -> tuple[StoredHandelse, ...]:
        """The events of a certificate, oldest first."""
        if self._transaction.is_blank(tables.handelse, intygs_id):
            return ()
        rows = self._connection.execute(_OF_INTYG, {"intygs_id": intygs_id})
        return tuple(
            StoredHandelse(
                handelsekod=Handelse(row.handelsekod),
                intygs_id=row.intygs_id,
                tidpunkt=row.tidpunkt,
                skickade_fragor=_to_arenden("skickade", row),
                mottagna_fragor=_to_arenden("mottagna", row),
                amne=row.amne,
                sista_datum_for_svar=row.sista_datum_for_svar,
                hanterat_av=row.hanterat_av,
                delivery_id=row.delivery_id,
            )
            for row in rows
        )


def _arenden_columns(direction: str, arenden: Arenden) -> dict[str, int]:
    return {f"{direction}_{name}": count for name, count in asdict(arenden).items()}


def _to_arenden(direction: str, row: sa.Row[Any]) -> Arenden:
    counts = row._mapping
    return Arenden(
        totalt=counts[f"{direction}_totalt"],
        ej_besvarade=counts[f"{direction}_ej_besvarade"],
        besvarade=counts[f"{direction}_besvarade"],
        hanterade=counts[f"{direction}_hanterade"],
    )
