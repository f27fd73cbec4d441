"""Namespaces against the files that declare them, and against the standards that fix them."""

from pathlib import Path

import pytest
from lxml import etree

import intyg.schemas
from intyg.schemas import ns

CONTRACTS = Path(intyg.schemas.__file__).parent / "contracts"


def declared() -> set[str]:
    return {
        str(etree.parse(file).getroot().get("targetNamespace")) for file in CONTRACTS.rglob("*.xsd")
    }


@pytest.mark.parametrize(
    "name",
    ["CORE", "TYPES", "EXT32", "EXT33", "EXT34", "CSU_EXT", "CORE1", "RECEIVER", "REGISTRY", "DSF"],
)
def test_a_namespace_of_the_contracts_is_declared_by_one_of_their_files(name: str) -> None:
    assert getattr(ns, name) in declared()


def test_namespaces_are_all_different() -> None:
    values = [value for name, value in vars(ns).items() if name.isupper()]
    assert len(values) == len(set(values))


@pytest.mark.parametrize(
    ("namespace", "standard"),
    [
        (ns.SOAP11, "http://schemas.xmlsoap.org/soap/envelope/"),
        (ns.DS, "http://www.w3.org/2000/09/xmldsig#"),
        (ns.DSF, "http://www.w3.org/2002/06/xmldsig-filter2"),
        (ns.XSL, "http://www.w3.org/1999/XSL/Transform"),
        (ns.XS, "http://www.w3.org/2001/XMLSchema"),
        (ns.WSDL, "http://schemas.xmlsoap.org/wsdl/"),
        (ns.WSDL_SOAP, "http://schemas.xmlsoap.org/wsdl/soap/"),
    ],
)
def test_a_namespace_of_a_standard_is_the_standards(namespace: str, standard: str) -> None:
    assert namespace == standard


def test_the_namespace_of_a_message() -> None:
    assert ns.message("RegisterCertificate", 3) in declared()
