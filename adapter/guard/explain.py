"""What each signal says of somebody, and where messages about them may go: asked, nothing kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from intyg.adapter.domain.destination import DestinationKind, DestinationRole
from intyg.adapter.domain.person import GuardDecision, PatientKind, PersonId
from intyg.adapter.guard.policy import POLICY, Guard


@dataclass(frozen=True)
class Said:
    """Word of one signal about somebody."""

    signal: str
    kind: PatientKind | None  # None: it has nothing to say
    why: str


def said_of(guard: Guard, person: PersonId) -> Iterator[Said]:
    """Every signal's word; for the verdict the first that says test would have been enough."""
    for signal in guard.patients.signals:
        kind = signal.kind(person)
        silent = kind is PatientKind.NOT_TEST and not signal.clears
        yield Said(signal.name, None if silent else kind, signal.explain(person))


def decisions(
    guard: Guard, kind: PatientKind
) -> Iterator[tuple[DestinationRole, DestinationKind, GuardDecision]]:
    """May a message about such a patient go there, for every kind of receiver."""
    for role, there in product(DestinationRole, DestinationKind):
        yield role, there, POLICY[role, there, guard.environment, kind]
