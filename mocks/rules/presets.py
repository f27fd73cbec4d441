"""
The national platform's own faults, byte-shaped as it writes them.

Always HTTP 500 and a SOAP 1.1 Fault; `faultstring` begins with the code and the platform's name in
brackets, `detail/detailString`, without a namespace, has the technical text. The texts are our own.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from intyg.mocks.wire.envelope import FaultCode

PLATFORM: Final = "NTJP-MOCK"
"""What stands in the brackets."""

_FAULT: Final = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
    "<soapenv:Header/><soapenv:Body><soapenv:Fault>"
    "<faultcode>soapenv:{code}</faultcode><faultstring>{text}</faultstring>"
    "<detail><detailString>{detail}</detailString></detail>"
    "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
)


class VpCode(StrEnum):
    """What the platform calls its faults."""

    VP001 = "VP001"
    VP002 = "VP002"
    VP003 = "VP003"
    VP004 = "VP004"
    VP005 = "VP005"
    VP006 = "VP006"
    VP007 = "VP007"
    VP008 = "VP008"
    VP009 = "VP009"
    VP010 = "VP010"
    VP011 = "VP011"
    VP012 = "VP012"
    VP013 = "VP013"
    VP014 = "VP014"
    VP015 = "VP015"


@dataclass(frozen=True)
class Preset:
    """
    One of the platform's faults.

    Attributes:
        whose: `faultcode`; no hint whether trying again helps.
        text: `faultstring` after code and platform.
    """

    whose: FaultCode
    text: str


_CLIENT, _SERVER = FaultCode.CLIENT, FaultCode.SERVER

PRESETS: Final = {
    VpCode.VP001: Preset(_CLIENT, "The message has no RIV-TA header that can be used"),
    VpCode.VP002: Preset(_CLIENT, "The client certificate is missing or names no system"),
    VpCode.VP003: Preset(_CLIENT, "The message has no logical address"),
    VpCode.VP004: Preset(_CLIENT, "No producer is known for this contract and logical address"),
    VpCode.VP005: Preset(_CLIENT, "The producer does not have the profile that is asked for"),
    VpCode.VP006: Preset(_SERVER, "There is more than one route to this producer"),
    VpCode.VP007: Preset(_SERVER, "The caller may not call this contract and logical address"),
    VpCode.VP008: Preset(_SERVER, "The platform has no routing data"),
    VpCode.VP009: Preset(_SERVER, "The producer cannot be reached or does not answer"),
    VpCode.VP010: Preset(_SERVER, "The route to the producer has no address"),
    VpCode.VP011: Preset(_CLIENT, "The call comes from outside of what is allowed"),
    VpCode.VP012: Preset(_SERVER, "The platform lacks a resource at the moment"),
    VpCode.VP013: Preset(_CLIENT, "The caller may not say who the original consumer is"),
    VpCode.VP014: Preset(_SERVER, "The call has been here before: a routing loop"),
    VpCode.VP015: Preset(_CLIENT, "The message could not be parsed"),
}


def write_preset(code: VpCode, contract_namespace: str, logical_address: str) -> bytes:
    """The fault as an envelope; without XML declaration, as the platform writes it."""
    preset = PRESETS[code]
    detail = f"{code} {preset.text} ({contract_namespace}, {_escaped(logical_address)})"
    text = f"{code} [{PLATFORM}] {preset.text}"
    return _FAULT.format(code=preset.whose, text=text, detail=detail).encode()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
