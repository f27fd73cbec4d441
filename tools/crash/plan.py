"""What happens in a trial; all of it follows from its seed."""

import random
from dataclasses import dataclass, field
from typing import Final

POINTS: Final = (
    "write.before",
    "commit.before",
    "commit.after",
    "answer.before",
    "answer.after",
    "claim.before",
    "claim.after",
    "deliver.before",
    "post.before",
    "post.sent",
    "post.after",
    "record.before",
    "record.after",
    "recover.after",
    "draft.before",
    "draft.after",
    "sign.before",
    "sign.after",
)
"""Where an adapter is killed; see `seam.py`."""

KILLS: Final = ("kill", *(f"kill:{point}" for point in POINTS))
STORE_FAULTS: Final = ("fsync", "write-error", "disk-full", "pg-stop")
RECEIVER_FAULTS: Final = (
    "hang",
    "store-reset",
    "reset",
    "late",
    "double",
    "busy",
    "park",
    "refuse",
)
OTHER_FAULTS: Final = ("clock", "reroute")
FAULTS: Final = (*KILLS, *STORE_FAULTS, *RECEIVER_FAULTS, *OTHER_FAULTS)

STEPS: Final = ("send", "ask", "fk-ask", "answer", "fk-answer", "revoke")
"""What may be done with a certificate after it was registered."""


WEIGHTS: Final = {"kill": 5, "fsync": 2, "write-error": 2, "disk-full": 2, "pg-stop": 6}
"""How often something is drawn beside a named point: each at least 500 times in 10,000 trials."""

DRAFT_POINTS: Final = {"draft": 3, "sign": 1}
"""Points that a trial passes seldom, and how often it does at most."""


@dataclass(frozen=True)
class Kill:
    """
    One end of one adapter.

    Attributes:
        place: Which adapter.
        point: Where it kills itself; None: it is killed from outside.
        count: At which passing of the point, or at which progress of the trial.
    """

    place: int
    point: str | None
    count: int


@dataclass(frozen=True)
class Plan:
    """
    One trial.

    Attributes:
        faults: Names of what goes wrong.
        processes: How many adapters.
        conversations: For each certificate the steps that follow on registering it.
        drafts: For each draft the steps that follow on ordering it.
        kills: In the order in which they happen; one after another.
        faulty: The share of arrivals that a receiver deals with badly.
        jumps: Seconds that the clock jumps, each at some progress.
        stops_cleanly: At the end, adapters are told to stop and not killed.
    """

    seed: int
    postgresql: bool
    processes: int
    faults: tuple[str, ...]
    conversations: tuple[tuple[str, ...], ...]
    kills: tuple[Kill, ...] = ()
    faulty: float = 0.4
    jumps: tuple[tuple[int, float], ...] = ()
    disturbed_at: int = 0
    stops_cleanly: bool = True
    receiver_faults: tuple[str, ...] = field(default=())
    drafts: tuple[tuple[str, ...], ...] = ()

    def has(self, fault: str) -> bool:
        return fault in self.faults


def draw(
    seed: int,
    *,
    postgresql: bool,
    processes: int | None = None,
    fault: str | None = None,
    able: frozenset[str] = frozenset(FAULTS),
) -> Plan:
    """
    Draw a trial.

    Args:
        processes: How many adapters; None: up to three on PostgreSQL. SQLite has one.
        fault: What must be among what goes wrong.
        able: What can go wrong here.
    """
    chance = random.Random(seed)
    count = 1 if not postgresql else processes or chance.randint(1, 3)
    faults = _faults(chance, fault, able, postgresql)
    conversations = tuple(_conversation(chance) for _ in range(chance.randint(2, 5)))
    return Plan(
        seed=seed,
        postgresql=postgresql,
        processes=count,
        faults=faults,
        conversations=conversations,
        kills=tuple(_kills(chance, faults, count)),
        faulty=chance.choice((0.2, 0.4, 0.7)),
        jumps=_jumps(chance) if "clock" in faults else (),
        disturbed_at=chance.randint(0, 12),
        stops_cleanly=chance.random() < 0.5,
        receiver_faults=tuple(name for name in faults if name in RECEIVER_FAULTS),
        drafts=_drafts(seed, faults),
    )


def _faults(
    chance: random.Random, wanted: str | None, able: frozenset[str], postgresql: bool
) -> tuple[str, ...]:
    """One or two of what happens to the adapter or its store, one of what happens around it."""
    not_here = {"fsync", "write-error", "disk-full"} if postgresql else {"pg-stop"}
    inside = [one for one in (*KILLS, *STORE_FAULTS) if one in able - not_here]
    outside = [one for one in (*RECEIVER_FAULTS, *OTHER_FAULTS) if one in able]
    first, second = chance.choices(inside, [WEIGHTS.get(one, 1) for one in inside], k=2)
    around = chance.choice(outside)
    if wanted is not None:
        return (wanted, around if wanted in inside else first)
    is_one = chance.random() < 0.5 or first == second or {first, second} <= set(STORE_FAULTS)
    return (first, around) if is_one else (first, second, around)


def _conversation(chance: random.Random) -> tuple[str, ...]:
    steps = [step for step in STEPS if chance.random() < (0.9 if step == "send" else 0.45)]
    if "send" not in steps:
        return tuple(step for step in steps if step == "revoke")
    if "fk-ask" not in steps:
        steps = [step for step in steps if step != "answer"]
    if "ask" not in steps:
        steps = [step for step in steps if step != "fk-answer"]
    return tuple(steps)


def _drafts(seed: int, faults: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """One, and sometimes two."""
    chance = random.Random(f"{seed} drafts")
    signs = any(fault.startswith("kill:sign.") for fault in faults)
    return tuple(_draft(chance, signs=signs) for _ in range(chance.choice((1, 1, 1, 2))))


def _draft(chance: random.Random, *, signs: bool) -> tuple[str, ...]:
    steps = [chance.choice(("save", "save", "save-both")) for _ in range(chance.randint(1, 2))]
    steps += ["ready"] if chance.random() < 0.4 else []
    steps += ["save"] if chance.random() < 0.3 else []
    end = "sign" if signs else chance.choice(("sign", "sign", "sign-both", "delete", ""))
    steps += [end] if end else []
    return (*steps, "send") if end.startswith("sign") else tuple(steps)


def _kills(chance: random.Random, faults: tuple[str, ...], processes: int) -> list[Kill]:
    kills = []
    for name in faults:
        if name == "kill":
            for _ in range(chance.randint(1, 2)):
                kills.append(Kill(chance.randrange(processes), None, chance.randint(1, 20)))
        elif name.startswith("kill:"):
            for _ in range(chance.randint(1, 2)):
                passed = DRAFT_POINTS.get(name[5:].partition(".")[0], 8)
                count = 1 if name == "kill:recover.after" else chance.randint(1, passed)
                kills.append(Kill(chance.randrange(processes), name[5:], count))
    return kills


def _jumps(chance: random.Random) -> tuple[tuple[int, float], ...]:
    seconds = (-3600.0, -5.0, 90.0, 200.0, 3600.0, 90000.0)
    return tuple(
        sorted((chance.randint(0, 20), chance.choice(seconds)) for _ in range(chance.randint(1, 3)))
    )
