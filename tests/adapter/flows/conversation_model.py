"""What certificates and their conversations should look like: the adapter once more, as a model.

It knows the state table of questions and the rules of the contracts, and nothing of the code that
carries them out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from intyg.adapter.domain.meddelande import Arenden, FragaState, StoredHandelse
from intyg.adapter.rules.engine_events import CAUSES, TELLINGS, Act, Tells
from intyg.adapter.rules.fraga_moves import (
    MOVES,
    STAY,
    Cause,
    Move,
    Refusal,
    Standing,
    Stay,
)
from intyg.schemas.intyg_model import Engine

NEXT_STANDING: Final = {
    # where a question asked by the recipient, a completion request or care's stands, by state
    ("FRAGA", FragaState.OPEN_CARE): Standing.FRAGA_OPEN,
    ("KOMPLT", FragaState.OPEN_CARE): Standing.KOMPLT_OPEN,
    ("CARE", FragaState.OPEN_RECIPIENT): Standing.CARE_OPEN,
    ("CARE", FragaState.ANSWERED): Standing.CARE_ANSWERED,
}
HANDLED: Final = {
    # without an answer, and with one
    "FRAGA": (Standing.FRAGA_CLOSED, Standing.FRAGA_ANSWERED),
    "KOMPLT": (Standing.KOMPLT_CLOSED, Standing.KOMPLT_ANSWERED),
    "CARE": (Standing.CARE_CLOSED, Standing.CARE_DONE),
}
OPEN_KOMPLT: Final = (Standing.KOMPLT_OPEN, Standing.KOMPLT_REOPENED)

Event = tuple[str, Arenden, Arenden, str | None, date | None]
"""Code, numbers of care's questions and of the recipients', subject, last day for an answer."""

Sent = tuple[str, str, str | None]
"""Contract, part and meddelande-id."""


@dataclass
class Fraga:
    """A question: who asked what, and where it stands."""

    meddelande_id: str
    kind: str  # FRAGA, KOMPLT or CARE
    amne: str
    part: str  # who asks, or is asked
    standing: Standing
    answered_by: str | None = None

    @property
    def handled(self) -> bool:
        return self.standing in HANDLED[self.kind]

    def says(self, cause: Cause) -> Move | Stay | Refusal:
        return MOVES.get((self.standing, cause), STAY)

    def happens(self, cause: Cause, answer_id: str | None = None) -> str | None:
        """Let it happen; the event that care is told."""
        move = self.says(cause)
        assert not isinstance(move, Refusal)
        if isinstance(move, Stay):
            return None
        self.answered_by = self.answered_by or answer_id
        if move.to is FragaState.HANDLED:
            self.standing = HANDLED[self.kind][self.answered_by is not None]
        else:
            self.standing = NEXT_STANDING[self.kind, move.to]
            if self.standing is Standing.KOMPLT_OPEN and self.answered_by:
                self.standing = Standing.KOMPLT_REOPENED
        return move.event.value


@dataclass
class Intyg:
    """A certificate, and everything that should have happened to it."""

    intygs_id: str
    engine: Engine
    relation: str | None = None
    parent: "Intyg | None" = None
    newer: "list[Intyg]" = field(default_factory=list)
    revoked: bool = False
    accepted: list[str] = field(default_factory=list)  # parts, in order
    queued: list[Sent] = field(default_factory=list)  # in order
    maybe: set[str] = field(default_factory=set)  # parts where the attempts were used up
    unknown: set[str] = field(default_factory=set)  # parts that perhaps have it
    not_told: set[str] = field(default_factory=set)  # parts whose revocation ended without arriving
    archived: bool = False
    fragor: list[Fraga] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    silent: bool = False  # something changed that no event has told yet

    def tell(self, kod: str | None, amne: str | None = None, last: date | None = None) -> None:
        """Care is told, with the numbers as they stand."""
        if kod is not None:
            self.silent = False
            own, other = self.count(from_care=True), self.count(from_care=False)
            self.events.append((kod, own, other, amne, last))

    def count(self, *, from_care: bool) -> Arenden:
        """Questions of one side: all, unanswered, answered, handled."""
        fragor = [f for f in self.fragor if (f.kind == "CARE") is from_care]
        handled = sum(f.handled for f in fragor)
        answered = sum(f.answered_by is not None and not f.handled for f in fragor)
        return Arenden(len(fragor), len(fragor) - handled - answered, answered, handled)

    def closed_with(self, fraga: Fraga) -> list[Fraga]:
        """The questions that an answer to one of them answers."""
        if fraga.kind != "KOMPLT":
            return [fraga]
        until_then = self.fragor[: self.fragor.index(fraga) + 1]
        return [one for one in until_then if one.standing in OPEN_KOMPLT and one.part == fraga.part]

    def answered(self, fraga: Fraga, answer_id: str) -> None:
        """A question gets its answer, and care is told."""
        if fraga.kind != "KOMPLT":
            self.tell(fraga.happens(Cause.ANSWERED, answer_id))
            return
        newest = [f for f in self.fragor if (f.kind, f.part) == ("KOMPLT", fraga.part)][-1]
        told = self.engine is Engine.CS or not newest.handled
        for one in self.closed_with(fraga):
            one.happens(Cause.ANSWERED if one is fraga else Cause.ANSWERED_ALONG, answer_id)
        self.silent = True
        self.tell("HANFRFM" if told else None)

    def happens(self, act: Act) -> None:
        """Somebody does something that is about every question."""
        tells = TELLINGS[act, self.engine].tells
        for fraga in self.fragor:
            kod = fraga.happens(CAUSES[act])
            self.tell(kod if tells is Tells.EACH_MOVED else None)
        asked = sum(fraga.kind == "KOMPLT" for fraga in self.fragor)
        if tells is Tells.ONE_IF_ASKED and asked:
            self.tell("HANFRFM")
        for _ in range(asked if tells is Tells.EACH_KOMPLT else 0):
            self.tell("NYFRFM")

    def revoke(self) -> None:
        """It is revoked; what waits is not sent any more: in these plays it cannot have arrived."""
        self.revoked = True
        self.queued = [one for one in self.queued if one[0] != "RegisterCertificate:3"]
        for part in sorted(set(self.accepted) | self.unknown | self.maybe):
            self.queue("RevokeCertificate:2", part)
        if self.engine is Engine.LEGACY:
            self.tell("MAKULE")
        self.happens(Act.REVOKED)
        if self.engine is Engine.CS:
            self.tell("MAKULE")

    def revoke_again(self) -> None:
        """Whoever was told and did not take it is told once more."""
        for part in sorted(self.not_told):
            self.queue("RevokeCertificate:2", part)
        self.not_told.clear()

    @property
    def replaced(self) -> bool:
        return any(one.relation == "ERSATT" and not one.revoked for one in self.newer)

    @property
    def on_its_way(self) -> set[str]:
        return {part for contract, part, _ in self.queued if contract == "RegisterCertificate:3"}

    @property
    def had_by(self) -> set[str]:
        """Parts that have it, may have it, or will get it."""
        return set(self.accepted) | self.on_its_way | self.maybe | self.unknown

    def queue(self, contract: str, part: str, meddelande_id: str | None = None) -> None:
        self.queued.append((contract, part, meddelande_id))

    def went(self, part: str, outcome: str) -> list[Sent]:
        """
        Everything that waits for a part is tried, and each time comes to this.

        Returns:
            What should have been tried; only the first where that is to be tried again.
        """
        waits = [sent for sent in self.queued if sent[1] == part]
        if outcome == "later":
            return waits[:1]
        self.queued = [sent for sent in self.queued if sent[1] != part]
        contracts = {contract for contract, _, _ in waits}
        if "RegisterCertificate:3" in contracts:
            self._arrived(part, outcome)
        if "RevokeCertificate:2" in contracts and outcome != "delivered":
            self.not_told.add(part)
        return waits

    def _arrived(self, part: str, outcome: str) -> None:
        match outcome:
            case "delivered" if part not in self.accepted:
                self.accepted.append(part)
                self.tell("SKICKA")
            case "failed":
                self.maybe.add(part)
            case "unknown":
                self.unknown.add(part)


def explain(events: list[StoredHandelse]) -> Iterator[str]:
    """
    Read a certificate's events as an EHR does.

    Yields:
        What does not add up: numbers, times, and how many questions there are. Which of them are
        handled may change without an event of its own.
    """
    before = (0, 0)
    for number, event in enumerate(events):
        now = (event.skickade_fragor.totalt, event.mottagna_fragor.totalt)
        new = _asks(event)
        if now != (before[0] + new[0], before[1] + new[1]):
            yield f"event {number}, {event.handelsekod.value}: {before} became {now}"
        for arenden in (event.skickade_fragor, event.mottagna_fragor):
            services = (arenden.ej_besvarade, arenden.besvarade, arenden.hanterade)
            if min(services) < 0 or sum(services) != arenden.totalt:
                yield f"event {number}: {arenden} does not add up"
        if number and events[number - 1].tidpunkt >= event.tidpunkt:
            yield f"event {number} has no time of its own"
        before = now


def _asks(event: StoredHandelse) -> tuple[int, int]:
    """How many new questions of care's and of the recipient's an event tells."""
    match event.handelsekod.value:
        case "NYFRFV":
            return 1, 0
        case "NYFRFM" if event.amne not in (None, "PAMINN"):
            return 0, 1
        case _:
            return 0, 0
