"""Questions as a unit follows them up, on every kind of database."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from intyg.adapter.domain.arende import ArendeFilter, ArendeList, Atgard, Place, Turn
from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.domain.meddelande import Direction
from intyg.adapter.store import Store
from intyg.schemas.codes import Handelse
from tests import builders
from tests.adapter.flows.rig import Rig, VirtualClock, make_services, make_settings

OTHER = "7c1e0f5a-93d4-4b8e-a2f1-5d0c6b7e9a14"
TODAY = date(2026, 11, 25)
UNITS = frozenset({builders.UNIT.lower(), "SE0000000000-EMPTY"})

care = builders.send_message_to_care
recipient = builders.send_message_to_recipient
register = builders.register_certificate


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def rig(store: Store, clock: VirtualClock) -> Rig:
    """A certificate that Försäkringskassan has, and another patient's."""
    rig = Rig(make_services(make_settings(), store, clock), clock)
    rig.ok(builders.register_certificate(), builders.send_certificate_to_recipient())
    rig.ok(builders.register_certificate(OTHER, builders.OTHER_PATIENT))
    rig.ok(builders.send_certificate_to_recipient(OTHER, builders.OTHER_PATIENT))
    rig.deliver()
    return rig


def found(
    rig: Rig, wanted: ArendeFilter | None = None, limit: int = 50, after: Place | None = None
) -> ArendeList:
    with rig.services.store.read() as rows:
        return rows.arenden.find(wanted or ArendeFilter(UNITS), TODAY, limit, after)


def ids(listed: ArendeList) -> list[str]:
    return [each.meddelande_id for each in listed.arenden]


def complement() -> bytes:
    return register("a complement", relation=("KOMPLT", builders.INTYGS_ID))


KONTKT, OVRIGT, KOMPLT = "m-care-asks", "m-fk-asks", "2b1d6c0e-5a4f-4c53-9a7e-3f1d2c4b5a69"
Step = tuple[str, Callable[[Rig], object], int, str, tuple[int, ...], tuple[int, ...]]
STEPS: tuple[Step, ...] = (
    ("care asks", lambda rig: rig.ok(recipient(KONTKT)), 1, "", (0, 0, 0, 0), (1, 1, 0, 0)),
    ("FK asks", lambda rig: rig.ok(care(OVRIGT)), 2, "", (1, 1, 0, 0), (1, 1, 0, 0)),
    ("FK wants it completed", lambda rig: rig.ok(care(KOMPLT, "KOMPLT")),
     3, "complement", (2, 2, 0, 0), (1, 1, 0, 0)),
    ("FK reminds", lambda rig: rig.ok(care("m-reminds", "PAMINN", paminner=KOMPLT)),
     3, "complement, reminded", (2, 2, 0, 0), (1, 1, 0, 0)),
    ("FK answers", lambda rig: rig.ok(care("m-fk-answers", "KONTKT", svar_pa=KONTKT)),
     3, "complement, reminded", (2, 2, 0, 0), (1, 0, 1, 0)),
    ("care answers", lambda rig: rig.ok(recipient("m-answers", "OVRIGT", svar_pa=OVRIGT)),
     2, "complement, reminded", (2, 1, 0, 1), (1, 0, 1, 0)),
    ("care has read it", lambda rig: rig.mark(KONTKT, handled=True),
     1, "complement, reminded", (2, 1, 0, 1), (1, 0, 0, 1)),
    ("the complement is signed", lambda rig: rig.ok(complement()),
     0, "none, reminded", (2, 0, 0, 2), (1, 0, 0, 1)),
)  # fmt: skip
"""What happens; then rows, what is to be done of KOMPLT, and the EHR's counters."""


def test_list_counter_and_ehr_agree_at_every_step(rig: Rig) -> None:
    """`overview.md` of the field: each number that somebody sees is the same number."""
    for step, happen, number, komplt, mottagna, skickade in STEPS:
        happen(rig)
        listed = found(rig)
        assert len(listed.arenden) == number, step
        assert listed.count(ArendeFilter(UNITS)) == number, step
        assert atgard_of(rig, listed, KOMPLT) == komplt, step
        told = last_told(rig)
        assert told == (mottagna, skickade), step
        waits = sum(counters[1] + counters[2] for counters in told)
        assert waits == number, step  # what an EHR adds up is what the list has


