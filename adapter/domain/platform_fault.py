"""The faults of the national platform, which the adapter's doors give in its place.

Always a SOAP fault with HTTP 500: `faultstring` begins with the code and the platform's name in
brackets, and `detail/detailString` holds the technical text.

Source: faults VP001 to VP015 of the national service platform (VP); those that a door here can
give. Which side a fault is on is the platform's word, and no hint whether asking again can help:
it counts a missing permission (VP007) and two routes (VP006) as faults of its own.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from intyg.adapter.domain.errors import FaultCode, FaultError
from intyg.schemas import ns

PLATFORM: Final = "intygsadapter"
"""What stands in brackets: who says so, where several platforms follow each other."""


class VpCode(StrEnum):
    """Reason why a call got no further than the door."""

    VP001 = "VP001"  # no routing header
    VP002 = "VP002"  # caller without certificate, or without an id in it
    VP003 = "VP003"  # empty logical address
    VP004 = "VP004"  # no route
    VP006 = "VP006"  # several routes
    VP007 = "VP007"  # not permitted
    VP008 = "VP008"  # no routing data at all
    VP010 = "VP010"  # a route to a destination without address
    VP011 = "VP011"  # outside TLS, from a place that is not listed
    VP013 = "VP013"  # may not name an original caller


FAULTS: Final[Mapping[VpCode, tuple[FaultCode, str]]] = {
    VpCode.VP001: (
        FaultCode.CLIENT,
        f"The message has no RIV-TA header (LogicalAddress in {ns.REGISTRY}).",
    ),
    VpCode.VP002: (FaultCode.CLIENT, "The client certificate is missing or holds no HSA-id."),
    VpCode.VP003: (FaultCode.CLIENT, "The LogicalAddress is empty."),
    VpCode.VP004: (FaultCode.CLIENT, "There is no route for this contract and logical address."),
    VpCode.VP006: (FaultCode.SERVER, "There are several routes for this contract and address."),
    VpCode.VP007: (
        FaultCode.SERVER,
        "The caller is not permitted to call this contract at this logical address.",
    ),
    VpCode.VP008: (FaultCode.SERVER, "There is no routing data. Try again later."),
    VpCode.VP010: (FaultCode.SERVER, "The route leads to a destination without an address."),
    VpCode.VP011: (FaultCode.CLIENT, "The call came neither over TLS nor from a listed proxy."),
    VpCode.VP013: (
        FaultCode.CLIENT,
        "The caller may not set the header x-rivta-original-serviceconsumer-hsaid.",
    ),
}
"""What each says, and whose fault it is."""


class PlatformFaultError(FaultError):
    """
    A call was turned away at the door.

    Attributes:
        code: Why.
        detail: What exactly, for `detailString`; no person data.
    """

    def __init__(self, code: VpCode, detail: str) -> None:
        fault_code, text = FAULTS[code]
        super().__init__(f"{code} [{PLATFORM}] {text}", fault_code, detail=detail)
        self.code = code
