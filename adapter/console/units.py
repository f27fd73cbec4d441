"""Which care unit a path of `/api` is about, and which units somebody works at.

Care sees and marks what is its own unit's, and what is of the units under that one.
"""

from collections.abc import Mapping

from intyg.adapter.domain.hsa_id import hsa_key, same_hsa_id
from intyg.adapter.settings.settings import ConsoleSettings
from intyg.adapter.store import Store
from intyg.pages.session import Visitor


def unit_of(store: Store, named: Mapping[str, str]) -> str | None:
    """
    The HSA-id of the unit that issued a certificate; None for everything else.

    Args:
        named: What the path names: `intygs_id`, or `meddelande_id` of a message about one.
    """
    with store.read() as rows:
        intygs_id = named.get("intygs_id")
        if meddelande_id := named.get("meddelande_id"):
            meddelande = rows.meddelanden.get(meddelande_id)
            intygs_id = meddelande.meddelande.intygs_id if meddelande else None
        stored = rows.intyg.get(intygs_id) if intygs_id else None
    return stored.intyg.skapad_av.enhet.enhets_id if stored else None


def units_under(settings: ConsoleSettings, unit: str | None) -> tuple[str, ...]:
    """HSA-ids of the units under one, as the settings have them; none where they say nothing."""
    return tuple(
        under for each in settings.units if same_hsa_id(each.unit, unit) for under in each.sub_units
    )


def keys_under(settings: ConsoleSettings, unit: str | None) -> frozenset[str]:
    """The same, as they are compared."""
    return frozenset(map(hsa_key, units_under(settings, unit)))


def works_at(who: Visitor, unit: str | None) -> bool:
    """Whether a unit is somebody's own, or under it."""
    return unit is not None and (same_hsa_id(unit, who.unit) or hsa_key(unit) in who.under)
