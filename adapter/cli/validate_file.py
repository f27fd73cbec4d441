"""What `intyg validate` says of a file.

Unlike in the flows, nothing is refused early when validating: the contract's schema and the rules
of the certificate's type are both asked, so that every fault is seen at once.
"""

from dataclasses import replace
from datetime import date
from typing import Final

from lxml import etree

from intyg.adapter.domain.errors import AdapterError
from intyg.adapter.formats import safe_xml
from intyg.schemas import ns
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.finding import Finding
from intyg.schemas.typefile.lookup import IntygTypes, UnknownTypeError

_REGISTER: Final = ns.message("RegisterCertificate", 3)
_BARE: Final = "/RegisterCertificate/intyg"


def check_file(
    data: bytes, contracts: Contracts, types: IntygTypes, *, today: date
) -> list[Finding]:
    """
    Check a message against its contract and, where it holds certificates, their types' rules.

    Args:
        data: A SOAP envelope, a bare request element, or a bare `intyg`.
        contracts: The contracts' schemas.
        types: The certificate types.
        today: The day for rules that depend on it, in Sweden.

    Returns:
        Every fault; empty when all is well. Beside `XSD` and the rules of types there are the
        rules `XML` (cannot be parsed), `CONTRACT` (no contract has this element) and `TYPE`
        (no such certificate type or version).
    """
    try:
        root = safe_xml.parse(data, max_markup=safe_xml.MAX_LIST_MARKUP).getroot()
        element = request_element(root)
    except AdapterError as exc:
        return [Finding("XML", exc.text, "/")]
    bare = etree.QName(element).localname == "intyg"
    if bare:
        element = _wrap(element)
    contract = contracts.by_request(str(element.tag))
    if contract is None:
        name = etree.QName(element)
        text = f"no contract has the request element {name.localname} in namespace {name.namespace}"
        return [Finding("CONTRACT", text, f"/{name.localname}", _line(element))]
    findings = contracts.check(contract, element)
    for intyg in element.iterchildren(f"{{{contract.namespace}}}intyg"):
        findings += _check_intyg(intyg, types, today)
    if bare:
        findings = [replace(f, xpath=f.xpath.replace(_BARE, "/intyg", 1)) for f in findings]
    return findings


def request_element(root: etree._Element) -> etree._Element:
    """The request element, whether it stands in an envelope or alone."""
    if root.tag != f"{{{ns.SOAP11}}}Envelope":
        return root
    body = root.find(f"{{{ns.SOAP11}}}Body")
    children = [] if body is None else list(body.iterchildren(etree.Element))
    if len(children) != 1:
        raise AdapterError(f"the SOAP Body must hold one element, it holds {len(children)}")
    return children[0]


def _wrap(intyg: etree._Element) -> etree._Element:
    """A bare `intyg` as the one of a RegisterCertificate, lines kept."""
    request = etree.Element(f"{{{_REGISTER}}}RegisterCertificate")
    wrapped = etree.SubElement(request, f"{{{_REGISTER}}}intyg")
    for name, value in intyg.items():
        wrapped.set(name, value)
    wrapped.sourceline = request.sourceline = intyg.sourceline
    wrapped.text = intyg.text
    wrapped.extend(list(intyg))
    return request


def _check_intyg(intyg: etree._Element, types: IntygTypes, today: date) -> list[Finding]:
    typ = intyg.findtext(f"{{{ns.CORE}}}typ/{{{ns.TYPES}}}code") or ""
    version = intyg.findtext(f"{{{ns.CORE}}}version") or ""
    try:
        intyg_type = types.find(typ, version)
    except UnknownTypeError as exc:
        return [Finding("TYPE", str(exc), "/RegisterCertificate/intyg/typ", _line(intyg))]
    return types.check(intyg_type, intyg, today=today)


def _line(element: etree._Element) -> int | None:
    line: object = element.sourceline  # lxml-stubs give it no type
    return line if isinstance(line, int) else None
