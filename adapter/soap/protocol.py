"""SOAP 1.1 for spyne, with our own parser in front and our own envelope behind.

spyne calls these hooks in order for one request: `create_in_document`,
`decompose_incoming_envelope`, `deserialize`, the service function, `serialize`,
`create_out_string`. `ctx.udc` is our `Call`. The message is parsed once, in the first hook. What
spyne's own hooks would do more (reading `href` and `xsi:type`, MIME attachments, logging messages)
is what we do not want.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml import etree

from intyg.adapter.domain.errors import FaultCode, FaultError
from intyg.adapter.domain.pieces import Pieces
from intyg.adapter.domain.platform_fault import PlatformFaultError
from intyg.adapter.formats import safe_xml
from intyg.adapter.routing.caller import Caller
from intyg.adapter.soap.compat import Fault, Soap11
from intyg.adapter.soap.envelope import fault_envelope, read_envelope
from intyg.schemas.contract.contract import Contract


@dataclass
class Call:
    """
    One request on its way through spyne: what came, and what is known of it so far.

    Attributes:
        body: The message as it came; in UTF-8 once `create_in_document` has run.
        charset: Of the Content-Type.
        dry_run: The caller wants to know what would come of it, and nothing kept.
        caller: Who calls; None where nobody is asked.
        logical_address: Set when the envelope has been read.
        result_code: Of the answer, for the log; None for a fault.
        error_id: Of the answer, for the log.
        fault: The code of the fault with which the door turned the call away, for the log.
    """

    body: bytes
    charset: str | None
    received_at: datetime
    correlation_id: str
    dry_run: bool = False
    caller: Caller | None = None
    logical_address: str | None = None
    result_code: str | None = None
    error_id: str | None = None
    fault: str | None = None

    def note_fault(self, error: FaultError) -> None:
        """Remember for the log why the door turned the call away."""
        if isinstance(error, PlatformFaultError):
            self.fault = error.code


class SoapFault(Fault):
    """A `FaultError` on its way through spyne."""

    def __init__(self, error: FaultError) -> None:
        super().__init__(faultcode=str(error.fault_code), faultstring=error.text)
        self.error = error


class RivSoap11(Soap11):
    """
    SOAP 1.1 with RIV-TA's header, for one contract, dispatched on the body element.

    Args:
        contract: The contract that this address serves.
        where_served: From a body element (Clark name) to a text on where it belongs, or None.
        max_bytes: Largest message.
        admit: Turns a call away, by raising a FaultError, or lets it go on. Asked when the envelope
            has been read and before anything in the Body is looked at.
    """

    def __init__(
        self,
        contract: Contract,
        where_served: Callable[[str], str | None],
        max_bytes: int,
        admit: Callable[[Call], None] = lambda _: None,
    ) -> None:
        super().__init__()
        self._admit = admit
        self._contract = contract
        self._where_served = where_served
        self._max_bytes = max_bytes

    def create_in_document(self, ctx: Any, charset: str | None = None) -> None:  # noqa: ARG002
        call: Call = ctx.udc
        try:
            call.body = safe_xml.to_utf8(call.body, call.charset)
            ctx.in_document = safe_xml.parse(call.body, self._max_bytes, "utf-8")
        except FaultError as error:
            raise SoapFault(error) from None

    def decompose_incoming_envelope(self, ctx: Any, message: Any = None) -> None:  # noqa: ARG002
        call: Call = ctx.udc
        try:
            envelope = read_envelope(ctx.in_document)
            call.logical_address = envelope.logical_address
            if envelope.element.tag != self._contract.request:
                raise self._other_contract(str(envelope.element.tag))
            self._admit(call)
        except FaultError as error:
            raise SoapFault(error) from None
        ctx.in_body_doc = envelope.element
        ctx.method_request_string = self._contract.request

    def _other_contract(self, tag: str) -> FaultError:
        text = (
            f"This address serves {self._contract.name} {self._contract.major}: "
            f"the Body must hold {self._contract.request}."
        )
        elsewhere = self._where_served(tag)
        return FaultError(f"{text} {elsewhere}" if elsewhere else text)

    def deserialize(self, ctx: Any, message: Any) -> None:  # noqa: ARG002
        ctx.in_object = ctx.in_body_doc

    def serialize(self, ctx: Any, message: Any) -> None:  # noqa: ARG002
        if ctx.out_error is None:
            ctx.out_document = _enveloped(ctx.out_object[0])
        elif isinstance(ctx.out_error, SoapFault):
            error: FaultError = ctx.out_error.error
            ctx.udc.note_fault(error)
            ctx.out_document = [fault_envelope(error.fault_code, error.text, error.detail)]
        else:  # spyne's own, whose texts can quote the message
            ctx.out_document = [fault_envelope(FaultCode.CLIENT, "The message was not understood.")]

    def create_out_string(self, ctx: Any, charset: str | None = None) -> None:  # noqa: ARG002
        ctx.out_string = ctx.out_document

    def fault_to_http_response_code(self, fault: Any) -> int:
        return fault.error.http_status if isinstance(fault, SoapFault) else 500


def _enveloped(answer: etree._Element | bytes | Pieces) -> list[bytes]:
    if isinstance(answer, Pieces):
        before, after = safe_xml.around_body(None)
        return [before, *answer, after]
    if not isinstance(answer, bytes):
        answer = etree.tostring(answer, encoding="utf-8")
    return [safe_xml.envelope(answer, None)]
