"""YAML files whose faults can be told by line: a file holds a list of things, or one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

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


class FilesError(ValueError):
    """Files with something that cannot act; the text has a line for each fault."""

    def __init__(self, faults: Iterable[FileFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


@dataclass(frozen=True)
class Item:
    """
    One of the things in a file.

    Attributes:
        place: Which, from 1.
    """

    file: Path
    place: int
    value: Any
    node: yaml.Node = field(repr=False)

    @property
    def name(self) -> str:
        """For one that says none itself: the file's, with its place."""
        return f"{self.file.stem}-{self.place}"

    def fault(self, where: str, text: str) -> FileFault:
        """What is wrong at a field (`answers.0.kind`; empty: the whole)."""
        return FileFault(self.file, self._line(where), text)

    def _line(self, where: str) -> int:
        """The line of a field, or of what is nearest above it."""
        mark, node = self.node.start_mark, self.node
        for part in where.split(".") if where else ():
            found = _below(node, part)
            if found is None:
                break
            mark, node = found
        return mark.line + 1


def yaml_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Files as they are, and the YAML files of folders in the order of their names."""
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.iterdir() if each.suffix in SUFFIXES)
        else:
            yield path


def read_items(file: Path) -> list[Item]:
    """
    What a file holds.

    Raises:
        FilesError: It cannot be read, or is not YAML.
    """
    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader)
        values: Any = None if root is None else _Values().construct_document(root)
    except OSError as exc:
        raise FilesError([FileFault(file, 0, f"cannot be read: {exc.strerror}")]) from None
    except UnicodeDecodeError:
        raise FilesError([FileFault(file, 0, "is not UTF-8")]) from None
    except yaml.MarkedYAMLError as exc:
        line = 0 if exc.problem_mark is None else exc.problem_mark.line + 1
        raise FilesError([FileFault(file, line, f"is not YAML: {exc.problem}")]) from None
    except yaml.YAMLError:
        raise FilesError([FileFault(file, 0, "is not YAML")]) from None
    if root is None:
        return []
    if not isinstance(root, yaml.SequenceNode):
        return [Item(file, 1, values, root)]
    pairs = zip(values, root.value, strict=True)
    return [Item(file, place, value, node) for place, (value, node) in enumerate(pairs, 1)]


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
