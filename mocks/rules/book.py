"""The rules of a mock, and how often each has acted; safe under concurrent calls."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from intyg.mocks.rules.answers import Effect
from intyg.mocks.rules.facts import Facts
from intyg.mocks.rules.model import Rule
from intyg.mocks.rules.parse import RuleError
from intyg.mocks.rules.trace import Criterion, RuleTrace, Why

MAX_KEYS: Final = 100_000
"""So many certificates or persons are counted apart for a rule; the oldest are forgotten."""


@dataclass
class _Counts:
    """For one key of one rule."""

    calls: int = 0
    acted: int = 0


@dataclass
class _Kept:
    """A rule with its place in time and what it has done."""

    rule: Rule
    serial: int
    brought_seed: bool = True
    fleeting: bool = False
    counts: OrderedDict[str, _Counts] = field(default_factory=OrderedDict)
    acted: int = 0

    def of(self, key: str) -> _Counts:
        counts = self.counts.setdefault(key, _Counts())
        self.counts.move_to_end(key)
        if len(self.counts) > MAX_KEYS:
            self.counts.popitem(last=False)
        return counts

    @property
    def rank(self) -> tuple[int, int, int]:
        """Smaller goes first."""
        return -self.rule.priority, -self.rule.match.specificity, -self.serial


class RuleBook:
    """
    Rules by id.

    Args:
        standing: The rule for a call that none of the book's own acts on, if
            there is one; it is not listed. See `trouble`.
    """

    def __init__(self, standing: Callable[[Facts], Rule | None] = lambda _: None) -> None:
        self._standing = standing
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._ranked: tuple[_Kept, ...] = ()
        self._standing_kept: dict[str, _Kept] = {}
        self._serial = 0
        self._seed: int | None = None
        self._seeds = Random(0)  # noqa: S311 -- dice, no secret

    def add(self, rule: Rule, *, fleeting: bool = False) -> Rule:
        """
        Take a rule; it is the newest.

        Args:
            fleeting: It is forgotten once it has acted `count` times.

        Raises:
            RuleError: There is one of this id.
        """
        with self._lock:
            if rule.id in self._kept:
                raise RuleError("id", f"there is a rule {rule.id}")
            return self._keep(rule, fleeting=fleeting)

    def replace(self, rule: Rule) -> Rule:
        """
        Take a rule in place of the one of its id; it is the newest and has not acted yet.

        Raises:
            KeyError: There is none.
        """
        with self._lock:
            del self._kept[rule.id]
            return self._keep(rule)

    def put(self, rule: Rule) -> Rule:
        """Take a rule, in place of the one of its id if there is one."""
        with self._lock:
            self._kept.pop(rule.id, None)
            return self._keep(rule)

    def forget(self, key: str) -> None:
        """Begin to count anew for one certificate, person or whatever a rule counts apart."""
        with self._lock:
            for kept in (*self._kept.values(), *self._standing_kept.values()):
                kept.counts.pop(key, None)

    @property
    def seed(self) -> int | None:
        """What rules get their seeds from that bring none; None: each draws its own."""
        return self._seed

    def reseed(self, seed: int) -> None:
        """Throw the dice anew: for every rule that brought no seed, and from its first call on."""
        with self._lock:
            self._seed, self._seeds = seed, Random(seed)  # noqa: S311 -- dice, no secret
            for kept in sorted(self._kept.values(), key=lambda each: each.serial):
                self._give_seed(kept)
                kept.counts.clear()
            self._rank()

    def switch(self, rule_id: str, *, enabled: bool) -> Rule:
        """
        Let a rule act, or not; its place among the others and what it has done stay.

        Raises:
            KeyError: There is none of this id.
        """
        with self._lock:
            kept = self._kept[rule_id]
            kept.rule = kept.rule.model_copy(update={"enabled": enabled})
            return kept.rule

    def remove(self, rule_id: str) -> Rule:
        """
        Forget a rule.

        Raises:
            KeyError: There is none of this id.
        """
        with self._lock:
            kept = self._kept.pop(rule_id)
            self._rank()
        return kept.rule

    def get(self, rule_id: str) -> Rule:
        """
        The rule of an id.

        Raises:
            KeyError: There is none.
        """
        with self._lock:
            return self._kept[rule_id].rule

    def acted(self, rule_id: str) -> int:
        """
        How often a rule has acted, for all keys together.

        Raises:
            KeyError: There is none of this id.
        """
        with self._lock:
            return self._kept[rule_id].acted

    def all(self) -> tuple[Rule, ...]:
        """Every rule, in the order in which they are asked."""
        with self._lock:
            return tuple(kept.rule for kept in self._ranked)

    def speak_of(self, logical_address: str | None) -> bool:
        """Whether a rule names a logical address, which makes it one that the mock answers at."""
        return logical_address is not None and any(
            kept.rule.enabled and kept.rule.match.names_address(logical_address)
            for kept in self._ranked
        )

    def clear(self) -> None:
        """Forget every rule, and what has been counted."""
        with self._lock:
            self._kept.clear()
            self._standing_kept.clear()
            self._rank()
            if self._seed is not None:
                self._seeds = Random(self._seed)  # noqa: S311 -- dice, no secret

    def choose(self, facts: Facts) -> tuple[Rule | None, Effect | None, tuple[RuleTrace, ...]]:
        """
        Which rule acts on a call, and how; counted once.

        Returns:
            The rule with its effect, dice thrown, or twice None; and for every rule why it acted
            or did not.
        """
        with self._lock:
            ranked = self._ranked
        looked = [(kept, kept.rule.match.look(facts)) for kept in ranked] if ranked else []
        standing = self._standing(facts)
        with self._lock:
            if standing is not None:
                kept = self._standing_kept.setdefault(standing.id, _Kept(standing, 0))
                looked.append((kept, standing.match.look(facts)))
            return self._act(looked, facts)

    def _act(
        self, looked: list[tuple[_Kept, tuple[Criterion, ...]]], facts: Facts
    ) -> tuple[Rule | None, Effect | None, tuple[RuleTrace, ...]]:
        chosen: tuple[Rule, Effect] | None = None
        traces = []
        for kept, criteria in looked:
            rule = kept.rule
            why, effect = Why.MISSED, None
            if all(each.hit for each in criteria):
                criteria, why, effect = _decide(kept, criteria, facts, chosen is not None)
                if effect is not None:
                    chosen = rule, effect
                    self._forget_used_up(kept)
            elif not rule.enabled:
                why = Why.DISABLED
            traces.append(RuleTrace(rule.id, effect is not None, why, criteria))
        return *(chosen or (None, None)), tuple(traces)

    def _forget_used_up(self, kept: _Kept) -> None:
        """Calls that have looked at it already still count on `kept`, and find it used up."""
        if kept.fleeting and kept.acted == kept.rule.count:
            if self._kept.get(kept.rule.id) is kept:
                del self._kept[kept.rule.id]
            self._rank()

    def _keep(self, rule: Rule, *, fleeting: bool = False) -> Rule:
        self._serial += 1
        brought_seed = "seed" in rule.model_fields_set
        kept = _Kept(rule, self._serial, brought_seed, fleeting)
        self._give_seed(kept)
        self._kept[rule.id] = kept
        self._rank()
        return kept.rule

    def _give_seed(self, kept: _Kept) -> None:
        if self._seed is not None and not kept.brought_seed:
            kept.rule = kept.rule.model_copy(update={"seed": self._seeds.randrange(2**32)})

    def _rank(self) -> None:
        self._ranked = tuple(sorted(self._kept.values(), key=lambda kept: kept.rank))


def _decide(
    kept: _Kept, criteria: tuple[Criterion, ...], facts: Facts, outranked: bool
) -> tuple[tuple[Criterion, ...], Why, Effect | None]:
    """A rule whose other criteria hold: count the call, and see whether it acts."""
    rule = kept.rule
    if not rule.enabled:
        return criteria, Why.DISABLED, None
    key = rule.key_of(facts)
    counts = kept.of(key)
    counts.calls += 1
    attempt = rule.match.attempt_holds(counts.calls)
    if attempt is not None:
        criteria = (*criteria, attempt)
        if not attempt.hit:
            return criteria, Why.MISSED, None
    if outranked:
        return criteria, Why.OUTRANKED, None
    if rule.count is not None and counts.acted >= rule.count:
        return criteria, Why.USED_UP, None
    # From seed, key and number: concurrent calls about others do not change what is drawn.
    random = Random(f"{rule.seed} {key} {counts.calls}")  # noqa: S311 -- dice, no secret
    if random.random() >= rule.probability:
        return criteria, Why.SPARED, None
    effect = rule.answers[min(counts.acted, len(rule.answers) - 1)]
    counts.acted += 1
    kept.acted += 1
    return criteria, Why.ACTED, effect.drawn(random)
