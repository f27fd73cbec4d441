"""What is wrong with a value in the settings, in a line that says what would be right."""

import difflib
from collections.abc import Iterable, Iterator
from enum import Enum
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

import pydantic
from pydantic import BaseModel

from intyg.adapter.settings.toml_lines import Place

_NOT_TOLD: Final = "default_factory_not_called"  # follows from another fault


def faults_of(exc: pydantic.ValidationError, model: type[BaseModel]) -> Iterator[tuple[Place, str]]:
    """
    Each fault with its place in the settings; `()` where several values do not go together.

    Args:
        model: What the values were read into.
    """
    for error in exc.errors():
        if error["type"] != _NOT_TOLD:
            yield error["loc"], _text(error, model)


def _text(error: Any, model: type[BaseModel]) -> str:
    place: Place = error["loc"]
    name = ".".join(map(str, place)) or "settings"
    said = str(error["msg"]).removeprefix("Value error, ")
    match error["type"]:
        case "extra_forbidden":
            return f"{name} is no setting here{_nearest(place, model)}"
        case "missing":
            return f"{name} is missing{_values(_kind_at(place, model))}"
        case "enum":
            near = _close(str(error["input"]), _values_of(_kind_at(place, model)))
            return f"{name}: {said}{near}"
    return f"{name}: {said}"


def _nearest(place: Place, model: type[BaseModel]) -> str:
    """A field of this name in another part, or of nearly this name in the same one."""
    *outer, last = place
    name = str(last)
    here = _kind_at(tuple(outer), model)
    fields = _fields(here)
    elsewhere = [
        ".".join((*map(str, outer), part)) for part, kind in fields.items() if name in _fields(kind)
    ]
    if elsewhere:
        return f"; did you mean {' or '.join(f'{part}.{name}' for part in elsewhere)}?"
    return _close(name, fields, "".join(f"{part}." for part in outer))


def _close(name: str, known: Iterable[str], before: str = "") -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {before}{near[0]}?" if near else ""


def _values(kind: Any) -> str:
    """What a value may be, where that can be listed."""
    values = _values_of(kind)
    return f": give one of {', '.join(values)}" if values else ""


def _values_of(kind: Any) -> list[str]:
    is_enum = isinstance(kind, type) and issubclass(kind, Enum)
    return [str(each.value) for each in kind] if is_enum else []


def _fields(kind: Any) -> dict[str, Any]:
    """The fields of a part of the settings with their types; none where it is a value."""
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return {}
    return {name: _plain(field.annotation) for name, field in kind.model_fields.items()}


def _kind_at(place: Place, kind: Any) -> Any:
    """The type of what stands at a place; None where nothing may stand."""
    for part in place:
        if fields := _fields(kind):
            kind = fields.get(str(part))
        else:  # Mapping[str, …] or tuple[…, ...]
            inner = get_args(kind)
            kind = _plain(inner[0 if get_origin(kind) is tuple else -1]) if inner else None
    return kind


def _plain(kind: Any) -> Any:
    """A type without the None that it may be instead."""
    if get_origin(kind) not in (Union, UnionType):
        return kind
    others = [each for each in get_args(kind) if each is not type(None)]
    return others[0] if len(others) == 1 else kind
