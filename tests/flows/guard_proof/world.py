"""What is true outside the adapter, and what may arrive where. Imports nothing of `adapter`.

The rules, in words of their own. Somebody is *test*, *other*, or it is *unsure*. What is said of
somebody now and what was said when the certificate was registered must both allow an arrival.

A test system gets test patients' messages alone. A real authority gets those of others alone, and
only from production. A real EHR gets back what came from it: test patients' messages always, those
of others from production. Where it is unsure nothing arrives; what could go to a real system of
production once it is known, waits, and the rest is stopped.

A hook is told, by ids alone, of whom an authority of its kind could be told. What is about nobody
is told to each that could be told of somebody.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

from tests.flows.guard_proof.listeners import Listeners

RESERVED: Final = "189001019802"  # known by its birth number alone
LISTED: Final = "194001167743"
EHRS: Final = "194001279050"  # on the EHR's own list
FLAGGED: Final = "194002029108"  # known to the register alone
REAL: Final = "195801082743"
OTHER: Final = "194002049163"
PEOPLE: Final = (RESERVED, LISTED, EHRS, FLAGGED, REAL, OTHER)
NOBODY: Final = "194003189083"  # on no list, and no patient
FILLING: Final = ("194002087874", "194002219113", "194002287086", "194003137033")
"""On every good list, so that one that lost half of its numbers can be told from it."""

HOOK_EVENTS: Final = (
    "delivery.delivered", "delivery.refused", "delivery.failed", "delivery.unknown",
    "delivery.blocked", "message.received", "way.stopped", "way.resumed", "certificate.created",
    "certificate.revoked", "certificate.sent", "certificate.message-sent",
)  # fmt: skip

TEST, OTHERS, UNSURE = "test", "other", "unsure"
GO, WAIT, NEVER = "go", "wait", "never"

FK, AF, UNIT = "FK-ADDRESS", "AF-ADDRESS", "SE0000000000-UNIT1"


def marker(number: str) -> str:
    """A word in everything that is written about somebody, beside the number."""
    return f"ord{int(number) % 1_000_003:07d}q"


def may_arrive(environment: str, role: str, kind: str, standing: str) -> str:
    """Whether a message about somebody of this standing may arrive there: the rules above."""
    if kind != "real":
        return GO if standing == TEST else NEVER
    if standing == TEST:
        return GO if role == "care" else NEVER
    if environment != "production":
        return NEVER
    return GO if standing == OTHERS else WAIT


def about_nobody(environment: str, role: str, kind: str) -> str:
    """The same of a message that is about no patient."""
    anybody = [may_arrive(environment, role, kind, one) for one in (TEST, OTHERS)]
    return GO if GO in anybody else NEVER


def strictest(answers: Iterable[str]) -> str:
    return max(answers, key=(GO, WAIT, NEVER).index)


# --- who is a test patient ------------------------------------------------------------------------


@dataclass
class ListOnDisk:
    """
    A list of test patients, as it lies there and as it is to be understood.

    Attributes:
        lies: What a reader finds; None: nothing that can be used.
        counts: What is to be used: the last good one since the start.
    """

    path: Path
    lies: frozenset[str] | None = None
    counts: frozenset[str] | None = None
    writes: int = 0

    def write(self, numbers: Iterable[str] | None, text: str | None = None) -> None:
        """Put a list there by renaming; None: one with this text, that is damaged, or none."""
        if numbers is not None:
            text = "\n".join(("number", *sorted(numbers), ""))
        if text is None:
            self.path.unlink(missing_ok=True)
        else:
            new = self.path.with_suffix(".new")
            new.write_text(text, encoding="utf-8")
            self.writes += 1
            os.utime(new, (1_700_000_000 + self.writes,) * 2)  # not a moment ago
            new.replace(self.path)
        self.lies = None if numbers is None else frozenset(numbers)
        if self.lies is not None and (
            self.counts is None or 2 * len(self.lies & self.counts) >= len(self.counts)
        ):
            self.counts = self.lies

    def started(self) -> None:
        """The adapter starts anew: what was good before is forgotten."""
        self.counts = self.lies


@dataclass
class Knowledge:
    """Everything that says who is a test patient; a list or the register may not be used at all."""

    listeners: Listeners
    lists: dict[str, ListOnDisk] = field(default_factory=dict)
    has_register: bool = False

    def sources(self, number: str) -> list[tuple[str, str]]:
        """What each source says of somebody, with the name it goes by."""
        said = [("reserved numbers", TEST if number[8:11] >= "980" else "")]
        for name, one in self.lists.items():
            clears = OTHERS if name.startswith("list") else ""  # the EHR's own is never whole
            standing = clears if one.counts is not None else UNSURE
            said.append((name, TEST if number in (one.counts or ()) else standing))
        if self.has_register:
            answers = self.listeners.moods.get("register", "well") == "well"
            flag = self.listeners.flags.get(number) if answers else None
            said.append(("register", {True: TEST, False: OTHERS, None: UNSURE}[flag]))
        return said

    def says(self, number: str) -> str:
        """What they say together."""
        said = [standing for _, standing in self.sources(number) if standing]
        if TEST in said:
            return TEST
        return UNSURE if UNSURE in said or not said else OTHERS


# --- what stands where ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A destination as an operator wrote it down."""

    at: str  # who listens there
    kind: str
    role: str
    allow: bool = True


