"""A certificate whose id is taken: the same again, or another?"""

from typing import Final

import structlog
from lxml import etree

from intyg.adapter.domain.errors import DuplicateError
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.domain.intyg import Intyg, StoredIntyg
from intyg.adapter.domain.log import shown
from intyg.adapter.domain.texts import ALREADY_REGISTERED, CONTENT_DIFFERS
from intyg.adapter.formats.safe_xml import parse
from intyg.adapter.rules.person_id import same_person
from intyg.adapter.signature import Refusal, normalise
from intyg.schemas import ns

_log = structlog.get_logger()
_INTYG: Final = f"{{{ns.message('RegisterCertificate', 3)}}}intyg"


def registered_before(
    inbound: Inbound, intyg: Intyg, earlier: StoredIntyg, *, strict: bool
) -> Result:
    """
    What is answered for a certificate that was registered before.

    Args:
        strict: Another content is refused.

    Raises:
        DuplicateError: The id is another patient's; or the content differs, and that is refused.
    """
    if not same_person(earlier.intyg.patient, intyg.patient):
        raise DuplicateError(ALREADY_REGISTERED)
    if _same_content(inbound, intyg, earlier):
        return Result.info(ALREADY_REGISTERED)
    _log.warning(
        "register_certificate.content_differs",
        **{"trace.id": inbound.correlation_id, "intyg.id": shown(intyg.intygs_id)},
    )
    text = f"{ALREADY_REGISTERED}\n{CONTENT_DIFFERS}"
    if strict:
        raise DuplicateError(text)
    return Result.info(text)


def _same_content(inbound: Inbound, intyg: Intyg, earlier: StoredIntyg) -> bool:
    """
    Whether two requests carry the same certificate.

    Not byte for byte: what a signature would cover is compared, with the relation and `svarPa`, so
    that another prefix, a new signature or the adapter's own makes no difference.
    """
    if inbound.body == earlier.body:
        return True
    if (intyg.relation, intyg.svar_pa) != (earlier.intyg.relation, earlier.intyg.svar_pa):
        return False
    try:
        return normalise(_intyg(inbound.element)) == normalise(
            _intyg(parse(earlier.body).getroot())
        )
    except Refusal:  # not what can be signed, e.g. it holds comments: then only equal bytes count
        return False


def _intyg(request: etree._Element) -> etree._Element:
    intyg = request.find(_INTYG)
    assert intyg is not None  # the schema requires it
    return intyg
