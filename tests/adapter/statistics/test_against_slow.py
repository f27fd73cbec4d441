"""The fast reports and the plain ones agree, on any history, by any filter."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from enum import Enum, auto
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from intyg.adapter.domain.clock import system_clock
from intyg.adapter.statistics.case_rows import look
from intyg.adapter.statistics.catalogue import REPORTS, Report, make_report
from intyg.adapter.statistics.diagnoses import Icd10
from intyg.adapter.statistics.sjukfall_reports import Registers
from intyg.adapter.store import Rows, Store
from tests.adapter.statistics import slow
from tests.adapter.statistics.history import (
    ANNA,
    BO,
    CIA,
    NORTH,
    OTHER,
    SOUTH,
    TODAY,
    Asked,
    Cert,
    Leave,
    keep,
    leave,
)
from tests.adapter.statistics.slow import Figures, Wish

SJUKFALL: Final = (*slow.OF_CASE, *slow.OF_LINE, "sjukfall-long")
INTYG: Final = ("intyg", "intyg-type")
MEDDELANDEN: Final = (
    "meddelanden", "meddelanden-amne", "meddelanden-unit", "meddelanden-doctor",
    "completion-fraga",
)  # fmt: skip
COMPARED: Final = (*SJUKFALL, *INTYG, *MEDDELANDEN, "completion-share")

FIRST: Final = date(2025, 11, 15)
MONTHS: Final = tuple(date(2026, month, 1) for month in (1, 2, 3))
WORDS: Final = {"M": "M00-M99", "F": "F00-F99", "S": "S00-T98"}

days = st.integers(0, 150).map(lambda n: FIRST + timedelta(days=n))
leaves = st.builds(
    lambda first, length, level: Leave(first, first + timedelta(days=length), level),
    days,
    st.one_of(st.integers(0, 12), st.integers(0, 100)),
    st.sampled_from([25, 50, 75, 100]),
)
certs = st.builds(
    Cert,
    person=st.sampled_from([ANNA, ANNA, BO, CIA]),  # mostly one, whose lines then meet
    leaves=st.lists(leaves, min_size=1, max_size=2).map(tuple),
    unit=st.sampled_from([NORTH, NORTH, SOUTH, OTHER]),
    doctor=st.sampled_from(["SE0-DOC1", "SE0-DOC2"]),
    diagnosis=st.sampled_from(["M54.5", "m79.2-", "F43.8", "S82.6", "?", None]),
    signed=days,
    typ=st.sampled_from(["LISJP"] * 6 + ["LUSE", "TS8071"]),
    sent=st.booleans(),
    revoked=st.sampled_from([False] * 7 + [True]),
)


def rarely(*values: tuple[str, ...]) -> st.SearchStrategy[frozenset[str]]:
    """A filter, once in five times: several of them let hardly anything pass."""
    return st.sampled_from([(), (), (), (), *values]).map(frozenset)


wishes = st.builds(
    Wish,
    months=st.sampled_from([MONTHS, MONTHS[:1], MONTHS[1:]]),
    by_month=st.booleans(),
    units=st.sampled_from([(), (), (NORTH,), (SOUTH,)]).map(frozenset),
    diagnoses=rarely(("M",), ("F", "S")),
    ages=rarely(("46-50", "61-65")),
    lengths=rarely(("0-14", "31-60")),
    typer=rarely(("LISJP",)),
)


class Then(Enum):
    """What has happened after the last certificate came."""

    NOTHING = auto()
    MADE = auto()  # all cases
    REVOKED = auto()  # after that, the second certificate


class Undone(Exception):  # noqa: N818  no error: it takes a history out of the store again
    pass


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    store = Store("sqlite://", system_clock)
    store.migrate()
    yield store
    store.close()


def near(draw: st.DrawFn, some: list[Cert]) -> list[Cert]:
    """The same, their sick leave moved to begin a few days around where the one before ends."""
    end, moved = date(2026, 1, draw(st.integers(1, 28))), []
    for cert in some:
        leaves = []
        for one in cert.leaves:
            first = end + timedelta(days=draw(st.integers(-12, 9)))
            end = first + (one.last - one.first)
            leaves.append(replace(one, first=first, last=end))
        moved.append(replace(cert, leaves=tuple(leaves)))
    return moved


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Cert], list[Asked]]:
    some = draw(st.lists(certs, min_size=3, max_size=8))
    if draw(st.booleans()):
        some = near(draw, some)
    asked = st.builds(
        Asked,
        about=st.integers(0, len(some) - 1),
        amne=st.sampled_from(["KOMPLT", "KOMPLT", "PAMINN", "KONTKT"]),
        fragor=st.lists(st.sampled_from(["6", "32", "37", "44", "99"]), max_size=3).map(tuple),
        sent=days,
    )
    return some, draw(st.lists(asked, max_size=4))


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    history=histories(),
    wish=wishes,
    names=st.lists(st.sampled_from(COMPARED), min_size=2, max_size=2, unique=True).map(
        lambda some: [*some, "sjukfall-length", "sjukfall-intyg"]
    ),
    looked_after=st.sets(st.integers(0, 7), max_size=3),
    then=st.sampled_from([*Then]),
)
@example(  # days before the month count for the length
    history=(
        [
            Cert(ANNA, (Leave(date(2025, 12, 20), date(2025, 12, 31)),)),
            Cert(ANNA, (leave("01-03", "01-10"),)),
        ],
        [],
    ),
    wish=Wish(MONTHS, by_month=True),
    names=["sjukfall-length"],
    looked_after={0},
    then=Then.MADE,
)
@example(  # what sticks out at both ends fills no gap
    history=(
        [
            Cert(ANNA, (leave("01-05", "01-14"),)),
            Cert(ANNA, (leave("01-20", "01-23"),)),
            Cert(ANNA, (Leave(date(2025, 12, 20), date(2026, 2, 10)),), unit=SOUTH),
        ],
        [],
    ),
    wish=Wish(MONTHS, by_month=False, units=frozenset({NORTH})),
    names=["sjukfall-length", "sjukfall-intyg"],
    looked_after={2},
    then=Then.REVOKED,
)
@example(
    history=(
        [
            Cert(ANNA, (leave("01-05", "01-18"),)),
            Cert(ANNA, (leave("01-22", "01-25"),), unit=SOUTH),
            Cert(ANNA, (leave("01-29", "02-20"),)),
        ],
        [],
    ),
    wish=Wish(MONTHS, by_month=False, units=frozenset({NORTH})),
    names=["sjukfall", "sjukfall-length", "sjukfall-intyg"],
    looked_after=set(),
    then=Then.MADE,
)
def test_the_fast_reports_agree_with_the_plain_ones(
    store: Store,
    history: tuple[list[Cert], list[Asked]],
    wish: Wish,
    names: list[str],
    looked_after: set[int],
    then: Then,
) -> None:
    certs, messages = history
    with suppress(Undone), store.begin() as rows:
        keep(rows, certs, messages, looked_after)
        units = frozenset(one for one in wish.units if any(c.unit == one for c in certs))
        wish = Wish(**{**vars(wish), "units": units})  # others are refused
        if then is not Then.NOTHING:
            look(rows, 100)
            assert not rows.sjukfall.has_to_look()
        if then is Then.REVOKED:
            rows.intyg.set_revoked("c1", rows.now)
            certs = [replace(cert, revoked=cert.revoked or n == 1) for n, cert in enumerate(certs)]
        for name in names:
            assert fast(rows, name, wish) == plain(name, certs, messages, wish), name
        raise Undone


def test_every_report_of_the_nation_is_compared() -> None:
    own = [*REPORTS][[*REPORTS].index("lead-time") :]
    needing_more = {"sjukfall-title", "sjukfall-doctor-age", "sjukfall-county", "sjukfall-compare"}
    needing_more |= {"overview"}  # of the figures of others
    assert {*REPORTS} - {*own} - needing_more == {*COMPARED}


def plain(name: str, certs: Sequence[Cert], messages: Sequence[Asked], wish: Wish) -> Any:
    if name in SJUKFALL:
        return slow.sjukfall(name, certs, wish)
    without_lengths = Wish(**{**vars(wish), "lengths": frozenset()})
    if name in INTYG:
        any_type = Wish(**{**vars(without_lengths), "typer": frozenset()})
        return slow.intyg(name, certs, any_type)
    if name == "completion-share":
        return slow.completion_share(certs, messages, without_lengths)
    return slow.meddelanden(name, certs, messages, without_lengths)


def fast(rows: Rows, name: str, wish: Wish) -> Any:
    said = {
        "from": [f"{wish.months[0]:%Y-%m}"],
        "to": [f"{wish.months[-1]:%Y-%m}"],
        "shape": ["months" if wish.by_month else "period"],
        "unit": sorted(wish.units),
        "diagnosis": [WORDS[one] for one in sorted(wish.diagnoses)],
        "age": sorted(wish.ages),
        "length": sorted(wish.lengths) if name in SJUKFALL else [],
        "type": sorted(wish.typer) if name in (*MEDDELANDEN, "completion-share") else [],
    }
    made = make_report(rows, name, said, Registers(Icd10()), TODAY)
    if name == "completion-share":
        return _figures(made, 0, 3), _figures(made, 1, 4)
    return _figures(made, 0, 1)


def _figures(made: Report, female: int, male: int) -> Figures:
    found: Figures = Counter()
    for row in made.table.rows:
        month = "" if row.month is None else f"{row.month % 12 + 1:02d}"
        for sex, place in (("F", female), ("M", male)):
            number = row.values[place]
            if number:
                found[month, row.group, sex] = int(number)
    return found
