"""What an attempt came to: one table, and the function that reads it.

The first row that fits decides. The contract's `ErrorIdType` says that only TECHNICAL_ERROR is
worth sending again; practice differs by contract, and the rows say where and why.

Source: clinicalprocess_healthcond_certificate_3.3.xsd, `ErrorIdType`; what the national components
do about answers; the national platform's fault codes.
"""

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

from intyg.adapter.deliver.answer import NOT_REACHED, Answer, AnswerKind
from intyg.adapter.domain.delivery import Outcome, OutcomeKind
from intyg.adapter.domain.hook import HOOK_KEY
from intyg.adapter.domain.way import WayNews
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
        HOOK_KEY,  # known by its event's id
    }
)
"""Contracts that may be sent twice, since the receiver knows the message again by its ids."""


MAX_RETRY_AFTER_SECONDS: Final = 3600.0
"""No receiver makes us wait longer by `Retry-After`."""


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
        tls: That is TLS: a certificate, theirs or ours.
        retry_after: The header, as it came.
    """

    transfer: Transfer
    http_status: int | None = None
    answer: Answer | None = None
    cause: str = ""
    tls: bool = False
    retry_after: str | None = None


@dataclass(frozen=True)
class Row:
    """
    One row of the table; what is None is not looked at.

    Attributes:
        kind: What the attempt came to.
        why: For the operator, and for who reads the table.
        news: What it says of the way.
        first_attempts: Only for so many attempts; then the next row that fits.
        doubtful: Only after an attempt that may have arrived.
        producer: What the platform says of the producer.
        last: No more attempts after this one.
        waits: The receiver says when to try again, by `Retry-After`.
    """

    kind: OutcomeKind
    why: str
    news: WayNews = WayNews.ANSWERED
    transfer: Transfer | None = Transfer.ANSWERED
    answer: AnswerKind | None = None
    result: frozenset[str] | None = None
    error: frozenset[str | None] | None = None
    marshalling: bool | None = None
    vp: frozenset[str] | None = None
    http: range | None = None
    contracts: frozenset[str] | None = None
    first_attempts: int | None = None
    tls: bool | None = None
    doubtful: bool | None = None
    known_id: bool | None = None
    producer: frozenset[str | None] | None = None
    last: bool = False
    waits: bool | None = None

    def fits(
        self, contract: str, exchange: Exchange, attempt: int, *, doubtful: bool = False
    ) -> bool:
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
            and self.tls in (None, exchange.tls)
            and self.doubtful in (None, doubtful)
            and self.known_id in (None, answer.known_id)
            and (self.producer is None or answer.producer in self.producer)
            and self.waits in (None, exchange.retry_after is not None)
        )

    @property
    def stops(self) -> bool:
        """It stops the way, and uses up no attempt."""
        return self.news in (WayNews.STOPS_WAY, WayNews.STOPS_DESTINATION)


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


def _fault(
    kind: OutcomeKind,
    why: str,
    *vp: str,
    news: WayNews = WayNews.ANSWERED,
    marshalling: bool | None = None,
    producer: frozenset[str | None] | None = None,
) -> Row:
    return Row(
        kind,
        why,
        news,
        answer=AnswerKind.FAULT,
        vp=_set(*vp) or None,
        marshalling=marshalling,
        producer=producer,
    )


def _http(
    kind: OutcomeKind,
    why: str,
    first: int,
    last: int | None = None,
    *,
    news: WayNews = WayNews.ANSWERED,
    first_attempts: int | None = None,
) -> Row:
    return Row(
        kind, why, news, http=range(first, (last or first) + 1), first_attempts=first_attempts
    )


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

_KNOW_MESSAGES: Final = _set("SendMessageToCare:2", "SendMessageToRecipient:2")
"""Contracts whose receivers say by code that they have a message already. RegisterCertificate is
not one: its text for a certificate that is there is the same for another person's."""

_WAY: Final = WayNews.STOPS_WAY
_DESTINATION: Final = WayNews.STOPS_DESTINATION
_SILENT: Final = WayNews.SILENT
_NOT_SENT: Final = Transfer.NOT_SENT
_WRONG_ADDRESS: Final = _set("404", "405", "410")
_NO_ACCESS: Final = _set("401", "403")
_ADDRESS, _ACCESS = "the address is wrong", "the receiver does not let us in"
_BETWEEN = "somebody between us did not get an answer"
_BUSY = "the receiver is busy"

