"""PingForConfiguration 1: is the service up, and which version is it."""

from importlib.metadata import version

from lxml import etree

from adapter.answer_writers import write_ping
from adapter.model import Inbound
from adapter.parts import Parts
from adapter.validate import validate


def handle(inbound: Inbound, parts: Parts) -> etree._Element:
    """
    Answer with version, time and environment, whichever contract and address are asked about.

    Raises:
        SchemaError: Not as the contract wants it.
        StoreError: The database does not answer, so the service is not up.
    """
    validate(inbound, parts.contracts)
    with parts.store.read() as rows:
        rows.get_intyg("")
    return write_ping(
        inbound.contract,
        version("intygsadapter"),
        parts.clock(),
        [("environment", parts.settings.environment.value)],
    )
