"""The decision table."""

from datetime import timedelta

import pytest

from intyg.adapter.deliver.answer import Answer, AnswerKind
from intyg.adapter.deliver.decision import (
    RESENDABLE,
    TABLE,
    Exchange,
    Transfer,
    again_at,
    decide,
)
from intyg.adapter.domain.delivery import Outcome, OutcomeKind
from intyg.adapter.settings.settings import DeliverySettings
from intyg.adapter.store.delivery_rows import state_after
from tests.adapter.samples import NOW

NATIONAL = DeliverySettings()
REGISTER, SEND = "RegisterCertificate:3", "SendCertificateToRecipient:2"
REVOKE, UPDATE = "RevokeCertificate:2", "CertificateStatusUpdateForCare:3"
TO_RECIPIENT, TO_CARE = "SendMessageToRecipient:2", "SendMessageToCare:2"
ONCE_ONLY = "SomethingElse:1"

DELIVERED, REFUSED = OutcomeKind.DELIVERED, OutcomeKind.REFUSED
RETRY, UNKNOWN = OutcomeKind.RETRY, OutcomeKind.UNKNOWN

NOT_SENT = Exchange(Transfer.NOT_SENT, cause="connection refused")
NO_ANSWER = Exchange(Transfer.NO_ANSWER, cause="no answer in time")


def result(code: str, error: str | None = None, http: int = 200) -> Exchange:
    return Exchange(Transfer.ANSWERED, http, Answer(AnswerKind.RESULT, code, error))


def fault(vp: str | None = None, marshalling: bool = False, http: int = 500) -> Exchange:
    answer = Answer(AnswerKind.FAULT, fault_code="Server", vp_code=vp, marshalling=marshalling)
    return Exchange(Transfer.ANSWERED, http, answer)


def http(status: int) -> Exchange:
    return Exchange(Transfer.ANSWERED, status, Answer(AnswerKind.NOTHING, detail="empty"))


def attempt(exchange: Exchange, contract: str = REGISTER, number: int = 1) -> Outcome:
    return decide(contract, exchange, number, NATIONAL, NOW)


@pytest.mark.parametrize(
    ("exchange", "kind"),
    [
        pytest.param(NOT_SENT, RETRY, id="nothing sent"),
        pytest.param(NO_ANSWER, UNKNOWN, id="no answer"),
        pytest.param(result("OK"), DELIVERED, id="ok"),
        pytest.param(result("INFO"), DELIVERED, id="info"),
        pytest.param(result("OK", "TECHNICAL_ERROR"), DELIVERED, id="ok with errorId"),
        pytest.param(result("OK", http=500), DELIVERED, id="ok with HTTP 500"),
        pytest.param(result("ERROR", "TECHNICAL_ERROR"), RETRY, id="technical error"),
        pytest.param(result("ERROR", "VALIDATION_ERROR"), REFUSED, id="validation error"),
        pytest.param(result("ERROR", "APPLICATION_ERROR"), REFUSED, id="application error"),
        pytest.param(result("ERROR", "REVOKED"), REFUSED, id="revoked"),
        pytest.param(result("ERROR"), RETRY, id="error without errorId"),
        pytest.param(result("ERROR", "(other)"), RETRY, id="error with an errorId of its own"),
        pytest.param(result("(other)"), UNKNOWN, id="a resultCode of its own"),
        *(
            pytest.param(fault(vp), REFUSED, id=vp)
            for vp in ["VP001", "VP002", "VP003", "VP004", "VP005", "VP006", "VP007", "VP010"]
        ),
        pytest.param(fault("VP011"), REFUSED, id="VP011"),
        pytest.param(fault("VP013"), REFUSED, id="VP013"),
        pytest.param(fault("VP014"), REFUSED, id="VP014"),
        pytest.param(fault("VP015"), REFUSED, id="VP015"),
        pytest.param(fault("VP008"), RETRY, id="VP008"),
        pytest.param(fault("VP009"), UNKNOWN, id="VP009"),
        pytest.param(fault("VP012"), RETRY, id="VP012"),
        pytest.param(fault("VP999"), RETRY, id="a code of the platform that is new"),
        pytest.param(fault(), RETRY, id="fault"),
        pytest.param(fault(http=200), RETRY, id="fault with HTTP 200"),
        pytest.param(fault(marshalling=True), REFUSED, id="fault about marshalling"),
        pytest.param(fault("VP009", marshalling=True), UNKNOWN, id="VP009 that quotes marshalling"),
        pytest.param(http(200), UNKNOWN, id="empty 200"),
        pytest.param(http(202), UNKNOWN, id="202"),
        pytest.param(http(302), RETRY, id="redirect"),
        pytest.param(http(400), RETRY, id="400"),
        pytest.param(http(401), RETRY, id="401"),
        pytest.param(http(404), RETRY, id="404"),
        pytest.param(http(413), REFUSED, id="413"),
        pytest.param(http(429), RETRY, id="429"),
        pytest.param(http(500), RETRY, id="500 without SOAP"),
        pytest.param(http(502), UNKNOWN, id="502"),
        pytest.param(http(503), RETRY, id="503"),
        pytest.param(http(504), UNKNOWN, id="504"),
        pytest.param(http(599), RETRY, id="599"),
        pytest.param(http(999), UNKNOWN, id="no HTTP status that there is"),
    ],
)
def test_what_a_first_attempt_comes_to(exchange: Exchange, kind: OutcomeKind) -> None:
    outcome = attempt(exchange)
    assert outcome.kind is kind
    # both are tried again: RegisterCertificate may be sent twice
    tried_again = NOW + timedelta(minutes=1) if kind in (RETRY, UNKNOWN) else None
    assert outcome.retry_at == tried_again


