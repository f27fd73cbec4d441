"""YAML files whose faults can be told by line: a file holds a list of things, or one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from intyg.schemas.yaml_file import YamlError, compose, entries, line_of, read_text, value_of

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
        line, node = line_of(self.node), self.node
        for part in where.split("."):
            found = _below(node, part)
            if found is None:
                break
            line, node = found
        return line


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
        root = compose(read_text(file))
        values: Any = None if root is None else value_of(root)
    except YamlError as exc:
        raise FilesError([FileFault(file, exc.line, exc.reason)]) from None
    if root is None:
        return []
    if not isinstance(root, yaml.SequenceNode):
        return [Item(file, 1, values, root)]
    pairs = zip(values, root.value, strict=True)
    return [Item(file, place, value, node) for place, (value, node) in enumerate(pairs, 1)]


def _below(node: yaml.Node, part: str) -> tuple[int, yaml.Node] | None:
    """What stands at a key, or a place in a list, and in which line."""
    if isinstance(node, yaml.MappingNode):
        return next(((line, value) for key, line, value in entries(node) if key == part), None)
    if isinstance(node, yaml.SequenceNode) and part.isdecimal() and int(part) < len(node.value):
        item = node.value[int(part)]
        return line_of(item), item
    return None
