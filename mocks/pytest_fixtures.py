"""
The mocks as pytest fixtures; the plugin `intyg` brings them.

Nothing is imported or started before a test asks for a fixture, so that suites that do not use them
pay nothing.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:  # imported by the fixtures, when one is used
    from mocks.testing.clock import TestClock
    from mocks.testing.ehr import Keys
    from mocks.testing.handles import Authority, Forsakringskassan, Journalsystem
    from mocks.testing.servers import Servers
    from mocks.testing.stage import Elsewhere, Stage

STAGE: Final = pytest.StashKey["Stage"]()
"""What a test has, on its item."""


@pytest.fixture(scope="session")
def intyg_servers(intyg_ca_files: tuple[Path, ...]) -> Iterator[Servers]:
    """Ports and schemas of the session."""
    from mocks.testing.servers import Servers

    servers = Servers(intyg_ca_files)
    yield servers
    servers.stop()


@pytest.fixture
def intyg_stage(
    request: pytest.FixtureRequest,
    intyg_servers: Servers,
    intyg_keys: Keys,
    intyg_elsewhere: Elsewhere | None,
) -> Iterator[Stage]:
    """The mocks of one test."""
    from mocks.testing.ehr import Issuer
    from mocks.testing.stage import Stage

    issuer = Issuer(lambda: intyg_servers.types, intyg_keys)
    stage = Stage(intyg_servers, issuer, intyg_elsewhere, _run_id(request.node.name))
    request.node.stash[STAGE] = stage
    yield stage
    stage.end()


@pytest.fixture
def intyg_clock(intyg_stage: Stage) -> TestClock:
    """The clock of the test's mocks and adapter: `intyg_clock.advance("7d")`."""
    return intyg_stage.clock


@pytest.fixture
def forsakringskassan(intyg_stage: Stage) -> Forsakringskassan:
    """Försäkringskassan as a mock on a free port: `expect`, `calls`, `ask`, `answer`, `remind`."""
    return intyg_stage.forsakringskassan


@pytest.fixture
def transportstyrelsen(intyg_stage: Stage) -> Authority:
    """Transportstyrelsen as a mock on a free port: `expect`, `calls`, `intyg`."""
    return intyg_stage.authority("transportstyrelsen")


@pytest.fixture
def skatteverket(intyg_stage: Stage) -> Authority:
    """Skatteverket (Dödsbevis) as a mock on a free port: `expect`, `calls`, `intyg`."""
    return intyg_stage.authority("skatteverket")


@pytest.fixture
def socialstyrelsen(intyg_stage: Stage) -> Authority:
    """Socialstyrelsen (Dödsorsaksintyg) as a mock on a free port: `expect`, `calls`, `intyg`."""
    return intyg_stage.authority("socialstyrelsen")


@pytest.fixture
def journalsystem(intyg_stage: Stage) -> Journalsystem:
    """An EHR on a free port: `await_event`, `expect`, `calls`; `register`, `send`, `ask`."""
    return intyg_stage.journalsystem


def _run_id(test: str) -> str:
    """A name for the test in runs, which shows in the mocks' lists of them."""
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', test)[:40]}-{uuid.uuid4().hex[:8]}"
