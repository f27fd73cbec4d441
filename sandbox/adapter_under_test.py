"""An adapter for tests: on a free port, with an empty database, in an environment of its own."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import requests
import structlog

from intyg.adapter.bootstrap.app import App, build_app, build_services
from intyg.adapter.domain.virtual_clock import VirtualClock
from intyg.adapter.settings.settings import Settings, load_settings
from intyg.mocks.clock.adapter_clock import AdapterClock
from intyg.mocks.personas import PERSONAS
from intyg.mocks.testing.clock import TestClock
from intyg.mocks.testing.servers import Servers
from intyg.mocks.testing.stage import Elsewhere, Stage
from intyg.sandbox.demo.settings_file import CARE, settings_text
from intyg.sandbox.demo.stage import TEST_PERSONS
from intyg.sandbox.signing_keys import SigningKeys, settings_of_up

TOKEN_VARIABLE: Final = "INTYG_MOCKS_TOKEN"  # noqa: S105 -- its name
ADAPTER: Final = "adapter"

_SECONDS: Final = 30.0


class Adapter:
    """
    An adapter that runs.

    Args:
        url: Its base address.
        stage: The mocks of the test.
        app: Itself, if it is in this process.
    """

    def __init__(self, url: str, stage: Stage, app: App | None = None) -> None:
        self.url = url
        self._stage = stage
        self._app = app
        stage.connect(self.services_url)

    @classmethod
    def elsewhere(cls, elsewhere: Elsewhere, stage: Stage) -> Self:
        """One that runs already."""
        try:
            return cls(elsewhere.urls[ADAPTER], stage)
        except KeyError:
            raise RuntimeError("--intyg-url adapter=… is missing") from None

    @property
    def services_url(self) -> str:
        """Where it serves its contracts; national paths are appended to it."""
        return f"{self.url}/services"

    @property
    def clock(self) -> TestClock:
        """Moves its time, and that of the mocks; see `TestClock`."""
        return self._stage.clock

    @property
    def app(self) -> App:
        """Its parts; there are none to be had of one that runs elsewhere."""
        if self._app is None:
            raise RuntimeError("this adapter runs elsewhere; ask it over HTTP")
        return self._app

    def get(self, path: str) -> Any:
        """JSON of its own interface, e.g. `/api/intyg/<id>`."""
        with requests.Session() as session:
            session.trust_env = False
            response = session.get(f"{self.url}{path}", timeout=_SECONDS)
        response.raise_for_status()
        return response.json()


class Adapters:
    """
    Makes adapters for tests, one at a time.

    Args:
        folder: For what they have in common.
        servers: Where the mocks are.
        keys: The adapter signs with them.
        ca_files: Whose signers count.
    """

    def __init__(
        self, folder: Path, servers: Servers, keys: SigningKeys, ca_files: Sequence[Path]
    ) -> None:
        self._folder = folder
        self._servers = servers
        self._keys = keys
        self._ca_files = ca_files

    @contextmanager
    def running(self, stage: Stage) -> Iterator[Adapter]:
        """An adapter with an empty database that knows all mocks, and whose time is theirs."""
        for key in PERSONAS:
            stage.mock(key)
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            folder = Path(name)
            shutil.copytree(self._empty, folder, dirs_exist_ok=True)
            settings = self._settings(folder)
            schemas = self._servers.contracts, self._servers.types
            with _logged_as_usual(), build_app(settings, VirtualClock(), schemas=schemas) as app:
                stage.timeline.follow(AdapterClock(f"{app.url}/api/clock"))
                try:
                    yield Adapter(app.url, stage, app)
                finally:
                    stage.let_go()  # the adapter ends when its calls have, also one that hangs

    @cached_property
    def _empty(self) -> Path:
        """The data folder of an adapter that has never been used; its tables take time to make."""
        folder = self._folder / "empty"
        folder.mkdir()
        schemas = self._servers.contracts, self._servers.types
        build_services(self._settings(folder), schemas=schemas).store.close()
        return folder

    def _settings(self, folder: Path) -> Settings:
        rows = ("testpersonnummer", *TEST_PERSONS)
        (folder / "test-patients.csv").write_text("\n".join(rows) + "\n", "utf-8")
        urls = {key: self._servers.url(key) for key in PERSONAS}
        toml = folder / "adapter.toml"
        toml.write_text(settings_text(0, self._keys.folder, urls, None), "utf-8")
        settings = load_settings(toml)
        trust = settings.trust.model_copy(update={"anchors": tuple(self._ca_files)})
        return settings.model_copy(update={"trust": trust})


@contextmanager
def _logged_as_usual() -> Iterator[None]:
    """Let the adapter's lines go to `logging`, of which pytest shows what it is asked to."""
    configured, before = structlog.is_configured(), structlog.get_config()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        if configured:
            structlog.configure(**before)
        else:
            structlog.reset_defaults()


def elsewhere(up: Path | None, urls: Sequence[str]) -> Elsewhere:
    """
    What runs already.

    Args:
        up: The folder of `make up`.
        urls: `NAME=URL`, which go before what the folder says.

    Raises:
        OSError, ValueError: The folder is none of `make up`; a name is none.
    """
    token = os.environ.get(TOKEN_VARIABLE)
    known: dict[str, str] = {}
    if up is not None:
        known |= _addresses(settings_of_up(up))
        token = (up / "token").read_text("utf-8").strip()
    for each in urls:
        name, _, url = each.partition("=")
        if name not in (*PERSONAS, ADAPTER) or not url:
            raise ValueError(f"{each}: must be NAME=URL with {', '.join((*PERSONAS, ADAPTER))}")
        known[name] = url.rstrip("/")
    # The routes of an adapter that runs already lead to the mocks, and not to a run of them.
    return Elsewhere(known, token, run=ADAPTER not in known)


def _addresses(settings: Any) -> dict[str, str]:
    """Where adapter and mocks are, by the settings that `make up` wrote."""
    destinations = settings["destinations"]
    urls = {key: destinations[key]["url"] for key in PERSONAS if key in destinations}
    urls["journalsystem"] = destinations[CARE]["url"]
    return {**urls, ADAPTER: f"http://127.0.0.1:{settings['server']['port']}"}
