"""
Rules from YAML: a file holds a list of rules, or one.

    - text: Försäkringskassan asks for patience
      match: {agency: FKASSA, contract: RegisterCertificate, typ: LISJP}
      answers: [{kind: error, error_id: TECHNICAL_ERROR}, {kind: normal}]

A rule without an id is called after its file and place. Faults name file, line and field.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import yaml

from mocks.rules.model import AGENCIES, Rule, covers
from mocks.rules.parse import RuleError, parse_rule, rule_faults

SUFFIXES: Final = (".yaml", ".yml")


@dataclass(frozen=True)
class FileFault:
    """
    What is wrong in a file.

    Attributes:
        line: From 1; 0 where the file could not be read.
    """

    file: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


class RuleFilesError(ValueError):
    """Files with rules that could not act; the text has a line for each fault."""

    def __init__(self, faults: Sequence[FileFault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


class TakesRules(Protocol):
    """What is needed of a mock."""

    @property
    def part(self) -> str: ...

    @property
    def contracts_taken(self) -> Collection[str]: ...

    def add_rule(self, rule: Rule) -> Rule: ...


def read_rules(paths: Iterable[Path], allowed: Collection[str] = ()) -> tuple[Rule, ...]:
    """
    Every rule of some files and folders, in the order of their names.

    Args:
        paths: Files; or folders, whose `.yaml` and `.yml` files are read.
        allowed: As for `parse_rule`.

    Raises:
        RuleFilesError: Anything is wrong anywhere.
    """
    rules: list[Rule] = []
    faults: list[FileFault] = []
    seen: dict[str, Path] = {}
    for file in _files(paths):
        for item in _read_file(file, allowed):
            if isinstance(item, FileFault):
                faults.append(item)
            elif item.rule.id in seen:
                where = seen[item.rule.id]
                faults.append(FileFault(file, item.line, f"id: {item.rule.id} is in {where} too"))
            else:
                seen[item.rule.id] = file
                rules.append(item.rule)
    if faults:
        raise RuleFilesError(faults)
    return tuple(rules)


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
            mock.add_rule(rule)


def _is_about(rule: Rule, mock: TakesRules) -> bool:
    match = rule.match
    return mock.part in (match.agency or AGENCIES) and (
        match.contract is None
        or all(
            any(covers(wanted, key) for key in mock.contracts_taken) for wanted in match.contract
        )
    )


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.iterdir() if each.suffix in SUFFIXES)
        else:
            yield path


@dataclass(frozen=True)
class _Placed:
    rule: Rule
    line: int


def _read_file(file: Path, allowed: Collection[str]) -> Iterator[_Placed | FileFault]:
    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader)
        values: Any = None if root is None else _Values().construct_document(root)
    except OSError as exc:
        yield FileFault(file, 0, f"cannot be read: {exc.strerror}")
        return
    except UnicodeDecodeError:
        yield FileFault(file, 0, "is not UTF-8")
        return
    except yaml.MarkedYAMLError as exc:
        line = 0 if exc.problem_mark is None else exc.problem_mark.line + 1
        yield FileFault(file, line, f"is not YAML: {exc.problem}")
        return
    if root is None:
        return
    if isinstance(root, yaml.SequenceNode):
        pairs = list(zip(values, root.value, strict=True))
    else:
        pairs = [(values, root)]
    for place, (value, node) in enumerate(pairs, 1):
        yield from _read_rule(file, place, value, node, allowed)


def _read_rule(
    file: Path, place: int, value: Any, node: yaml.Node, allowed: Collection[str]
) -> Iterator[_Placed | FileFault]:
    if isinstance(value, Mapping):
        value = {"id": f"{file.stem}-{place}", **value}
    faults = rule_faults(value, allowed)
    for fault in faults:
        yield FileFault(file, _line(node, fault.field), str(fault))
    if not faults:
        yield _Placed(parse_rule(value, allowed), _line(node, ""))


def _line(node: yaml.Node, field: str) -> int:
    """The line of a field, or of what is nearest above it."""
    mark = node.start_mark
    for part in field.split(".") if field else ():
        found = _below(node, part)
        if found is None:
            break
        mark, node = found
    return mark.line + 1


def _below(node: yaml.Node, part: str) -> tuple[yaml.Mark, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key.start_mark, value
    elif isinstance(node, yaml.SequenceNode) and part.isdecimal() and int(part) < len(node.value):
        item = node.value[int(part)]
        return item.start_mark, item
    return None


class _Values(yaml.constructor.SafeConstructor):
    """As YAML has them, but a key that stands twice is a fault and not a choice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value} stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)
