"""What an attempt came to: one table, and the function that reads it.

The first row that fits decides. The contract's `ErrorIdType` says that only TECHNICAL_ERROR is
worth sending again; practice differs by contract, and the rows say where and why.

Source: clinicalprocess_healthcond_certificate_3.3.xsd, `ErrorIdType`; what the national components
do about answers; the national platform's fault codes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from intyg.adapter.deliver.answer import Answer, AnswerKind
from intyg.adapter.domain.delivery import Outcome, OutcomeKind
from intyg.adapter.settings.settings import DeliverySettings
from intyg.schemas.codes import ErrorId, ResultCode

RESENDABLE: Final = frozenset(
    {
        "RegisterCertificate:3",  # INFO for a certificate that is there
        "SendCertificateToRecipient:2",  # INFO for one that is sent
        "RevokeCertificate:2",  # INFO for one that is revoked
        "SendMessageToRecipient:2",  # known by its meddelande-id
        "SendMessageToCare:2",  # known by its meddelande-id
        "CertificateStatusUpdateForCare:3",  # the same event again, nationally resent too
    }
)
"""Contracts that may be sent twice, since the receiver knows the message again by its ids."""


class Transfer(StrEnum):
    """How far a request got."""

    NOT_SENT = "not_sent"  # no byte left: name, connection or TLS failed
    NO_ANSWER = "no_answer"  # sent, at least in part, and no whole answer came
    ANSWERED = "answered"


@dataclass(frozen=True)
class Exchange:
    """
    One request and what became of it.

    Attributes:
        transfer: How far it got.
        http_status: Of the answer, if there is one.
        answer: Its body, with ANSWERED.
        cause: Why there is none, in our own words.
    """

    transfer: Transfer
    http_status: int | None = None
    answer: Answer | None = None
    cause: str = ""


@dataclass(frozen=True)
class Row:
    """
    One row of the table; what is None is not looked at.

    Attributes:
        kind: What the attempt came to.
        why: For the operator, and for who reads the table.
        first_attempts: Only for so many attempts; then the next row that fits.
    """

    kind: OutcomeKind
    why: str
    transfer: Transfer | None = Transfer.ANSWERED
    answer: AnswerKind | None = None
    result: frozenset[str] | None = None
    error: frozenset[str | None] | None = None
    marshalling: bool | None = None
    vp: frozenset[str] | None = None
    http: range | None = None
    contracts: frozenset[str] | None = None
    first_attempts: int | None = None

    def fits(self, contract: str, exchange: Exchange, attempt: int) -> bool:
        answer = exchange.answer or Answer(AnswerKind.NOTHING)
        return (
            self.transfer in (None, exchange.transfer)
            and self.answer in (None, answer.kind)
            and (self.result is None or answer.result_code in self.result)
            and (self.error is None or answer.error_id in self.error)
            and self.marshalling in (None, answer.marshalling)
            and (self.vp is None or answer.vp_code in self.vp)
            and (self.http is None or exchange.http_status in self.http)
            and (self.contracts is None or contract in self.contracts)
            and (self.first_attempts is None or attempt <= self.first_attempts)
        )


def _set(*values: str) -> frozenset[str]:
    return frozenset(values)


def _result(
    kind: OutcomeKind,
    why: str,
    code: str,
    *errors: str | None,
    contracts: frozenset[str] | None = None,
    first_attempts: int | None = None,
) -> Row:
    return Row(
        kind,
        why,
        answer=AnswerKind.RESULT,
        result=_set(code),
        error=frozenset(errors) or None,
        contracts=contracts,
        first_attempts=first_attempts,
    )


def _fault(kind: OutcomeKind, why: str, *vp: str, marshalling: bool | None = None) -> Row:
    return Row(kind, why, answer=AnswerKind.FAULT, vp=_set(*vp) or None, marshalling=marshalling)


def _http(kind: OutcomeKind, why: str, first: int, last: int) -> Row:
    return Row(kind, why, http=range(first, last + 1))


_OK, _INFO, _ERROR = ResultCode.OK, ResultCode.INFO, ResultCode.ERROR
_DELIVERED, _REFUSED = OutcomeKind.DELIVERED, OutcomeKind.REFUSED
_RETRY, _UNKNOWN = OutcomeKind.RETRY, OutcomeKind.UNKNOWN

_CARE: Final = _set("CertificateStatusUpdateForCare:3")
_ABOUT_A_CERTIFICATE: Final = _set(
    "SendCertificateToRecipient:2",
    "RevokeCertificate:2",
    "SendMessageToRecipient:2",
    "SendMessageToCare:2",
)
EARLY_ATTEMPTS: Final = 5
"""How often a certificate that the receiver does not know may turn out to have been on its way:
with the national waits the fifth attempt is made after 7 hours and 6 minutes."""

# fmt: off
TABLE: Final[tuple[Row, ...]] = (
    # --- no answer ---
    Row(_RETRY,   "nothing was sent", transfer=Transfer.NOT_SENT),
    Row(_UNKNOWN, "it may have arrived", transfer=Transfer.NO_ANSWER),
    # --- a result, whatever the HTTP status ---
    _result(_DELIVERED, "done", _OK),
    _result(_DELIVERED, "done, with a remark", _INFO),
    _result(_RETRY,   "perhaps a passing fault", _ERROR, ErrorId.TECHNICAL_ERROR),
    # Towards EHRs, nationally, everything else is final, also an ERROR without errorId.
    _result(_REFUSED, "the EHR refuses it", _ERROR, contracts=_CARE),
    _result(_REFUSED, "the request is wrong", _ERROR, ErrorId.VALIDATION_ERROR),
    _result(_REFUSED, "the information was withdrawn", _ERROR, ErrorId.REVOKED),
    # The schema says «do not send again», but the certificate may only not be there yet, and
    # national components answer this on purpose so that the caller tries again.
    _result(_RETRY,   "the certificate may be on its way", _ERROR, ErrorId.APPLICATION_ERROR,
            contracts=_ABOUT_A_CERTIFICATE, first_attempts=EARLY_ATTEMPTS),
    _result(_REFUSED, "a logical obstacle", _ERROR, ErrorId.APPLICATION_ERROR),
    # Not done, and no reason that we know: worth some attempts, not 25 days.
    _result(_RETRY,   "an error without a known reason", _ERROR, first_attempts=EARLY_ATTEMPTS),
    _result(_REFUSED, "an error without a known reason", _ERROR),
    # --- a SOAP fault, whatever the HTTP status ---
    # The platform's own codes first: its texts quote the producer's.
    _fault(_RETRY,   "the platform lacks something for the moment", "VP008", "VP012"),
    _fault(_UNKNOWN, "the producer did not answer the platform", "VP009"),
    _fault(_REFUSED, "the platform will not take it until something is ordered or changed",
           "VP001", "VP002", "VP003", "VP004", "VP005", "VP006", "VP007", "VP010", "VP011", "VP013",
           "VP014", "VP015"),
    _fault(_REFUSED, "the receiver cannot read it", marshalling=True),
    _fault(_RETRY,   "the receiver failed"),
    # --- an answer without either ---
    _http(_UNKNOWN, "an answer that says nothing", 200, 299),
    _http(_RETRY,   "redirected, which is not followed", 300, 399),
    _http(_REFUSED, "too large for the receiver", 413, 413),
    _http(_RETRY,   "the address or the access is wrong, or the receiver is busy", 400, 499),
    _http(_UNKNOWN, "somebody between us did not get an answer", 502, 502),
    _http(_UNKNOWN, "somebody between us did not get an answer", 504, 504),
    _http(_RETRY,   "the receiver failed", 500, 599),
    Row(_UNKNOWN, "an answer that says nothing", transfer=None),
)
# fmt: on
"""The first row that fits decides; the last fits everything."""


def decide(
    contract: str, exchange: Exchange, attempt: int, settings: DeliverySettings, now: datetime
) -> Outcome:
    """
    Decide what an attempt came to, and when to try again.

    Args:
        contract: `RegisterCertificate:3`.
        exchange: What happened on the wire.
        attempt: Which attempt it was; the first is 1.
        settings: How often and how long to try.
        now: When the attempt ended.

    Returns:
        RETRY, and UNKNOWN of a contract that may be sent twice, with the time of the next attempt,
        or without when the attempts are used up.
    """
    row = next(row for row in TABLE if row.fits(contract, exchange, attempt))
    retry_at = None
    if row.kind is _RETRY or (row.kind is _UNKNOWN and contract in RESENDABLE):
        retry_at = again_at(attempt, settings, now)
    answer = exchange.answer
    return Outcome(
        kind=row.kind,
        retry_at=retry_at,
        http_status=exchange.http_status,
        result_code=answer.result_code if answer else None,
        error_id=answer.error_id if answer else None,
        detail=_detail(row, exchange),
        remote_text=answer.remote_text if answer else None,
    )


def again_at(attempt: int, settings: DeliverySettings, now: datetime) -> datetime | None:
    """When to try again after an attempt (the first is 1); None when it was the last."""
    if attempt >= settings.max_attempts:
        return None
    waits = settings.waits_seconds
    return now + timedelta(seconds=waits[min(attempt, len(waits)) - 1])


def _detail(row: Row, exchange: Exchange) -> str:
    answer = exchange.answer
    facts = [row.why, exchange.cause]
    if answer is not None:
        facts += [answer.detail, f"fault {answer.fault_code}" if answer.fault_code else ""]
        facts += [answer.vp_code or ""]
    return "; ".join(fact for fact in facts if fact)
