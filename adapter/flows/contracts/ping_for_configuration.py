"""PingForConfiguration 1: is the service up, and which version is it."""

from importlib.metadata import version

from lxml import etree

from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.validate import validate
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.answer_writers import write_ping


def handle(inbound: Inbound, services: Services, unit: UnitOfWork) -> etree._Element:
    """
    Answer with version, time and environment, whichever contract and address are asked about.

    Raises:
        SchemaError: Not as the contract wants it.
        StoreError: The database does not answer, so the service is not up.
    """
    validate(inbound, services.contracts)
    unit.read(lambda rows: rows.intyg.get(""))
    return write_ping(
        inbound.contract,
        version("intygsadapter"),
        services.clock(),
        [("environment", services.settings.environment.value)],
    )
