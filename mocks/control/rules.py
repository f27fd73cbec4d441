"""Behaviour rules over HTTP: add, look at, change, remove; and the seed of their dice."""

import json
from typing import Any, Final, Protocol

from pydantic import Field

from intyg.mocks.control.operation import (
    Answered,
    Asked,
    Done,
    FieldFault,
    Operation,
    ProblemError,
)
from intyg.mocks.rules.answers import Effect
from intyg.mocks.rules.book import RuleBook
from intyg.mocks.rules.model import Rule
from intyg.mocks.rules.parse import (
    RuleError,
    parse_rule,
    rule_faults,
    rule_json,
)
from intyg.mocks.settings import MockSettings

_GROUP: Final = "Rules"


class TakesRules(Protocol):
    """What has rules."""

    @property
    def book(self) -> RuleBook:
        """The rules."""

    def add(self, rule: Rule) -> Rule:
        """Take a rule."""

    def put(self, rule: Rule) -> Rule:
        """Take a rule, in place of the one of its id if there is one."""

    def fail_next(
        self,
        effect: Effect,
        contract: str | None = None,
        *,
        count: int = 1,
        intygs_id: str | None = None,
    ) -> Rule:
        """Make coming calls fail."""


class HasRules(Protocol):
    """A mock, as far as its rules go."""

    @property
    def settings(self) -> MockSettings:
        """What it was told."""

    @property
    def rules(self) -> TakesRules:
        """Its rules."""


class RuleState(Answered):
    """A rule, and what it has done."""

    id: str
    acted: int = Field(description="how often it has acted")
    rule: dict[str, Any] = Field(description="as it can be sent again, its seed included")


class Rules(Answered):
    """In the order in which they are asked."""

    rules: tuple[RuleState, ...]


class Switch(Asked):
    """Whether a rule acts."""

    enabled: bool


class Seed(Asked):
    """What rules get their seeds from that bring none."""

    seed: int = Field(ge=0, lt=2**63)


class SeedState(Answered):
    """What rules get their seeds from that bring none; null: each draws its own."""

    seed: int | None


def list_rules(mock: HasRules) -> Rules:
    """The rules, in the order in which they are asked."""
    return Rules(rules=tuple(_state(mock, rule) for rule in mock.rules.book.all()))


def get_rule(mock: HasRules, rule_id: str) -> RuleState:
    """One rule."""
    return _state(mock, _rule(mock, rule_id))


def add_rule(mock: HasRules, body: Rule) -> RuleState:
    """
    Add a rule.

    It is the newest, and acts from the next call on. An id that there is already is 409.
    """
    if body.id in {each.id for each in mock.rules.book.all()}:
        raise ProblemError.of_field("id", f"there is a rule {body.id}", 409)
    try:
        return _state(mock, mock.rules.add(body))
    except RuleError as exc:
        raise _problem([exc]) from None


def put_rule(mock: HasRules, rule_id: str, body: Rule) -> RuleState:
    """
    Add a rule under this id, or replace the one that has it.

    It is the newest then, and has not acted yet.
    """
    if "id" in body.model_fields_set and body.id != rule_id:
        raise ProblemError.of_field("id", f"is not the {rule_id} of the path")
    try:
        return _state(mock, mock.rules.put(body.model_copy(update={"id": rule_id})))
    except RuleError as exc:
        raise _problem([exc]) from None


def switch_rule(mock: HasRules, rule_id: str, body: Switch) -> RuleState:
    """Let a rule act, or not; what it has done stays."""
    _rule(mock, rule_id)
    return _state(mock, mock.rules.book.switch(rule_id, enabled=body.enabled))


def remove_rule(mock: HasRules, rule_id: str) -> Done:
    """Remove a rule."""
    _rule(mock, rule_id)
    mock.rules.book.remove(rule_id)
    return Done()


def remove_rules(mock: HasRules) -> Done:
    """Remove every rule, and forget what was counted."""
    mock.rules.book.clear()
    return Done()


def get_seed(mock: HasRules) -> SeedState:
    """The seed of the rules' dice."""
    return SeedState(seed=mock.rules.book.seed)


def set_seed(mock: HasRules, body: Seed) -> SeedState:
    """
    Throw the rules' dice anew.

    From now on, and after each reset, rules that bring no seed get theirs from this one, in the
    order in which they are added: the same calls have the same luck again.
    """
    mock.rules.book.reseed(body.seed)
    return get_seed(mock)


def read_rule(mock: HasRules, data: bytes) -> Rule:
    """
    A rule from a request body.

    Raises:
        ProblemError: Everything that is wrong with it, field by field.
    """
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        raise ProblemError(400, "the body is not JSON") from None
    allowed = mock.settings.pass_through_to
    try:
        return parse_rule(values, allowed)
    except RuleError:
        raise _problem(rule_faults(values, allowed)) from None


def operations() -> tuple[Operation, ...]:
    """What can be done with rules."""
    return (
        Operation("GET", "/rules", list_rules, _GROUP),
        Operation("POST", "/rules", add_rule, _GROUP, status=201, read=read_rule),
        Operation("DELETE", "/rules", remove_rules, _GROUP),
        Operation("GET", "/rules/<rule_id>", get_rule, _GROUP),
        Operation("PUT", "/rules/<rule_id>", put_rule, _GROUP, read=read_rule),
        Operation("PUT", "/rules/<rule_id>/enabled", switch_rule, _GROUP),
        Operation("DELETE", "/rules/<rule_id>", remove_rule, _GROUP),
        Operation("GET", "/seed", get_seed, _GROUP),
        Operation("PUT", "/seed", set_seed, _GROUP),
    )


def _rule(mock: HasRules, rule_id: str) -> Rule:
    try:
        return mock.rules.book.get(rule_id)
    except KeyError:
        known = (each.id for each in mock.rules.book.all())
        raise ProblemError.unknown("rule", rule_id, known) from None


def _state(mock: HasRules, rule: Rule) -> RuleState:
    try:
        acted = mock.rules.book.acted(rule.id)
    except KeyError:  # removed meanwhile
        acted = 0
    return RuleState(id=rule.id, acted=acted, rule=rule_json(rule))


def _problem(faults: list[RuleError]) -> ProblemError:
    text = "; ".join(str(each) for each in faults)
    return ProblemError(400, text, [FieldFault(field=e.field, detail=e.text) for e in faults])
