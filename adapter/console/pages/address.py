"""The fields of a page's address: read from one, and written into the next."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode


def address(path: str, fields: Mapping[str, object]) -> str:
    """A path with fields; those that are None or '' say nothing, and are left out."""
    kept = {name: value for name, value in fields.items() if value not in (None, "")}
    return f"{path}?{urlencode(kept)}" if kept else path


def said(given: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """The fields of these names that say something."""
    return {name: value for name in names if (value := given.get(name, "").strip())}
