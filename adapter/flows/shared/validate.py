"""Element → validated element: by the contract's schema, by the certificate type's rules."""

from collections.abc import Sequence
from datetime import date

from lxml import etree

from intyg.adapter.domain.errors import RuleError, SchemaError
from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.domain.intyg import Intyg
from intyg.schemas import ns
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.finding import Finding, Severity
from intyg.schemas.intyg_model import Engine, IntygType
from intyg.schemas.typefile.lookup import IntygTypes, UnknownTypeError

_NOT_SUPPORTED = "The certificate's type or version is not supported."
_INTYG = f"{{{ns.message('RegisterCertificate', 3)}}}intyg"


def validate(inbound: Inbound, contracts: Contracts) -> None:
    """
    Check a request against its contract's schema.

    Args:
        inbound: The request; `element` is not changed.

    Raises:
        SchemaError: The schema says no; every fault is listed with its line
            and XPath.
    """
    findings = contracts.check(inbound.contract, inbound.element)
    if findings:
        raise SchemaError(
            f"The request does not follow the schema of {inbound.contract.name} "
            f"{inbound.contract.major}:",
            findings,
        )


def find_type(intyg: Intyg, types: IntygTypes) -> IntygType:
    """
    Find the type of a certificate.

    Raises:
        RuleError: No such type, or not in this version; names those known.
    """
    try:
        return types.find(intyg.typ, intyg.version)
    except UnknownTypeError as exc:
        raise RuleError(
            _NOT_SUPPORTED,
            [Finding("TYPE", str(exc), "/RegisterCertificate/intyg/typ")],
        ) from exc


def engine_of(intyg: Intyg, types: IntygTypes) -> Engine:
    """The national engine of a stored certificate; the older one where its type's file is gone."""
    found = types.known(intyg.typ, intyg.version)
    return Engine.LEGACY if found is None else found.engine


def find_type_in_use(intyg: Intyg, types: IntygTypes) -> IntygType:
    """
    Find the type of a certificate that is new here.

    Raises:
        RuleError: As `find_type`; or no new ones of this type and version are taken.
    """
    intyg_type = find_type(intyg, types)
    if not intyg_type.usage.register:
        newer = intyg_type.usage.replaced_by
        text = "no new certificates of this type and version are taken" + (
            f"; {newer} has taken its place" if newer else ""
        )
        refuse([Finding("TYPE", text, "/RegisterCertificate/intyg/typ")], _NOT_SUPPORTED)
    return intyg_type


def validate_intyg(
    request: etree._Element,
    intyg_type: IntygType,
    types: IntygTypes,
    *,
    today: date,
    strict: bool,
) -> list[Finding]:
    """
    Check a certificate against the rules of its type.

    Args:
        request: A RegisterCertificate element, valid by its schema.
        today: In Sweden, for rules that depend on it.
        strict: Rules of severity warning refuse too.

    Returns:
        The warnings, when they do not refuse.

    Raises:
        RuleError: A rule does not hold; lists every finding, warnings too.
    """
    intyg = request.find(_INTYG)
    assert intyg is not None  # the schema requires it
    findings = types.check(intyg_type, intyg, today=today)
    if strict or any(finding.severity is Severity.ERROR for finding in findings):
        refuse(findings, f"The certificate breaks rules of {intyg_type.code}:")
    return findings


def refuse(findings: Sequence[Finding], text: str) -> None:
    """
    Raise what was found, if anything.

    Raises:
        RuleError: There are findings.
    """
    if findings:
        raise RuleError(text, findings)