# fmt: off
TABLE: Final[tuple[Row, ...]] = (
    # --- no answer ---
    Row(_RETRY,   "nothing was sent", _SILENT, _NOT_SENT, tls=True, first_attempts=4),
    Row(_RETRY,   "nothing was sent: somebody must look at the certificates", _DESTINATION,
        _NOT_SENT, tls=True),
    Row(_RETRY,   "nothing was sent", _SILENT, _NOT_SENT),
    Row(_UNKNOWN, "it may have arrived", _SILENT, Transfer.NO_ANSWER),
    Row(_DELIVERED, "taken", http=range(200, 300), contracts=_set(HOOK_KEY)),
    # --- a result, whatever the HTTP status ---
    _result(_DELIVERED, "done", _OK),
    _result(_DELIVERED, "done, with a remark", _INFO),
    _result(_RETRY,   "perhaps a passing fault", _ERROR, ErrorId.TECHNICAL_ERROR),
    # The national duplicate of a message: only after a doubt, else two messages have one id.
    Row(_DELIVERED, "it had arrived before: its id is known", answer=AnswerKind.RESULT,
        result=_set(_ERROR), known_id=True, doubtful=True, contracts=_KNOW_MESSAGES),
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
    _fault(_RETRY,   "the platform's register does not answer", "VP008", news=_SILENT),
    _fault(_RETRY,   "the platform lacks something for the moment", "VP012"),
    _fault(_RETRY,   "the platform did not reach the producer", "VP009",
           news=_SILENT, producer=frozenset({NOT_REACHED})),
    _fault(_RETRY,   "the producer's address is wrong", "VP009",
           news=_WAY, producer=_WRONG_ADDRESS),
    _fault(_RETRY,   "the producer does not let the platform in", "VP009",
           news=_WAY, producer=_NO_ACCESS),
    _fault(_REFUSED, "too large for the producer", "VP009", producer=_set("413")),
    _fault(_RETRY,   "the producer is busy or failed", "VP009",
           producer=_set("408", "425", "429", "500", "503")),
    _fault(_UNKNOWN, "the producer did not answer the platform", "VP009", news=_SILENT),
    _fault(_RETRY,   "route, permission or address is to be ordered",
           "VP004", "VP006", "VP007", "VP010", news=_WAY),
    _fault(_RETRY,   "our way into the platform is to be repaired",
           "VP002", "VP005", "VP011", "VP013", "VP014", news=_DESTINATION),
    _fault(_REFUSED, "the platform cannot read it", "VP001", "VP003", "VP015"),
    _fault(_REFUSED, "the receiver cannot read it", marshalling=True),
    _fault(_RETRY,   "the receiver failed"),
    # --- an answer without either ---
    _http(_UNKNOWN, "an answer that says nothing", 200, 299),
    _http(_RETRY,   "redirected, which is not followed", 300, 399, news=_DESTINATION),
    _http(_RETRY,   _ACCESS, 401, news=_DESTINATION),
    _http(_RETRY,   _ACCESS, 403, news=_DESTINATION),
    _http(_RETRY,   _ADDRESS, 404, 405, news=_WAY),
    _http(_RETRY,   _ADDRESS, 410, news=_WAY),
    # RFC 9110 section 15.5.14: with Retry-After the condition is temporary.
    Row(_RETRY,   "too large for the receiver for the moment", http=range(413, 414), waits=True),
    _http(_REFUSED, "too large for the receiver", 413),
    _http(_RETRY,   _BUSY, 408),
    _http(_RETRY,   _BUSY, 425),
    _http(_RETRY,   _BUSY, 429),
    _http(_RETRY,   "the receiver does not take it", 400, 499, first_attempts=EARLY_ATTEMPTS),
    Row(_RETRY,     "the receiver does not take it", http=range(400, 500), last=True),
    _http(_UNKNOWN, _BETWEEN, 502, news=_SILENT),
    _http(_UNKNOWN, _BETWEEN, 504, news=_SILENT),
    _http(_RETRY,   _BUSY, 503, news=_SILENT),
    _http(_RETRY,   "the receiver failed", 500, 599),
    Row(_UNKNOWN, "an answer that says nothing", transfer=None),
)
# fmt: on
"""The first row that fits decides; the last fits everything."""


