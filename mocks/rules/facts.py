"""What rules may look at in a call, read by name before any schema is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from lxml import etree

from intyg.mocks.rules import xpath
from intyg.schemas import ns
from intyg.schemas.contract.contract import Contract

_C: Final = f"{{{ns.CORE}}}"
_T: Final = f"{{{ns.TYPES}}}"


@dataclass(frozen=True)
class Facts:
    """
    A call as rules see it.

    Attributes:
        agency: The mock's part, `FKASSA`.
        sender: HSA-id of who calls, by its certificate or the platform's header.
        intygs_id: None where the call is about none.
        typ, version: Of the certificate in the call, else of the one that the mock has.
        unit: HSA-id of the care unit.
        handelse: Event code of a status update.
        headers: HTTP headers, names in lower case.
        element: The request element, inside its envelope.
        large: XPath is not asked of it; see `xpath.is_large`.
    """

    agency: str
    contract: Contract
    element: etree._Element = field(repr=False)
    sender: str | None = None
    logical_address: str | None = None
    intygs_id: str | None = None
    typ: str | None = None
    version: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    large: bool = False

    @cached_property
    def person(self) -> str | None:
        """The patient's number."""
        return self._text(
            f"{{{self.contract.namespace}}}patientPerson-id/{_T}extension",
            f".//{_C}patient/{_C}person-id/{_T}extension",
        )

    @cached_property
    def unit(self) -> str | None:
        return self._text(
            f".//{_C}enhet/{_C}enhets-id/{_T}extension",
            f"{{{self.contract.namespace}}}logiskAdressMottagare",
        )

    @cached_property
    def amne(self) -> str | None:
        return self._text(f"{{{self.contract.namespace}}}amne/{_T}code")

    @cached_property
    def handelse(self) -> str | None:
        return self._text(f"{{{self.contract.namespace}}}handelse/{_C}handelsekod/{_T}code")

    def ask(self, expression: str) -> tuple[bool, str | None]:
        """As `xpath.ask`; of a large message nothing holds."""
        return (False, xpath.NOT_ASKED) if self.large else xpath.ask(expression, self.element)

    def _text(self, *paths: str) -> str | None:
        return first_text(self.element, *paths)


def first_text(element: etree._Element, *paths: str) -> str | None:
    """Text of the first element that any of the paths finds."""
    found = (element.find(path) for path in paths)
    return next(((each.text or "").strip() for each in found if each is not None), None)


def intygs_id_of(element: etree._Element) -> str | None:
    """Which certificate a request is about; the first look, before the XSD."""
    return first_text(element, f".//{{*}}intygs-id/{_T}extension")


def typ_of(element: etree._Element) -> tuple[str, str] | None:
    """Code and version of the certificate in a request."""
    namespace = etree.QName(element).namespace
    intyg = element.find(f"{{{namespace}}}intyg")
    if intyg is None:
        return None
    return (
        first_text(intyg, f"{_C}typ/{_T}code") or "",
        first_text(intyg, f"{_C}version") or "",
    )
