"""What the tests of the contracts share."""

import pytest
from lxml import etree

from schemas.contract import Contract, Contracts
from tests.schemas import samples


@pytest.fixture(scope="session")
def contracts() -> Contracts:
    return Contracts()


def element_in_envelope(contract: Contract, text: str | None = None) -> etree._Element:
    """A request element in a SOAP envelope; the contract's sample when no text is given."""
    body = samples.request(contract) if text is None else text
    envelope = etree.fromstring((samples.ENVELOPE % body).encode())
    return envelope[1][0]
