"""The sample is a certificate that follows contract and rules, and says what it was told."""

from datetime import datetime

import pytest
from lxml import etree

from intyg.mocks.journalsystem.sample import UNIT, Parent, fk7804
from intyg.schemas import codes
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders

AT = datetime(2026, 2, 27, 9, 30, 59)  # noqa: DTZ001 -- Swedish local time, as in the contracts


def sample(**told: object) -> etree._Element:
    return etree.fromstring(fk7804("new-1", builders.PATIENT, builders.DOCTOR, AT, **told))  # type: ignore[arg-type]


@pytest.mark.parametrize("parent", [None, Parent("KOMPLT", "old-1", "question-1")])
def test_nothing_is_wrong_with_it(
    contracts: Contracts, types: IntygTypes, parent: Parent | None
) -> None:
    made = sample(parent=parent, funktionsnedsattning="Svag i knät")
    assert contracts.check(contracts.get("RegisterCertificate", 3), made) == []
    assert types.check(types.lookup("FK7804", "1"), made[-1], today=AT.date()) == []


def test_it_says_who_and_when() -> None:
    made = sample()
    said = {path: made.findtext(f"{{*}}intyg/{{*}}{path}") for path in PLACES}
    assert said == PLACES


PLACES = {
    "intygs-id/{*}root": UNIT,
    "intygs-id/{*}extension": "new-1",
    "patient/{*}person-id/{*}root": codes.PERSONNUMMER_ROOT,
    "patient/{*}person-id/{*}extension": builders.PATIENT,
    "skapadAv/{*}personal-id/{*}extension": builders.DOCTOR,
    "skapadAv/{*}enhet/{*}enhets-id/{*}extension": UNIT,
    "signeringstidpunkt": "2026-02-27T09:30:59",
    "skickatTidpunkt": "2026-02-27T09:30:59",
    "svar[@id='1']/{*}delsvar[@id='1.2']": "2026-02-27",
    "svar[@id='32']/{*}delsvar[@id='32.2']/{*}datePeriod/{*}start": "2026-02-27",
    "svar[@id='32']/{*}delsvar[@id='32.2']/{*}datePeriod/{*}end": "2026-03-12",
}


def test_what_else_can_be_told() -> None:
    made = sample(
        person_root=codes.SAMORDNINGSNUMMER_ROOT,
        funktionsnedsattning="Svag i knät",
        parent=Parent("KOMPLT", "old-1", "question-1"),
    )
    root = made.findtext("{*}intyg/{*}patient/{*}person-id/{*}root")
    assert root == codes.SAMORDNINGSNUMMER_ROOT
    assert made.findtext("{*}intyg/{*}svar[@id='35']/{*}delsvar") == "Svag i knät"
    relation = made.find("{*}intyg/{*}relation")
    assert relation is not None
    assert [each.text for each in relation.iter() if len(each) == 0] == [
        "KOMPLT",
        codes.RELATION_SYSTEM,
        UNIT,
        "old-1",
    ]
    assert [each.text for each in made[0]] == ["question-1"]
    replaced = sample(parent=Parent("ERSATT", "old-1"))
    assert (len(replaced), replaced.findtext(".//{*}relation/{*}typ/{*}code")) == (1, "ERSATT")
