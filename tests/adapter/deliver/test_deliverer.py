"""One attempt over a real socket, and that nothing gets past the guard."""

import dataclasses
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
from zeep.transports import Transport

from intyg.adapter.clients.http_client import BypassError, HttpAnswer, HttpRequest, Limits
from intyg.adapter.deliver import Deliverer, GuardBypassError
from intyg.adapter.deliver.operation import Shut
from intyg.adapter.deliver.transport import (
    MAX_ANSWER_BYTES,
    Gate,
    GuardedTransport,
    Permit,
    Stopped,
)
from intyg.adapter.domain.delivery import Delivery, DeliveryState, Outcome, OutcomeKind
from intyg.adapter.domain.destination import Destination, DestinationKind, DestinationRole
from intyg.adapter.domain.person import GuardDecision, PatientKind, PatientVerdict, PersonId
from intyg.adapter.domain.way import WayNews
from intyg.adapter.settings.settings import DeliverySettings
from intyg.schemas import ns
from intyg.schemas.contract.contract import Contracts
from tests.adapter.conftest import VirtualClock
from tests.adapter.receivers import (
    CLOSE,
    HANG,
    NOBODY,
    OK,
    RESET,
    Received,
    Receiver,
    fault,
    http,
    receiver,
    result,
    soap,
)
from tests.adapter.samples import (
    NOW,
    OTHER_PERSON,
    PERSON,
    new_delivery,
)

SETTINGS = DeliverySettings()
BODY = "<r:RegisterCertificate  xmlns:r=\"urn:r\" a='å'><b></b><c />&#xE5;</r:RegisterCertificate>"


class FixedGuard:
    """Answers always the same, and remembers what it was asked."""

    def __init__(self, decision: GuardDecision = GuardDecision.SEND) -> None:
        self.answer = decision
        self.asked: list[tuple[PersonId, str, bool | None]] = []

    def decision(
        self, person: PersonId, destination: Destination, *, flagged: bool | None = None
    ) -> tuple[GuardDecision, PatientVerdict]:
        self.asked.append((person, destination.name, flagged))
        return self.answer, PatientVerdict(PatientKind.TEST, "list test.csv")


@cache
def contracts() -> Contracts:
    return Contracts()


def delivery(**changes: Any) -> Delivery:
    sample = Delivery(
        id="delivery-1",
        new=new_delivery(body=BODY.encode()),
        state=DeliveryState.SENDING,
        attempts=1,
        due_at=NOW,
        created_at=NOW,
        updated_at=NOW,
        correlation_id="correlation-1",
        is_test=False,
    )
    return dataclasses.replace(sample, **changes)


def destination(url: str, **changes: Any) -> Destination:
    sample = Destination(
        name="fk",
        url=url,
        kind=DestinationKind.MOCK,
        role=DestinationRole.AUTHORITY,
        timeout_seconds=5,
    )
    return dataclasses.replace(sample, **changes)


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as served:
        yield served


@pytest.fixture
def guard() -> FixedGuard:
    return FixedGuard()


@pytest.fixture
def deliverer(guard: FixedGuard, clock: VirtualClock) -> Iterator[Deliverer]:
    deliverer = Deliverer(contracts(), guard, SETTINGS, clock)
    yield deliverer
    deliverer.close()


# --- what is sent ---------------------------------------------------------------------------------


def test_the_stored_bytes_go_out_untouched_in_an_envelope(
    deliverer: Deliverer, there: Receiver
) -> None:
    outcome = deliverer.deliver(delivery(), destination(there.url))
    (request,) = there.received
    assert outcome == Outcome(
        OutcomeKind.DELIVERED,
        http_status=200,
        result_code="OK",
        detail="done",
        news=WayNews.ANSWERED,
    )
    assert request.request_line == "POST /path?q=1 HTTP/1.1"
    before, found, after = request.body.partition(BODY.encode())
    assert found
    assert before.endswith(b"Body>")
    assert after.startswith(b"</")
    assert f'<LogicalAddress xmlns="{ns.REGISTRY}">FKORG</LogicalAddress>'.encode() in before


