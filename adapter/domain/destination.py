"""Destinations: places that messages go to."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final


class DestinationKind(StrEnum):
    """Kind of system behind an address."""

    REAL = "real"
    TEST = "test"
    MOCK = "mock"


class DestinationRole(StrEnum):
    """Side that stands behind an address."""

    AUTHORITY = "authority"
    CARE = "care"  # an EHR: gets back what came from it
    HOOK = "hook"  # is told what happens, by ids alone


@dataclass(frozen=True)
class ClientTls:
    """
    Files (PEM) for speaking TLS with a destination.

    Attributes:
        ca: Who vouches for the server; None: the public authorities.
        cert: Ours, with its chain if it has one; None: we show none.
        key: Its key; None: it is in `cert`.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Destination:
    """Place where messages for a logical address are posted."""

    name: str
    url: str  # full service address for this contract
    kind: DestinationKind
    role: DestinationRole
    timeout_seconds: float
    tls: ClientTls = ClientTls()
    max_in_flight: int | None = None  # None: half the workers
    max_per_second: float | None = None
    secret_file: Path | None = None  # a hook's: what is sent to it is signed with it


HOOK: Final = "Hook"
"""In place of a contract, `domain/hook.py`."""

TO_CARE: Final = frozenset({"CertificateStatusUpdateForCare", "SendMessageToCare"})
"""Contracts by which care is told; everything else that is sent is for an authority."""


def receiver_of(contract: str) -> DestinationRole:
    """The receiver's side in a contract, by the contract's name."""
    if contract == HOOK:
        return DestinationRole.HOOK
    return DestinationRole.CARE if contract in TO_CARE else DestinationRole.AUTHORITY
