"""What each engine says of a certificate: the ids of the rules that refuse it."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache, cached_property
from typing import Final

import xmlschema
from lxml import etree, isoschematron  # type: ignore[attr-defined]  # lxml-stubs lack it
from xmlschema.validators import XsdAssert

from intyg.schemas.export.schematron import schematron
from intyg.schemas.export.xsd11 import xsd11
from intyg.schemas.finding import Severity
from intyg.schemas.intyg_model import IntygType, Ref, Rule
from intyg.schemas.ns import XS
from tests.strategies import TODAY, TYPES, all_types

_QUICKER: Final = {"generate-paths": "false", "generate-fired-rule": "false"}


class Engines:
    """
    The validator and the two exported schemas of one type.

    Args:
        today: The day that all three take for today.
    """

    def __init__(self, intyg_type: IntygType, today: date = TODAY) -> None:
        self._type = intyg_type
        self._today = today

    def validator(self, request: etree._Element) -> set[str]:
        return self._found(request, Severity.ERROR)

    def warnings(self, request: etree._Element) -> set[str]:
        return self._found(request, Severity.WARNING)

    def schematron(self, request: etree._Element) -> tuple[set[str], set[str]]:
        """The rules that refuse, and those that warn."""
        valid = self._schematron.validate(request)
        svrl = self._schematron.validation_report.getroot()
        failed = {str(one.get("flag")) for one in svrl.iter("{*}failed-assert")}
        reported = {str(one.get("flag")) for one in svrl.iter("{*}successful-report")}
        assert valid is not bool(failed)
        return failed, reported

    def xsd11(self, request: etree._Element) -> set[str]:
        found = set()
        for error in self._xsd11.iter_errors(request):
            assert isinstance(error.validator, XsdAssert), error
            assert error.reason == "assertion test is false"  # it could be evaluated
            documentation = error.validator.elem.find(f".//{{{XS}}}documentation")
            assert documentation is not None
            found.add(str(documentation.get("source")))
        return found

    def _found(self, request: etree._Element, severity: Severity) -> set[str]:
        findings = TYPES.check(self._type, request[-1], today=self._today)
        return {finding.rule for finding in findings if finding.severity is severity}

    @cached_property
    def _schematron(self) -> isoschematron.Schematron:
        schema = etree.fromstring(schematron(self._type, today=self._today))
        return isoschematron.Schematron(schema, store_report=True, compile_params=_QUICKER)

    @cached_property
    def _xsd11(self) -> xmlschema.XMLSchema11:
        return xmlschema.XMLSchema11(xsd11(self._type, today=self._today).decode())


def wants_the_day_of_use() -> IntygType:
    """A type whose one rule is kept when the day of use is the machine's date."""
    day = date.today()  # noqa: DTZ011  in its own zone
    near = [
        f"($day = {one.toordinal()} and $today = {one:%Y%m%d})"
        for one in (day, day + timedelta(days=1))  # it may be midnight
    ]
    rule = Rule(Ref("X", Severity.ERROR), "day", " or ".join(near))
    return replace(TYPES.lookup("FK7210"), rules=(rule,))


@cache
def engines_of(key: str) -> Engines:
    """Those of a type, compiled once: `FK7804/1`."""
    return Engines(next(intyg_type for intyg_type in all_types() if intyg_type.key == key))