def test_the_headers_are_those_of_the_profile(deliverer: Deliverer, there: Receiver) -> None:
    deliverer.deliver(delivery(), destination(there.url))
    (request,) = there.received
    action = f"{ns.message('RegisterCertificate', 3)}:RegisterCertificate"
    assert request.header("Content-Type") == ["text/xml; charset=UTF-8"]
    assert request.header("SOAPAction") == [f'"{action}"']
    assert request.header("Content-Length") == [str(len(request.body))]
    assert request.header("Transfer-Encoding") == []
    assert request.header("x-skltp-correlation-id") == ["correlation-1"]
    assert request.header("Accept-Encoding") == ["identity"]
    assert request.header("Cookie") == []


def test_a_correlation_id_that_is_no_header_value_is_left_out(
    deliverer: Deliverer, there: Receiver
) -> None:
    outcome = deliverer.deliver(delivery(correlation_id="a\r\nx: y"), destination(there.url))
    assert outcome.kind is OutcomeKind.DELIVERED
    assert there.received[0].header("x-skltp-correlation-id") == []
    assert there.received[0].header("x") == []


@pytest.mark.parametrize(
    "key",
    [
        "RegisterCertificate:3",
        "RevokeCertificate:2",
        "SendMessageToRecipient:2",
        "SendMessageToCare:2",
        "CertificateStatusUpdateForCare:3",
    ],
)
def test_every_contract_that_we_send_has_its_action(
    deliverer: Deliverer, there: Receiver, key: str
) -> None:
    name, _, major = key.partition(":")
    new = new_delivery(contract=key)
    assert deliverer.deliver(delivery(new=new), destination(there.url)).result_code == "OK"
    action = f'"{ns.message(name, int(major))}:{name}"'
    assert there.received[0].header("SOAPAction") == [action]


def test_a_contract_that_we_lack_is_a_mistake_of_ours(
    deliverer: Deliverer, there: Receiver
) -> None:
    with pytest.raises(KeyError):
        deliverer.deliver(delivery(new=new_delivery(contract="No:1")), destination(there.url))
    assert there.connections == 0


def test_connections_are_kept_open(deliverer: Deliverer, there: Receiver) -> None:
    for _ in range(3):
        deliverer.deliver(delivery(), destination(there.url))
    assert (len(there.received), there.connections) == (3, 1)


