"""The exported XSD 1.1: which documents it takes, what it says, and when it asks for today."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import pytest
import xmlschema
from lxml import etree
from xmlschema.validators import XsdAssert

from intyg.adapter.domain.clock import system_clock
from intyg.schemas.export.xsd11 import REGISTER_CERTIFICATE, xsd11
from intyg.schemas.finding import Severity
from intyg.schemas.intyg_model import Ref, Rule
from intyg.schemas.ns import CORE, SOAP11, XS
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders
from tests.schemas.intyg_engines import wants_the_day_of_use
from tests.strategies import TODAY, TYPES

ROOT = f"{{{REGISTER_CERTIFICATE}}}"


@cache
def fk7804() -> xmlschema.XMLSchema11:
    return xmlschema.XMLSchema11(xsd11(TYPES.lookup("FK7804", "1"), today=TODAY).decode())


def request() -> etree._Element:
    return etree.fromstring(builders.register_certificate())


def answer(changed: etree._Element, node_id: str) -> etree._Element:
    (found,) = changed.iterfind(f".//{{{CORE}}}delsvar[@id='{node_id}']")
    return found


def test_request_is_checked() -> None:
    wrong = request()
    answer(wrong, "35.1").text = " "
    assert fk7804().is_valid(request())
    assert not fk7804().is_valid(wrong)


def test_intyg_by_itself_is_checked() -> None:
    wrong = request()
    answer(wrong, "35.1").text = " "
    assert fk7804().is_valid(etree.fromstring(etree.tostring(request()[-1])))
    assert not fk7804().is_valid(etree.fromstring(etree.tostring(wrong[-1])))


def test_document_is_checked_from_text_too() -> None:
    """As a vendor does it: without lxml."""
    assert fk7804().is_valid(builders.register_certificate().decode())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f'<r:RegisterCertificate xmlns:r="{REGISTER_CERTIFICATE}"/>', id="no intyg"),
        pytest.param('<intyg xmlns="urn:example:other"/>', id="another namespace"),
        pytest.param(f'<Envelope xmlns="{SOAP11}"/>', id="envelope"),
    ],
)
def test_other_documents_are_not_valid(text: str) -> None:
    assert not fk7804().is_valid(text)


def test_every_fault_is_named_at_its_place() -> None:
    wrong = request()
    answer(wrong, "35.1").text = " "
    answer(wrong, "1.2").text = "igår"
    svar = answer(wrong, "29.1").getparent()
    assert svar is not None
    svar.getparent().remove(svar)  # type: ignore[union-attr]
    found = {}
    for error in fk7804().iter_errors(wrong):
        assert isinstance(error.validator, XsdAssert)
        documentation = error.validator.elem.find(f".//{{{XS}}}documentation")
        assert documentation is not None
        found[documentation.get("source")] = (error.path, documentation.text)
    assert set(found) == {"FK7804/1/R83", "FK7804/1/R35", "FK7804/1/R54"}
    assert str(found["FK7804/1/R35"][0]).endswith("delsvar[2]")
    assert str(found["FK7804/1/R35"][1]).startswith("datum för grunden (delsvar 1.2) must be")


def test_svar_and_delsvar_get_their_type_from_their_id() -> None:
    schema = etree.fromstring(xsd11(TYPES.lookup("FK7804", "1"), today=TODAY))
    tests = [one.get("test") for one in schema.iter(f"{{{XS}}}alternative")]
    assert "@id = '35'" in tests
    assert "@id = '35.1'" in tests
    assert tests.count(None) == 1  # the last: a svar that no question has
    assert not list(schema.iter(f"{{{XS}}}import", f"{{{XS}}}include"))


def test_warning_is_not_in_the_schema() -> None:
    text = xsd11(TYPES.lookup("FK7804", "1"), today=TODAY).decode()
    assert "FK7804/1/R38" in text
    assert "FK7804/1/R172" not in text  # only warns


def expected_birth(day: date) -> str:
    """An FK7210 with its one answer."""
    return (
        f'<r:intyg xmlns:r="{REGISTER_CERTIFICATE}" xmlns="{CORE}"><svar id="54">'
        f'<delsvar id="54.1">{day}</delsvar></svar></r:intyg>'
    )


def test_today_is_the_day_of_use_unless_told() -> None:
    """FK7210's expected date of birth is not before today."""
    intyg_type = TYPES.lookup("FK7210")
    of_use = xmlschema.XMLSchema11(xsd11(intyg_type, today=None).decode())
    told = xmlschema.XMLSchema11(xsd11(intyg_type, today=TODAY).decode())
    now, days = system_clock().date(), timedelta(days=2)  # the machine's own day is not far off
    assert of_use.is_valid(expected_birth(now + days))
    assert not of_use.is_valid(expected_birth(now - days))
    assert told.is_valid(expected_birth(TODAY))
    assert not told.is_valid(expected_birth(TODAY - timedelta(days=1)))


@pytest.mark.usefixtures("zone_of_machine")
def test_day_of_use_is_the_machines_date_in_every_zone() -> None:
    schema = xmlschema.XMLSchema11(xsd11(wants_the_day_of_use(), today=None).decode())
    assert schema.is_valid(expected_birth(TODAY))


def test_rule_that_an_assert_cannot_ask_is_named() -> None:
    rule = Rule(Ref("X", Severity.ERROR), "root", "/c:intyg")
    intyg_type = replace(IntygTypes().lookup("FK7210"), rules=(rule,))
    with pytest.raises(ValueError, match="absolute path in /c:intyg"):
        xsd11(intyg_type, today=TODAY)
