"""YAML whose faults can be told by line: what every reader of our YAML files begins with."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlError(Exception):
    """
    A file does not say what it should.

    Attributes:
        line: From 1; 0 where the file could not be read.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def read_text(file: Path) -> str:
    """A file's text; YamlError: it cannot be read, or is not UTF-8."""
    try:
        data = file.read_bytes()
        return data.decode("utf-8")
    except OSError as exc:
        raise YamlError(0, f"cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise YamlError(data.count(b"\n", 0, exc.start) + 1, "is not UTF-8") from exc


def compose(text: str) -> yaml.Node | None:
    """What a text holds, as nodes that know their places; None: nothing. YamlError: no YAML."""
    try:
        root: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as exc:
        last = text.count("\n") + 1  # libyaml has the end of a text in the line after it
        raise _not_yaml(exc, last) from exc
    except yaml.reader.ReaderError as exc:  # a character that YAML does not have
        line = text.count("\n", 0, exc.position) + 1
        raise YamlError(line, f"is not YAML: {exc.reason}") from exc
    return root


def value_of(node: yaml.Node) -> Any:
    """What a node stands for in Python. YamlError: a key stands twice, or the tag is none."""
    try:
        return _Values().construct_document(node)
    except yaml.MarkedYAMLError as exc:
        raise _not_yaml(exc) from exc


def line_of(node: yaml.Node) -> int:
    """Where a node begins, from 1."""
    return int(node.start_mark.line) + 1


def entries(node: yaml.MappingNode) -> Iterator[tuple[str, int, yaml.Node]]:
    """Each key of a mapping with its line and value. YamlError: one stands twice."""
    seen = set()
    for key, value in node.value:
        name = str(key.value)
        if name in seen:
            raise YamlError(line_of(key), f"the key {name!r} stands there twice")
        seen.add(name)
        yield name, line_of(key), value


def _not_yaml(exc: yaml.MarkedYAMLError, last: int | None = None) -> YamlError:
    mark = exc.problem_mark or exc.context_mark
    line = 1 if mark is None else int(mark.line) + 1
    return YamlError(line if last is None else min(line, last), f"is not YAML: {exc.problem}")


class _Values(yaml.constructor.SafeConstructor):
    """As YAML has them, but a key that stands twice is a fault and not a choice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        for _ in entries(node):
            pass
        return super().construct_mapping(node, deep)
