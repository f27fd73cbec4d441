"""What the contracts about receivers have in common: the type that they name."""

from intyg.adapter.flows.services import Services
from intyg.schemas.intyg_model import IntygType
from intyg.schemas.typefile.lookup import UnknownTypeError


def type_named(name: str, services: Services) -> IntygType | None:
    """The newest version of the type with a name of any kind, `LISJP` or `lisjp`; None without."""
    try:
        return services.types.lookup(name)
    except UnknownTypeError:
        return None
