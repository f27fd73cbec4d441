"""A mock that talks by itself: what a persona with a player has in common with the others."""

from abc import abstractmethod
from typing import ClassVar, Self

from intyg.mocks.control import Operation
from intyg.mocks.conversations import interface
from intyg.mocks.conversations.player import Player
from intyg.mocks.conversations.script import Action, Happening
from intyg.mocks.server.agency import Agency
from intyg.mocks.server.post import Sent
from intyg.mocks.settings import MockSettings


class Talker(Agency):
    """
    A `player.Speaker`; goes before other base classes.

    Attributes:
        key: The persona's, in scripts.
        player: Plays its scripts; made by the persona, once it has its clock.
    """

    key: ClassVar[str]
    player: Player

    @property
    def operations(self) -> tuple[Operation, ...]:
        return (*super().operations, *interface.operations())

    @abstractmethod
    def say(self, action: Action, about: Happening, of: str | None) -> Sent:
        """As `player.Speaker` has it."""

    @abstractmethod
    def stands(self, meddelande_id: str) -> str:
        """As `player.Speaker` has it."""

    @abstractmethod
    def is_revoked(self, intygs_id: str) -> bool:
        """As `player.Speaker` has it."""

    def state(self) -> dict[str, int]:
        return {**super().state(), "conversations": len(self.player.conversations())}

    def reset(self) -> None:
        self.player.clear()
        super().reset()

    def forget(self, intygs_id: str) -> int:
        self.player.forget(intygs_id)
        return super().forget(intygs_id)

    def another(self, settings: MockSettings) -> Self:
        made = super().another(settings)
        made.player.add(self.player.scripts())
        return made

    def wake(self) -> None:
        self.player.stop()
        super().wake()