@pytest.mark.parametrize(
    ("contract", "number", "exchange", "kind"),
    [
        # The certificate may not have reached the receiver yet: 5 attempts, then it is a no.
        pytest.param(SEND, 5, result("ERROR", "APPLICATION_ERROR"), RETRY, id="send 5"),
        pytest.param(SEND, 6, result("ERROR", "APPLICATION_ERROR"), REFUSED, id="send 6"),
        pytest.param(REVOKE, 5, result("ERROR", "APPLICATION_ERROR"), RETRY, id="revoke 5"),
        pytest.param(REVOKE, 6, result("ERROR", "APPLICATION_ERROR"), REFUSED, id="revoke 6"),
        pytest.param(TO_RECIPIENT, 5, result("ERROR", "APPLICATION_ERROR"), RETRY, id="message"),
        pytest.param(TO_CARE, 5, result("ERROR", "APPLICATION_ERROR"), RETRY, id="to care"),
        pytest.param(REVOKE, 1, result("ERROR", "VALIDATION_ERROR"), REFUSED, id="revoke wrong"),
        # No reason given: also 5.
        pytest.param(REGISTER, 5, result("ERROR"), RETRY, id="no reason 5"),
        pytest.param(REGISTER, 6, result("ERROR"), REFUSED, id="no reason 6"),
        # Towards EHRs, as nationally.
        pytest.param(UPDATE, 1, result("OK"), DELIVERED, id="EHR ok"),
        pytest.param(UPDATE, 1, result("INFO"), DELIVERED, id="EHR info"),
        pytest.param(UPDATE, 29, result("ERROR", "TECHNICAL_ERROR"), RETRY, id="EHR technical"),
        pytest.param(
            UPDATE, 1, result("ERROR", "APPLICATION_ERROR"), REFUSED, id="EHR application"
        ),
        pytest.param(UPDATE, 1, result("ERROR", "VALIDATION_ERROR"), REFUSED, id="EHR validation"),
        pytest.param(UPDATE, 1, result("ERROR", "REVOKED"), REFUSED, id="EHR revoked"),
        pytest.param(UPDATE, 1, result("ERROR"), REFUSED, id="EHR without errorId"),
        pytest.param(UPDATE, 1, fault(), RETRY, id="EHR fault"),
        pytest.param(UPDATE, 1, fault(marshalling=True), REFUSED, id="EHR marshalling"),
        pytest.param(UPDATE, 1, NO_ANSWER, UNKNOWN, id="EHR no answer"),
    ],
)
def test_what_differs_by_contract_and_attempt(
    contract: str, number: int, exchange: Exchange, kind: OutcomeKind
) -> None:
    assert attempt(exchange, contract, number).kind is kind


def test_what_may_have_arrived_is_sent_again_only_where_that_is_harmless() -> None:
    assert all(attempt(NO_ANSWER, contract).retry_at for contract in RESENDABLE)
    once = attempt(NO_ANSWER, ONCE_ONLY)
    assert (once.kind, once.retry_at) == (UNKNOWN, None)
    # what surely did not arrive is sent again whatever the contract
    assert attempt(NOT_SENT, ONCE_ONLY).retry_at is not None


def test_the_last_row_fits_everything() -> None:
    assert TABLE[-1].fits(ONCE_ONLY, Exchange(Transfer.ANSWERED), 1)


def test_the_detail_holds_codes_and_our_own_words_only() -> None:
    exchange = Exchange(
        Transfer.ANSWERED,
        500,
        Answer(AnswerKind.FAULT, fault_code="Server", vp_code="VP007", remote_text="189001019802"),
    )
    outcome = attempt(exchange)
    assert outcome.detail.endswith("; fault Server; VP007")
    assert "189001019802" not in repr(outcome)
    assert attempt(NOT_SENT).detail == "nothing was sent; connection refused"


# --- the schedule ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "wait"),
    [
        pytest.param(1, timedelta(minutes=1), id="1"),
        pytest.param(2, timedelta(minutes=5), id="2"),
        pytest.param(3, timedelta(hours=1), id="3"),
        pytest.param(4, timedelta(hours=6), id="4"),
        pytest.param(5, timedelta(hours=12), id="5"),
        pytest.param(6, timedelta(days=1), id="6"),
        pytest.param(7, timedelta(days=1), id="7: the last wait repeats"),
        pytest.param(29, timedelta(days=1), id="29"),
    ],
)
def test_how_long_to_wait_after_an_attempt(number: int, wait: timedelta) -> None:
    assert again_at(number, NATIONAL, NOW) == NOW + wait


def test_thirty_attempts_take_almost_25_days() -> None:
    """
    30 attempts have 29 waits between them: 1 min + 5 min + 1 h + 6 h + 12 h = 19 h 6 min for the
    first five, then 24 days for the other 24. Together 24 days 19 h 6 min.
    """
    now, number, states = NOW, 0, []
    while True:
        number += 1
        outcome = decide(REGISTER, NOT_SENT, number, NATIONAL, now)
        states.append(state_after(outcome).value)
        if outcome.retry_at is None:
            break
        now = outcome.retry_at
    assert number == 30
    assert now - NOW == timedelta(days=24, hours=19, minutes=6)
    assert states == ["queued"] * 29 + ["failed"]


def test_what_may_have_arrived_every_time_ends_as_unknown() -> None:
    outcome = attempt(NO_ANSWER, number=30)
    assert outcome.retry_at is None
    assert state_after(outcome).value == "unknown"