def decide(
    contract: str,
    exchange: Exchange,
    attempt: int,
    settings: DeliverySettings,
    now: datetime,
    *,
    doubtful: bool = False,
    spread: float = 0.0,
) -> Outcome:
    """
    Decide what an attempt came to, and when to try again.

    Args:
        contract: `RegisterCertificate:3`.
        exchange: What happened on the wire.
        attempt: Which attempt it was; the first is 1.
        settings: How often and how long to try.
        now: When the attempt ended.
        doubtful: An earlier attempt with the same message may have arrived.
        spread: As for `again_at`.

    Returns:
        RETRY, and UNKNOWN of a contract that may be sent twice, with the time of the next attempt,
        or without when the attempts are used up. What stops the way uses up none.
    """
    row = next(row for row in TABLE if row.fits(contract, exchange, attempt, doubtful=doubtful))
    retry_at = None
    if row.stops:
        retry_at = now + timedelta(seconds=settings.probe_seconds[0])
    elif not row.last and (row.kind is _RETRY or (row.kind is _UNKNOWN and contract in RESENDABLE)):
        retry_at = again_at(attempt, settings, now, spread)
        if retry_at is not None:
            retry_at = _not_before(_asked_to_wait(exchange, now), retry_at, attempt)
    answer = exchange.answer
    return Outcome(
        kind=row.kind,
        retry_at=retry_at,
        http_status=exchange.http_status,
        result_code=answer.result_code if answer else None,
        error_id=answer.error_id if answer else None,
        detail=_detail(row, exchange),
        remote_text=answer.remote_text if answer else None,
        news=row.news,
    )


def again_at(
    attempt: int, settings: DeliverySettings, now: datetime, spread: float = 0.0
) -> datetime | None:
    """
    When to try again after an attempt (the first is 1); None when it was the last.

    Args:
        spread: -1 to 1: by how much of `settings.jitter` sooner or later, so that what failed
            together does not come back together.
    """
    if attempt >= settings.max_attempts:
        return None
    waits = settings.waits_seconds
    seconds = waits[min(attempt, len(waits)) - 1]
    return now + timedelta(seconds=seconds * (1 + settings.jitter * spread))


def spread_of(delivery_id: str, attempt: int) -> float:
    """Where an attempt falls between -1 and 1: the same each time it is asked."""
    return zlib.crc32(f"{delivery_id} {attempt}".encode()) / 0x7FFFFFFF - 1


def _not_before(asked: datetime | None, usual: datetime, attempt: int) -> datetime:
    """
    When to try again after `Retry-After`: then, and sooner than usual only for some attempts.

    Otherwise a receiver that always says «at once» would use them all up in a minute.
    """
    if asked is None or (asked < usual and attempt > EARLY_ATTEMPTS):
        return usual
    return asked


def _asked_to_wait(exchange: Exchange, now: datetime) -> datetime | None:
    """
    What `Retry-After` asks of us, an hour at most; None where it does not stand or is no time.

    Source: RFC 9110 section 10.2.3: seconds, or a date.
    """
    told = (exchange.retry_after or "").strip()
    longest = now + timedelta(seconds=MAX_RETRY_AFTER_SECONDS)
    if told.isascii() and told.isdigit():
        seconds = min(float(told[:10]), MAX_RETRY_AFTER_SECONDS)
        return now + timedelta(seconds=seconds)
    try:
        at = parsedate_to_datetime(told)
        if at.tzinfo is None:  # «-0000», and the form of asctime: a zone is not known
            at = at.replace(tzinfo=UTC)
        return min(longest, max(at.astimezone(UTC), now + timedelta(seconds=1)))
    except (ValueError, OverflowError):  # no time, or one that no calendar holds
        return None


def _detail(row: Row, exchange: Exchange) -> str:
    answer = exchange.answer
    facts = [row.why, exchange.cause]
    if answer is not None:
        facts += [answer.detail, f"fault {answer.fault_code}" if answer.fault_code else ""]
        facts += [answer.vp_code or "", f"producer {answer.producer}" if answer.producer else ""]
    return "; ".join(fact for fact in facts if fact)
