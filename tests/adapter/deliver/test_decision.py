"""The decision table."""

from collections import Counter
from dataclasses import replace
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
    spread_of,
)
from intyg.adapter.domain.delivery import Outcome, OutcomeKind
from intyg.adapter.domain.way import WayNews
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

PARK_WAY = ("VP004", "VP006", "VP007", "VP010")
PARK_DESTINATION = ("VP002", "VP005", "VP011", "VP013", "VP014")

NOT_SENT = Exchange(Transfer.NOT_SENT, cause="connection refused")
NO_ANSWER = Exchange(Transfer.NO_ANSWER, cause="no answer in time")


def result(code: str, error: str | None = None, http: int = 200) -> Exchange:
    return Exchange(Transfer.ANSWERED, http, Answer(AnswerKind.RESULT, code, error))


def fault(
    vp: str | None = None,
    marshalling: bool = False,
    http: int = 500,
    producer: str | None = None,
) -> Exchange:
    answer = Answer(
        AnswerKind.FAULT,
        fault_code="Server",
        vp_code=vp,
        marshalling=marshalling,
        producer=producer,
    )
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
        *(pytest.param(fault(vp), REFUSED, id=vp) for vp in ["VP001", "VP003", "VP015"]),
        *(pytest.param(fault(vp), RETRY, id=vp) for vp in (*PARK_WAY, *PARK_DESTINATION)),
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


# --- ways -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exchange", "news"),
    [
        *(pytest.param(fault(vp), WayNews.STOPS_WAY, id=vp) for vp in PARK_WAY),
        *(pytest.param(fault(vp), WayNews.STOPS_DESTINATION, id=vp) for vp in PARK_DESTINATION),
        *(pytest.param(http(n), WayNews.STOPS_WAY, id=str(n)) for n in (404, 405, 410)),
        *(
            pytest.param(http(n), WayNews.STOPS_DESTINATION, id=str(n))
            for n in (301, 302, 307, 401, 403)
        ),
        pytest.param(fault("VP009", producer="404"), WayNews.STOPS_WAY, id="producer 404"),
        pytest.param(fault("VP009", producer="403"), WayNews.STOPS_WAY, id="producer 403"),
    ],
)
def test_what_somebody_must_repair_stops_the_way_and_uses_up_no_attempt(
    exchange: Exchange, news: WayNews
) -> None:
    for number in (1, 30, 31):  # also where no attempt would be left
        outcome = attempt(exchange, number=number)
        assert (outcome.kind, outcome.news, outcome.stops) == (RETRY, news, True)
        assert outcome.retry_at == NOW + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("producer", "kind", "news"),
    [
        pytest.param("not reached", RETRY, WayNews.SILENT, id="not reached"),
        pytest.param("413", REFUSED, WayNews.ANSWERED, id="413"),
        pytest.param("503", RETRY, WayNews.ANSWERED, id="503"),
        pytest.param("500", RETRY, WayNews.ANSWERED, id="500"),
        pytest.param("502", UNKNOWN, WayNews.SILENT, id="502: asked on, and not answered"),
        pytest.param("418", UNKNOWN, WayNews.SILENT, id="nobody knows"),
        pytest.param(None, UNKNOWN, WayNews.SILENT, id="it does not say"),
    ],
)
def test_vp009_is_decided_by_what_the_platform_says_of_the_producer(
    producer: str | None, kind: OutcomeKind, news: WayNews
) -> None:
    outcome = attempt(fault("VP009", producer=producer))
    assert (outcome.kind, outcome.news) == (kind, news)


@pytest.mark.parametrize(
    "exchange", [NOT_SENT, NO_ANSWER, http(502), http(503), http(504), fault("VP008")]
)
def test_what_has_no_answer_counts_towards_the_breaker(exchange: Exchange) -> None:
    assert attempt(exchange).news is WayNews.SILENT


def test_tls_that_fails_five_times_needs_a_person() -> None:
    refused = Exchange(Transfer.NOT_SENT, cause="TLS failed: unknown ca", tls=True)
    assert [attempt(refused, number=n).news for n in range(1, 7)] == [
        *[WayNews.SILENT] * 4,
        *[WayNews.STOPS_DESTINATION] * 2,
    ]


def test_a_request_that_is_not_taken_is_tried_five_times() -> None:
    assert state_after(attempt(http(400), number=5)).value == "queued"
    assert state_after(attempt(http(400), number=6)).value == "failed"


# --- known before ---------------------------------------------------------------------------------


def known_id() -> Exchange:
    answer = Answer(AnswerKind.RESULT, "ERROR", "VALIDATION_ERROR", known_id=True)
    return Exchange(Transfer.ANSWERED, 200, answer)


