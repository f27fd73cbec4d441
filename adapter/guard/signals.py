"""What says of somebody that it is a test patient."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from intyg.adapter.clients.people import People
from intyg.adapter.domain.person import PatientKind, PatientVerdict, PersonId
from intyg.adapter.rules.person_id import same_person

NO_SIGNAL: Final = "no list of test patients or register is configured"


class Signal(Protocol):
    """One source of knowledge about test patients."""

    @property
    def name(self) -> str:
        """For journal and operator, without any number."""

    @property
    def clears(self) -> bool:
        """Whether its NOT_TEST is knowledge; False: then it only has nothing to say."""

    @property
    def damage(self) -> str | None:
        """Why it cannot answer; None when it can, as far as is known."""

    @property
    def remark(self) -> str | None:
        """What an operator should know although it answers."""

    def kind(self, person: PersonId) -> PatientKind:
        """What this source says of a person."""

    def explain(self, person: PersonId) -> str:
        """The same in words, without the number."""


@dataclass(frozen=True)
class ListSignal:
    """
    A list of test patients that does not change.

    Attributes:
        name: `list test-persons.csv`.
        numbers: Twelve digits each.
        damage: Why the list cannot be trusted; None when it can.
    """

    name: str
    numbers: frozenset[str] = field(repr=False)
    damage: str | None = None
    remark: str | None = None
    clears: bool = True

    def kind(self, person: PersonId) -> PatientKind:
        if self.damage is not None:
            return PatientKind.CANNOT_TELL
        return PatientKind.TEST if person.extension in self.numbers else PatientKind.NOT_TEST

    def explain(self, person: PersonId) -> str:
        if self.damage is not None:
            return self.damage
        found = "is on" if person.extension in self.numbers else "is not on"
        return f"{found} the list of {len(self.numbers)} numbers"


class TestPatients:
    """
    All signals together: any one that says test is enough.

    Args:
        people: The register that is among them, as drafts ask it; None: there is none.
    """

    __test__ = False  # not a test class, whatever pytest thinks of its name

    def __init__(self, signals: Sequence[Signal], people: People | None = None) -> None:
        self.signals = tuple(signals)
        self.people = people
        self._can_clear = any(signal.clears for signal in self.signals)

    def can_clear(self) -> bool:
        """Whether anything can say of somebody that it is no test patient."""
        return self._can_clear

    def damage(self) -> tuple[str, ...]:
        """Why signals cannot answer: which file and line, never what it says."""
        return tuple(s.damage for s in self.signals if s.damage is not None)

    def remarks(self) -> tuple[str, ...]:
        """What an operator should know although signals answer."""
        return tuple(s.remark for s in self.signals if s.remark is not None)

    def verdict(self, person: PersonId) -> PatientVerdict:
        """
        Ask every signal, in order, until one says test.

        Returns:
            TEST when any signal says so; otherwise CANNOT_TELL when any signal
            cannot answer, or when none can clear anybody; otherwise NOT_TEST.
        """
        unsure: PatientVerdict | None = None
        for signal in self.signals:
            kind = signal.kind(person)
            if kind is PatientKind.TEST:
                return PatientVerdict(kind, signal.name)
            if kind is PatientKind.CANNOT_TELL and unsure is None:
                unsure = PatientVerdict(kind, signal.name, signal.damage)
        if unsure is not None:
            return unsure
        if not self._can_clear:
            return PatientVerdict(PatientKind.CANNOT_TELL, NO_SIGNAL)
        return PatientVerdict(PatientKind.NOT_TEST)


class KnownPatient(TestPatients):
    """The same of one person who has been asked about: the answer is known, and nobody is asked."""

    __test__ = False

    def __init__(self, patients: TestPatients, person: PersonId) -> None:
        super().__init__(patients.signals)
        self._person = person
        self._answer = patients.verdict(person)

    def verdict(self, person: PersonId) -> PatientVerdict:
        if not same_person(person, self._person):
            raise ValueError("nobody has asked about this person")
        return self._answer
