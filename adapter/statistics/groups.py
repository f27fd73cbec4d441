"""The groups that figures are shown by; bounds are inclusive.

Source: groups of the national statistics service.
"""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from intyg.adapter.store.sjukfall_rows import Span

_OPEN: Final = 10**6
"""The end of the last group of each kind."""


@dataclass(frozen=True)
class Groups:
    """
    Groups of numbers that follow each other without gaps, from 0.

    Attributes:
        last: The last number of each; the last group has no end.
    """

    last: tuple[int, ...]
    names: tuple[str, ...]
    labels: tuple[str, ...]

    def of(self, number: int) -> str:
        """Name of the group that a number is in."""
        return self.names[bisect.bisect_left(self.last, number)]

    def span(self, name: str) -> Span:
        """
        First and last number of a group.

        Raises:
            ValueError: There is none of this name.
        """
        at = self.names.index(name)
        return (self.last[at - 1] + 1 if at else 0), self.last[at]


def _groups(last: Sequence[int], unit: str, most: str) -> Groups:
    firsts = [0, *(one + 1 for one in last)]
    names = [f"{first}-{end}" for first, end in zip(firsts, last, strict=False)]
    labels = [name.replace("-", "–") + unit for name in names]
    names[0], labels[0] = f"0-{last[0]}", f"Högst {last[0]}{unit}"
    return Groups(
        (*last, _OPEN), (*names, f"{last[-1] + 1}-"), (*labels, most.format(last[-1] + 1))
    )


AGES: Final = _groups((15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65), " år", "{} år och äldre")
WIDE_AGES: Final = _groups((20, 30, 40, 50, 60), " år", "{} år och äldre")
"""Of the overview."""

LENGTHS: Final = _groups((14, 30, 60, 90, 180, 364, 730), " dagar", "{} dagar eller fler")
LEVELS: Final = (25, 50, 75, 100)
"""Of sick leave, in per cent."""

MOST_INTYG: Final = 10
"""Cases with more certificates are one group."""

INTYG_COUNTS: Final = (*(str(n) for n in range(1, MOST_INTYG + 1)), f"{MOST_INTYG + 1}-")


def intyg_count_group(count: int) -> str:
    """Name of the group that a case with so many certificates is in."""
    return str(count) if count <= MOST_INTYG else INTYG_COUNTS[-1]


TITLES: Final = {
    "201010": "Överläkare",
    "201011": "Distriktsläkare, specialist allmänmedicin",
    "201012": "Skolläkare",
    "201013": "Företagsläkare",
    "202010": "Specialistläkare",
    "203010": "Läkare legitimerad, specialiseringstjänstgöring",
    "203020": "Läkare legitimerad, bastjänstgöring",
    "203090": "Läkare legitimerad, annan",
    "204010": "Läkare ej legitimerad, allmäntjänstgöring",
    "204090": "Läkare ej legitimerad, annan",
}
"""Positions (`befattning`) of doctors."""

OTHER_TITLE: Final = "other"
UNKNOWN_TITLE: Final = "unknown"

FRAGOR: Final = (
    ("1", ("1",), "Baserat på"),
    ("6", ("6",), "Diagnos"),
    ("17", ("17",), "Aktivitetsbegränsning"),
    ("19", ("19",), "Pågående behandling"),
    ("20", ("20",), "Planerad behandling"),
    ("25", ("25",), "Övrigt"),
    ("26", ("26",), "Kontakt önskas"),
    ("27", ("27",), "Smittbärarpenning"),
    ("28", ("28",), "Typ av sysselsättning"),
    ("29", ("29",), "Nuvarande arbete"),
    ("32", ("32", "37"), "Bedömning av arbetsförmåga"),
    ("33", ("33",), "Arbetstidsförläggning"),
    ("34", ("34",), "Arbetsresor"),
    ("35", ("35",), "Funktionsnedsättning"),
    ("39", ("39",), "Prognos"),
    ("40", ("40", "44"), "Åtgärder"),
)
"""Questions of a completion request: name, frage-ids, label. Other ids are not counted."""

FRAGA_GROUP: Final = {frage_id: name for name, ids, _ in FRAGOR for frage_id in ids}
