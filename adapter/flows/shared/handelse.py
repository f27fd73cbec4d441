"""What the care unit is told, as an event and a message to deliver. Nothing is stored here."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from intyg.adapter.domain.delivery import Carried, NewDelivery
from intyg.adapter.domain.intyg import IntygBytes, StoredIntyg
from intyg.adapter.domain.meddelande import (
    Direction,
    StoredHandelse,
    StoredMeddelande,
    count_arenden,
)
from intyg.adapter.formats.event_writer import write_status_update
from intyg.adapter.formats.intyg_bytes import cut_intyg
from intyg.schemas.codes import Handelse, Part

CONTRACT: Final = "CertificateStatusUpdateForCare"
MAJOR: Final = 3


def make_handelse(
    stored: StoredIntyg,
    handelsekod: Handelse,
    meddelanden: Sequence[StoredMeddelande],
    earlier: Sequence[StoredHandelse],
    now: datetime,
    *,
    amne: str | None = None,
    sista_datum_for_svar: date | None = None,
    hanterat_av: str | None = None,
) -> StoredHandelse:
    """
    Make an event of a certificate, with its counters as they stand.

    Args:
        meddelanden: All messages about the certificate, as they stand when
            the event happens.
        earlier: The certificate's events so far, oldest first.
        amne, sista_datum_for_svar: Of the question or reminder that arrived,
            with NYFRFM only.
        hanterat_av: HSA-id of the person in care who caused it, where known.
    """
    return StoredHandelse(
        handelsekod=handelsekod,
        intygs_id=stored.intyg.intygs_id,
        tidpunkt=next_tidpunkt(earlier, now),
        skickade_fragor=count_arenden(Direction.TO_RECIPIENT, meddelanden),
        mottagna_fragor=count_arenden(Direction.TO_CARE, meddelanden),
        amne=amne,
        sista_datum_for_svar=sista_datum_for_svar,
        hanterat_av=hanterat_av,
    )


def next_tidpunkt(earlier: Sequence[StoredHandelse], now: datetime) -> datetime:
    """
    The time of a certificate's next event: now, in whole milliseconds.

    Receivers order events by this time alone, and it has three decimals. So an event that would not
    come after the one before it is moved to the next millisecond.
    """
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    if not earlier:
        return now
    return max(now, earlier[-1].tidpunkt + timedelta(milliseconds=1))


def make_status_update(
    stored: StoredIntyg,
    handelse: StoredHandelse,
    due_at: datetime,
    ref: str | None = None,
    content: IntygBytes | None = None,
) -> NewDelivery:
    """
    The message that tells the unit's EHR of an event; addressed by the unit's HSA-id.

    Args:
        ref: The EHR's own reference for the certificate, where it gave one.
        content: What stands in the certificate's `intyg`, if it was cut out already.
    """
    cut = content or cut_intyg(stored.body)
    body = write_status_update(cut, handelse, ref)
    return NewDelivery(
        contract=f"{CONTRACT}:{MAJOR}",
        logical_address=stored.intyg.skapad_av.enhet.enhets_id,
        intygs_id=stored.intyg.intygs_id,
        patient=stored.intyg.patient,
        body=body,
        part=Part.HSVARD,
        due_at=due_at,
        carried=_carried(stored, cut.content, body),
    )


def _carried(stored: StoredIntyg, content: bytes, body: bytes) -> Carried | None:
    """A draft's content is kept nowhere else."""
    if not stored.sha256:
        return None
    return Carried(body.index(content), stored.body.index(content), len(content))
