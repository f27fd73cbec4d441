"""Which care unit a path of `/api` is about: care sees and marks what is its own units' alone."""

from collections.abc import Mapping

from intyg.adapter.store import Store


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
