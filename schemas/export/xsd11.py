"""A certificate type as XSD 1.1, for those who check certificates in their own systems.

One schema document, for the body of a RegisterCertificate or an `intyg` by itself:

- `svar` and `delsvar` get their type from `@id` (`xs:alternative`). What concerns one of them alone
  is asserted there, everything else on `intyg`: an assert sees nothing above its own element.
- Each `xs:assert` is an assertion of `rules/assertion`, in XPath 2.0, with its rule and message as
  documentation. Only what refuses a certificate is there; an XSD cannot warn.
- Whatever no rule asks about is skipped: that is for the contract's own schema.

`svar` and `delsvar` are in another namespace than `intyg`. Local declarations with a namespace of
their own keep them in the same document; they are allowed in a restriction only, hence the type
`Anything` (XSD 1.1 part 1, 3.3.3).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from lxml import etree

from intyg.schemas.finding import Severity
from intyg.schemas.intyg_model import Delsvar, IntygType, Question
from intyg.schemas.ns import (
    CORE,
    TYPES,
    XS,
    message,
)
from intyg.schemas.rules.assertion import Assertion, assertions_of
from intyg.schemas.rules.xpath import literal
from intyg.schemas.rules.xpath2 import to_xpath2

REGISTER_CERTIFICATE: Final = message("RegisterCertificate", 3)
"""The namespace of the elements that the schema starts at."""

_TODAY: Final = "number(translate(substring(string(current-date()), 1, 10), '-', ''))"
_DAY: Final = "number(days-from-duration(current-date() - xs:date('0001-01-01')) + 1)"
_ONE_NODE = re.compile(r"c:svar(?:/c:delsvar)?\[@id='([^']+)'\]((?:\[.*\])?)\Z", re.DOTALL)
_UPWARD = re.compile(r"\.\.|(?:ancestor|following|parent|preceding)[\w-]*::")
_INTYG: Final = "intyg"
_OTHER: Final = "other"

_SKELETON: Final = f"""
<xs:schema xmlns:xs="{XS}" xmlns:r="{REGISTER_CERTIFICATE}" xmlns:c="{CORE}" xmlns:t="{TYPES}"
    targetNamespace="{REGISTER_CERTIFICATE}" elementFormDefault="qualified">
  <xs:annotation>
    <xs:documentation xml:lang="sv"/>
    <xs:documentation xml:lang="en">
      Checks the answers of an intyg of this type by every rule that refuses it.
      Not checked: the rest of the message, which the schema of RegisterCertificate 3 does, and
      rules that only warn.
      The document is a RegisterCertificate or an intyg, both in the namespace of this schema.
      The source of a documentation is the id of the rule that an assert stands for.
      Comments inside an answer may change the verdict: processors differ in whether they see them.
    </xs:documentation>
  </xs:annotation>
  <xs:element name="RegisterCertificate">
    <xs:complexType>
      <xs:sequence>
        <xs:any notQName="r:intyg" processContents="skip" minOccurs="0" maxOccurs="unbounded"/>
        <xs:element ref="r:intyg"/>
        <xs:any notQName="r:intyg" processContents="skip" minOccurs="0" maxOccurs="unbounded"/>
      </xs:sequence>
      <xs:anyAttribute processContents="skip"/>
    </xs:complexType>
  </xs:element>
  <xs:element name="intyg" type="r:Intyg"/>
  <xs:complexType name="Anything" mixed="true">
    <xs:sequence>
      <xs:any processContents="skip" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence>
    <xs:anyAttribute processContents="skip"/>
  </xs:complexType>
  <xs:complexType name="Intyg" mixed="true">
    <xs:complexContent>
      <xs:restriction base="r:Anything">
        <xs:choice minOccurs="0" maxOccurs="unbounded">
          <xs:element name="svar" targetNamespace="{CORE}" type="r:Svar"/>
          <xs:any processContents="skip"/>
        </xs:choice>
        <xs:anyAttribute processContents="skip"/>
      </xs:restriction>
    </xs:complexContent>
  </xs:complexType>
  <xs:complexType name="Svar" mixed="true">
    <xs:complexContent>
      <xs:restriction base="r:Anything">
        <xs:choice minOccurs="0" maxOccurs="unbounded">
          <xs:element name="delsvar" targetNamespace="{CORE}" type="r:Anything"/>
          <xs:any processContents="skip"/>
        </xs:choice>
        <xs:attribute name="id" type="xs:string"/>
        <xs:anyAttribute processContents="skip"/>
      </xs:restriction>
    </xs:complexContent>
  </xs:complexType>
