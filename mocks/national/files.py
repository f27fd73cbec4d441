"""Files with behaviour rules of the national mock service, as a file of rules of ours."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from intyg.mocks.national.behavior import BehaviorError, read_behaviors, rule_of
from intyg.mocks.rules.model import Rule
from intyg.mocks.rules.parse import rule_json

_SAID: Final = ("id", "match", "answers", "count")
"""Fields of a rule that an imported one needs; the others are as they are without being said."""

_NOT_IN_IDS: Final = re.compile(r"[^A-Za-z0-9._-]+")

_HEAD: Final = "# Behaviour rules of the national mock service, from {names}.\n"


def import_rules(files: Sequence[Path]) -> str:
    """
    The rules of files as YAML, in the form that `rules_dir` takes.

    Raises:
        OSError: A file cannot be read.
        BehaviorError: A rule is none; names the file and the how-manieth.
    """
    rules = [rule for file in files for rule in _rules(file)]
    text = yaml.safe_dump([_said(rule) for rule in rules], sort_keys=False, allow_unicode=True)
    return _HEAD.format(names=", ".join(file.name for file in files)) + text


def _rules(file: Path) -> list[Rule]:
    try:
        behaviors = read_behaviors(file.read_text("utf-8"))
        return [
            rule_of(behavior, f"{_NOT_IN_IDS.sub('-', file.stem)[:50]}-{place}")
            for place, behavior in enumerate(behaviors, 1)
        ]
    except ValueError as exc:
        raise BehaviorError(f"{file}: {exc}") from None


def _said(rule: Rule) -> dict[str, Any]:
    """The rule without what it would be anyway."""
    values = rule_json(rule)
    usual = {name: field.default for name, field in type(rule.answers[0]).model_fields.items()}
    answer = {
        name: value
        for name, value in values["answers"][0].items()
        if name == "kind" or value != usual[name]
    }
    said: dict[str, Any] = {name: values[name] for name in _SAID if name in values}
    return {**said, "answers": answer}
