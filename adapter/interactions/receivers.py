"""What the contracts about receivers have in common: the type that they name."""

from adapter.parts import Parts
from schemas.intyg_model import IntygType
from schemas.intyg_type import UnknownTypeError


def type_named(name: str, parts: Parts) -> IntygType | None:
    """The newest version of the type with a name of any kind, `LISJP` or `lisjp`; None without."""
    try:
        return parts.types.lookup(name)
    except UnknownTypeError:
        return None
