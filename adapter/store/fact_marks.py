"""What changes a certificate's facts later: it is revoked, or Försäkringskassan accepts it.

Beside the rows of certificates, which mark it whoever changes them.
"""

from typing import Final

import sqlalchemy as sa

from intyg.adapter.store import tables
from intyg.schemas.codes import Part, Status

SEQ_OF: Final = (
    sa.select(tables.intyg.c.seq)
    .where(tables.intyg.c.intygs_id == sa.bindparam("of_intygs_id"))
    .scalar_subquery()
)
"""A certificate's place in the order of arrival, by the parameter `of_intygs_id`."""

_CHANGE: Final = sa.update(tables.intyg_fact).where(tables.intyg_fact.c.intyg_seq == SEQ_OF)
_REVOKED: Final = _CHANGE.values(active=False)
_SENT_TO_FK: Final = _CHANGE.values(sent_to_fk=True)


def is_sent_to_fk(status: Status, part: str) -> bool:
    """Whether a state says that Försäkringskassan has accepted the certificate."""
    return status is Status.SENTTO and part == Part.FKASSA


def mark_revoked(connection: sa.Connection, intygs_id: str) -> None:
    """From now on it counts for completion requests alone."""
    connection.execute(_REVOKED, {"of_intygs_id": intygs_id})


def mark_status(connection: sa.Connection, intygs_id: str, status: Status, part: str) -> None:
    """A state was added to its history; one of them is a fact."""
    if is_sent_to_fk(status, part):
        connection.execute(_SENT_TO_FK, {"of_intygs_id": intygs_id})
