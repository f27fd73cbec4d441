"""Reading TOML: `routes_file` with destinations, routes and permissions, and what went wrong."""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import pydantic
from pydantic import BaseModel

from intyg.adapter.settings.field_faults import faults_of
from intyg.adapter.settings.routing import RoutingSettings
from intyg.adapter.settings.toml_lines import Place, TomlLines

_Model = TypeVar("_Model", bound=BaseModel)

_WHERE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")


class TomlFileError(Exception):
    """
    A file cannot be used; the text names it, and every field that is wrong on a line of its own.

    Attributes:
        reason: The same without the file and its line.
        line: Where it is no TOML, from 1; None where it cannot be read.
    """

    def __init__(self, text: str, reason: str = "", line: int | None = None) -> None:
        super().__init__(text)
        self.reason = reason or text
        self.line = line


@dataclass(frozen=True)
class TomlFile:
    """A file that is TOML."""

    path: Path
    values: dict[str, Any]
    lines: TomlLines

    def at(self, place: Place) -> str:
        """`adapter.toml:12`; the file alone where the line cannot be told."""
        line = self.lines.line(place)
        return f"{self.path}:{line}" if line else str(self.path)


def open_toml(path: Path) -> TomlFile:
    """
    Read a TOML file.

    Raises:
        TomlFileError: It cannot be read, or is none.
    """
    try:
        text = path.read_bytes().decode("utf-8")
        return TomlFile(path, tomllib.loads(text), TomlLines(text))
    except OSError as exc:
        raise _unread(path, str(exc.strerror)) from exc
    except UnicodeDecodeError as exc:
        raise _unread(path, "not UTF-8 text") from exc
    except tomllib.TOMLDecodeError as exc:
        where = _WHERE.search(str(exc))
        last = text.rstrip().count("\n") + 1
        line = int(where[1]) if where and where[1] else last
        reason = f"not TOML: {_WHERE.sub('', str(exc))}"
        raise TomlFileError(f"{path}:{line}: {reason}", reason, line) from exc


def _unread(path: Path, reason: str) -> TomlFileError:
    return TomlFileError(f"{path}: {reason}", reason)


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file holds. Raises TomlFileError, as `open_toml`."""
    return open_toml(path).values


def read_routing(path: Path) -> RoutingSettings:
    """
    Read a file of destinations, routes and permissions; relative paths are from its folder.

    Raises:
        TomlFileError: It cannot be read, or a value is missing, unknown or wrong. Whether the rows
            fit together is another question: `RoutingSettings.faults`.
    """
    file = open_toml(path)
    try:
        return anchored(RoutingSettings(**file.values), path.parent)
    except pydantic.ValidationError as exc:
        faults = faults_of(exc, RoutingSettings)
        raise TomlFileError("\n".join(f"{file.at(at)}: {text}" for at, text in faults)) from exc


def anchored(model: _Model, folder: Path) -> _Model:
    """The same settings with every relative path made relative to a folder."""

    def walk(value: Any) -> Any:
        if isinstance(value, Path):
            return Path(os.path.normpath(folder / value))
        if isinstance(value, tuple):
            return tuple(walk(item) for item in value)
        if isinstance(value, dict):
            return {name: walk(item) for name, item in value.items()}
        if isinstance(value, BaseModel):
            fields = {name: walk(getattr(value, name)) for name in type(value).model_fields}
            return value.model_copy(update=fields)
        return value

    result: _Model = walk(model)
    return result
