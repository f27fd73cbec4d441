"""Plays by number, always the same ones; and a long one that goes wrong, made short."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from tests.flows.guard_proof.adapter_rig import WHOLE, Ground, Seams
from tests.flows.guard_proof.play import Play, Player, ViolationError
from tests.flows.guard_proof.world import PEOPLE

HOW_OFTEN: Final[Mapping[str, int]] = {
    "register": 4,
    "complement": 2,
    "register_for_another": 1,
    "send": 6,
    "send_for_another": 1,
    "revoke": 2,
    "write": 3,
    "write_for_another": 1,
    "note_status": 1,
    "ask": 3,
    "read": 3,
    "feel": 2,
    "change_list": 4,
    "change_register": 4,
    "repoint": 4,
    "relabel": 4,
    "jump": 2,
    "restart": 1,
    "resend": 2,
    "work": 7,
}
"""What happens, and how often compared with the rest."""

MOST_STEPS: Final = 22
_AUTHORITIES: Final = ("real", "real", "test", "mock")


def play_of(number: int) -> Play:
    """The play with this number."""
    dice = random.Random(number)
    environment = dice.choice(("production", "production", "test", "demo"))
    names, weights = list(HOW_OFTEN), list(HOW_OFTEN.values())
    happens = ["register", "send", *dice.choices(names, weights, k=dice.randint(4, MOST_STEPS - 2))]
    return Play(
        environment=environment,
        leads=(
            dice.choice(_AUTHORITIES),
            dice.choice(_AUTHORITIES),
            dice.choice(("ehr", "ehr", "test-ehr")),
        ),
        people=tuple(dice.sample(PEOPLE, 2)),
        knows=tuple(one for one in ("list", "EHR's list", "register") if dice.random() < 0.6),
        on_signing=dice.random() < 0.3,
        steps=tuple((name, dice.randrange(1000), dice.randrange(1000)) for name in happens),
    )


@dataclass(frozen=True)
class Found:
    """A violation: in which play, and the same play without what it does not need."""

    number: int
    what: str
    shortest: Play

    def __str__(self) -> str:
        lines = [f"play {self.number}: {self.what}", f"  {replace(self.shortest, steps=())}"]
        return "\n".join([*lines, *(f"  {step}" for step in self.shortest.steps)])


def look_for_violation(
    ground: Ground, numbers: Iterable[int], seams: Seams = WHOLE, *, shorten: bool = True
) -> tuple[Found | None, Counter[str]]:
    """
    Play until something does not hold.

    Returns:
        What did not hold, if anything; and what was seen until then.
    """
    seen: Counter[str] = Counter()
    for number in numbers:
        play = play_of(number)
        player = Player(ground, play, seams)
        try:
            player.run()
        except ViolationError as violation:
            shortest = _shorter(ground, play, seams) if shorten else play
            what = _what_is_wrong(ground, shortest, seams) or str(violation)
            return Found(number, what, shortest), seen
        seen += player.counted
        seen["plays"] += 1
    return None, seen


def _shorter(ground: Ground, play: Play, seams: Seams) -> Play:
    """Leave out one step after the other, from the end, that it goes wrong without."""
    for place in reversed(range(len(play.steps))):
        without = replace(play, steps=play.steps[:place] + play.steps[place + 1 :])
        if _what_is_wrong(ground, without, seams) is not None:
            play = without
    return play


def _what_is_wrong(ground: Ground, play: Play, seams: Seams) -> str | None:
    try:
        Player(ground, play, seams).run()
    except ViolationError as violation:
        return str(violation)
    return None
