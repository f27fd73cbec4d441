"""Rules from JSON and to JSON, with errors that name the field and what is near."""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from intyg.mocks.rules.answers import (
    DELAYS,
    EFFECTS,
    PassThrough,
    kinds,
)
from intyg.mocks.rules.model import (
    Match,
    Rule,
    Span,
    unknown,
)


class RuleError(ValueError):
    """
    A rule that cannot act.

    Attributes:
        field: Where, `answers.0.error_id`; empty for the rule as a whole.
        text: What is wrong, without the field.
    """

    def __init__(self, field: str, text: str) -> None:
        super().__init__(f"{field}: {text}" if field else text)
        self.field = field
        self.text = text


def parse_rule(values: object, allowed: Collection[str] = ()) -> Rule:
    """
    Read a rule.

    Args:
        values: What JSON or YAML gave.
        allowed: Base addresses beyond loopback that calls may be passed through to.

    Raises:
        RuleError: It could not act; the first fault, see `rule_faults` for all.
    """
    rule, faults = _read(values, allowed)
    if rule is None:
        raise faults[0]
    return rule


def rule_faults(values: object, allowed: Collection[str] = ()) -> list[RuleError]:
    """Everything that is wrong with a rule; empty when it can act."""
    return _read(values, allowed)[1]


def rule_json(rule: Rule) -> dict[str, Any]:
    """As `parse_rule` reads it; what is not set is left out."""
    return rule.model_dump(mode="json", exclude_none=True)


def rule_schema() -> dict[str, Any]:
    """The JSON Schema of rules."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Rule.model_json_schema(),
    }


def check_passing(rule: Rule, allowed: Collection[str]) -> RuleError | None:
    """Whether calls would be passed to where they must not go."""
    for place, effect in enumerate(rule.answers):
        if isinstance(effect, PassThrough) and not may_pass(effect, allowed):
            return RuleError(
                f"answers.{place}.url",
                f"{effect.url} is neither on loopback nor allowed in the mock's settings",
            )
    return None


def may_pass(effect: PassThrough, allowed: Collection[str]) -> bool:
    """Loopback, or exactly an address that the settings allow."""
    return effect.on_loopback or effect.url.rstrip("/") in {each.rstrip("/") for each in allowed}


def _read(values: object, allowed: Collection[str]) -> tuple[Rule | None, list[RuleError]]:
    if not isinstance(values, Mapping):
        return None, [RuleError("", "a rule is an object")]
    try:
        rule = Rule.model_validate(values)
    except ValidationError as exc:
        return None, [_in_words(each, values) for each in exc.errors(include_url=False)]
    fault = check_passing(rule, allowed)
    return (rule, []) if fault is None else (None, [fault])


# --- pydantic's errors in our words ---------------------------------------------------------------


def _in_words(error: ErrorDetails, values: Mapping[str, Any]) -> RuleError:
    context = error.get("ctx", {})
    field = _field(error["loc"], values)
    match error["type"]:
        case "extra_forbidden":
            name = str(error["loc"][-1])
            return RuleError(field, unknown(name, _fields_beside(error["loc"])))
        case "union_tag_not_found":
            return RuleError(_below(field, "kind"), "missing")
        case "union_tag_invalid":
            expected = _quoted(context["expected_tags"])
            return RuleError(_below(field, "kind"), unknown(str(context["tag"]), expected))
        case "enum" | "literal_error":
            return RuleError(field, unknown(str(error["input"]), _quoted(context["expected"])))
        case "missing":
            return RuleError(field, "missing")
        case "string_type" | "tuple_type":
            return RuleError(field, "must be a text; a number goes in quotes")
        case "value_error":
            return RuleError(field, str(context["error"]))
        case _:
            return RuleError(field, error["msg"][:1].lower() + error["msg"][1:])


def _field(loc: tuple[int | str, ...], values: Any) -> str:
    """The path as the rule's author knows it: without pydantic's names of alternatives."""
    path: list[str] = []
    here = values
    for part in loc:
        if isinstance(here, Mapping) and part not in here and part == here.get("kind"):
            continue
        if isinstance(part, int) and not isinstance(here, list | tuple):
            continue  # a single one that stands without its list
        path.append(str(part))
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            here = None
    return ".".join(path)


_MODELS: Final = kinds(*EFFECTS, *DELAYS)


def _fields_beside(loc: tuple[int | str, ...]) -> list[str]:
    """The fields that there are where an unknown one stands."""
    model: type[BaseModel] = Rule
    for part in loc[:-1]:
        if part == "match":
            model = Match
        elif part == "attempt":
            model = Span
        elif isinstance(part, str):
            model = _MODELS.get(part, model)
    return list(model.model_fields)


def _below(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def _quoted(text: str) -> list[str]:
    return re.findall(r"'([^']*)'", text)
