"""How hooks are told, over real sockets: signed, at least once, and only what the guard lets go."""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from intyg.adapter.deliver import Deliverer
from intyg.adapter.domain.delivery import Delivery, DeliveryState, Outcome, OutcomeKind
from intyg.adapter.domain.destination import Destination, DestinationKind, DestinationRole
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.hook import ABOUT_NO_INTYG, HOOK_KEY, NOBODY, HookEvent, HookType
from intyg.adapter.domain.person import PersonId
from intyg.adapter.domain.way import WayNews
from intyg.adapter.formats.hook_json import write_event
from intyg.adapter.guard.policy import Guard
from intyg.adapter.guard.signals import ListSignal, TestPatients
from intyg.adapter.settings.hook_secret import HookSecretError, read_secret
from intyg.adapter.settings.settings import DeliverySettings
from intyg.schemas.contract.contract import Contracts
from tests.adapter.conftest import VirtualClock
from tests.adapter.deliver.test_deliverer import FixedGuard
from tests.adapter.receivers import HANG, Received, Receiver, http, receiver
from tests.adapter.samples import NOW, PERSON, new_delivery

SECRET = os.urandom(32)
EVENT = HookEvent(HookType.REFUSED, "intyg-1", {"state": "refused"}, "intyg-1", PERSON)


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as one:
        one.answer = lambda _: http(b"", 204)
        yield one


@pytest.fixture
def hook(there: Receiver, tmp_path: Path) -> Destination:
    path = tmp_path / "hook.secret"
    path.write_text(f"whsec_{base64.b64encode(SECRET).decode()}\n")
    return Destination(
        "told", there.url, DestinationKind.MOCK, DestinationRole.HOOK, 5.0, secret_file=path
    )


def waiting(event: HookEvent = EVENT, body: bytes | None = None) -> Delivery:
    body = body or write_event(event, "e-1", "test", NOW)
    new = new_delivery(
        event.intygs_id, contract=HOOK_KEY, patient=event.patient, body=body, part="told"
    )
    return Delivery("d-1", new, DeliveryState.SENDING, 1, NOW, NOW, NOW, "c-1")


def deliver(
    clock: VirtualClock, hook: Destination, delivery: Delivery, guard: Guard | None = None
) -> Outcome:
    """One attempt, on a connection of its own."""
    guarded = guard or FixedGuard()
    with closing(Deliverer(Contracts(), guarded, DeliverySettings(), clock)) as deliverer:
        return deliverer.deliver(delivery, hook)


def verify(request: Received, secret: bytes, now: float) -> bool:
    """As `docs/hooks.md` shows it."""
    (id_,), (at,) = request.header("webhook-id"), request.header("webhook-timestamp")
    if abs(now - int(at)) > 300:
        return False
    signed = b".".join((id_.encode(), at.encode(), request.body))
    mac = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return any(
        hmac.compare_digest(one, f"v1,{mac}")
        for one in request.header("webhook-signature")[0].split()
    )


def test_it_is_posted_as_a_cloud_event_and_signed(
    there: Receiver, hook: Destination, clock: VirtualClock
) -> None:
    outcome = deliver(clock, hook, waiting())
    assert (outcome.kind, outcome.http_status) == (OutcomeKind.DELIVERED, 204)
    (request,) = there.received
    assert request.header("Content-Type") == ["application/cloudevents+json; charset=UTF-8"]
    assert not request.header("SOAPAction")
    assert json.loads(request.body)["type"] == "intygsadapter.delivery.refused"
    now = clock().timestamp()
    assert verify(request, SECRET, now)
    assert not verify(request, SECRET, now + 301)
    assert not verify(request, os.urandom(32), now)
    assert not verify(replace(request, body=request.body + b" "), SECRET, now)


@pytest.mark.parametrize(
    ("status", "kind", "news"),
    [
        (200, OutcomeKind.DELIVERED, WayNews.ANSWERED),
        (401, OutcomeKind.RETRY, WayNews.STOPS_DESTINATION),
        (404, OutcomeKind.RETRY, WayNews.STOPS_WAY),
        (413, OutcomeKind.REFUSED, WayNews.ANSWERED),
        (503, OutcomeKind.RETRY, WayNews.SILENT),
    ],
)
def test_its_status_says_whether_it_has_it(
    there: Receiver,
    hook: Destination,
    clock: VirtualClock,
    status: int,
    kind: OutcomeKind,
    news: WayNews,
) -> None:
    there.answer = lambda _: http(b'{"what": "ever"}', status, "application/json")
    outcome = deliver(clock, hook, waiting())
    assert (outcome.kind, outcome.news) == (kind, news)


def test_one_that_hangs_is_told_again(
    there: Receiver, hook: Destination, clock: VirtualClock
) -> None:
    there.answer = lambda _: HANG
    outcome = deliver(clock, replace(hook, timeout_seconds=0.2), waiting())
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert outcome.retry_at is not None


def test_nothing_leaves_with_a_number_in_it_or_without_a_secret(
    there: Receiver, hook: Destination, clock: VirtualClock
) -> None:
    body = json.dumps({"data": [{"who": PERSON.extension}]}).encode()
    assert deliver(clock, hook, waiting(body=body)).kind is OutcomeKind.BLOCKED
    with pytest.raises(HookSecretError):
        deliver(clock, replace(hook, secret_file=None), waiting())
    assert there.connections == 0


@pytest.mark.parametrize("kind", list(DestinationKind))
@pytest.mark.parametrize("environment", list(Environment))
@pytest.mark.parametrize("person", [PERSON, PersonId(PERSON.root, "194002049163"), NOBODY])
def test_the_guard_is_asked_of_each(
    there: Receiver,
    hook: Destination,
    clock: VirtualClock,
    kind: DestinationKind,
    environment: Environment,
    person: PersonId,
) -> None:
    guard = Guard(TestPatients([ListSignal("list", frozenset({PERSON.extension}))]), environment)
    event = replace(EVENT, patient=person)
    if person == NOBODY:
        event = HookEvent(HookType.STOPPED, "fk", {}, ABOUT_NO_INTYG)
    real = kind is DestinationKind.REAL
    in_production = environment is Environment.PRODUCTION
    goes = {
        PERSON: not real,  # a test patient
        NOBODY: in_production or not real,
    }.get(person, real and in_production)
    outcome = deliver(clock, replace(hook, kind=kind), waiting(event), guard)
    assert outcome.kind is (OutcomeKind.DELIVERED if goes else OutcomeKind.BLOCKED)
    assert there.connections == int(goes)


@pytest.mark.parametrize("text", ["", "not base64!", "c2hvcnQ=", "å"])
def test_a_secret_that_is_none_is_told_without_being_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hook.secret"
    path.write_text(text, "utf-8")
    with pytest.raises(HookSecretError, match=r"hook\.secret") as caught:
        read_secret(path)
    assert not text or text not in str(caught.value).replace("not base64", "")
    with pytest.raises(HookSecretError, match="No such file"):
        read_secret(tmp_path / "gone")