@dataclass(frozen=True)
class Way:
    """A route as an operator wrote it down."""

    address: str
    to: str
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class Layout:
    """Destinations and routes."""

    rows: dict[str, Row]
    ways: tuple[Way, ...]

    def leads_to(self, address: str, day: date) -> Row | None:
        """Where an address leads on a day; None when nowhere, or when two rows disagree."""
        names = {
            way.to
            for way in self.ways
            if way.address == address
            and (way.first is None or way.first <= day)
            and (way.last is None or day <= way.last)
        }
        return self.rows[names.pop()] if len(names) == 1 else None

    def with_row(self, name: str, **changes: str | bool) -> "Layout":
        return replace(self, rows={**self.rows, name: replace(self.rows[name], **changes)})  # type: ignore[arg-type]  # str and bool, by name

    def with_ways(self, address: str, *ways: Way) -> "Layout":
        kept = tuple(way for way in self.ways if way.address != address)
        return replace(self, ways=(*kept, *ways))

    def toml(self, listeners: Listeners) -> str:
        """As a file of routes."""
        return "\n".join(self._lines(listeners))

    def _lines(self, listeners: Listeners) -> Iterator[str]:
        for name, row in self.rows.items():
            yield f"[destinations.{name}]"
            yield f'url = "{listeners.url(row.at)}"\nkind = "{row.kind}"\nrole = "{row.role}"'
            yield f"allow = {str(row.allow).lower()}\ntimeout_seconds = 5"
            yield 'secret_file = "hook.secret"' if row.role == "hook" else ""
            yield f"events = {list(HOOK_EVENTS)}" if row.role == "hook" else ""
        for way in self.ways:
            yield f'[[routes]]\ncontract = "*"\nlogical_address = "{way.address}"'
            yield f'destination = "{way.to}"'
            yield f"valid_from = {way.first}" if way.first else ""
            yield f"valid_to = {way.last}" if way.last else ""


def first_layout(environment: str, fk: str, af: str, unit: str) -> Layout:
    """One in which every address leads somewhere; in production nothing is a mock."""
    rows = {
        "real": Row("real", "real", "authority"),
        "test": Row("test", "test", "authority"),
        "ehr": Row("ehr", "real", "care"),
        "test-ehr": Row("test-ehr", "test", "care"),
        "hook": Row("hook", "real", "hook"),
        "test-hook": Row("test-hook", "test", "hook"),
    }
    if environment != "production":
        rows["mock"] = Row("mock", "mock", "authority")
    to = [name if name in rows else "test" for name in (fk, af, unit)]
    return Layout(rows, tuple(Way(*pair) for pair in zip((FK, AF, UNIT), to, strict=True)))