def test_no_proxy_of_the_environment_is_used(
    deliverer: Deliverer, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", NOBODY)
    monkeypatch.setenv("no_proxy", "")
    assert deliverer.deliver(delivery(), destination(there.url)).kind is OutcomeKind.DELIVERED


def test_no_cookie_is_kept(deliverer: Deliverer, there: Receiver) -> None:
    there.answer = lambda _: http(soap(OK)).replace(b"\r\n", b"\r\nSet-Cookie: a=b; Path=/\r\n", 1)
    for _ in range(2):
        deliverer.deliver(delivery(), destination(there.url))
    assert there.received[1].header("Cookie") == []


# --- what comes back ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind", "detail"),
    [
        pytest.param(
            http(result("INFO", text="x")), OutcomeKind.DELIVERED, "done, with a remark", id="info"
        ),
        pytest.param(
            http(result("ERROR", "VALIDATION_ERROR", "Personen 189001019802")),
            OutcomeKind.REFUSED,
            "the request is wrong",
            id="refused",
        ),
        pytest.param(
            http(fault("VP009 [X] Error", detail="timed out"), 500),
            OutcomeKind.UNKNOWN,
            "the producer did not answer the platform; fault Server; VP009",
            id="fault of the platform",
        ),
        pytest.param(
            http(b"<html>", 503, "text/html"),
            OutcomeKind.RETRY,
            "the receiver is busy; the answer is HTML",
            id="html",
        ),
        pytest.param(
            http(
                fault(
                    "VP009 Error when calling the producer",
                    detail="java.net.ConnectException: refused",
                ),
                500,
            ),
            OutcomeKind.RETRY,
            "the platform did not reach the producer; fault Server; VP009; producer not reached",
            id="VP009: not reached",
        ),
        pytest.param(
            http(
                fault(
                    "VP009 Error when calling the producer",
                    detail="VP_PRODUCER_EXCEPTION_HTTP_STATUS=404",
                ),
                500,
            ),
            OutcomeKind.RETRY,
            "the producer's address is wrong; fault Server; VP009; producer 404",
            id="VP009: 404",
        ),
        pytest.param(
            http(fault("VP009 SocketTimeoutException: Read timed out"), 500),
            OutcomeKind.UNKNOWN,
            "the producer did not answer the platform; fault Server; VP009",
            id="VP009: not answered",
        ),
        pytest.param(
            http(b""),
            OutcomeKind.UNKNOWN,
            "an answer that says nothing; the answer is empty",
            id="empty 200",
        ),
        pytest.param(
            b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            OutcomeKind.RETRY,
            "redirected, which is not followed; the answer is empty",
            id="redirect",
        ),
        pytest.param(
            http(b"x" * (MAX_ANSWER_BYTES + 1)),
            OutcomeKind.UNKNOWN,
            "an answer that says nothing; the answer is not XML that we read",
            id="endless answer",
        ),
        pytest.param(
            HANG, OutcomeKind.UNKNOWN, "it may have arrived; no answer in time", id="hang"
        ),
        pytest.param(
            RESET, OutcomeKind.UNKNOWN, "it may have arrived; connection lost", id="reset"
        ),
        pytest.param(
            CLOSE, OutcomeKind.UNKNOWN, "it may have arrived; connection lost", id="close"
        ),
        pytest.param(
            http(result("OK"))[:-20],
            OutcomeKind.UNKNOWN,
            "it may have arrived; no answer in time",
            id="answer without its end",
        ),
        pytest.param(
            b"garbage\r\n\r\n",
            OutcomeKind.UNKNOWN,
            "it may have arrived; connection lost",
            id="not HTTP",
        ),
    ],
)
def test_what_the_receiver_does_is_an_outcome(
    deliverer: Deliverer,
    there: Receiver,
    answer: bytes | str,
    kind: OutcomeKind,
    detail: str,
) -> None:
    there.answer = lambda _: answer
    outcome = deliverer.deliver(delivery(), destination(there.url, timeout_seconds=0.3))
    assert (outcome.kind, outcome.detail) == (kind, detail)
    assert len(there.received) == 1  # never twice in one attempt
    assert "189001019802" not in repr(outcome)


def test_an_answer_that_breaks_off_is_none(deliverer: Deliverer, there: Receiver) -> None:
    def break_off(_: Received) -> bytes:
        threading.Timer(0.05, there.stopping.set).start()  # closes the connection
        return http(result("OK"))[:-20]

    there.answer = break_off
    outcome = deliverer.deliver(delivery(), destination(there.url))
    assert (outcome.kind, outcome.detail) == (
        OutcomeKind.UNKNOWN,
        "it may have arrived; the answer broke off",
    )


def test_what_the_receiver_wrote_is_kept_apart(deliverer: Deliverer, there: Receiver) -> None:
    there.answer = lambda _: http(result("ERROR", "VALIDATION_ERROR", "Personen finns inte"))
    outcome = deliverer.deliver(delivery(), destination(there.url))
    assert outcome.remote_text == "Personen finns inte"
    assert "Personen" not in repr(outcome)


