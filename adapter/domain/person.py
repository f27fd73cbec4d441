"""Persons, and who of them is a test patient.

Fields that hold person data are left out of `repr`, so that no log line or traceback can show them.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

PROTECTED_NAME: Final = "Skyddade personuppgifter"
"""For the surname of somebody with protected identity or registration."""


@dataclass(frozen=True)
class PersonId:
    """`types:PersonId`: a personnummer or samordningsnummer, 12 digits."""

    root: str
    extension: str = field(repr=False)


@dataclass(frozen=True)
class PersonFacts:
    """
    What the population register says of a person.

    Attributes:
        is_protected: Protected identity or protected registration; None: it does not say.
        is_deceased: Deregistered as dead.
    """

    fornamn: str = field(default="", repr=False)
    efternamn: str = field(default="", repr=False)
    mellannamn: str = field(default="", repr=False)
    postadress: str = field(default="", repr=False)
    postnummer: str = field(default="", repr=False)
    postort: str = field(default="", repr=False)
    is_protected: bool | None = False
    is_deceased: bool = False

    def as_told(self) -> "PersonFacts":
        """
        What a unit of care is told of name and address.

        Nothing where it is not said whether the person is protected; a placeholder for a surname,
        and nothing else, where it is said that they are.
        """
        if self.is_protected is False:
            return self
        surname = PROTECTED_NAME if self.is_protected else ""
        return PersonFacts(efternamn=surname, is_protected=self.is_protected)


class PatientKind(StrEnum):
    """Kind of patient, by the guard's signals."""

    TEST = "test"
    NOT_TEST = "not_test"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True)
class PatientVerdict:
    """
    Verdict of the guard's signals on a patient.

    Attributes:
        signal: Which one decided: its name, never the number.
        why: Why it cannot tell.
    """

    kind: PatientKind
    signal: str | None = None
    why: str | None = None

    @property
    def signal_and_why(self) -> str:
        return ": ".join(filter(None, (self.signal, self.why)))


class GuardDecision(StrEnum):
    """Decision of the guard on a message."""

    SEND = "send"
    BLOCK = "block"
    HOLD = "hold"
