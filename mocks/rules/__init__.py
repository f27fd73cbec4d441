"""
Behaviour rules: which calls a mock answers otherwise than it would by itself, and how.

    answers   the kinds of effect, as data
    model     a rule, and what it asks of a call
    parse     rules from JSON, with errors that name the field
    book      the rules of a mock; which one acts
    trouble   addresses that misbehave in known ways, without any rule
    effects   how an effect is carried out on the wire
    files     rules from YAML
"""

from intyg.mocks.rules.book import RuleBook
from intyg.mocks.rules.facts import Facts
from intyg.mocks.rules.model import Match, Rule
from intyg.mocks.rules.parse import (
    RuleError,
    parse_rule,
    rule_faults,
    rule_json,
    rule_schema,
)
from intyg.mocks.rules.trace import Criterion, RuleTrace, Why

__all__ = [
    "Criterion",
    "Facts",
    "Match",
    "Rule",
    "RuleBook",
    "RuleError",
    "RuleTrace",
    "Why",
    "parse_rule",
    "rule_faults",
    "rule_json",
    "rule_schema",
]
