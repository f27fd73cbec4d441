from collections.abc import Iterator

import pytest

from intyg.schemas.contract.contract import Contracts
from tests.mocks.rules.callers import ZeepCaller


@pytest.fixture(scope="session")
def by_zeep(contracts: Contracts) -> Iterator[ZeepCaller]:
    caller = ZeepCaller(contracts)
    yield caller
    caller.close()
