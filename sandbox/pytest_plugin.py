"""
The pytest plugin `intyg`: mocks and an adapter as fixtures.

    def test_tries_again(adapter, journalsystem, forsakringskassan):
        failing = forsakringskassan.expect("RegisterCertificate", typ="LISJP")
        failing.answers("ERROR", "TECHNICAL_ERROR").times(2)
        journalsystem.send(journalsystem.register())
        journalsystem.clock.advance("1h")

Importing this imports nothing else of ours, and nothing is started before a test asks for a
fixture: suites that do not use them pay nothing, and may have packages of any name.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:  # imported by the fixtures, when one is used
    from intyg.mocks.testing.clock import TestClock
    from intyg.mocks.testing.handles import Authority, Forsakringskassan, Journalsystem
    from intyg.mocks.testing.servers import Servers
    from intyg.mocks.testing.stage import Elsewhere, Stage
    from intyg.sandbox.adapter_under_test import Adapter, Adapters
    from intyg.sandbox.signing_keys import SigningKeys

ELSEWHERE: Final = pytest.StashKey["Elsewhere"]()
"""What the options name, on the configuration."""

STAGE: Final = pytest.StashKey["Stage"]()
"""What a test has, on its item."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("intyg", "mocks and adapter for medical certificates")
    group.addoption(
        "--intyg-up",
        metavar="FOLDER",
        help="Use the adapter and the mocks that `make up` runs; FOLDER is its data/up.",
    )
    group.addoption(
        "--intyg-url",
        metavar="NAME=URL",
        action="append",
        default=[],
        help="Use a mock that runs there (or `adapter`): forsakringskassan=http://127.0.0.1:8081. "
        "May be said for each. INTYG_MOCKS_TOKEN is what they want at /control.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Options that lead nowhere stop the session before it begins."""
    config.addinivalue_line(
        "markers",
        "intyg(environment=, timeout=, destinations=, **settings): how the fixture `adapter` is "
        "set: environment 'demo', 'test' or 'production'; seconds that it waits for an answer; "
        "{'forsakringskassan': {'kind': 'real'}}; any other setting by its name.",
    )
    up, urls = config.getoption("--intyg-up"), config.getoption("--intyg-url")
    if up is None and not urls:
        return
    from intyg.sandbox.adapter_under_test import elsewhere

    try:
        config.stash[ELSEWHERE] = elsewhere(None if up is None else Path(up), urls)
    except (OSError, ValueError, LookupError) as exc:
        raise pytest.UsageError(f"--intyg-up, --intyg-url: {exc}") from None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """A test that passed has still failed if something that it expects did not come."""
    stage = item.stash.get(STAGE, None)
    if stage is None:
        return (yield)
    try:
        result = yield
    except BaseException:
        item.add_report_section("call", "what came to the mocks", stage.came())
        raise
    missing = "\n\n".join(stage.missing())
    if missing:
        pytest.fail(missing, pytrace=False)
    return result


@pytest.fixture(scope="session")
def intyg_elsewhere(pytestconfig: pytest.Config) -> Elsewhere | None:
    """What runs already, by the options; None: everything is made here."""
    return pytestconfig.stash.get(ELSEWHERE, None)


@pytest.fixture(scope="session")
def intyg_keys(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> SigningKeys:
    """Who signs the certificates that `journalsystem` issues; its CA is trusted by all."""
    from intyg.sandbox.signing_keys import SigningKeys

    up = pytestconfig.getoption("--intyg-up")
    return SigningKeys.of_up(Path(up)) if up else SigningKeys.make(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def intyg_ca_files(intyg_keys: SigningKeys) -> tuple[Path, ...]:
    """
    CA certificates whose signers count with mocks and adapter.

    Have a fixture of this name in your own conftest.py to add others; an empty one lets the mocks
    take every certificate without looking at its signature.
    """
    return (intyg_keys.ca,)


@pytest.fixture(scope="session")
def intyg_servers(intyg_ca_files: tuple[Path, ...], intyg_keys: SigningKeys) -> Iterator[Servers]:
    """Ports and schemas of the session."""
    from intyg.mocks.testing.servers import Servers

    servers = Servers(intyg_ca_files, intyg_keys.tls)
    yield servers
    servers.stop()


@pytest.fixture
def intyg_stage(
    request: pytest.FixtureRequest,
    intyg_servers: Servers,
    intyg_keys: SigningKeys,
    intyg_elsewhere: Elsewhere | None,
) -> Iterator[Stage]:
    """The mocks of one test."""
    from intyg.mocks.testing.ehr import Issuer
    from intyg.mocks.testing.stage import Stage

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
def journalsystem(intyg_stage: Stage) -> Journalsystem:
    """An EHR on a free port: `await_event`, `expect`, `calls`; `register`, `send`, `ask`."""
    return intyg_stage.journalsystem


def _authority(key: str) -> object:
    """The fixture of an authority that does no more than all do."""

    @pytest.fixture(name=key)
    def made(intyg_stage: Stage) -> Authority:
        """An authority as a mock on a free port: `expect`, `calls`, `intyg`."""
        return intyg_stage.authority(key)

    return made


# Who there is, by the folders' names: to ask the table itself would import the mocks.
globals().update(
    (path.parent.name, _authority(path.parent.name))
    for path in (Path(__file__).parents[1] / "mocks").glob("*/persona.py")
    if path.parent.name not in globals()
)


@pytest.fixture(scope="session")
def intyg_adapters(
    intyg_servers: Servers,
    intyg_keys: SigningKeys,
    intyg_ca_files: tuple[Path, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> Adapters:
    """Makes adapters: what they have in common is made once."""
    from intyg.sandbox.adapter_under_test import Adapters

    return Adapters(tmp_path_factory.mktemp("adapter"), intyg_servers, intyg_keys, intyg_ca_files)


@pytest.fixture
def adapter(
    intyg_stage: Stage, intyg_elsewhere: Elsewhere | None, request: pytest.FixtureRequest
) -> Iterator[Adapter]:
    """
    An adapter with an empty database, wired to all mocks, as they are to it.

    `@pytest.mark.intyg(environment="production", timeout=0.5)` says how it is set.
    """
    from intyg.sandbox.adapter_settings import Wanted
    from intyg.sandbox.adapter_under_test import Adapter

    mark = request.node.get_closest_marker("intyg")
    if intyg_elsewhere is not None:
        if mark is not None:
            pytest.skip("the adapter runs already, and is set as it is")
        yield Adapter.elsewhere(intyg_elsewhere, intyg_stage)
        return
    adapters: Adapters = request.getfixturevalue("intyg_adapters")
    with adapters.running(intyg_stage, Wanted.by(mark)) as running:
        yield running


def _run_id(test: str) -> str:
    """A name for the test in runs, which shows in the mocks' lists of them."""
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', test)[:40]}-{uuid.uuid4().hex[:8]}"
