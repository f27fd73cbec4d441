"""The exported Schematron: ids, reports, where it finds an intyg, and when it asks for today."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from lxml import etree, isoschematron  # type: ignore[attr-defined]  # lxml-stubs lack it

from intyg.adapter.domain.clock import system_clock
from intyg.schemas.export.schematron import SCHEMATRON, schematron
from intyg.schemas.finding import Severity
from intyg.schemas.intyg_model import IntygType, Ref, Rule
from intyg.schemas.ns import CORE, SOAP11, message
from tests import builders
from tests.schemas.intyg_engines import wants_the_day_of_use
from tests.strategies import TODAY, TYPES, all_types

NAMESPACE = message("RegisterCertificate", 3)


def engine(intyg_type: IntygType, today: date | None = TODAY) -> isoschematron.Schematron:
    schema = etree.fromstring(schematron(intyg_type, today=today))
    return isoschematron.Schematron(schema, store_report=True)


def wrong_request() -> etree._Element:
    request = etree.fromstring(builders.register_certificate())
    (found,) = request.iterfind(f".//{{{CORE}}}delsvar[@id='35.1']")
    found.text = " "
    return request


def expected_birth(day: str) -> etree._Element:
    """An FK7210 with its one answer."""
    return etree.fromstring(
        f'<r:intyg xmlns:r="{NAMESPACE}" xmlns="{CORE}"><svar id="54">'
        f'<delsvar id="54.1">{day}</delsvar></svar></r:intyg>'
    )


@pytest.mark.parametrize("intyg_type", all_types(), ids=lambda t: t.key)
def test_follows_the_grammar_of_schematron(intyg_type: IntygType) -> None:
    assert isoschematron.schematron_schema_valid_supported
    schema = etree.fromstring(schematron(intyg_type, today=TODAY))
    assert isoschematron.schematron_schema_valid(schema)
    assert schema.get("queryBinding") == "xslt"


def test_assert_has_the_id_of_its_rule() -> None:
    schema = etree.fromstring(schematron(TYPES.lookup("FK7804", "1"), today=TODAY))
    flags = {
        one.get("id"): one.get("flag")
        for one in schema.iter(f"{{{SCHEMATRON}}}assert", f"{{{SCHEMATRON}}}report")
    }
    assert flags["R83"] == "FK7804/1/R83"
    assert flags["R9"] == flags["R9_2"] == "FK7804/1/R9"  # at least one, at most four


def test_refused_rule_is_reported_with_place_and_message() -> None:
    checking = engine(TYPES.lookup("FK7804", "1"))
    assert not checking.validate(wrong_request())
    (failed,) = checking.validation_report.getroot().iter("{*}failed-assert")
    assert failed.get("id") == "R83"
    assert "delsvar" in failed.get("location")
    assert failed.findtext("{*}text").startswith("FK7804/1/R83: beskrivning (delsvar 35.1) must be")


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda request: request, id="request"),
        pytest.param(lambda request: etree.fromstring(etree.tostring(request[-1])), id="intyg"),
        pytest.param(
            lambda request: etree.fromstring(
                f'<s:Envelope xmlns:s="{SOAP11}"><s:Body>'.encode()
                + etree.tostring(request)
                + b"</s:Body></s:Envelope>"
            ),
            id="envelope",
        ),
    ],
)
def test_intyg_is_found_wherever_it_is(wrap: object) -> None:
    assert callable(wrap)
    checking = engine(TYPES.lookup("FK7804", "1"))
    assert checking.validate(wrap(etree.fromstring(builders.register_certificate())))
    assert not checking.validate(wrap(wrong_request()))


def test_warning_is_a_report_and_leaves_the_document_valid() -> None:
    intyg_type = TYPES.lookup("FK7804", "1")
    request = etree.fromstring(builders.register_certificate())
    (number,) = request.iter(f"{{{CORE}}}telefonnummer")
    number.text = ""
    checking = engine(intyg_type)
    assert checking.validate(request)
    (report,) = checking.validation_report.getroot().iter("{*}successful-report")
    assert (report.get("flag"), report.get("role")) == ("FK7804/1/R178", "warning")


def test_today_is_the_day_of_use_unless_told() -> None:
    """FK7210's expected date of birth is not before today."""
    intyg_type = TYPES.lookup("FK7210")
    of_use, told = engine(intyg_type, None), engine(intyg_type, TODAY)
    now, days = system_clock().date(), timedelta(days=2)  # the machine's own day is not far off
    assert of_use.validate(expected_birth(str(now + days)))
    assert not of_use.validate(expected_birth(str(now - days)))
    assert told.validate(expected_birth(str(TODAY)))
    assert not told.validate(expected_birth(str(TODAY - timedelta(days=1))))


@pytest.mark.usefixtures("zone_of_machine")
def test_day_of_use_is_the_machines_date_in_every_zone() -> None:
    """`date:date()` ends with the machine's time zone."""
    assert engine(wants_the_day_of_use(), None).validate(expected_birth("2026-11-23"))


def test_today_in_a_condition_is_asked_in_the_test() -> None:
    """A context cannot hold a variable in XSLT 1.0."""
    rule = Rule(Ref("X", Severity.ERROR), "future", "false()", each="54.1", where="num(.) > $today")
    intyg_type = replace(TYPES.lookup("FK7210"), rules=(rule,))
    checking = engine(intyg_type, TODAY)
    assert checking.validate(expected_birth("2026-11-23"))
    assert not checking.validate(expected_birth("2026-11-24"))
