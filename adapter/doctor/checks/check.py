"""What a check is, what it looks at, and what it finds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from intyg.adapter.domain.clock import Clock
from intyg.adapter.domain.environment import Environment
from intyg.adapter.guard import Guard
from intyg.adapter.settings.settings import Settings
from intyg.adapter.signature import SigningKey, TrustStore
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes


@dataclass(frozen=True)
class Facts:
    """What the settings name, read; what checks look at."""

    settings: Settings
    contracts: Contracts
    types: IntygTypes
    guard: Guard
    trust: TrustStore
    signing_key: SigningKey | None
    clock: Clock

    @property
    def is_production(self) -> bool:
        return self.settings.environment is Environment.PRODUCTION


@dataclass(frozen=True)
class Remark:
    """
    What a check found.

    Attributes:
        text: What is so; names settings and files, never a person.
        todo: What to do about it.
        refuses: The adapter does not start with it.
    """

    text: str
    todo: str
    refuses: bool = True


@dataclass(frozen=True)
class Check:
    """
    One thing that must hold.

    Attributes:
        name: For `intyg doctor` and the documentation.
        holds: What is so when nothing is found.
        look: Finds what is not so.
        at_start: False: it takes time or a network, so `intyg doctor` alone asks.
    """

    name: str
    holds: str
    look: Callable[[Facts], Iterable[Remark]]
    at_start: bool = True
