"""One contract as a spyne application, and what its callers are told when its handler fails."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import structlog
from lxml import etree

from intyg.adapter.domain.errors import (
    AdapterError,
    FaultCode,
    FaultError,
    TechnicalError,
)
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.domain.pieces import Pieces
from intyg.adapter.formats import safe_xml
from intyg.adapter.formats.intyg_bytes import find_intyg_bytes
from intyg.adapter.formats.result_writer import error_result, error_text, response_element
from intyg.adapter.soap.compat import (
    AnyXml,
    Application,
    MethodContext,
    ServerBase,
    Service,
    rpc,
)
from intyg.adapter.soap.protocol import Call, RivSoap11, SoapFault
from intyg.schemas.contract.contract import Contract
from intyg.schemas.finding import Finding

MAX_LOGGED: Final = 10  # faults of an answer of ours; the first ones say enough

Answer: TypeAlias = Result | etree._Element | bytes | Pieces
"""A `Result` becomes the response element; an element is it already, and so are bytes: a document
of its own, UTF-8, without XML declaration, that leaves as it is. So are pieces, together."""

Handler: TypeAlias = Callable[[Inbound], Answer]
"""A contract's whole flow."""

_Shape: TypeAlias = tuple[object, ...]
"""Which elements a result has, and the codes in it; its texts may say anything."""

Check: TypeAlias = Callable[[Contract, etree._Element], Sequence[Finding]]
"""What is wrong with an element by its contract's schema."""

_log = structlog.get_logger("intyg.adapter.soap")


class ContractServer(ServerBase):
    """
    spyne's transport for one contract: a `Call` in, HTTP status and envelope out.

    In the place of spyne's own WSGI transport, which costs as much as parsing a message and stops
    every thread for a full garbage collection once a second.
    """

    transport = "adapter"

    @contextmanager
    def taken_in(self, call: Call) -> Iterator[MethodContext]:
        """
        Take a request through spyne, up to its handler; never raises for what is in it.

        Unless there is an `in_error`, `get_out_object` calls the handler, and `finish` writes the
        answer in any case. Both are for whoever opens this, so that no function of ours stands
        between the door and the handler that has nothing left to do.
        """
        first = MethodContext(self, MethodContext.SERVER)
        first.udc = call
        context, *_ = self.generate_contexts(first)
        try:
            if not context.in_error:
                self.get_in_object(context)
            yield context
        finally:
            # The contexts refer to each other in circles; without them the trees go at once.
            vars(context).clear()
            vars(first).clear()

    def finish(self, context: MethodContext) -> tuple[int, list[bytes]]:
        """HTTP status and envelope of the answer, or of the fault; in pieces."""
        self.get_out_string(context)
        error = context.out_error
        status = 200 if error is None else self.app.out_protocol.fault_to_http_response_code(error)
        return status, context.out_string


def build_service(
    contract: Contract,
    handler: Handler,
    where_served: Callable[[str], str | None],
    *,
    max_bytes: int,
    faults: bool,
    check: Check | None = None,
    admit: Callable[[Call], None] = lambda _: None,
) -> ContractServer:
    """
    A contract's spyne application, ready to answer calls.

    Args:
        contract: What it serves.
        handler: What to do with a well-built request.
        where_served: See `RivSoap11`.
        max_bytes: Largest message.
        faults: The contract's response has no result: every error is a SOAP fault.
        check: Each answer is checked by it before it leaves; None: not checked.
        admit: See `RivSoap11`.
    """

    right: set[_Shape] = set()

    def check_answer(call: Call, answer: Answer) -> None:
        """A result is checked once in each shape that it has; there are few."""
        shape = _shape_of(answer) if isinstance(answer, Result) else None
        if check is not None and shape not in right:
            _check(call, contract, answer, check)
            right.update(() if shape is None else (shape,))

    def serve(ctx: Any, element: etree._Element) -> etree._Element | bytes | Pieces:
        """Run the handler; its errors become answers here and nowhere else."""
        call: Call = ctx.udc
        try:
            answer = handler(_inbound(call, contract, element))
            check_answer(call, answer)
        except FaultError as error:
            raise SoapFault(error) from None
        except AdapterError as error:
            answer = _refusal(error, faults)
        except Exception as exc:  # noqa: BLE001 - the door: whatever happened, there is an answer
            report_unexpected(exc, call.correlation_id)
            answer = _refusal(unexpected(call.correlation_id), faults)
        return _written(call, contract, answer)

    protocols = [RivSoap11(contract, where_served, max_bytes, admit) for _ in range(2)]
    application = Application(
        [_spyne_service(contract, serve)],
        tns=contract.namespace,
        name=contract.name,
        in_protocol=protocols[0],
        out_protocol=protocols[1],
    )
    return ContractServer(application)


