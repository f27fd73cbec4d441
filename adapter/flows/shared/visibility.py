"""What a part may see of a certificate: states, test patients' certificates, archived ones.

Source: the national store's filters for GetCertificate and the lists.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from intyg.adapter.domain.intyg import IntygsStatus, StoredIntyg
from intyg.adapter.domain.person import PatientKind
from intyg.adapter.guard import Guard
from intyg.schemas.codes import Part, Status

ARCHIVING: Final = frozenset({Status.DELETE, Status.RESTOR})
"""States by which the citizen archives a certificate and takes it back; care sees neither."""

NEVER_FOR_CITIZEN: Final = frozenset({"DB", "DOI"})
"""Types about somebody who has died, as codes in certificates."""


def visible_statuses(statuses: Iterable[IntygsStatus], part: str) -> tuple[IntygsStatus, ...]:
    """
    The states that a part may see, oldest first.

    The citizen (INVANA) sees all. Care (HSVARD) sees all but archiving. Anybody else sees what care
    sees, without what was sent to others.
    """
    return tuple(status for status in statuses if _visible(status, part))


def _visible(status: IntygsStatus, part: str) -> bool:
    if part == Part.INVANA:
        return True
    if status.status in ARCHIVING:
        return False
    return part == Part.HSVARD or status.status is not Status.SENTTO or status.part == part


def is_archived(statuses: Sequence[IntygsStatus]) -> bool:
    """
    Whether the citizen has archived it: the newest of DELETE and RESTOR is DELETE.

    Newest by the time that the citizen's service gave; of two in the same second the one that came
    last, since contract times have no fractions.
    """
    newest: tuple[datetime, Status] | None = None
    for status in statuses:
        if status.status in ARCHIVING and (newest is None or status.tidpunkt >= newest[0]):
            newest = (status.tidpunkt, status.status)
    return newest is not None and newest[1] is Status.DELETE


def patient_kind(stored: StoredIntyg, guard: Guard) -> PatientKind:
    """
    Whether it is a test patient's certificate: by its mark from when it was registered, or by now.

    CANNOT_TELL only where it could not be told then and cannot be told now.
    """
    if stored.is_test is True:
        return PatientKind.TEST
    now = guard.verdict(stored.intyg.patient).kind
    if now is PatientKind.CANNOT_TELL and stored.is_test is False:
        return PatientKind.NOT_TEST
    return now