def test_an_answer_that_drips_is_broken_off(guard: FixedGuard, clock: VirtualClock) -> None:
    """Each byte comes in time, the whole never would."""
    deliverer = Deliverer(contracts(), guard, SETTINGS, clock)
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                while not stop.wait(0.05):
                    try:
                        connection.sendall(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        started = time.monotonic()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        outcome = deliverer.deliver(delivery(), destination(url, timeout_seconds=0.3))
        took = time.monotonic() - started
        stop.set()
        thread.join()
    deliverer.close()
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert took < 3  # 0.3 s to connect and 0.3 s to answer


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        pytest.param(NOBODY, "connection refused", id="refused"),
        pytest.param("http://no-such-host.invalid/", "host name not found", id="name"),
        pytest.param("nonsense", "the address is not usable", id="address"),
        pytest.param("ftp://127.0.0.1/", "the address is not usable", id="scheme"),
    ],
)
def test_what_never_left_is_tried_again(deliverer: Deliverer, url: str, detail: str) -> None:
    outcome = deliverer.deliver(delivery(), destination(url))
    assert (outcome.kind, outcome.detail) == (
        OutcomeKind.RETRY,
        f"nothing was sent; {detail}",
    )
    assert outcome.retry_at is not None


def test_a_receiver_without_tls_gets_nothing(deliverer: Deliverer, there: Receiver) -> None:
    """The handshake fails, so not even a header has left."""
    outcome = deliverer.deliver(
        delivery(), destination(there.url.replace("http:", "https:"), timeout_seconds=0.3)
    )
    assert outcome.kind is OutcomeKind.RETRY
    assert there.received == []


# --- the guard ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "kind"),
    [(GuardDecision.BLOCK, OutcomeKind.BLOCKED), (GuardDecision.HOLD, OutcomeKind.HELD)],
)
def test_what_the_guard_stops_opens_no_connection(
    deliverer: Deliverer,
    there: Receiver,
    guard: FixedGuard,
    clock: VirtualClock,
    decision: GuardDecision,
    kind: OutcomeKind,
) -> None:
    guard.answer = decision
    outcome = deliverer.deliver(delivery(), destination(there.url))
    assert outcome.kind is kind
    assert outcome.detail == "patient test (list test.csv), destination mock"
    assert there.connections == 0
    held = kind is OutcomeKind.HELD
    assert (outcome.retry_at is not None and outcome.retry_at > clock()) == held


def test_the_guard_is_asked_about_every_attempt(
    deliverer: Deliverer, there: Receiver, guard: FixedGuard
) -> None:
    deliverer.deliver(delivery(), destination(there.url))
    deliverer.deliver(
        delivery(new=new_delivery(patient=OTHER_PERSON), is_test=True), destination(there.url)
    )
    assert guard.asked == [(PERSON, "fk", False), (OTHER_PERSON, "fk", True)]


def test_an_open_connection_is_no_way_past_the_guard(
    deliverer: Deliverer, there: Receiver, guard: FixedGuard
) -> None:
    deliverer.deliver(delivery(), destination(there.url))
    guard.answer = GuardDecision.BLOCK
    assert deliverer.deliver(delivery(), destination(there.url)).kind is OutcomeKind.BLOCKED
    assert len(there.received) == 1


def test_a_guard_that_fails_holds(there: Receiver, clock: VirtualClock) -> None:
    class Failing:
        def decision(self, *_args: object, **_kwargs: object) -> Any:
            raise KeyError("189001019802")

    deliverer = Deliverer(contracts(), Failing(), SETTINGS, clock)
    outcome = deliverer.deliver(delivery(), destination(there.url))
    deliverer.close()
    assert (outcome.kind, outcome.detail) == (OutcomeKind.HELD, "the guard failed: KeyError")
    assert there.connections == 0


def _named(number: str, inside: str = "") -> bytes:
    """A message in whose bytes somebody's number stands."""
    middle = number[:6] + inside + number[6:]
    return (
        f"<r:RegisterCertificate xmlns:r='urn:r'><r:person-id><root>{PERSON.root}</root>"
        f"<extension>{middle}</extension></r:person-id></r:RegisterCertificate>"
    ).encode()


class SomeBlocked:
    """Lets messages go but those about some people."""

    def __init__(self, **decisions: GuardDecision) -> None:
        self.decisions = {number.removeprefix("n"): what for number, what in decisions.items()}

    def decision(
        self, person: PersonId, _: Destination, *, flagged: bool | None = None
    ) -> tuple[GuardDecision, PatientVerdict]:
        decision = self.decisions.get(person.extension, GuardDecision.SEND)
        return decision, PatientVerdict(PatientKind.TEST, f"list test.csv, marked {flagged}")


