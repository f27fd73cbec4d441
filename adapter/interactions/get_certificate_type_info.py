"""GetCertificateTypeInfo 1: the type and version of a certificate."""

from lxml import etree

from adapter.answer_writers import write_type_info
from adapter.errors import UnknownIntygError
from adapter.model import Inbound
from adapter.parts import Parts
from adapter.query_readers import read_intygs_ids
from adapter.texts import NO_INTYG
from adapter.validate import find_type, validate


def handle(inbound: Inbound, parts: Parts) -> etree._Element:
    """
    Tell the type as certificates write it (`LISJP`), and the version as this one does (`1.3`).

    Raises:
        SchemaError: Not as the contract wants it.
        UnknownIntygError: The id is empty, or no certificate's.
    """
    validate(inbound, parts.contracts)
    (intygs_id,) = read_intygs_ids(inbound.element)
    with parts.store.read() as rows:
        stored = rows.get_intyg(intygs_id)
    if stored is None:
        raise UnknownIntygError(NO_INTYG)
    known = find_type(stored.intyg, parts.types)
    return write_type_info(
        inbound.contract, known.xml_code, known.xml_system, known.xml_display, stored.intyg.version
    )
