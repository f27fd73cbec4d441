"""Each rule can be broken alone, so that each is seen to be checked; but for those listed.

Finding what breaks each of the three thousand rules takes minutes. Usually every tenth is tried;
with INTYG_ALL_RULES=1 all are, and the list of those that cannot be broken alone is checked too.
"""

import os
from collections.abc import Callable

import pytest
from lxml import etree

from intyg.schemas.contract.contract import Contracts
from intyg.schemas.examples.breaking import CannotBreakError, Why, broken
from intyg.schemas.examples.draft import request_bytes, request_element
from intyg.schemas.examples.example import Workshop, frame_of
from intyg.schemas.finding import Severity
from intyg.schemas.intyg_model import IntygType
from tests.schemas.unbreakable import UNBREAKABLE
from tests.strategies import (
    SIGNED_AT,
    TODAY,
    TYPES,
    all_types,
    workshop,
)

ALL = os.environ.get("INTYG_ALL_RULES") == "1"
EVERY = 1 if ALL else 10


def shop_of(intyg_type: IntygType) -> Workshop:
    return workshop(intyg_type.code, intyg_type.version)


def rules_of(shop: Workshop) -> list[str]:
    return list(dict.fromkeys(assertion.rule for assertion in shop.assertions))


def found_in(data: bytes, intyg_type: IntygType, contracts: Contracts) -> set[str]:
    """Every error in a document, as anybody would find it who receives it."""
    request = etree.fromstring(data)
    findings = contracts.check(contracts.get("RegisterCertificate", 3), request)
    findings += TYPES.check(intyg_type, request[-1], today=TODAY)
    return {finding.rule for finding in findings if finding.severity is Severity.ERROR}


def warned_of(data: bytes, intyg_type: IntygType) -> set[str]:
    found = TYPES.check(intyg_type, etree.fromstring(data)[-1], today=TODAY)
    return {finding.rule for finding in found if finding.severity is Severity.WARNING}


@pytest.mark.parametrize("intyg_type", all_types(), ids=lambda t: t.key)
def test_rule_is_broken_alone(
    intyg_type: IntygType, contracts: Contracts, record_property: Callable[[str, object], None]
) -> None:
    shop, frame = shop_of(intyg_type), frame_of(intyg_type, SIGNED_AT)
    rules = rules_of(shop)
    tried = [rule for rule in rules[::EVERY] if ALL or rule not in UNBREAKABLE]
    not_alone: dict[str, CannotBreakError] = {}
    for rule in tried:
        try:
            data = request_bytes(request_element(intyg_type, broken(shop, frame, rule)))
        except CannotBreakError as exc:
            not_alone[rule] = exc
            continue
        errors = found_in(data, intyg_type, contracts)
        assert errors == {rule} or (not errors and rule in warned_of(data, intyg_type))
    known = [rule for rule in rules if rule in UNBREAKABLE]
    listed = "".join(f"; {rule.rpartition('/')[2]} breaks {UNBREAKABLE[rule]}" for rule in known)
    record_property(
        "table",
        f"{intyg_type.key}: {len(rules)} rules, {len(tried)} tried, "
        f"{len(tried) - len(not_alone)} broken alone, {len(known)} never alone{listed}",
    )
    assert set(not_alone) == (set(known) if ALL else set()), "update tests/schemas/unbreakable.py"


def test_list_names_rules_that_exist_and_what_breaks_with_them() -> None:
    rules = {rule for intyg_type in all_types() for rule in rules_of(shop_of(intyg_type))}
    for rule, also in UNBREAKABLE.items():
        assert rule in rules
        key = rule.rpartition("/")[0]
        assert {f"{key}/{other}" for other in also.split()} <= rules - {rule}


def test_few_rules_cannot_be_broken_alone() -> None:
    rules = sum(len(rules_of(shop_of(intyg_type))) for intyg_type in all_types())
    assert len(UNBREAKABLE) / rules < 0.03


def test_rule_that_others_imply_is_refused_with_their_ids() -> None:
    shop = shop_of(TYPES.lookup("FK7804", "1"))
    with pytest.raises(CannotBreakError) as caught:
        broken(shop, frame_of(shop.intyg_type, SIGNED_AT), "FK7804/1/R3")
    assert caught.value.why is Why.OTHERS
    assert caught.value.also == ("FK7804/1/R54",)
    assert "FK7804/1/R54" in str(caught.value)


def test_rule_of_another_type_is_a_key_error() -> None:
    shop = shop_of(TYPES.lookup("FK7804", "1"))
    with pytest.raises(KeyError):
        broken(shop, frame_of(shop.intyg_type, SIGNED_AT), "FK7804/1/R9999")


def test_same_seed_breaks_a_rule_in_the_same_way() -> None:
    intyg_type = TYPES.lookup("FK7804", "1")
    frame = frame_of(intyg_type, SIGNED_AT)
    once, again = (broken(Workshop(intyg_type, TODAY), frame, "FK7804/1/R104") for _ in "12")
    assert once == again
