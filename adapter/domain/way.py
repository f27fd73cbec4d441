"""Ways: from the queue to one receiver, what stops one, and what opens it again.

A way is a destination, a contract and a logical address. What is wrong with a way is nobody's
message's fault: whatever goes there waits, and uses up no attempt, while other ways go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

ANY: Final = "*"
"""Any contract, or any logical address."""

NO_DESTINATION: Final = ""
"""Where what has no route waits for one."""


class WayCause(StrEnum):
    """Why nothing goes a way."""

    PARKED = "parked"  # somebody must order or repair something there
    SILENT = "silent"  # so many attempts in a row had no answer
    PAUSED = "paused"  # an operator said so


class WayNews(StrEnum):
    """What an attempt says of the way that it went."""

    NOTHING = "nothing"  # the guard, our own fault: nothing was tried
    ANSWERED = "answered"  # the receiver said something of the message
    SILENT = "silent"  # not sent, timed out, or too busy
    STOPS_WAY = "way"  # nothing of this contract will arrive at this address
    STOPS_DESTINATION = "destination"  # nothing will arrive at this destination


@dataclass(frozen=True, order=True)
class Way:
    """From us to a receiver."""

    destination: str
    contract: str = ANY  # `RegisterCertificate:3`
    logical_address: str = ANY

    def __str__(self) -> str:
        return " ".join(word for word in (self.destination, self.contract, self.logical_address))


@dataclass(frozen=True)
class Stop:
    """
    A way that something is known of.

    Attributes:
        cause: Why nothing goes; None: it goes, and some attempts in a row had no answer.
        detail: What the last attempt came to, in our own words.
        since: When it was stopped.
        failures: How many attempts in a row had no answer.
        probes: How many were made while it was stopped.
        probe_at: When the next one is made; None: never.
        probing: The delivery that is one just now.
        reason, by: Of the operator who paused it.
    """

    way: Way
    cause: WayCause | None
    detail: str
    since: datetime
    failures: int
    probes: int
    probe_at: datetime | None
    probing: str | None
    reason: str | None = None
    by: str | None = None


@dataclass(frozen=True)
class WayChange:
    """
    A way that was stopped, or goes again.

    Attributes:
        stop: As it is, or was.
    """

    stop: Stop
    goes: bool


@dataclass(frozen=True)
class WayPolicy:
    """
    When a way is stopped, and when one delivery tries it.

    Attributes:
        failures: So many attempts in a row without an answer stop it.
        parked_seconds, silent_seconds: Before each probe; the last one repeats.
    """

    failures: int
    parked_seconds: Sequence[float]
    silent_seconds: Sequence[float]

    def probe_at(self, cause: WayCause, probes: int, now: datetime) -> datetime:
        """When the next probe is made, after so many."""
        waits = self.parked_seconds if cause is WayCause.PARKED else self.silent_seconds
        return now + timedelta(seconds=waits[min(probes, len(waits) - 1)])
