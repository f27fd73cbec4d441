"""The command `intyg verify`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from lxml import etree
from rich.markup import escape

from intyg.adapter.cli.message_file import request_element
from intyg.adapter.cli.options import KEYS, JsonOption
from intyg.adapter.cli.terminal import err, fail, out, print_json, read
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.errors import AdapterError
from intyg.adapter.domain.log import shown
from intyg.adapter.formats import safe_xml
from intyg.adapter.settings.settings import SettingsError
from intyg.adapter.signature import (
    SignatureCode,
    SignatureOutcome,
    SignatureResult,
    TrustStore,
    verify_message,
)
from intyg.adapter.signature.demo_keys import TestKeys
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.finding import Finding


def verify(
    file: Annotated[Path, typer.Argument(help="A message with intyg; - is standard input.")],
    as_json: JsonOption = False,
    at: Annotated[
        datetime | None,
        typer.Option(help="When the certificate must be valid, UTC; default: now."),
    ] = None,
    pin: Annotated[
        list[Path] | None, typer.Option(help="Signer certificate taken as it is (PEM or DER).")
    ] = None,
    trust: Annotated[
        list[Path] | None, typer.Option(help="CA certificate (PEM); default: the test CA.")
    ] = None,
) -> None:
    """Verify the signature of an intyg: prints outcome and code."""
    anchors = list(trust or [])
    test_ca = TestKeys.of(KEYS).ca
    if not anchors and not pin and test_ca.exists():
        anchors = [test_ca]
    moment = at.replace(tzinfo=UTC) if at and at.tzinfo is None else at or system_clock()
    try:
        trusted = TrustStore.from_files(anchors=anchors, pinned=pin or ())
        result = verify_file(read(file), Contracts(), trusted, moment)
    except OSError as exc:
        fail(f"{exc.filename or file}: {exc.strerror}")
    except SettingsError as exc:
        fail(str(exc))
    if as_json:
        print_json(_as_json(file, result))
    else:
        _print(result)
    raise typer.Exit(0 if result.outcome is SignatureOutcome.VALID else 1)


def _as_json(file: Path, result: SignatureResult) -> dict[str, str | None]:
    return {
        "file": str(file),
        "outcome": result.outcome.value,
        "code": result.code.value if result.code else None,
        "message": result.text,
        "signer": result.signer.hsa_id if result.signer else None,
        "method": result.method,
    }


def _print(result: SignatureResult) -> None:
    code = result.code if result.code and result.code.value != result.outcome.value else ""
    out.print(f"{result.outcome} {code}".rstrip())
    # a word from a certificate that nobody has read yet
    signer = f"; signer {shown(result.signer.hsa_id)}" if result.signer else ""
    err.print(escape(result.text + signer))


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
