"""RegisterApprovedReceivers 1: care says who may get a certificate.

The national endpoint does not validate, and the national editor sends neither the root of the id
nor the code system of the type, which the schema requires. Those two may be missing here too.
"""

from copy import deepcopy

from lxml import etree

from intyg.adapter.domain.errors import ApplicationError, SchemaError, ValidationError
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.domain.recipient import RecipientKind
from intyg.adapter.domain.texts import APPROVALS_REFUSED
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.receivers import type_named
from intyg.adapter.flows.shared.validate import refuse
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.query_readers import Approvals, read_register_approved_receivers
from intyg.adapter.formats.result_writer import error_text
from intyg.adapter.routing.recipients import NEVER_SENT_TO, RecipientRegister
from intyg.adapter.store import Rows
from intyg.schemas import ns
from intyg.schemas.codes import INTYGSTYP_SYSTEM, ResultCode
from intyg.schemas.finding import Finding
from intyg.schemas.intyg_model import IntygType

_T = f"{{{ns.TYPES}}}"


def handle(inbound: Inbound, services: Services, unit: UnitOfWork) -> Result:
    """
    Store what care says, in the place of all that it said of this certificate before.

    Receivers that are possible for the type and not mentioned become NO, the main one YES. The
    certificate need not be registered yet.

    Returns:
        OK; a refusal is an ERROR without `errorId`, as nationally.
    """
    try:
        approvals = _read(inbound, services)
        intyg_type = type_named(approvals.typ, services)
        _check(approvals, intyg_type, services)
    except (ValidationError, ApplicationError) as error:
        return Result(ResultCode.ERROR, error_text(error))
    assert intyg_type is not None
    register = RecipientRegister(services.settings)
    by_receiver = {
        known.part: "YES" if known.kind is RecipientKind.HUVUDMOTTAGARE else "NO"
        for known in register.possible(intyg_type)
    }

    def put(rows: Rows) -> Result:
        rows.approvals.put(approvals.intygs_id, by_receiver | approvals.by_receiver)
        return Result.ok()

    return unit.write(put)


def _read(inbound: Inbound, services: Services) -> Approvals:
    """
    Read a request that is valid once the two things that may be missing are put in.

    Raises:
        SchemaError: Something else is wrong.
    """
    element = deepcopy(inbound.element)
    _put_in(element, "intyg-id", "root", "", 0)
    _put_in(element, "typAvIntyg", "codeSystem", INTYGSTYP_SYSTEM, 1)
    findings = services.contracts.check(inbound.contract, element)
    if findings:
        raise SchemaError(APPROVALS_REFUSED, findings)
    return read_register_approved_receivers(element)


def _put_in(request: etree._Element, parent: str, name: str, text: str, at: int) -> None:
    found = request.find(f"{{{etree.QName(request).namespace}}}{parent}")
    if found is not None and found.find(f"{_T}{name}") is None:
        added = etree.Element(f"{_T}{name}")
        added.text = text
        found.insert(at, added)


def _check(approvals: Approvals, intyg_type: IntygType | None, services: Services) -> None:
    findings = []
    if not approvals.intygs_id:
        findings.append(_finding("INTYGS_ID", "intyg-id must not be empty", "intyg-id"))
    if intyg_type is None:
        findings.append(_finding("TYPE", "typAvIntyg must be a known type", "typAvIntyg"))
    register = RecipientRegister(services.settings)
    unknown = [
        part for part in approvals.by_receiver if part in NEVER_SENT_TO or not register.get(part)
    ]
    if unknown:
        names = ", ".join(k.part for k in register.all() if k.part not in NEVER_SENT_TO) or "none"
        text = f"receiverId must be one that certificates are sent to: {names}"
        where = "approvedReceivers/receiverId"
        findings.append(_finding("RECEIVER_NOT_KNOWN_ERROR", text, where))
    refuse(findings, APPROVALS_REFUSED)


def _finding(rule: str, text: str, name: str) -> Finding:
    return Finding(rule, text, f"/RegisterApprovedReceivers/{name}")
