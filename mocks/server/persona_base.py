"""Who a mock is: a table of handlers, and the state behind it."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Self, TypeAlias

from intyg.mocks.control import Operation
from intyg.mocks.rules.type_codes import ANY_TYPE, TypeCodes
from intyg.mocks.server.call import Call
from intyg.mocks.server.place import Place
from intyg.mocks.wire.envelope import Answer

Handlers: TypeAlias = Mapping[str, Callable[[Call], Answer]]
"""Contracts that a persona takes, by key (`RegisterCertificate:3`), and what it does then."""


class Persona:
    """
    A persona that takes nothing; each has handlers, and says what it keeps.

    Args:
        place: Where it stands. What it keeps is changed under its lock.
    """

    handlers: Handlers

    def __init__(self, place: Place) -> None:
        self.place: Final = place
        self.handlers = {}

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Its own part of the control interface."""
        return ()

    @property
    def type_codes(self) -> TypeCodes:
        """What `typ` may be in rules and scripts."""
        return ANY_TYPE

    def another(self, place: Place) -> Self:
        """Such a persona elsewhere, for a run; it has kept nothing yet."""
        return type(self)(place)

    def describe(self) -> Mapping[str, Any]:
        """What there is to say of it beside what there is of every mock, as JSON."""
        return {}

    def counts(self) -> Mapping[str, int]:
        """How much it keeps of what."""
        return {}

    def clear(self) -> None:
        """Forget everything."""

    def forget(self, intygs_id: str) -> int:
        """Forget what it keeps about a certificate; how many things that were."""
        del intygs_id
        return 0

    def known_intyg(self) -> set[str]:
        """Ids of the certificates that it keeps something about."""
        return set()

    def typ_held(self, intygs_id: str) -> tuple[str, str] | None:
        """Code and version of a certificate that it has."""
        del intygs_id
        return None

    def stop(self) -> None:
        """End every wait for something to happen, and say nothing more."""