@pytest.mark.parametrize("inside", ["", "<!-- -->", "<![CDATA[]]>"])
@pytest.mark.parametrize(
    ("decision", "kind"),
    [(GuardDecision.BLOCK, OutcomeKind.BLOCKED), (GuardDecision.HOLD, OutcomeKind.HELD)],
)
def test_who_stands_in_the_bytes_is_asked_about_whoever_the_row_names(
    there: Receiver, clock: VirtualClock, decision: GuardDecision, kind: OutcomeKind, inside: str
) -> None:
    guard = SomeBlocked(**{f"n{OTHER_PERSON.extension}": decision})
    deliverer = Deliverer(contracts(), guard, SETTINGS, clock)
    body = _named(OTHER_PERSON.extension, inside)
    outcome = deliverer.deliver(delivery(new=new_delivery(body=body)), destination(there.url))
    assert outcome.kind is kind
    assert OTHER_PERSON.extension not in outcome.detail
    assert there.connections == 0
    body = _named(PERSON.extension, inside)
    outcome = deliverer.deliver(delivery(new=new_delivery(body=body)), destination(there.url))
    deliverer.close()
    assert outcome.kind is OutcomeKind.DELIVERED


def test_of_several_in_the_bytes_the_strictest_counts(there: Receiver, clock: VirtualClock) -> None:
    numbers = [OTHER_PERSON.extension, "194001167743"]
    for block, hold in (numbers, numbers[::-1]):
        guard = SomeBlocked(**{f"n{block}": GuardDecision.BLOCK, f"n{hold}": GuardDecision.HOLD})
        deliverer = Deliverer(contracts(), guard, SETTINGS, clock)
        body = b"<a>%b%b</a>" % (_named(block), _named(hold))
        outcome = deliverer.deliver(delivery(new=new_delivery(body=body)), destination(there.url))
        deliverer.close()
        assert outcome.kind is OutcomeKind.BLOCKED
    assert there.connections == 0


def test_what_cannot_be_read_is_held(deliverer: Deliverer, there: Receiver) -> None:
    outcome = deliverer.deliver(delivery(new=new_delivery(body=b"<a>")), destination(there.url))
    assert outcome.kind is OutcomeKind.HELD
    assert there.connections == 0


def permitted(gate: Gate, url: str, message: bytes = b"<a/>") -> Permit:
    permit = gate.ask(delivery(), destination(url), url, message)
    assert isinstance(permit, Permit)
    return permit


def send(
    transport: GuardedTransport, url: str, message: bytes | None, permit: object = None
) -> HttpAnswer:
    request = HttpRequest("POST", url, {}, message, permit)
    return transport.client.exchange(request, Limits(1, 1, 1, 100))


def test_no_permit_no_request(there: Receiver, guard: FixedGuard) -> None:
    """Every way that the transport, its client or zeep offers, without the guard's leave."""
    gate = Gate(guard)
    transport = GuardedTransport(gate)
    url = there.url
    used = permitted(gate, url)
    send(transport, url, b"<a/>", used)
    assert len(there.received) == 1
    (kept,) = transport.client._connections.values()
    fresh = type(kept)(urlsplit(url), transport.client._wire, None)
    zeep_has: Any = Shut()
    ways: list[Callable[[], object]] = [
        lambda: zeep_has.post(url, b"<a/>", {}),
        lambda: zeep_has.post_xml(url, None, {}),
        lambda: zeep_has.get(url, {}, {}),
        lambda: zeep_has.load(url),
        lambda: zeep_has.session.post(url, data=b"<a/>"),
        lambda: Transport.post(zeep_has, url, b"<a/>", {}),
        lambda: Transport.get(zeep_has, url, {}, {}),
        lambda: send(transport, url, b"<a/>"),
        lambda: send(transport, url, None),
        lambda: send(transport, url, b"<a/>", Permit(url, used.sha256)),  # made by somebody else
        lambda: send(transport, url, b"<a/>", used),  # used already
        lambda: send(transport, url, b"<b/>", permitted(gate, url)),  # another message's
        lambda: send(transport, url, b"<a/>", permitted(gate, f"{url}2")),  # another address's
        lambda: send(transport, url, b"<a/>", permitted(Gate(guard), url)),  # another gate's
    ]
    for way in ways:
        with pytest.raises(GuardBypassError):
            way()
    beneath: list[Callable[[], object]] = [
        lambda: kept.request("POST", "/", b"<a/>"),  # on a connection that is open
        lambda: fresh.request("POST", "/", b"<a/>"),
        fresh.connect,
    ]
    for way in beneath:
        with pytest.raises(BypassError):
            way()
    transport.client.close()
    assert (len(there.received), there.connections) == (1, 1)


