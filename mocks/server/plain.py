"""An authority that takes its certificates and their revocations, and does no more."""

from intyg.mocks.server.authority import Authority
from intyg.mocks.server.kind import PersonaKind
from intyg.mocks.settings import MockSettings


def plain_authority(name: str, part: str) -> PersonaKind[Authority]:
    """
    All that there is to say of such an authority.

    Args:
        name: What it is called.
        part: Its code in `types:Part`: it takes the types whose recipient it is, at that logical
            address, and its trouble addresses begin with it.
    """
    return PersonaKind(MockSettings(name=name, logical_address=part, part=part), Authority)
