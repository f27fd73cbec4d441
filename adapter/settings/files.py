"""Reading TOML: `routes_file` with destinations, routes and permissions, and what went wrong."""

import os
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import pydantic
from pydantic import BaseModel

from intyg.adapter.settings.routing import RoutingSettings

_Model = TypeVar("_Model", bound=BaseModel)


class TomlFileError(Exception):
    """A file cannot be used; the text names it, and every field that is wrong."""


def read_toml(path: Path) -> dict[str, Any]:
    """
    Read a TOML file.

    Raises:
        TomlFileError: It cannot be read, or is none.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise TomlFileError(f"{path}: {exc}") from exc


def read_routing(path: Path) -> RoutingSettings:
    """
    Read a file of destinations, routes and permissions; relative paths are from its folder.

    Raises:
        TomlFileError: It cannot be read, or a value is missing, unknown or wrong. Whether the rows
            fit together is another question: `RoutingSettings.faults`.
    """
    values = read_toml(path)
    try:
        return anchored(RoutingSettings(**values), path.parent)
    except pydantic.ValidationError as exc:
        raise TomlFileError(f"{path}: {fault_text(exc)}") from exc


def fault_text(exc: pydantic.ValidationError) -> str:
    """Every field that is wrong, with why, on one line."""
    return "; ".join(
        f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in exc.errors()
    )


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
