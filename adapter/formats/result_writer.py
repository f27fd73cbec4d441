"""What a call is answered with: an error as a `Result`, a `Result` as an element.

Source: clinicalprocess_healthcond_certificate_3.3.xsd, `ResultType` and `ErrorIdType`. The order of
its children matters: `errorId` comes after `resultText`.
"""

import re
from collections.abc import Sequence
from typing import Final

from lxml import etree

from intyg.adapter.domain.errors import AdapterError, RuleError
from intyg.adapter.domain.inbound import Result
from intyg.schemas import ns
from intyg.schemas.contract.contract import Contract
from intyg.schemas.finding import MAX_FINDINGS, Finding, Severity

_EMPTY_LIST_BEFORE: Final = {"ListCertificatesForCitizen:3": "intygsLista"}
"""What the schema requires before `result`, also when there is nothing to list."""

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """The text with every character that XML 1.0 (section 2.2) does not allow replaced."""
    return _NOT_XML.sub("\ufffd", text)


def error_text(error: AdapterError) -> str:
    """
    The error's text, then its findings, one a line: `rule xpath line 12: message`.

    Errors come before warnings; at most `MAX_FINDINGS` are listed, the others counted.
    """
    refusing_first = sorted(error.findings, key=lambda f: f.severity is not Severity.ERROR)
    lines = [error.text, *(_line(finding) for finding in refusing_first[:MAX_FINDINGS])]
    if len(refusing_first) > MAX_FINDINGS:
        lines.append(f"and {len(refusing_first) - MAX_FINDINGS} more")
    return "\n".join(lines)


def _line(finding: Finding) -> str:
    line = f" line {finding.line}" if finding.line is not None else ""
    kind = "warning: " if finding.severity is Severity.WARNING else ""
    return f"{finding.rule} {finding.xpath}{line}: {kind}{finding.message}"


def with_remarks(text: str, findings: Sequence[Finding], before: Sequence[str] = ()) -> Result:
    """
    What is answered when it is done: OK, or INFO where there is something to say.

    Args:
        text: Before the findings, with `{remarks}`: how many there are.
        findings: What is not as it should be.
        before: Other remarks, each a sentence.
    """
    texts = list(before)
    if findings:
        count = f"{len(findings)} remark{'s' if len(findings) > 1 else ''}"
        texts.append(error_text(RuleError(text.format(remarks=count), findings)))
    return Result.info("\n".join(texts)) if texts else Result.ok()


def error_result(error: AdapterError) -> Result:
    """An ERROR with the class's `errorId`; `resultText` as in `error_text`."""
    return Result.error(error.error_id, error_text(error))


def response_element(contract: Contract, result: Result) -> etree._Element:
    """
    The response element of a contract that answers with a `result`, perhaps after an empty list.

    Returns:
        E.g. `RegisterCertificateResponse`, valid against the contract's XSD, without an envelope.
    """
    prefixes = {"ns": contract.namespace, "core": ns.CORE}
    response = etree.Element(contract.response, nsmap=prefixes)
    if contract.key in _EMPTY_LIST_BEFORE:
        etree.SubElement(response, f"{{{contract.namespace}}}{_EMPTY_LIST_BEFORE[contract.key]}")
    if result.intygs_id is not None:
        intygs_id = etree.SubElement(response, f"{{{contract.namespace}}}intygs-id")
        for name, text in zip(("root", "extension"), result.intygs_id, strict=True):
            etree.SubElement(intygs_id, f"{{{ns.TYPES}}}{name}").text = text
    answer = etree.SubElement(response, f"{{{contract.namespace}}}result")
    etree.SubElement(answer, f"{{{ns.CORE}}}resultCode").text = result.code
    if result.text is not None:
        etree.SubElement(answer, f"{{{ns.CORE}}}resultText").text = xml_text(result.text)
    if result.error_id is not None:
        etree.SubElement(answer, f"{{{ns.CORE}}}errorId").text = result.error_id
    return response
