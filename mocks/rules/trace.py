"""Why a rule acted on a call, or did not: part of the call's entry in the journal."""

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
