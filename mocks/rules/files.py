"""
Rules from YAML: a file holds a list of rules, or one.

    - text: Försäkringskassan asks for patience
      match: {agency: FKASSA, contract: RegisterCertificate, typ: LISJP}
      answers: [{kind: error, error_id: TECHNICAL_ERROR}, {kind: normal}]

A rule without an id is called after its file and place. Faults name file, line and field.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Protocol

from intyg.mocks.rules.model import AGENCIES, Rule, covers
from intyg.mocks.rules.parse import RuleError, parse_rule, rule_faults
from intyg.mocks.rules.type_codes import ANY_TYPE, TypeCodes
from intyg.mocks.yaml_file import (
    FileFault,
    FilesError,
    Item,
    read_items,
    yaml_files,
)


class TakesRules(Protocol):
    """What has the rules of a mock."""

    @property
    def part(self) -> str: ...

    @property
    def contracts_taken(self) -> Collection[str]: ...

    def add(self, rule: Rule) -> Rule: ...


def read_rules(
    paths: Iterable[Path], allowed: Collection[str] = (), codes: TypeCodes = ANY_TYPE
) -> tuple[Rule, ...]:
    """
    Every rule of some files and folders, in the order of their names.

    Args:
        paths: Files; or folders, whose `.yaml` and `.yml` files are read.
        allowed: As for `parse_rule`.
        codes: What `typ` may be.

    Raises:
        FilesError: Anything is wrong anywhere.
    """
    rules: list[Rule] = []
    faults: list[FileFault] = []
    seen: dict[str, Path] = {}
    for file in yaml_files(paths):
        try:
            items = read_items(file)
        except FilesError as exc:
            faults += exc.faults
            continue
        for item in items:
            value = _named(item)
            wrong = rule_faults(value, allowed)
            faults += [item.fault(each.field, str(each)) for each in wrong]
            if wrong:
                continue
            rule = parse_rule(value, allowed)
            faults += [
                item.fault("match.typ", f"match.typ: {text}")
                for text in codes.faults(rule.match.typ)
            ]
            if rule.id in seen:
                faults.append(item.fault("", f"id: {rule.id} is in {seen[rule.id]} too"))
            else:
                seen[rule.id] = file
                rules.append(rule)
    if faults:
        raise FilesError(faults)
    return tuple(rules)


def _named(item: Item) -> object:
    value = item.value
    return {"id": item.name, **value} if isinstance(value, Mapping) else value


def give_rules(rules: Iterable[Rule], mocks: Collection[TakesRules]) -> None:
    """
    Give each rule to the mocks that it is about.

    Raises:
        RuleError: It is about none, or could not act there.
    """
    for rule in rules:
        takers = [mock for mock in mocks if _is_about(rule, mock)]
        if not takers:
            raise RuleError("match", f"no mock takes what rule {rule.id} asks for")
        for mock in takers:
            try:
                mock.add(rule)
            except RuleError as exc:
                raise RuleError(exc.field, f"{exc.text} (rule {rule.id})") from None


def _is_about(rule: Rule, mock: TakesRules) -> bool:
    match = rule.match
    taken, contracts = mock.contracts_taken, match.contract or ()
    is_taken = all(any(covers(wanted, key) for key in taken) for wanted in contracts)
    return mock.part in (match.agency or AGENCIES) and is_taken
