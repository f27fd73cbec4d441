"""A certificate type as ISO Schematron, for those who check certificates in their own systems.

Each `sch:assert` is an assertion of `rules/assertion` in its own XPath 1.0 words:

- `id` is the id of the rule as far as an XML id can be, with a number where a rule has several
  asserts; `flag` is the whole id (`FK7804/1/R21`).
- What only warns is a `sch:report` of the opposite, with `role` warning: reports do not make a
  document invalid in `lxml.isoschematron` unless they are asked for.
- A pattern for each place that is looked at, because of the rules of one pattern only the first
  that fits a node is asked.

Rules that depend on today take it from `date:date()` of EXSLT, which libxslt, Saxon 6 and Xalan
have; `today` and `day` are also parameters of the compiled stylesheet.
"""

import re
from datetime import date
from typing import Any, Final

from lxml import etree

from intyg.schemas.finding import Severity
from intyg.schemas.intyg_model import IntygType, Rule
from intyg.schemas.ns import CORE, TYPES, message
from intyg.schemas.rules.assertion import (
    Assertion,
    assertions_of,
    conditions,
    each_xpath,
)
from intyg.schemas.rules.xpath import write_out

SCHEMATRON: Final = "http://purl.oclc.org/dsdl/schematron"
_DATE: Final = "http://exslt.org/dates-and-times"
_PREFIXES: Final = {
    "r": message("RegisterCertificate", 3),
    "c": CORE,
    "t": TYPES,
}
_DEFAULT: Final[Any] = {None: SCHEMATRON}  # lxml-stubs know no default namespace
_DAY_OF_USE: Final = "substring(date:date(), 1, 10)"
"""Without the machine's time zone, which `days` would count."""

_FORMS: Final = {"today": "num", "day": "days"}
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")
_VARIABLE = re.compile(r"\$\w")


def schematron(intyg_type: IntygType, *, today: date | None) -> bytes:
    """
    The Schematron schema of a certificate type and version.

    It finds `intyg` in the namespace of RegisterCertificate wherever it is: by itself, in the
    request or in an envelope.

    Args:
        intyg_type: The type.
        today: The day for rules that depend on it, for instance the day of
            signing; None: the day on which the schema is used.

    Returns:
        The schema, UTF-8, query binding `xslt` (XSLT 1.0).

    Source:
        ISO/IEC 19757-3, 5.4 and annex C.
    """
    return etree.tostring(
        _Writer(intyg_type, today).schema(), xml_declaration=True, encoding="UTF-8"
    )


class _Writer:
    def __init__(self, intyg_type: IntygType, today: date | None) -> None:
        self._type = intyg_type
        self._today = today
        self._ids: set[str] = set()

    def schema(self) -> etree._Element:
        kind = self._type
        schema = etree.Element(_sch("schema"), nsmap=_DEFAULT, queryBinding="xslt")
        _add(schema, "title", f"{kind.code} version {kind.version}: {kind.name}")
        assertions = assertions_of(kind)
        self._namespaces(schema, asks_today=any(_asks_today(one) for one in assertions))
        by_context: dict[str, list[tuple[Assertion, str]]] = {}
        for assertion in assertions:
            context, test = _context_and_test(assertion)
            by_context.setdefault(context, []).append((assertion, test))
        for context, tests in by_context.items():
            rule = _add(_add(schema, "pattern"), "rule", context=context)
            for assertion, test in tests:
                self._test(rule, assertion, test)
        etree.indent(schema)
        return schema

    def _namespaces(self, schema: etree._Element, *, asks_today: bool) -> None:
        for prefix, uri in _PREFIXES.items():
            _add(schema, "ns", prefix=prefix, uri=uri)
        if not asks_today:
            return
        if self._today is None:
            _add(schema, "ns", prefix="date", uri=_DATE)
            values = {name: write_out(f"{form}({_DAY_OF_USE})") for name, form in _FORMS.items()}
        else:
            values = {"today": f"{self._today:%Y%m%d}", "day": str(self._today.toordinal())}
        for name, value in values.items():
            _add(schema, "let", name=name, value=value)

    def _test(self, rule: etree._Element, assertion: Assertion, test: str) -> None:
        attributes = {"id": self._new_id(assertion), "flag": assertion.rule}
        text = f"{assertion.rule}: {assertion.message}"
        if assertion.severity is Severity.ERROR:
            _add(rule, "assert", text, test=test, **attributes)
        else:
            _add(rule, "report", text, test=f"not({test})", role="warning", **attributes)

    def _new_id(self, assertion: Assertion) -> str:
        name = _NOT_IN_NAMES.sub("_", assertion.rule.removeprefix(f"{self._type.key}/"))
        if not name[0].isalpha():
            name = f"_{name}"
        number, found = 1, name
        while found in self._ids:
            number += 1
            found = f"{name}_{number}"
        self._ids.add(found)
        return found


def _context_and_test(assertion: Assertion) -> tuple[str, str]:
    """Where an assertion is made, as a pattern of XSLT, and its test."""
    each, must = assertion.each, assertion.must
    if _VARIABLE.search(each) and isinstance(assertion.node, Rule):
        # a pattern must not hold variables: its conditions become part of the test
        applies = " and ".join(f"({condition})" for condition in conditions(assertion.node))
        each, must = each_xpath(assertion.node), f"not({applies}) or ({must})"
    if each == ".":
        return "r:intyg", must
    if each.startswith("self::*"):
        return f"r:intyg{each.removeprefix('self::*')}", must
    return f"r:intyg/{each}", must


def _asks_today(assertion: Assertion) -> bool:
    return bool(_VARIABLE.search(assertion.each + assertion.must))


def _add(
    parent: etree._Element, tag: str, text: str | None = None, /, **attributes: str
) -> etree._Element:
    element = etree.SubElement(parent, _sch(tag), attributes)
    element.text = text
    return element


def _sch(name: str) -> str:
    return f"{{{SCHEMATRON}}}{name}"