</xs:schema>
"""


class _Assert(NamedTuple):
    assertion: Assertion
    test: str


def xsd11(intyg_type: IntygType, *, today: date | None) -> bytes:
    """
    The schema of a certificate type and version.

    Args:
        intyg_type: The type.
        today: The day for rules that depend on it, for instance the day of
            signing; None: the day on which the schema is used.

    Returns:
        One schema document, UTF-8.

    Raises:
        ValueError: A rule of a user's own type asks what an assert cannot.

    Source:
        W3C XML Schema Definition Language (XSD) 1.1 Part 1, 3.12 and 3.13.
    """
    asserts = _by_place(intyg_type, today)
    schema = etree.fromstring(_SKELETON, etree.XMLParser(remove_blank_text=True))
    title = f"{intyg_type.code} version {intyg_type.version}: {intyg_type.name}"
    _find(schema, "documentation").text = title
    _find(schema, "complexType[@name='Intyg']//xs:restriction").extend(_written(asserts, _INTYG))
    questions = [question for question in intyg_type.questions if not question.last]
    svar = _find(schema, "element[@name='svar']")
    for question in questions:
        name = f"svar-{question.svar}"
        _alternative(svar, name, f"@id = {literal(question.svar)}")
        schema.append(_type(name, "Svar", question, _written(asserts, question.svar)))
    if _OTHER in asserts:
        _alternative(svar, "svar-other", None)
        schema.append(_type("svar-other", "Svar", None, _written(asserts, _OTHER)))
    delsvar = _find(schema, "element[@name='delsvar']")
    for part in (part for question in questions for part in question.delsvar):
        name = f"delsvar-{part.id}"
        _alternative(delsvar, name, f"@id = {literal(part.id)}")
        schema.append(_type(name, "Anything", part, _written(asserts, part.id)))
    etree.indent(schema)
    return etree.tostring(schema, xml_declaration=True, encoding="UTF-8")


def _by_place(intyg_type: IntygType, today: date | None) -> Mapping[str, list[_Assert]]:
    """The asserts, by the id of the svar or delsvar in whose type they are written."""
    variables = {
        "today": f"{today:%Y%m%d}e0" if today else _TODAY,
        "day": f"{today.toordinal()}e0" if today else _DAY,
    }
    found: dict[str, list[_Assert]] = {}
    for assertion in assertions_of(intyg_type):
        if assertion.severity is Severity.ERROR:
            place, test = _placed(assertion)
            written = _Assert(assertion, to_xpath2(test, variables))
            found.setdefault(place, []).append(written)
    return found


def _placed(assertion: Assertion) -> tuple[str, str]:
    """Where an assertion is written, and its XPath 1.0 from there."""
    if assertion.facet == "svar_ids":
        return _OTHER, assertion.must  # it holds for every id that has a type of its own
    if assertion.each == ".":
        return _INTYG, assertion.must
    match = _ONE_NODE.match(assertion.each)
    if match is None or _UPWARD.search(match[2] + assertion.must):
        return _INTYG, f"not({assertion.each}[not({assertion.must})])"
    if match[2]:
        return match[1], f"not(self::*{match[2]}[not({assertion.must})])"
    return match[1], assertion.must


def _written(asserts: Mapping[str, list[_Assert]], place: str) -> Sequence[etree._Element]:
    return [_assert(one) for one in asserts.get(place, ())]


def _assert(written: _Assert) -> etree._Element:
    element = etree.Element(_xs("assert"), test=written.test)
    assertion = written.assertion
    _document(element, assertion.message, "en", source=assertion.rule)
    return element


def _alternative(element: etree._Element, type_name: str, test: str | None) -> None:
    alternative = etree.SubElement(element, _xs("alternative"))
    if test is not None:
        alternative.set("test", test)
    alternative.set("type", f"r:{type_name}")


def _type(
    name: str, base: str, node: Question | Delsvar | None, asserts: Sequence[etree._Element]
) -> etree._Element:
    """A type that is its base with more asserts."""
    whole = etree.Element(_xs("complexType"), name=name, mixed="true")
    if node is not None:
        _document(whole, node.term, "sv")
        if node.when:
            _document(whole, f"When: {node.when}", "en")
    content = etree.SubElement(whole, _xs("complexContent"))
    etree.SubElement(content, _xs("extension"), base=f"r:{base}").extend(asserts)
    return whole


def _document(element: etree._Element, text: str, lang: str, source: str | None = None) -> None:
    annotation = element.find(_xs("annotation"))
    if annotation is None:
        annotation = etree.SubElement(element, _xs("annotation"))
    documentation = etree.SubElement(annotation, _xs("documentation"))
    if source is not None:
        documentation.set("source", source)
    documentation.set("{http://www.w3.org/XML/1998/namespace}lang", lang)
    documentation.text = text


def _find(schema: etree._Element, what: str) -> etree._Element:
    found = schema.find(f".//xs:{what}", {"xs": XS})
    assert found is not None
    return found


def _xs(name: str) -> str:
    return f"{{{XS}}}{name}"
