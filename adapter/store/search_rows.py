"""Certificates found by something else than their id."""

import sqlalchemy as sa

from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.person import PersonId
from intyg.adapter.store import tables
from intyg.adapter.store.intyg_rows import IntygRows


class SearchRows(IntygRows):
    """Certificates found by something else than their id."""

    def search_intyg(
        self,
        patient: PersonId,
        *,
        enhets_ids: frozenset[str] | None = None,
        vardgivare_id: str | None = None,
        typer: frozenset[str] | None = None,
        not_typer: frozenset[str] = frozenset(),
    ) -> tuple[StoredIntyg, ...]:
        """
        A patient's certificates, oldest first: by when they were signed, then by arrival.

        Args:
            patient: The number decides; which root it stands under does not.
            enhets_ids: Only those that these units issued; None: any unit.
            vardgivare_id: Only those of this care provider; None: any.
            typer: Only these types, as codes in upper case; None: any.
            not_typer: None of these.
        """
        table = tables.intyg
        conditions: list[sa.ColumnElement[bool]] = [
            table.c.patient_extension == patient.extension,
            table.c.typ.not_in(sorted(not_typer)),
        ]
        if enhets_ids is not None:
            conditions.append(table.c.enhets_id.in_(sorted(enhets_ids)))
        if vardgivare_id is not None:
            conditions.append(table.c.vardgivare_id == vardgivare_id)
        if typer is not None:
            conditions.append(table.c.typ.in_(sorted(typer)))
        found = self._intyg(*conditions)
        return tuple(sorted(found, key=lambda s: s.intyg.signeringstidpunkt or s.received_at))
