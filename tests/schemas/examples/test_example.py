"""Every type has examples, and nobody finds anything wrong with them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from intyg.schemas import codes
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.examples.draft import Parent, request_bytes
from intyg.schemas.examples.example import Size, example
from intyg.schemas.intyg_model import IntygType
from tests import strategies
from tests.strategies import (
    SIGNED_AT,
    TODAY,
    TYPES,
    all_types,
)

EVERY_TYPE = pytest.mark.parametrize("intyg_type", all_types(), ids=lambda t: t.key)


def faults(data: bytes, contracts: Contracts, intyg_type: IntygType) -> list[str]:
    request = etree.fromstring(data)
    found = contracts.check(contracts.get("RegisterCertificate", 3), request)
    found += TYPES.check(intyg_type, request[-1], today=TODAY)
    return [f"{finding.rule} {finding.xpath} {finding.message}" for finding in found]


@EVERY_TYPE
@pytest.mark.parametrize("size", Size)
def test_example_follows_contract_and_rules(
    intyg_type: IntygType, size: Size, contracts: Contracts
) -> None:
    for seed in (0, 1):
        request = example(intyg_type, signed_at=SIGNED_AT, size=size, seed=seed)
        assert faults(request_bytes(request), contracts, intyg_type) == []


@EVERY_TYPE
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_generated_certificate_follows_contract_and_rules(
    data: st.DataObject, intyg_type: IntygType, contracts: Contracts
) -> None:
    request = data.draw(strategies.requests(intyg_type))
    assert faults(request, contracts, intyg_type) == []


@pytest.mark.parametrize("svar_pa", [None, "question-1"])
def test_an_example_may_follow_an_older_certificate(svar_pa: str | None) -> None:
    intyg_type = TYPES.lookup("FK7804", "1")
    parent = Parent("KOMPLT", "old-1", svar_pa)
    request = example(intyg_type, signed_at=SIGNED_AT, size=Size.MINIMAL, parent=parent)
    relation = request[-1].find("{*}relation")
    assert relation is not None
    unit = request[-1].findtext("{*}intygs-id/{*}root")
    assert [each.text for each in relation.iter() if len(each) == 0] == [
        "KOMPLT",
        codes.RELATION_SYSTEM,
        unit,
        "old-1",
    ]
    assert request.findtext("{*}svarPa/{*}meddelande-id") == svar_pa
