"""Which units somebody works at: their own, and those under it, as the settings have them."""

from intyg.adapter.domain.hsa_id import hsa_key, same_hsa_id
from intyg.adapter.settings.settings import ConsoleSettings
from intyg.pages.session import Visitor


def units_under(settings: ConsoleSettings, unit: str | None) -> tuple[str, ...]:
    """HSA-ids of the units under one, as the settings have them; none where they say nothing."""
    found = (each for above, each in settings.units.items() if same_hsa_id(above, unit))
    return tuple(under for each in found for under in each.sub_units)


def keys_under(settings: ConsoleSettings, unit: str | None) -> frozenset[str]:
    """The same, as they are compared."""
    return frozenset(map(hsa_key, units_under(settings, unit)))


def works_at(who: Visitor, unit: str | None) -> bool:
    """Whether a unit is somebody's own, or under it."""
    return unit is not None and (same_hsa_id(unit, who.unit) or hsa_key(unit) in who.under)
