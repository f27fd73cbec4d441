"""
Plays scripts: what happens begins them, the timeline carries them on.

The persona tells its player what happened, and the player tells the persona what to say and when.
What was said, what was left out and why is kept, conversation by conversation.
"""

import threading
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from intyg.mocks.clock.timeline import Timeline
from intyg.mocks.conversations.script import (
    Action,
    Condition,
    Happening,
    Remind,
    Script,
    Step,
)
from intyg.mocks.server.post import Sent
from intyg.mocks.wire.ids import meant, same_id

MAX_RUNS: Final = 50
"""So often a script begins about one certificate: two that answer each other must end."""

MAX_CONVERSATIONS: Final = 10_000
"""So many are remembered; the oldest are forgotten."""


class Speaker(Protocol):
    """A persona that talks."""

    def say(self, action: Action, about: Happening, of: str | None) -> Sent:
        """
        Send a message.

        Args:
            of: `meddelande-id` of what is reminded of.

        Raises:
            KeyError, ValueError: It cannot.
        """

    def stands(self, meddelande_id: str) -> str:
        """Where a question of its own stands: open, answered, refused or closed."""

    def is_revoked(self, intygs_id: str) -> bool:
        """Whether a certificate is."""


@dataclass(frozen=True)
class Done:
    """
    A step that was carried out, or left out.

    Attributes:
        step: Which of the script's, from 1.
        came_to: `accepted`, or why not.
        meddelande_id: What was sent; None: nothing was.
    """

    at: datetime
    step: int
    does: str
    came_to: str
    meddelande_id: str | None = None


@dataclass
class Conversation:
    """A script on its way, about one certificate."""

    script: Script
    about: Happening
    began: datetime
    said: dict[str, str] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)
    ended: bool = False
    """Nothing more is said in it: it was forgotten, or the mock stops."""


class Player:
    """
    The scripts of one persona.

    Args:
        speaker: Who says things.
        timeline: When.
    """

    def __init__(self, speaker: Speaker, timeline: Timeline) -> None:
        self._speaker = speaker
        self._timeline = timeline
        self._lock = threading.Lock()
        self._scripts: dict[str, Script] = {}
        self._runs: Counter[tuple[str, str]] = Counter()
        self._conversations: deque[Conversation] = deque(maxlen=MAX_CONVERSATIONS)

    # --- scripts --------------------------------------------------------------------------------

    def add(self, scripts: Iterable[Script]) -> None:
        """Take scripts; one of an id that is known takes that one's place."""
        with self._lock:
            self._scripts |= {each.id: each for each in scripts}

    def scripts(self) -> tuple[Script, ...]:
        """What there is, in the order in which it came."""
        with self._lock:
            return tuple(self._scripts.values())

    def clear(self) -> None:
        """Forget scripts and conversations, and say nothing more."""
        self.stop()
        with self._lock:
            self._scripts.clear()
            self._runs.clear()
            self._conversations.clear()

    def stop(self) -> None:
        """Say nothing more in what has begun, also where something is just being said."""
        with self._lock:
            for each in self._conversations:
                each.ended = True
        self._timeline.cancel(self)

    def forget(self, intygs_id: str) -> None:
        """Say nothing more about a certificate, and forget what was said."""
        with self._lock:
            kept = []
            for each in self._conversations:
                each.ended = each.ended or same_id(each.about.intygs_id, intygs_id)
                if not same_id(each.about.intygs_id, intygs_id):
                    kept.append(each)
            self._conversations = deque(kept, MAX_CONVERSATIONS)
            runs = self._runs.items()
            self._runs = Counter({k: n for k, n in runs if not same_id(k[1], intygs_id)})

    def conversations(self, intygs_id: str | None = None) -> tuple[Conversation, ...]:
        """What has begun, in order, about one certificate or all."""
        with self._lock:
            return tuple(
                each for each in self._conversations if meant(intygs_id, each.about.intygs_id)
            )

    # --- playing --------------------------------------------------------------------------------

    def happened(self, about: Happening) -> None:
        """Begin what begins with this. Returns at once."""
        now = self._timeline()
        with self._lock:
            meant = [each for each in self._scripts.values() if _is_meant(each, about)]
            first = [each for each in meant if not each.otherwise]
            begun = [
                Conversation(each, about, now) for each in first or meant if self._may(each, about)
            ]
            self._conversations.extend(begun)
        for conversation in begun:
            self._plan(conversation, 0, now)

    def _may(self, script: Script, about: Happening) -> bool:
        key = (script.id, about.intygs_id)
        self._runs[key] += 1
        return self._runs[key] <= MAX_RUNS

    def _plan(self, conversation: Conversation, place: int, last: datetime) -> None:
        """Set the alarm for a step, if there is one."""
        if place < len(conversation.script.steps):
            self._set(conversation, place, last + conversation.script.steps[place].after, 1)

    def _set(self, conversation: Conversation, place: int, due: datetime, time: int) -> None:
        order = f"{conversation.about.intygs_id} {conversation.script.id} {place:03}"
        self._timeline.at(due, lambda: self._carry_out(conversation, place, due, time), order, self)

    def _carry_out(self, conversation: Conversation, place: int, due: datetime, time: int) -> None:
        if conversation.ended:
            return
        step = conversation.script.steps[place]
        why_not = self._why_not(conversation, step.if_)
        if why_not is None:
            done = self._say(conversation, place, step)
        else:
            done = Done(self._timeline(), place + 1, step.does[0], f"left out: {why_not}")
        with self._lock:
            conversation.done.append(done)
        if why_not is None and time < step.times:
            self._set(conversation, place, due + step.every, time + 1)
        else:
            self._plan(conversation, place + 1, due)

    def _say(self, conversation: Conversation, place: int, step: Step) -> Done:
        name, action = step.does
        of = conversation.said.get(action.of) if isinstance(action, Remind) else None
        at = self._timeline()
        try:
            sent = self._speaker.say(action, conversation.about, of)
        except (KeyError, ValueError) as exc:
            return Done(at, place + 1, name, f"failed: {exc.args[0]}")
        if step.calls_it is not None:
            conversation.said[step.calls_it] = sent.meddelande_id
        return Done(at, place + 1, name, _came_to(sent), sent.meddelande_id)

    def _why_not(self, conversation: Conversation, condition: Condition) -> str | None:
        """What keeps a step from being carried out; None if nothing does."""
        revoked = self._speaker.is_revoked(conversation.about.intygs_id)
        if revoked is not condition.revoked:
            return "the certificate is revoked" if revoked else "the certificate is not revoked"
        for wanted, name in condition.names:
            asked = conversation.said.get(name)
            stands = "not asked" if asked is None else self._speaker.stands(asked)
            if stands != ("open" if wanted == "unanswered" else wanted):
                return f"{name} is {stands}"
        return None


def _is_meant(script: Script, about: Happening) -> bool:
    return script.when is about.event and script.match.holds(about)


def _came_to(sent: Sent) -> str:
    if sent.accepted:
        return "accepted"
    why = sent.error_id or sent.failure or sent.fault or sent.result_code or sent.http_status
    return f"not accepted: {why}"