def test_a_permit_that_was_not_used_is_withdrawn(guard: FixedGuard) -> None:
    gate = Gate(guard)
    transport = GuardedTransport(gate)
    transport.post_delivery(delivery(), destination(NOBODY), b"<a/>", {})
    transport.post_delivery(delivery(), destination("ftp://127.0.0.1/"), b"<a/>", {})
    assert gate._good == {}


@pytest.mark.parametrize(
    ("contract", "asked"),
    [
        ("RegisterCertificate:3", DestinationRole.AUTHORITY),
        ("RevokeCertificate:2", DestinationRole.AUTHORITY),
        ("SendMessageToRecipient:2", DestinationRole.AUTHORITY),
        ("SendMessageToCare:2", DestinationRole.CARE),
        ("CertificateStatusUpdateForCare:3", DestinationRole.CARE),
    ],
)
def test_what_an_authority_is_meant_to_get_is_asked_about_as_going_to_one(
    contract: str, asked: DestinationRole
) -> None:
    """Whatever the routes call the address: a test patient's messages may go to an EHR."""
    asked_about = []

    class Listening:
        def decision(
            self, _: PersonId, there: Destination, *, flagged: bool | None = None
        ) -> tuple[GuardDecision, PatientVerdict]:
            asked_about.append((there.role, flagged))
            return GuardDecision.BLOCK, PatientVerdict(PatientKind.TEST)

    ehr = dataclasses.replace(destination("http://x/"), role=DestinationRole.CARE)
    mine = delivery()
    Gate(Listening()).ask(
        dataclasses.replace(mine, new=dataclasses.replace(mine.new, contract=contract)),
        ehr,
        "http://x/",
        b"",
    )
    assert asked_about == [(asked, mine.is_test)]


def test_a_stop_is_no_permit(guard: FixedGuard) -> None:
    guard.answer = GuardDecision.BLOCK
    asked = Gate(guard).ask(delivery(), destination("http://x/"), "http://x/", b"")
    assert isinstance(asked, Stopped)


def test_a_receiver_that_asks_to_wait_is_heard(deliverer: Deliverer, there: Receiver) -> None:
    there.answer = lambda _: b"HTTP/1.1 503 X\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n"
    outcome = deliverer.deliver(delivery(), destination(there.url))
    assert outcome.retry_at == NOW + timedelta(minutes=10)


def test_what_a_receiver_has_already_is_delivered_after_a_doubt(
    deliverer: Deliverer, there: Receiver
) -> None:
    text = "MEDDELANDE_ID_NOT_UNIQUE_ERROR: the id is taken"
    there.answer = lambda _: http(result("ERROR", "VALIDATION_ERROR", text))
    new = new_delivery(contract="SendMessageToCare:2", body=BODY.encode())
    first = deliverer.deliver(delivery(new=new), destination(there.url))
    second = deliverer.deliver(delivery(new=new, doubtful=True), destination(there.url))
    assert (first.kind, second.kind) == (OutcomeKind.REFUSED, OutcomeKind.DELIVERED)
