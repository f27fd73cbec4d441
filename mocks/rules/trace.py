"""What rules did with a call, and why: part of the call's entry in the journal."""

from dataclasses import dataclass, field
from enum import StrEnum


class Why(StrEnum):
    """What came of a rule for one call."""

    ACTED = "acted"
    MISSED = "missed"  # a criterion does not hold
    DISABLED = "disabled"
    OUTRANKED = "outranked"  # it holds, another rule goes first
    USED_UP = "used_up"  # it holds, and has acted as often as it may
    SPARED = "spared"  # it holds, and its probability let this call pass


class AnswerState(StrEnum):
    """Where the answer to a call is; it goes at once unless a rule has a hand in it."""

    NOT_YET = "not_yet"  # a rule holds it back, or not all of it has gone
    SENT = "sent"
    BROKEN = "broken"  # a rule broke the connection in its place or in its midst
    CALLER_GONE = "caller_gone"  # the caller had closed the connection before all of it went
    STOPPED = "stopped"  # the mock stopped before all of it went


@dataclass(frozen=True)
class Criterion:
    """
    One thing that a rule asks of a call.

    Attributes:
        name: As in the rule, `typ`; `header X-Run` for a header.
        expected: As in the rule; alternatives with ` | ` between.
        got: What the call has, None where it has nothing of the kind.
    """

    name: str
    expected: str
    got: str | None = field(repr=False)
    hit: bool


@dataclass(frozen=True)
class RuleTrace:
    """One rule and one call."""

    rule_id: str
    acted: bool
    why: Why
    criteria: tuple[Criterion, ...] = ()
