"""Facts made anew from the stored certificates and messages: the same as when they arrived.

In parts, each a transaction of its own, so that what arrives meanwhile does not wait; what is done
twice comes to the same.
"""

from dataclasses import dataclass
from typing import Final

from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.meddelande import Direction
from intyg.adapter.formats import safe_xml
from intyg.adapter.statistics.case_rows import look
from intyg.adapter.statistics.facts import FactMaker
from intyg.adapter.store import IntygFact, Rows

PART: Final = 200
"""Certificates in one transaction: others wait less than a second for it."""


@dataclass(frozen=True)
class Progress:
    """How far a rebuild has come; `seq` is the order of arrival."""

    done: int  # certificates in this part
    seq: int  # of the last of them
    last_seq: int  # of the newest certificate

    @property
    def is_whole(self) -> bool:
        """Nothing is left to do."""
        return self.seq >= self.last_seq


def rebuild_part(rows: Rows, maker: FactMaker, after: int = 0, limit: int = PART) -> Progress:
    """
    Make the facts of some certificates and of their messages anew.

    Args:
        after: Those that arrived after this one; 0: from the first.
        limit: At most so many.
    """
    found = rows.statistics.forget(after, limit)
    rows.statistics.add_again((one, _facts_of(one[0], maker)) for one in found.intyg)
    ids = [stored.intyg.intygs_id for stored, _ in found.intyg]
    for intygs_id in sorted(rows.meddelanden.asked_about(ids)):
        for one in rows.meddelanden.of_intyg(intygs_id):
            if one.meddelande.direction is Direction.TO_CARE:
                rows.statistics.add_meddelande(one.meddelande)
    look(rows, 2 * limit)
    last = rows.statistics.last_seq()
    return Progress(len(found.intyg), found.seq or last, last)


def _facts_of(stored: StoredIntyg, maker: FactMaker) -> list[IntygFact]:
    request = safe_xml.parse(stored.body).getroot()
    return maker.facts_of(stored.intyg, request, stored.received_at, stored.is_test)
