"""Values of sub-answers in another namespace than theirs, as toolkits write them."""

from datetime import UTC, datetime
from typing import Final

import pytest
from lxml import etree

from intyg.schemas import ns
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.examples.example import example
from intyg.schemas.typefile.lookup import IntygTypes

SIGNED_AT: Final = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
REGISTER: Final = ns.message("RegisterCertificate", 3)


def _astray(value: str, namespace: str | None) -> etree._Element:
    """A certificate whose first such value is in another namespace, with what is in it."""
    request = example(IntygTypes().find("LISJP", "2.0"), signed_at=SIGNED_AT)
    first = request.find(f".//{{{ns.CORE}}}delsvar/{{{ns.TYPES}}}{value}")
    assert first is not None
    for each in first.iter():
        each.tag = etree.QName(namespace, etree.QName(each).localname).text
    return request


@pytest.fixture(scope="module")
def types() -> IntygTypes:
    return IntygTypes()


@pytest.mark.parametrize("value", ["cv", "datePeriod"])
@pytest.mark.parametrize("namespace", [ns.CORE, None])
def test_the_schema_says_where_a_value_belongs(
    contracts: Contracts, value: str, namespace: str | None
) -> None:
    found = contracts.check(contracts.get("RegisterCertificate", 3), _astray(value, namespace))
    text = f"`{value}` is in the wrong namespace; here it belongs to {ns.TYPES}"
    assert [each.message for each in found] == [text]


@pytest.mark.parametrize("namespace", [ns.CORE, REGISTER, None])
def test_the_rules_say_where_a_value_belongs(types: IntygTypes, namespace: str | None) -> None:
    """Also where the schema lets it pass, since it is from another namespace than the intyg's."""
    intyg = _astray("cv", namespace)[0]
    found = types.check(types.find("LISJP", "2.0"), intyg, today=SIGNED_AT.date())
    text = f"; `cv` is in the wrong namespace; here it belongs to {ns.TYPES}"
    assert found
    assert all(each.message.endswith(text) for each in found if each.delsvar)


def test_of_a_value_in_its_place_nothing_is_said(types: IntygTypes) -> None:
    intyg = example(types.find("LISJP", "2.0"), signed_at=SIGNED_AT)[0]
    code = intyg.find(f".//{{{ns.CORE}}}delsvar/{{{ns.TYPES}}}cv/{{{ns.TYPES}}}code")
    assert code is not None
    code.text = "X"
    found = types.check(types.find("LISJP", "2.0"), intyg, today=SIGNED_AT.date())
    assert found
    assert not any("namespace" in each.message for each in found)