def atgard_of(rig: Rig, listed: ArendeList, meddelande_id: str) -> str:
    handled = found(rig, ArendeFilter(UNITS, handled=True))
    for each in (*listed.arenden, *handled.arenden):
        if each.meddelande_id == meddelande_id:
            return each.kind.atgard.value + (", reminded" if each.reminders else "")
    return ""


def last_told(rig: Rig) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Counters of the last event about the first certificate: asked of care, asked by care."""
    event = rig.handelser()[-1]
    sides = (event.mottagna_fragor, event.skickade_fragor)
    received, sent = ((one.totalt, one.ej_besvarade, one.besvarade, one.hanterade) for one in sides)
    return received, sent


def test_a_row_says_until_when_who_reminded_and_what_the_ehr_was_told(rig: Rig) -> None:
    rig.ok(
        care(KOMPLT, "KOMPLT", sista_datum="2026-11-30"),
        care("r-1", "PAMINN", paminner=KOMPLT.upper(), sista_datum="2026-11-24"),
        care("r-2", "PAMINN", paminner=KOMPLT),
    )
    (row,) = found(rig).arenden
    assert (row.answer_by, row.kind.overdue, row.reminders) == (date(2026, 11, 24), True, 2)
    assert row.reminded_at == row.latest_at > row.received_at
    assert row.told is not None
    assert (row.told.handelsekod, row.told.state) == (Handelse.NYFRFM, DeliveryState.QUEUED)
    rig.deliver()
    rig.clock.now += timedelta(days=1)
    with rig.services.store.begin() as rows:  # it has left the queue
        assert rows.leftovers.move(rig.clock.now, 0, 1000).moved
    (row,) = found(rig).arenden
    assert row.told is not None
    assert (row.told.state, row.told.tried) == (DeliveryState.DELIVERED, True)


def test_pages_follow_each_other_by_what_last_came(rig: Rig) -> None:
    rig.ok(care("a"), care("b"), care("c", intygs_id=OTHER, person=builders.OTHER_PATIENT))
    rig.ok(care("a-again", "PAMINN", paminner="a"))
    first = found(rig, limit=2)
    assert (ids(first), first.more, first.count(ArendeFilter(UNITS))) == (["a", "c"], True, 3)
    last = first.arenden[-1]
    rest = found(rig, limit=2, after=Place(last.latest_at, last.seq))
    assert (ids(rest), rest.more, rest.counts) == (["b"], False, first.counts)


def test_what_is_asked_for_is_listed_and_counted_alike(rig: Rig) -> None:
    rig.ok(recipient("care"), care("wants", "KOMPLT", sista_datum="2026-11-24"), care("asks"))
    with rig.services.store.begin() as rows:
        rows.arenden.set_forwarded(builders.INTYGS_ID.upper(), forwarded=True)
    rig.ok(care("new", "AVSTMN"))
    for wanted, expected in (
        (ArendeFilter(UNITS, turn=Turn.CARE), ["new", "asks", "wants"]),
        (ArendeFilter(UNITS, turn=Turn.AUTHORITY), ["care"]),
        (ArendeFilter(UNITS, atgard=Atgard.COMPLEMENT), ["wants"]),
        (ArendeFilter(UNITS, atgard=Atgard.ANSWER), ["new", "asks"]),
        (ArendeFilter(UNITS, amne="AVSTMN"), ["new"]),
        (ArendeFilter(UNITS, asker=Direction.TO_RECIPIENT), ["care"]),
        (ArendeFilter(UNITS, overdue=True), ["wants"]),
        (ArendeFilter(UNITS, forwarded=False), ["new"]),
        (ArendeFilter(UNITS, signer_id=builders.DOCTOR.lower()), ["new", "asks", "wants", "care"]),
        (ArendeFilter(UNITS, signer_id="SE-NOBODY"), []),
        (ArendeFilter(UNITS, unit="SE0000000000-EMPTY"), []),
        (ArendeFilter(frozenset({"SE0000000000-EMPTY"})), []),
        (ArendeFilter(None, patient=builders.PATIENT), ["new", "asks", "wants", "care"]),
        (ArendeFilter(None, patient=builders.OTHER_PATIENT), []),
        (ArendeFilter(UNITS, handled=True), []),
    ):
        listed = found(rig, wanted)
        assert ids(listed) == expected, wanted
        assert listed.count(wanted) == len(expected), wanted