@pytest.mark.parametrize(
    ("contract", "doubtful", "kind"),
    [
        pytest.param(TO_CARE, True, DELIVERED, id="question, after a doubt"),
        pytest.param(TO_RECIPIENT, True, DELIVERED, id="answer, after a doubt"),
        pytest.param(TO_CARE, False, REFUSED, id="question, no doubt: two messages, one id"),
        pytest.param(TO_RECIPIENT, False, REFUSED, id="answer, no doubt"),
        pytest.param(REGISTER, True, REFUSED, id="certificate: the text is another person's too"),
        pytest.param(REVOKE, True, REFUSED, id="revocation: that one is answered INFO"),
    ],
)
def test_a_known_id_is_delivered_only_after_a_doubt(
    contract: str, doubtful: bool, kind: OutcomeKind
) -> None:
    outcome = decide(contract, known_id(), 2, NATIONAL, NOW, doubtful=doubtful)
    assert outcome.kind is kind
    assert (outcome.result_code, outcome.error_id) == ("ERROR", "VALIDATION_ERROR")  # both kept


# --- when -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param("120", 120, id="seconds"),
        pytest.param(" 0 ", 0, id="at once"),
        pytest.param("86400", 3600, id="an hour at most"),
        pytest.param("9" * 400, 3600, id="a number without end"),
        pytest.param("Mon, 23 Nov 2026 09:10:00 GMT", 600, id="date"),  # NOW is 9:00
        pytest.param("Mon, 23 Nov 2026 23:10:00 GMT", 3600, id="date, an hour at most"),
        pytest.param("Mon, 23 Nov 2020 09:10:00 GMT", 1, id="date that is past"),
        pytest.param("Monday, 23-Nov-26 09:10:00 GMT", 600, id="date as RFC 850 has it"),
        pytest.param("Mon Nov 23 09:10:00 2026", 600, id="date as asctime has it"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 -2359", 60, id="date that no calendar holds"),
        pytest.param("Mon, 31 Feb 2026 09:10:00 GMT", 60, id="no day"),
        pytest.param("1.5", 60, id="no whole seconds"),
        pytest.param("\u0663", 60, id="digits that are not ASCII"),
        pytest.param("", 60, id="empty"),
        pytest.param("soon", 60, id="no time: the schedule's"),
        pytest.param("-5", 60, id="no number"),
        pytest.param(None, 60, id="without"),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_may_ask_to_wait(header: str | None, seconds: int, status: int) -> None:
    exchange = replace(http(status), retry_after=header)
    assert attempt(exchange).retry_at == NOW + timedelta(seconds=seconds)


def test_a_receiver_that_asks_to_wait_makes_no_attempts_more() -> None:
    assert attempt(replace(http(503), retry_after="1"), number=30).retry_at is None


def test_a_receiver_that_always_says_at_once_does_not_use_up_the_attempts() -> None:
    waits = [
        attempt(replace(http(503), retry_after="0"), number=n).retry_at == NOW for n in range(1, 30)
    ]
    assert waits == [True] * 5 + [False] * 24
    assert attempt(replace(http(503), retry_after="0"), number=6).retry_at == (
        NOW + timedelta(days=1)
    )


def test_a_later_attempt_still_waits_as_long_as_it_is_asked_to() -> None:
    settings = DeliverySettings(waits_seconds=(1,))
    outcome = decide(REGISTER, replace(http(503), retry_after="30"), 9, settings, NOW)
    assert outcome.retry_at == NOW + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("header", "kind"), [(None, OutcomeKind.REFUSED), ("600", OutcomeKind.RETRY)]
)
def test_too_large_for_the_moment_is_tried_again(header: str | None, kind: OutcomeKind) -> None:
    outcome = attempt(replace(http(413), retry_after=header))
    assert outcome.kind is kind
    assert outcome.retry_at == (NOW + timedelta(minutes=10) if header else None)


def test_waits_are_spread_by_a_tenth() -> None:
    assert again_at(1, NATIONAL, NOW, -1) == NOW + timedelta(seconds=54)
    assert again_at(1, NATIONAL, NOW, 1) == NOW + timedelta(seconds=66)
    spreads = [spread_of(f"delivery-{n}", 1) for n in range(1000)]
    assert min(spreads) >= -1
    assert max(spreads) <= 1
    # even: each tenth of the way has about a hundred of the thousand
    tenths = Counter(int((spread + 1) * 4.9999) for spread in spreads)
    assert min(tenths.values()) > 60
    assert spread_of("delivery-1", 1) == spread_of("delivery-1", 1) != spread_of("delivery-1", 2)


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
