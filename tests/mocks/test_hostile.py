"""
No message keeps a mock busy for long.

What is measured is this process's time on its processors: it is no longer on a busy machine.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from intyg.mocks import forsakringskassan, journalsystem
from intyg.mocks.forsakringskassan import SETTINGS
from intyg.mocks.server.serving import MockServer, serve
from intyg.mocks.settings import ANY
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests.hostile_shapes import MESSAGE_SHAPES, SHAPES, Shape
from tests.mocks.calls import post_raw

SIZES = (7_500, 15_000, 30_000, 1_000_000)
"""In bytes. The longest of many small elements are refused from some 40,000 on."""

MOST_SECONDS = 1.0
SLACK_SECONDS = 0.15  # beside what grows; what is collected meanwhile, and what the clock shows


@pytest.fixture(scope="module")
def kassan_server(contracts: Contracts, types: IntygTypes) -> Iterator[MockServer]:
    settings = replace(SETTINGS, logical_address=ANY)
    with serve(forsakringskassan.PERSONA.make(contracts, types, settings)) as server:
        _seconds(server, SHAPES["empty svar"](100))  # what is made once is made
        yield server


@pytest.fixture(scope="module")
def ehr_server(contracts: Contracts, types: IntygTypes) -> Iterator[MockServer]:
    with serve(journalsystem.PERSONA.make(contracts, types)) as server:
        _seconds(server, MESSAGE_SHAPES["empty rows"](100))
        yield server


def _seconds(server: MockServer, message: bytes) -> float:
    started = time.process_time()
    post_raw(server, message)
    return time.process_time() - started


def _cost(server: MockServer, message: bytes) -> float:
    """Asked again when much: what other threads of this process do meanwhile counts, too."""
    first = _seconds(server, message)
    return first if first < SLACK_SECONDS else min(first, _seconds(server, message))


def _hold_to_linear(server: MockServer, shape: Shape) -> None:
    took = [_cost(server, shape(size)) for size in SIZES]
    assert max(took) < MOST_SECONDS, took
    for smaller, larger in pairwise(range(len(SIZES))):
        growth = SIZES[larger] / SIZES[smaller]
        assert took[larger] <= took[smaller] * growth * 1.5 + SLACK_SECONDS, took


@pytest.mark.parametrize("name", SHAPES)
def test_a_certificate_costs_what_its_size_explains(kassan_server: MockServer, name: str) -> None:
    _hold_to_linear(kassan_server, SHAPES[name])


@pytest.mark.parametrize("name", MESSAGE_SHAPES)
def test_a_message_costs_what_its_size_explains(ehr_server: MockServer, name: str) -> None:
    _hold_to_linear(ehr_server, MESSAGE_SHAPES[name])
