"""The EHR's own list: what it can know of a certificate by the events that it was told."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from intyg.mocks.journalsystem.persona import Arenden, Handelse
from intyg.mocks.journalsystem.worklist import IntygStatus, own_intyg

NONE: Final = Arenden(0, 0, 0, 0)
ONE: Final = "b1836e77-1f0a-4b5c-8e21-6f5d4c3b09cd"


def event(kod: str, minute: int, intygs_id: str = ONE, **more: object) -> Handelse:
    at = datetime(2026, 11, 23, 9, minute, tzinfo=UTC)
    made = Handelse(intygs_id, "UNIT", kod, f"2026-11-23T10:{minute:02}:00.000", NONE, NONE, at, 1)
    return replace(made, **more)  # type: ignore[arg-type]


def test_events_are_taken_in_the_order_in_which_they_happened() -> None:
    """The last one told is older: it says how many questions there were then, not now."""
    asked = event(
        "NYFRFM", 5, mottagna_fragor=Arenden(1, 1, 0, 0), sista_datum_for_svar="2026-12-01"
    )
    told = [event("SIGNAT", 1, typ="LISJP"), asked, event("SKICKA", 3)]
    [row] = own_intyg(told)
    assert (row.status, row.kod, row.typ, row.events) == (IntygStatus.SENT, "NYFRFM", "LISJP", 3)
    assert (row.open_questions, row.sista_datum_for_svar) == (1, "2026-12-01")


def test_a_question_that_was_answered_has_no_last_day() -> None:
    asked = event(
        "NYFRFM", 5, mottagna_fragor=Arenden(1, 1, 0, 0), sista_datum_for_svar="2026-12-01"
    )
    [row] = own_intyg([asked, event("HANFRFM", 6, mottagna_fragor=Arenden(1, 0, 0, 1))])
    assert (row.open_questions, row.sista_datum_for_svar) == (0, None)


def test_an_id_in_either_case_is_one_certificate_and_the_newest_stands_first() -> None:
    told = [event("SIGNAT", 1), event("MAKULE", 2, ONE.upper()), event("SKAPAT", 3, "another")]
    rows = own_intyg(told)
    assert [(each.intygs_id.lower(), each.status) for each in rows] == [
        ("another", IntygStatus.DRAFT),
        (ONE, IntygStatus.REVOKED),
    ]
