"""Which settings are secrets, and which of them stand in a file."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pydantic
from pydantic import BaseModel

_DATABASE: Final = "database_url"


def secrets_of(settings: BaseModel) -> Iterator[str]:
    """Names of the settings that hold a secret, `destinations.fk.client_key_password`."""
    return (".".join(place) for place in _secrets(settings, ()))


def secrets_said(settings: BaseModel, values: Mapping[str, Any]) -> Iterator[str]:
    """
    Those of them that a file says, whatever wins over it.

    Args:
        values: What the file holds.
    """
    for place in _secrets(settings, ()):
        if _value(values, place) is not None:
            yield ".".join(place)
    if has_password(str(values.get(_DATABASE, ""))):
        yield _DATABASE


def has_password(database_url: str) -> bool:
    """Whether a database's address holds its password, before the host or behind the `?`."""
    try:
        parts = urlsplit(database_url)
    except ValueError:  # which the start says of it
        return False
    return parts.password is not None or "password" in parse_qs(parts.query)


def _secrets(value: object, place: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    match value:
        case pydantic.SecretStr():
            yield place
        case BaseModel():
            for name in type(value).model_fields:
                yield from _secrets(getattr(value, name), (*place, name))
        case Mapping():
            for name, part in value.items():
                yield from _secrets(part, (*place, str(name)))
        case tuple():
            for number, part in enumerate(value):
                yield from _secrets(part, (*place, str(number)))


def _value(values: Any, place: tuple[str, ...]) -> Any:
    for name in place:
        if isinstance(values, list):
            values = values[int(name)] if int(name) < len(values) else None
        else:
            values = values.get(name) if isinstance(values, Mapping) else None
    return values
