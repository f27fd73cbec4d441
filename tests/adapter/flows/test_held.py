"""What the guard cannot tell waits for the register, over real sockets: sent or blocked later."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from intyg.adapter.deliver import Deliverer
from intyg.adapter.deliver.worker import Workers
from intyg.adapter.domain.delivery import Delivery, DeliveryState, Outcome, OutcomeKind
from intyg.adapter.domain.destination import DestinationKind
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.texts import HELD
from intyg.adapter.flows import after_delivery
from intyg.adapter.guard import (
    Guard,
    HttpRegister,
    RegisterSignal,
    TestPatients,
)
from intyg.adapter.settings.settings import (
    DeliverySettings,
    DestinationSettings,
    RegisterSettings,
    RouteSettings,
    SignaturePolicy,
)
from tests import builders
from tests.adapter.draining import drain
from tests.adapter.flows.rig import FK, Rig
from tests.adapter.receivers import (
    OK,
    Received,
    Receiver,
    http,
    receiver,
    soap,
)

HOLD_SECONDS = 90.0


@dataclass
class World:
    """
    An adapter in production, a real authority that listens, and a register that can be down.

    Attributes:
        flag: What the register says of everybody; None: it is down.
    """

    rig: Rig
    authority: Receiver
    register: Receiver
    flag: bool | None = None

    def answer(self, request: Received) -> bytes:
        if self.flag is None:
            return http(b"", 503)
        number = json.loads(request.body)["number"]
        answer = {"number": number, "known": True, "test": self.flag}
        return http(json.dumps(answer).encode())

    def work(self) -> None:
        """Let the worker do what is due."""
        services = self.rig.services
        deliverer = Deliverer(
            services.contracts, services.guard, services.settings.delivery, services.clock
        )
        workers = Workers(
            services.store,
            deliverer,
            services.routes.find,
            lambda delivery, outcome: after_delivery.handle(delivery, outcome, services),
            services.settings.delivery,
            services.clock,
        )
        drain(workers)
        deliverer.close()

    def delivery(self) -> Delivery:
        [found] = self.rig.deliveries()
        return found

    def wait_for_next_question(self) -> None:
        self.rig.clock.now = self.delivery().due_at


@contextmanager
def production(rig: Rig) -> Iterator[World]:
    with receiver() as authority, receiver() as register:
        authority.answer = lambda _: http(soap(OK))
        there = DestinationSettings(url=authority.url, kind=DestinationKind.REAL)
        real = rig.with_settings(
            environment=Environment.PRODUCTION,
            signature=SignaturePolicy.REQUIRE,
            destinations={"fk": there},
            routes=(RouteSettings(contract="*", logical_address=FK, destination="fk"),),
            delivery=DeliverySettings(hold_seconds=HOLD_SECONDS, max_attempts=2),
        )
        signal = RegisterSignal(HttpRegister(RegisterSettings(url=register.url)))
        guard = Guard(TestPatients([signal]), Environment.PRODUCTION)
        real = replace(real, services=replace(real.services, guard=guard))
        world = World(real, authority, register)
        register.answer = world.answer
        yield world


@pytest.fixture
def world(rig: Rig) -> Iterator[World]:
    """A certificate is registered while nobody can say whose it is, and then sent."""
    untold = rig.with_test_patients(damage="no such file").with_settings(routes=())
    untold = replace(untold, services=replace(untold.services, guard=unsure()))
    untold.ok(builders.register_certificate())
    with production(rig) as world:
        answer = world.rig.call(builders.send_certificate_to_recipient())
        assert (answer.code, answer.text) == ("INFO", HELD.format(part="FKASSA"))
        yield world


def unsure() -> Guard:
    return Guard(TestPatients([]), Environment.DEMO)


def test_it_waits_without_using_up_attempts_and_says_why(world: World) -> None:
    for _ in range(5):  # more often than there are attempts
        world.work()
        held = world.delivery()
        assert (held.state, held.attempts) == (DeliveryState.HELD, 0)
        wait = held.due_at - world.rig.clock.now
        assert timedelta(0) < wait <= timedelta(seconds=HOLD_SECONDS)
        world.wait_for_next_question()
    with world.rig.services.store.read() as rows:
        [hold] = rows.blocks.holds(10)
    assert hold.why == (
        "patient cannot_tell (register: the register answers HTTP 503), destination real"
    )
    assert world.authority.connections == 0
    assert world.register.connections >= 5


def test_it_is_sent_when_the_register_says_that_it_is_no_test_patient(world: World) -> None:
    world.work()
    world.flag = False
    world.wait_for_next_question()
    world.work()
    assert (world.delivery().state, world.delivery().attempts) == (DeliveryState.DELIVERED, 1)
    assert len(world.authority.received) == 1
    assert world.rig.blocked() == []


def test_it_is_blocked_when_the_register_says_that_it_is_one(world: World) -> None:
    world.work()
    world.flag = True
    world.wait_for_next_question()
    world.work()
    assert world.delivery().state is DeliveryState.BLOCKED
    assert world.authority.connections == 0
    with world.rig.services.store.read() as rows:
        [block] = rows.blocks.find()
        assert rows.blocks.holds(10) == ()
    assert (block.destination, block.signal) == (
        "fk",
        "patient test (register), destination real",
    )


def test_revoked_while_it_is_held_it_goes_nowhere(world: World) -> None:
    world.work()
    world.rig.call(builders.revoke_certificate())
    world.flag = False
    world.wait_for_next_question()
    world.work()
    assert [d.state for d in world.rig.deliveries()] == [DeliveryState.WITHDRAWN]
    assert world.authority.connections == 0


def test_what_follows_waits_behind_it(world: World) -> None:
    """A revocation does not overtake the certificate that waits, and may have arrived before."""
    world.work()
    with world.rig.services.store.begin() as rows:
        first = world.delivery()
        made = [(first.id, first.new.part, 1, Outcome(OutcomeKind.UNKNOWN))]
        rows.deliveries._add_attempts(made)
    world.rig.call(builders.revoke_certificate())
    world.work()
    assert [d.state for d in world.rig.deliveries()] == [DeliveryState.HELD, DeliveryState.QUEUED]
    world.flag = False
    for delivery in world.rig.deliveries():
        world.rig.clock.now = max(world.rig.clock.now, delivery.due_at)
    world.work()
    bodies = [request.body for request in world.authority.received]
    assert [b"<r:RegisterCertificate" in body for body in bodies] == [True, False]
    assert {d.state for d in world.rig.deliveries()} == {DeliveryState.DELIVERED}


def test_sent_again_by_hand_the_guard_is_asked_again(world: World) -> None:
    world.work()
    world.flag = True
    world.wait_for_next_question()
    world.work()
    with world.rig.services.store.begin() as rows:
        rows.deliveries.send_again(world.delivery().id, world.rig.clock())
    world.work()
    assert world.delivery().state is DeliveryState.BLOCKED
    assert world.authority.connections == 0
    assert len(world.rig.blocked()) == 2
