"""One message out: the only place where a mock opens a connection."""

from dataclasses import dataclass, field, replace

from intyg.mocks.runs import RUN_HEADER
from intyg.mocks.wire import envelope
from intyg.mocks.wire.tls import AdapterTls
from intyg.schemas.contract.contract import Contract


@dataclass(frozen=True)
class Sent:
    """
    What became of a message that a mock sent.

    Attributes:
        meddelande_id: The message's own id.
        http_status: None when no answer came.
        result_code, error_id, result_text: Of the answer's result, if any.
        fault: `faultstring`, when a SOAP fault came.
        failure: Why there is no usable answer, e.g. `ConnectionError`.
        request, reply: Bytes as they went and came.
    """

    meddelande_id: str
    http_status: int | None = None
    result_code: str | None = None
    error_id: str | None = None
    result_text: str | None = None
    fault: str | None = None
    failure: str | None = None
    request: bytes = field(default=b"", repr=False)
    reply: bytes = field(default=b"", repr=False)

    @property
    def accepted(self) -> bool:
        """OK and INFO both mean that the receiver has it."""
        return self.result_code in ("OK", "INFO")


def post(
    url: str,
    contract: Contract,
    request: bytes,
    meddelande_id: str,
    timeout_seconds: float,
    run: str | None = None,
    tls: AdapterTls = AdapterTls(),  # noqa: B008 -- frozen
) -> Sent:
    """
    Post an envelope and read the answer.

    Args:
        url: Base address of the receiver; the contract's path is added.
        request: The envelope.
        timeout_seconds: To connect, and between bytes of the answer.
        run: The run that it is sent in, if any.
        tls: For https.
    """
    import requests  # late: mocks start sooner without it

    from intyg.mocks.wire.http_session import http_session

    headers = {
        "Content-Type": envelope.CONTENT_TYPE,
        "SOAPAction": f'"{contract.soap_action}"',
        **({} if run is None else {RUN_HEADER: run}),
    }
    try:
        with http_session(tls.verify, tls.client) as session:
            response = session.post(
                url.rstrip("/") + contract.path,
                data=request,
                headers=headers,
                timeout=timeout_seconds,
                allow_redirects=False,
            )
            content = response.content
    except requests.RequestException as exc:
        return Sent(meddelande_id, failure=type(exc).__name__, request=request)
    sent = Sent(meddelande_id, response.status_code, request=request, reply=content)
    return _with_result(sent)


def _with_result(sent: Sent) -> Sent:
    """What its reply says, or why that says nothing."""
    try:
        reply = envelope.read_reply(sent.reply)
    except envelope.FaultError as fault:
        return replace(sent, failure=fault.text)
    return replace(
        sent,
        result_code=reply.result_code,
        error_id=reply.error_id,
        result_text=reply.result_text,
        fault=reply.fault,
    )