def _spyne_service(contract: Contract, serve: Callable[..., Any]) -> type[Service]:
    """
    Contract-first: one operation, named as the request element, XML in and XML out.

    The WSDL that spyne would make of it is never asked for.
    """
    operation = rpc(
        AnyXml,
        _returns=AnyXml,
        _body_style="bare",
        _in_message_name=contract.name,
        _out_message_name=f"{contract.name}Response",
    )
    return type(contract.name, (Service,), {"serve": operation(serve)})


def _written(call: Call, contract: Contract, answer: Answer) -> etree._Element | bytes | Pieces:
    """The answer's element; what it says is noted for the log."""
    if not isinstance(answer, Result):
        return answer
    call.result_code, call.error_id = answer.code, answer.error_id
    return response_element(contract, answer)


def _check(call: Call, contract: Contract, answer: Answer, check: Check) -> None:
    """
    Refuse to let an answer leave that does not follow its own contract.

    Raises:
        TechnicalError: It does not; the log has where, without what it says.
    """
    findings = [
        found for element in _elements(contract, answer) for found in check(contract, element)
    ]
    if findings:
        _log.error(
            "soap.answer_invalid",
            **{
                "trace.id": call.correlation_id,
                "intyg.contract": contract.key,
                "intyg.findings": [f"{f.rule} {f.xpath}" for f in findings[:MAX_LOGGED]],
            },
        )
        raise unexpected(call.correlation_id)


def _shape_of(result: Result) -> _Shape:
    return result.code, result.error_id, result.text is None, result.intygs_id is None


def _elements(contract: Contract, answer: Answer) -> Iterator[etree._Element]:
    """The response element; of pieces one for each item, since all at once may be much."""
    match answer:
        case Result():
            yield response_element(contract, answer)
        case bytes():
            yield safe_xml.parse_own(answer)
        case Pieces():
            yield from map(safe_xml.parse_own, answer.with_one_each())
        case _:
            yield answer


def _inbound(call: Call, contract: Contract, element: etree._Element) -> Inbound:
    assert call.logical_address is not None
    body = safe_xml.body_slice(call.body, "utf-8")
    return Inbound(
        contract=contract,
        logical_address=call.logical_address,
        element=element,
        body=body,
        intyg=find_intyg_bytes(body),
        received_at=call.received_at,
        correlation_id=call.correlation_id,
        sender=call.caller.sender if call.caller else None,
        dry_run=call.dry_run,
    )


def _refusal(error: AdapterError, faults: bool) -> Result:
    if not faults:
        return error_result(error)
    # `Server` says that the same may help later, which holds of what passes, and of nothing else.
    code = FaultCode.SERVER if isinstance(error, TechnicalError) else FaultCode.CLIENT
    raise SoapFault(FaultError(error_text(error), code)) from None


def unexpected(correlation_id: str) -> TechnicalError:
    """What a caller is told of an error that nobody foresaw."""
    return TechnicalError(
        f"The adapter failed unexpectedly; its log has the details under {correlation_id}. "
        "Sending again may help."
    )


def report_unexpected(exc: Exception, correlation_id: str) -> None:
    """Log class and place of an error. Its message and traceback may hold person data."""
    frames = traceback.extract_tb(exc.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None
    _log.error(
        "soap.unexpected",
        **{"error.type": type(exc).__name__, "error.place": place, "trace.id": correlation_id},
    )
