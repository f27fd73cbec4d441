"""Certificates that break one rule and nothing else, to see that the rule is checked.

Guided by what kind of check the rule is, an example is spoilt in one place; where that breaks other
rules too, the rest is repaired around it. Not every rule can be broken alone: what no search finds
is refused with the rules that broke with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from intyg.schemas.examples import values as intyg_values
from intyg.schemas.examples.draft import (
    Address,
    Code,
    Draft,
    DraftDelsvar,
    DraftSvar,
    Frame,
    Text,
    Value,
)
from intyg.schemas.examples.example import (
    ExampleError,
    Size,
    Workshop,
    seeded,
)
from intyg.schemas.finding import Finding, Severity
from intyg.schemas.intyg_model import Delsvar, Question, Rule
from intyg.schemas.rules.assertion import Assertion

UNKNOWN_SVAR: Final = "8001"
"""An id that no type uses."""

_BASES: Final = (
    (Size.FULL, 0),
    (Size.MINIMAL, 0),
    (Size.SOME, 0),
    (Size.FULL, 1),
    (Size.MINIMAL, 1),
    (Size.SOME, 1),
    (Size.SOME, 2),
)
_AT_RANDOM: Final = 50
_NEIGHBOURS: Final = 8
_REPAIRS: Final = 8
_SIDEWAYS: Final = 3
_TO_REPAIR: Final = 4
_MANY: Final = 20
"""A rule about so many questions and more is about all of them."""

_VALUE_FACETS: Final = frozenset(
    {"type", "system", "codes", "pattern", "code_length", "length", "days", "size", "unit"}
)


class Why(StrEnum):
    """Why a rule cannot be broken alone."""

    OTHERS = "others"  # whatever breaks it breaks others as well
    NEVER = "never"  # nothing was found that breaks it and that the contract allows


class CannotBreakError(ExampleError):
    """
    A rule is not broken alone.

    Attributes:
        also: The rules that broke with it in the best attempt.
    """

    def __init__(self, rule: str, why: Why, also: tuple[str, ...] = ()) -> None:
        text = (
            f"{rule} cannot be broken alone: {' and '.join(also)} broke with it"
            if why is Why.OTHERS
            else f"{rule} cannot be broken by a message that the contract allows"
        )
        super().__init__(text)
        self.rule = rule
        self.why = why
        self.also = also


def broken(workshop: Workshop, frame: Frame, rule: str, seed: int = 0) -> Draft:
    """
    A draft that breaks one rule.

    Args:
        workshop: Of the type.
        frame: Who and when.
        rule: Whole id, `FK7804/1/R21`.
        seed: Another one may give another draft.

    Raises:
        CannotBreakError: Other rules break with it, or nothing breaks it.
        KeyError: The type has no such rule.
    """
    assertions = [a for a in workshop.assertions if a.rule == rule]
    if not assertions:
        raise KeyError(rule)
    return _Breaker(workshop, frame, rule, assertions, seed).draft()


@dataclass(frozen=True)
class _Attempt:
    """A draft that breaks the rule, and how many others it breaks: errors, then warnings."""

    cost: tuple[int, int]
    draft: Draft
    also: tuple[Finding, ...]


class _Breaker:
    def __init__(
        self, workshop: Workshop, frame: Frame, rule: str, assertions: list[Assertion], seed: int
    ) -> None:
        self._shop = workshop
        self._frame = frame
        self._rule = rule
        self._assertions = assertions
        self._seed = seed
        self._rng = seeded(f"{rule}/{seed}")
        self._attempts: dict[frozenset[str], _Attempt] = {}
        self._repairs: dict[_Attempt, _Attempt] = {}
        self._nodes = workshop.concerns[rule]
        self._across = any(isinstance(assertion.node, Rule) for assertion in assertions)

    def draft(self) -> Draft:
        for stage in (self._plainly, self._at_random, self._from_neighbours):
            for spoilt in stage():
                attempt = self._tried(spoilt)
                if attempt and attempt.cost == (0, 0):
                    return attempt.draft
            fine = [one for one in self._cheapest() if self._repaired(one).cost[0] == 0]
            if fine:
                return self._repaired(fine[0]).draft
        if not self._attempts:
            raise CannotBreakError(self._rule, Why.NEVER)
        also = {f.rule for f in self._cheapest()[0].also if f.severity is Severity.ERROR}
        raise CannotBreakError(self._rule, Why.OTHERS, tuple(sorted(also)))

    def _tried(self, draft: Draft) -> _Attempt | None:
        findings = self._shop.findings(draft)
        if not any(finding.rule == self._rule for finding in findings):
            return None
        also = tuple(finding for finding in findings if finding.rule != self._rule)
        errors = sum(finding.severity is Severity.ERROR for finding in also)
        attempt = _Attempt((errors, len(also) - errors), draft, also)
        broken_too = frozenset(finding.rule for finding in also)
        before = self._attempts.get(broken_too)
        if before is None or attempt.cost < before.cost:
            self._attempts[broken_too] = attempt
        return attempt

    def _cheapest(self) -> list[_Attempt]:
        """The attempts that break the fewest others, no two of them the same others."""
        return sorted(self._attempts.values(), key=lambda one: one.cost)[:_TO_REPAIR]

    def _repaired(self, attempt: _Attempt) -> _Attempt:
        """The nearest draft that still breaks the rule and breaks fewer others."""
        if attempt not in self._repairs:
            self._repairs[attempt] = self._repair(attempt)
        return self._repairs[attempt]

    def _repair(self, attempt: _Attempt) -> _Attempt:
        seen = {attempt.draft}
        best = attempt
        for _ in range(_REPAIRS):
            if not attempt.also:
                return attempt
            rule = self._rng.choice(attempt.also).rule
            nodes = self._shop.concerns[rule]
            changes = self._shop.changes(attempt.draft, nodes, self._rng)
            tried = [self._tried(changed) for changed in changes if changed not in seen]
            better = [one for one in tried if one is not None]
            if not better:
                break
            attempt = min(better, key=lambda one: one.cost)
            seen.add(attempt.draft)
            if attempt.cost < best.cost:
                best = attempt
            elif len(seen) > _SIDEWAYS:
                break
        return best

    # --- what to spoil

    def _plainly(self) -> Iterator[Draft]:
        """Valid drafts with one thing wrong."""
        for base in self._bases():
            yield from self._all_spoilt(base)

    def _at_random(self) -> Iterator[Draft]:
        """Valid drafts with several answers changed that the rule is about."""
        for base in _BASES[:3] if self._across else ():
            for _ in range(_AT_RANDOM):
                yield self._shuffled(self._base(*base), odd=True)

    def _from_neighbours(self) -> Iterator[Draft]:
        """Valid drafts with other answers to what the rule is about, and one thing wrong."""
        for base in _BASES[:3] if self._across else ():
            for _ in range(_NEIGHBOURS):
                changed = self._shuffled(self._base(*base), odd=False)
                settled = self._shop.settled(changed, self._rng, repairs=6)
                if settled is not None:
                    yield from self._all_spoilt(settled)

    def _bases(self) -> Iterator[Draft]:
        """Valid drafts: some in which the rule applies, then others."""
        for assertion in self._assertions:
            if isinstance(assertion.node, Rule):
                yield from self._where_it_applies(self._base(*_BASES[0]), assertion.node)
        for size, seed in _BASES:
            yield self._base(size, seed)
        yield from self._with_questions(self._base(*_BASES[1]))

    def _with_questions(self, draft: Draft) -> Iterator[Draft]:
        """A small draft with one of the rule's questions added, with what it must hold."""
        for svar in dict.fromkeys(node.partition(".")[0] for node in self._nodes):
            if len(self._nodes) < _MANY and not draft.rows(svar):
                added = self._shop.added(draft, svar, self._rng)
                settled = self._shop.settled(added, self._rng, repairs=6, keep=True)
                if settled is not None:
                    yield settled

    def _shuffled(self, draft: Draft, *, odd: bool) -> Draft:
        """With other values, usual or odd ones, in about half of what the rule is about."""
        for node in self._nodes:
            svar = node.partition(".")[0]
            for number, at in enumerate(draft.rows(svar)):
                now = draft.svar[at].value(node)
                if now is None or self._rng.random() < 0.4:
                    continue
                part = self._shop.intyg_type.delsvar(node)
                usual = intyg_values.choices(self._question(svar), part, number, self._shop.today)
                values: list[Value | None] = [*usual]
                if odd:
                    values += [*usual, None, *self._odd(part, now, number, draft)]
                value = self._rng.choice(values)
                if value is not None or len(draft.svar[at].delsvar) > 1:
                    draft = self._shop.put(draft, at, node, value)
        return draft

    def _all_spoilt(self, draft: Draft) -> Iterator[Draft]:
        for assertion in self._assertions:
            yield from self._spoilt(draft, assertion)

    def _base(self, size: Size, seed: int) -> Draft:
        return self._shop.draft(self._frame, size, seed + self._seed)

    def _where_it_applies(self, base: Draft, rule: Rule) -> Iterator[Draft]:
        """Drafts with an answer that the rule says something about."""
        if rule.each is None or "." not in rule.each or not rule.is_:
            return
        svar = rule.each.partition(".")[0]
        rows = base.rows(svar)
        if not rows:
            base = self._shop.added(base, svar, self._rng)
            rows = base.rows(svar)
        for value in _values_of(self._shop, rule):
            changed = self._shop.put(base, rows[0], rule.each, value)
            settled = self._shop.settled(changed, self._rng, repairs=20, keep=True)
            if settled is not None:
                yield settled

    def _spoilt(self, draft: Draft, assertion: Assertion) -> Iterator[Draft]:
        node = assertion.node
        if isinstance(node, Rule):
            yield from self._shop.changes(draft, self._nodes, self._rng)
            for name in self._nodes:
                yield from self._spoilt_at(draft, name)
        elif isinstance(node, Question):
            yield from self._spoilt_question(draft, node, assertion.facet)
        elif isinstance(node, Delsvar):
            yield from self._spoilt_delsvar(draft, node, assertion.facet)
        elif assertion.facet == "svar_ids":
            part = DraftDelsvar(f"{UNKNOWN_SVAR}.1", Text("1"))
            yield draft.inserted(DraftSvar(UNKNOWN_SVAR, (part,)), self._shop.intyg_type)
        elif assertion.facet == "address":
            yield from _without_postal_codes(draft)
        else:
            yield from self._with_instans(draft, None, (0,))

    def _spoilt_at(self, draft: Draft, node: str) -> Iterator[Draft]:
        """Everything that can go wrong with one question, for rules across questions."""
        svar, dot, _ = node.partition(".")
        question = self._question(svar)
        if dot:
            part = self._shop.intyg_type.delsvar(node)
            yield from self._with_odd_values(draft, question, part)
            yield from self._repeated_part(draft, question, part)
        else:
            for facet in ("few", "many", "only"):
                yield from self._spoilt_question(draft, question, facet)
            for part in question.delsvar:
                if part.id.startswith("*"):
                    yield from self._with_odd_values(draft, question, part)
                    yield from self._repeated_part(draft, question, part)
        yield from self._with_instans(draft, svar, (0, 7, 1, None))

    def _spoilt_question(self, draft: Draft, question: Question, facet: str) -> Iterator[Draft]:
        svar, rows = question.svar, draft.rows(question.svar)
        if facet == "few":
            fewer = draft
            for at in reversed(rows):
                fewer = self._shop.dropped(fewer, at)
                yield fewer
        elif facet == "many":
            for whole in (False, True, False, True):
                yield self._many(draft, question, whole=whole)
            if rows:
                copy = draft.svar[rows[-1]]
                more = draft
                for _ in range((question.count.most or 1) + 1 - len(rows)):
                    more = more.inserted(copy, self._shop.intyg_type).numbered(question)
                yield more
                # rules that count instans may look at some of them only
                ones = [replace(row, instans=1) if row.id == svar else row for row in more.svar]
                yield replace(more, svar=tuple(ones))
        elif facet == "only":
            stray = DraftDelsvar(f"{svar}.99", Text("1"))
            for at in rows:
                row = draft.svar[at]
                yield draft.with_row(at, replace(row, delsvar=(*row.delsvar, stray)))
        else:
            yield from self._with_instans(draft, svar, (None,))

    def _many(self, draft: Draft, question: Question, *, whole: bool) -> Draft:
        """One svar more than there may be."""
        for _ in range((question.count.most or 1) + 1 - len(draft.rows(question.svar))):
            draft = self._shop.added(draft, question.svar, self._rng, whole=whole)
        return draft

    def _spoilt_delsvar(self, draft: Draft, part: Delsvar, facet: str) -> Iterator[Draft]:
        question = self._question(part.id.partition(".")[0])
        if facet in _VALUE_FACETS:
            yield from self._with_odd_values(draft, question, part)
        elif facet == "few":
            yield from self._without_part(draft, question, part)
        elif facet == "many":
            yield from self._repeated_part(draft, question, part)
        elif facet == "unique":
            for at in draft.rows(question.svar):
                yield draft.inserted(draft.svar[at], self._shop.intyg_type).numbered(question)
            yield from self._shop.changes(draft, [part.id], self._rng)
        else:
            yield from self._shop.changes(draft, [part.id], self._rng)
            yield from self._with_odd_values(draft, question, part)

    def _without_part(self, draft: Draft, question: Question, part: Delsvar) -> Iterator[Draft]:
        for at in draft.rows(question.svar):
            row = draft.svar[at]
            left = tuple(other for other in row.delsvar if other.id != part.id)
            if left:
                yield draft.with_row(at, replace(row, delsvar=left))
            # a svar must hold something: an optional delsvar, or one that does not exist
            for other in question.delsvar:
                if other is not part and not left:
                    spare = self._shop.part(question, other, 0, self._rng)
                    yield draft.with_row(at, replace(row, delsvar=(spare,)))
            if not left:
                stray = DraftDelsvar(f"{question.svar}.99", Text("1"))
                yield draft.with_row(at, replace(row, delsvar=(stray,)))

    def _repeated_part(self, draft: Draft, question: Question, part: Delsvar) -> Iterator[Draft]:
        node = part.id.replace("*", question.svar)
        for at in draft.rows(question.svar):
            row = draft.svar[at]
            same = [other for other in row.delsvar if other.id == node]
            if same:
                more = [same[0]] * ((part.count.most or 1) + 1 - len(same))
                yield draft.with_row(at, replace(row, delsvar=(*row.delsvar, *more)))

    def _with_odd_values(self, draft: Draft, question: Question, part: Delsvar) -> Iterator[Draft]:
        node = part.id.replace("*", question.svar)
        for number, at in enumerate(draft.rows(question.svar)):
            now = draft.svar[at].value(node)
            if now is not None:
                for value in self._odd(part, now, number, draft):
                    yield self._shop.put(draft, at, node, value)

    def _odd(self, part: Delsvar, now: Value, number: int, draft: Draft) -> Sequence[Value]:
        return intyg_values.odd(part, now, number, self._shop.today, draft.frame.born)

    def _with_instans(
        self, draft: Draft, svar: str | None, numbers: tuple[int | None, ...]
    ) -> Iterator[Draft]:
        for at, row in enumerate(draft.svar):
            if svar in (None, row.id):
                for number in numbers:
                    if number != row.instans:
                        yield draft.with_row(at, replace(row, instans=number))

    def _question(self, svar: str) -> Question:
        return self._shop.intyg_type.question(svar)


def _values_of(workshop: Workshop, rule: Rule) -> Iterator[Value]:
    """The values that a rule's `is` picks."""
    assert rule.each is not None
    if rule.is_ in (("yes",), ("no",)):
        yield Text("true" if rule.is_ == ("yes",) else "false")
        return
    question = workshop.intyg_type.question(rule.each.partition(".")[0])
    part = workshop.intyg_type.delsvar(rule.each)
    for value in intyg_values.choices(question, part, 0, workshop.today):
        if isinstance(value, Code) and value.code in rule.is_:
            yield value


def _without_postal_codes(draft: Draft) -> Iterator[Draft]:
    frame = draft.frame
    unit = replace(frame.unit_address, postnummer="")
    yield replace(draft, frame=replace(frame, unit_address=unit))
    if frame.patient != Address():
        patient = replace(frame.patient, postnummer="")
        yield replace(draft, frame=replace(frame, patient=patient))
