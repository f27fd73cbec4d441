"""No message of a test patient reaches a real authority, and nobody else's reaches a test system.

Random lives of an adapter: contracts, environments, patients, destinations and mistakes, with real
sockets at the other end that keep every byte. `INTYG_TEST_GUARD_SEQUENCES=5000` plays so many of
them; a play that fails is told shortened to what it needs. A part of them is played by several
workers at once, on each kind of database.

The same plays are let loose on adapters with a fault, each of which they must find.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from intyg.adapter.domain.environment import Environment
from tests import builders
from tests.adapter.databases import postgresql_schema, why_no_postgresql
from tests.flows.guard_proof.adapter_rig import Ground, common_ground
from tests.flows.guard_proof.play import Cert, Player
from tests.flows.guard_proof.search import look_for_violation, play_of
from tests.flows.guard_proof.spoilt import SPOILT, Spoilt
from tests.flows.guard_proof.spy import spying
from tests.flows.guard_proof.world import OTHERS, REAL, marker

ENOUGH: Final = int(os.environ.get("INTYG_TEST_GUARD_SEQUENCES", "100"))
SEARCHED: Final = 20
"""So many plays from the first one that should find a fault: the order of things may change."""

AT_ONCE: Final = max(8, ENOUGH // 10)
WORKERS: Final = 3


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with common_ground(tmp_path_factory.mktemp("ground")) as ground:
        yield ground


@pytest.fixture(params=["sqlite", "postgresql"])
def busy_ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    """Several workers at once."""
    with ExitStack() as stack:
        urls = None
        if request.param == "postgresql":
            if reason := why_no_postgresql():
                pytest.skip(reason)
            urls = {one: stack.enter_context(postgresql_schema()) for one in Environment}
        yield stack.enter_context(common_ground(tmp_path, urls, WORKERS))


@pytest.mark.timeout(60 + 2 * ENOUGH)
def test_nothing_arrives_where_it_must_not(
    ground: Ground, record_property: Callable[[str, object], None]
) -> None:
    found, seen = look_for_violation(ground, range(ENOUGH))
    assert found is None, str(found)
    record_property("table", f"guard: {dict(sorted(seen.items()))}")
    # What is said of what must not go would be empty if nothing went, waited or was stopped.
    for arrival in ("real authority", "test authority", "mock authority", "real care", "test care"):
        assert seen[f"go {arrival}"] > ENOUGH / 20, arrival
    assert min(seen[f"{one} hook"] for one in ("go real", "go test", "never real")) > 0
    assert min(seen["never real authority"], seen["never test care"]) > 0
    assert seen["journalled"] > ENOUGH
    assert seen["wait real authority"] + seen["wait real care"]


@pytest.mark.timeout(60 + 4 * AT_ONCE)
def test_nor_does_anything_when_several_workers_are_at_it(
    busy_ground: Ground, record_property: Callable[[str, object], None]
) -> None:
    found, seen = look_for_violation(busy_ground, range(AT_ONCE))
    assert found is None, str(found)
    record_property("table", f"guard, {WORKERS} workers: {dict(sorted(seen.items()))}")
    assert seen["at once"] > AT_ONCE / 2
    assert seen["journalled"] > AT_ONCE / 2


@pytest.mark.timeout(300)
@pytest.mark.parametrize("spoilt", SPOILT.values(), ids=list(SPOILT))
def test_an_adapter_with_a_fault_is_found(ground: Ground, spoilt: Spoilt) -> None:
    with spoilt.patched():
        numbers = range(spoilt.first, spoilt.first + SEARCHED)
        found, _ = look_for_violation(ground, numbers, spoilt.seams, shorten=False)
    assert found is not None
    whole, _ = look_for_violation(ground, [found.number])
    assert whole is None, str(whole)


def test_a_message_without_its_number_is_still_known(ground: Ground) -> None:
    player = Player(ground, play_of(0))
    player.certs["intyg-1"] = Cert(REAL, OTHERS)
    body = builders.register_certificate("intyg-1", REAL, diagnosis=marker(REAL))
    assert player._mentioned(body) == ({REAL}, {"intyg-1"})
    assert player._mentioned(body.replace(REAL.encode(), b"")) == ({REAL}, {"intyg-1"})
    assert player._mentioned(body.replace(marker(REAL).encode(), b"")) == ({REAL}, {"intyg-1"})


def test_the_spy_sees_connections_that_no_library_of_ours_opens(ground: Ground) -> None:
    address = ("127.0.0.1", ground.listeners.ports["real"])
    with spying() as spy:
        with socket.socket() as plain, socket.socket(type=socket.SOCK_DGRAM) as packets:
            plain.connect(address)
            packets.sendto(b"x", address)
        subprocess.run([sys.executable, "-c", ""], check=True)
    seen = spy.seen()
    assert seen[:2] == [("socket.connect", address), ("socket.sendto", address)]
    assert ("subprocess.Popen", sys.executable) in seen
    socket.create_connection(address).close()
    assert spy.seen() == []  # it looks no more


def test_plays_are_the_same_each_time() -> None:
    assert [play_of(n) for n in range(3)] == [play_of(n) for n in range(3)]
    assert play_of(1) != play_of(2)
