"""What a message costs grows with its size and no faster, whatever it is made of.

Whole requests, from the door to the answer, in processor time: other work on the machine disturbs
that little. Each shape is as large as its tags, or the length of its one text, let it be.
"""

import gc
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from wsgiref.types import WSGIApplication

import pytest

from intyg.adapter.flows.contracts import FAULT_CONTRACTS, HANDLERS
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.safe_xml import MAX_MARKUP
from intyg.adapter.soap import build_wsgi
from intyg.adapter.store import Store
from intyg.schemas.finding import MAX_FINDINGS
from tests.adapter.flows.rig import CONTRACTS, VirtualClock, make_services, make_settings
from tests.adapter.soap.calls import Answer, call
from tests.hostile_shapes import LONG, MESSAGE_SHAPES, SHAPES, Shape
from tests.processor_time import ATTEMPTS, slowness

MOST_SECONDS: Final = 1.0

MOST_BYTES: Final = 14_000_000  # of many long texts
NOISE_SECONDS: Final = 0.1

MOST_GROWTH: Final = 12.0
"""
How many times as long as a quarter a whole may take.

More than four, since libxml2 counts the siblings before an element for each fault that it finds,
the slower the less of them its core's cache holds; less than the sixteen of what takes the square.
"""


ALL: Final = [
    *(pytest.param("RegisterCertificate:3", shape, id=name) for name, shape in SHAPES.items()),
    *(
        pytest.param("SendMessageToCare:2", shape, id=f"message: {name}")
        for name, shape in MESSAGE_SHAPES.items()
    ),
]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WSGIApplication]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    clock = VirtualClock()
    store = Store(f"sqlite:///{folder / 'adapter.sqlite'}", clock)
    settings = make_settings(data_dir=folder)
    store.migrate(settings.environment)
    parts = make_services(settings, store, clock)
    for key in ("RegisterCertificate:3", "SendMessageToCare:2"):
        name, _, major = key.partition(":")
        CONTRACTS.warm(CONTRACTS.get(name, int(major)))
    handlers = {
        key: lambda inbound, flow=flow: flow(inbound, parts, UnitOfWork(store))
        for key, flow in HANDLERS.items()
    }
    yield build_wsgi(CONTRACTS, handlers, settings, clock, FAULT_CONTRACTS)
    store.close()


def post(door: WSGIApplication, key: str, data: bytes) -> tuple[float, Answer]:
    """The processor time of a call, in seconds, and its answer."""
    name, _, major = key.partition(":")
    path = CONTRACTS.get(name, int(major)).path
    gc.disable()  # what all tests together have loaded is not the message's to pay for
    try:
        started = time.process_time()
        answer = call(door, "POST", path, data)
        return time.process_time() - started, answer
    finally:
        gc.enable()


def markup(data: bytes) -> int:
    return data.count(b"<") + data.count(b"=")


def largest(shape: Shape) -> int:
    """The size up to which a shape is not refused for its tags, or for one long text, alone."""
    few, many = markup(shape(20_000)), markup(shape(60_000))
    if many - few > 20:
        return int(20_000 + (MAX_MARKUP * 0.97 - few) * 40_000 / (many - few))
    return MOST_BYTES if len(shape(1)) > LONG else LONG


@pytest.mark.parametrize(("key", "shape"), ALL)
def test_cost_grows_with_the_size_and_no_faster(
    door: WSGIApplication, key: str, shape: Shape
) -> None:
    size = largest(shape)
    part, data = shape(size // 4), shape(size)
    assert markup(data) <= MAX_MARKUP, "it must come past the first look"
    for _ in range(ATTEMPTS):
        before = slowness()
        quarter, _answer = post(door, key, part)
        whole, answer = post(door, key, data)
        slower = max(before, slowness())
        faults = []
        if whole >= MOST_GROWTH * quarter * slower + NOISE_SECONDS:
            faults.append(
                f"{whole:.3f} s grows faster than the size: a quarter takes {quarter:.3f} s"
            )
        if whole >= MOST_SECONDS * slower:
            faults.append(f"{whole:.3f} s is too long")
        if not faults:
            break
    assert not faults
    assert answer.status in (200, 500)
    assert answer.body.count(b"\n") <= MAX_FINDINGS + 3
    assert len(answer.body) < 50_000
