"""Examples with one thing wrong: what finds them is the schema or the rules, and nothing else."""

from datetime import datetime

import pytest
from lxml import etree

from intyg.mocks.journalsystem.damage import Damage, UnknownDamageError, damaged, rules_of
from intyg.mocks.wire.person_id import person_id_fault
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.examples.breaking import CannotBreakError
from intyg.schemas.examples.example import PERSON
from intyg.schemas.typefile.lookup import IntygTypes, UnknownTypeError

AT = datetime.fromisoformat("2026-11-23T10:00")


def made(types: IntygTypes, damage: str, typ: str = "FK7804/2.0") -> etree._Element:
    element = damaged(types.named(typ), damage, signed_at=AT, intygs_id="damaged-1")
    return etree.fromstring(etree.tostring(element))


def found(contracts: Contracts, types: IntygTypes, request: etree._Element) -> set[str]:
    """What is wrong, by the schema and by the rules of the type."""
    intyg = request[-1]
    texts = [intyg.findtext(path) or "" for path in ("{*}typ/{*}code", "{*}version")]
    rules = {
        each.rule for each in contracts.check(contracts.get("RegisterCertificate", 3), request)
    }
    try:
        typ = types.find(*texts)
    except UnknownTypeError:
        return rules | {"TYPE"}
    return rules | {each.rule for each in types.check(typ, intyg, today=AT.date())}


@pytest.mark.parametrize("typ", ["FK7804/2.0", "DB/1.0", "TSTRK1062/1.0"])
@pytest.mark.parametrize(
    ("damage", "rules"),
    [
        (Damage.SCHEMA, {"XSD"}),
        (Damage.TYPE, {"TYPE"}),
        (Damage.VERSION, {"TYPE"}),
        (Damage.PERSON, set()),
        (Damage.UNSIGNED, set()),
        (Damage.SIGNATURE, set()),
    ],
)
def test_one_thing_is_wrong_in_any_type(
    contracts: Contracts, types: IntygTypes, typ: str, damage: Damage, rules: set[str]
) -> None:
    assert found(contracts, types, made(types, damage, typ)) == rules


def test_the_last_figure_of_the_number_is_wrong(types: IntygTypes) -> None:
    intyg = made(types, Damage.PERSON)[-1]
    number = intyg.findtext("{*}patient/{*}person-id/{*}extension")
    root = intyg.findtext("{*}patient/{*}person-id/{*}root")
    assert root is not None
    assert number is not None
    assert number[:-1] == PERSON[:-1]
    assert person_id_fault(root, number) is not None


def test_a_rule_is_broken_alone(contracts: Contracts, types: IntygTypes) -> None:
    assert found(contracts, types, made(types, "R35")) == {"FK7804/2.0/R35"}


def test_rules_that_refuse_are_named_and_none_that_warns(types: IntygTypes) -> None:
    rules = rules_of(types.named("FK7804/2.0"))
    assert "(delsvar 27.1)" in rules["R18"]
    assert not {"other-svar", "R87"} & set(rules)


def test_what_cannot_be_is_refused(types: IntygTypes) -> None:
    with pytest.raises(UnknownDamageError, match=r"FK7804/2\.0 has no rule R9999"):
        made(types, "R9999")
    with pytest.raises(CannotBreakError):
        made(types, "R3", "FK7804/1")
