"""
Conversations that a mock holds by itself, from scripts.

    script      what a script is, and what keeps one from acting
    files       scripts from YAML, with file and line of every fault
    player      begins scripts, and carries them on with the timeline
    interface   the same over HTTP
"""

from intyg.mocks.conversations.player import (
    Conversation,
    Done,
    Player,
    Speaker,
)
from intyg.mocks.conversations.script import Event, Happening, Script

__all__ = ["Conversation", "Done", "Event", "Happening", "Player", "Script", "Speaker"]
