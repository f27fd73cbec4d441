"""What `intyg verify` says of a file."""

from datetime import datetime

from lxml import etree

from intyg.adapter.cli.validate_file import request_element
from intyg.adapter.domain.errors import AdapterError
from intyg.adapter.formats import safe_xml
from intyg.adapter.signature import (
    SignatureCode,
    SignatureOutcome,
    SignatureResult,
    TrustStore,
    verify_message,
)
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.finding import Finding


def verify_file(
    data: bytes, contracts: Contracts, trusted: TrustStore, at: datetime
) -> SignatureResult:
    """
    Verify the signature of the one intyg in a file.

    Args:
        data: A SOAP envelope, a bare request or response element, or a bare
            `intyg`.
        contracts: What the message must follow before its signature is looked at.
        trusted: Whose certificates count.
        at: When they must be valid; aware.
    """

    def refused(code: SignatureCode, detail: str) -> SignatureResult:
        return SignatureResult(SignatureOutcome.REFUSED, code, validity_time=at, detail=detail)

    try:
        root = safe_xml.parse(data).getroot()
        element = request_element(root)
    except AdapterError as exc:
        return refused(SignatureCode.XML, exc.text)
    findings = _schema_findings(element, contracts)
    if findings:
        return refused(SignatureCode.SCHEMA, findings[0].message)
    return verify_message(root, trusted, at, size=len(data))


def _schema_findings(element: etree._Element, contracts: Contracts) -> list[Finding]:
    for contract in contracts.all():
        if element.tag in (contract.request, contract.response):
            return contracts.check(contract, element)
    return []  # a bare intyg, or nothing we know: its place is judged next
