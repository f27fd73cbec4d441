"""Namespaces of the national certificate contracts, in one place.

Source: the schemas named behind each constant, of the RIV-TA domain
clinicalprocess:healthcond:certificate.
"""

from typing import Final

CORE: Final = "urn:riv:clinicalprocess:healthcond:certificate:3"
"""`Intyg`, `HosPersonal`, `ResultType`, …: clinicalprocess_healthcond_certificate_3.3.xsd."""

TYPES: Final = "urn:riv:clinicalprocess:healthcond:certificate:types:3"
"""`IIType`, `CVType`, `PersonId`, …: clinicalprocess_healthcond_certificate_types_3.2.xsd."""

EXT32: Final = "urn:riv:clinicalprocess:healthcond:certificate:3.2"
"""`underskrift`, `legitimeratYrke`, `kallaAdressuppgifter`."""

EXT33: Final = "urn:riv:clinicalprocess:healthcond:certificate:3.3"
"""`forifyllnad`."""

EXT34: Final = "urn:riv:clinicalprocess:healthcond:certificate:3.4"
"""`hanteratAv` inside `handelse`."""

CSU_EXT: Final = (
    "urn:riv:clinicalprocess:healthcond:certificate:CertificateStatusUpdateForCareResponder:3.2"
)
"""`hanteratAv` last in a status update; not the one of EXT34."""

CORE1: Final = "urn:riv:clinicalprocess:healthcond:certificate:1"
"""`ResultType` of two contracts on recipients: clinicalprocess_healthcond_certificate_1.0.xsd."""

RECEIVER: Final = "urn:riv:clinicalprocess:healthcond:certificate:receiver:types:1"
"""`CertificateReceiverType`, `ApprovalStatusType`, …: intyg_receiver_types_1.0.xsd."""

REGISTRY: Final = "urn:riv:itintegration:registry:1"
"""`LogicalAddress`, the SOAP header of RIV-TA Basic Profile 2.1: itintegration_registry_1.0.xsd."""

SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
DSF: Final = "http://www.w3.org/2002/06/xmldsig-filter2"
XSL: Final = "http://www.w3.org/1999/XSL/Transform"
XS: Final = "http://www.w3.org/2001/XMLSchema"
WSDL: Final = "http://schemas.xmlsoap.org/wsdl/"
WSDL_SOAP: Final = "http://schemas.xmlsoap.org/wsdl/soap/"


def message(contract: str, major: int) -> str:
    """The message namespace of a national contract, e.g. RegisterCertificate 3."""
    return f"urn:riv:clinicalprocess:healthcond:certificate:{contract}Responder:{major}"
