"""What the tests of the contracts share."""

import time
from collections.abc import Iterator

import pytest
from lxml import etree

from intyg.schemas.contract.contract import Contract, Contracts
from tests.schemas import samples


@pytest.fixture(scope="session")
def contracts() -> Contracts:
    return Contracts()


@pytest.fixture(params=["UTC0", "CET-1", "EST5", "LINT-14"])
def zone_of_machine(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The time zone of this process, one after the other, as POSIX writes it."""
    with monkeypatch.context() as changed:
        changed.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


def element_in_envelope(contract: Contract, text: str | None = None) -> etree._Element:
    """A request element in a SOAP envelope; the contract's sample when no text is given."""
    body = samples.request(contract) if text is None else text
    envelope = etree.fromstring((samples.ENVELOPE % body).encode())
    return envelope[1][0]
