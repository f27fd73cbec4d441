"""What a contract's WSDL says about calling it: the only module that knows zeep."""

from dataclasses import dataclass
from io import BytesIO
from typing import Never

from zeep import Client
from zeep.wsdl.bindings.soap import Soap11Binding

from intyg.adapter.deliver.transport import GuardBypassError
from intyg.schemas.contract.contract import Contract, Contracts


@dataclass(frozen=True)
class Operation:
    """How a contract is called."""

    name: str
    soap_action: str


def read_operation(contracts: Contracts, contract: Contract) -> Operation:
    """Read a contract's WSDL, which has all its schemas inside."""
    client = Client(BytesIO(contracts.wsdl_whole(contract)), transport=Shut())
    (service,) = client.wsdl.services.values()
    (port,) = service.ports.values()
    assert isinstance(port.binding, Soap11Binding)
    operation = port.binding.get(contract.name)
    return Operation(operation.name, operation.soapaction)


class Shut:
    """The transport that zeep gets: none of its ways of posting and fetching is there."""

    binding_classes = None  # asked for in every transport: zeep's own

    def __getattr__(self, name: str) -> Never:
        raise GuardBypassError(f"zeep's {name} is shut: a delivery is the way out")
