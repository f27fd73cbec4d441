"""The command `intyg validate`.

Unlike in the flows, nothing is refused early when validating: the contract's schema and the rules
of the certificate's type are both asked, so that every fault is seen at once.
"""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from lxml import etree
from rich.markup import escape

from intyg.adapter.bootstrap.load_schemas import load_schemas
from intyg.adapter.cli.message_file import request_element
from intyg.adapter.cli.options import JsonOption, TodayOption, TypesOption, told_or_today
from intyg.adapter.cli.terminal import err, fail, out, print_json, read
from intyg.adapter.domain.errors import AdapterError
from intyg.adapter.formats import safe_xml
from intyg.adapter.settings.settings import SettingsError
from intyg.schemas import ns
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.finding import Finding, Severity
from intyg.schemas.typefile.lookup import IntygTypes, UnknownTypeError

_REGISTER: Final = ns.message("RegisterCertificate", 3)
_BARE: Final = "/RegisterCertificate/intyg"


def validate(
    files: Annotated[list[Path], typer.Argument(help="Messages; - is standard input.")],
    as_json: JsonOption = False,
    contracts_dir: Annotated[
        Path | None, typer.Option(help="An official archive of the contracts.")
    ] = None,
    types_dir: TypesOption = None,
    today: TodayOption = None,
) -> None:
    """Check messages against contract and certificate type: envelope, request or bare intyg."""
    contracts, types = _schemas(contracts_dir, types_dir)
    day = told_or_today(today)
    worst = 0
    for file in files:
        try:
            findings = check_file(read(file), contracts, types, today=day)
        except OSError as exc:
            findings = [Finding("FILE", f"cannot be read: {exc.strerror}", "/")]
            worst = 2
        valid = not any(f.severity is Severity.ERROR for f in findings)
        worst = max(worst, 0 if valid else 1)
        if as_json:
            errors = [_as_json(finding) for finding in findings]
            print_json({"file": str(file), "valid": valid, "errors": errors})
        else:
            _print_findings(file, findings, valid)
    raise typer.Exit(worst)


def _schemas(contracts_dir: Path | None, types_dir: Path | None) -> tuple[Contracts, IntygTypes]:
    try:
        contracts, types = load_schemas(contracts_dir, types_dir)
    except SettingsError as exc:
        fail(str(exc))
    for fault in types.refused:
        err.print(f"types_dir: {fault}", markup=False)
    return contracts, types


def _as_json(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "xpath": finding.xpath,
        "line": finding.line,
        "message": finding.message,
        "severity": finding.severity.value,
    }


def _print_findings(file: Path, findings: list[Finding], valid: bool) -> None:
    verdict = "[green]valid[/green]" if valid else "[red]not valid[/red]"
    out.print(f"{escape(str(file))}: {verdict}")
    for finding in findings:
        colour = "red" if finding.severity is Severity.ERROR else "yellow"
        place = f"line {finding.line} {finding.xpath}" if finding.line else finding.xpath
        out.print(
            f"  [{colour}]{finding.severity}[/{colour}] [bold]{escape(finding.rule)}[/bold] "
            f"{escape(finding.message)}\n    [dim]{escape(place)}[/dim]",
        )


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
