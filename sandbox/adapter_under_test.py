"""An adapter for tests: on a free port, with an empty database, in an environment of its own."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Self

import structlog

from intyg.adapter.bootstrap.app import App, build_app, build_services
from intyg.adapter.domain.clock import Clock, system_clock
from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.virtual_clock import VirtualClock
from intyg.adapter.settings.settings import Settings
from intyg.mocks.clock.adapter_clock import AdapterClock
from intyg.mocks.personas import PERSONAS
from intyg.mocks.rules.model import unknown
from intyg.mocks.testing.clock import TestClock
from intyg.mocks.testing.expectation import ExpectationError, wait_for
from intyg.mocks.testing.handles import WAIT_SECONDS, id_of
from intyg.mocks.testing.sentences import HasIntygsId, SentenceError
from intyg.mocks.testing.servers import Servers
from intyg.mocks.testing.stage import Elsewhere, Stage
from intyg.mocks.wire.http_session import http_session
from intyg.mocks.wire.tls import AdapterTls
from intyg.sandbox.adapter_settings import TOKEN, Wanted, settings_for
from intyg.sandbox.demo.settings_file import CARE
from intyg.sandbox.signing_keys import SigningKeys, settings_of_up

TOKEN_VARIABLE: Final = "INTYG_MOCKS_TOKEN"  # noqa: S105 -- its name
ADAPTER: Final = "adapter"

_SECONDS: Final = 30.0


@dataclass(frozen=True)
class DeliveryView:
    """
    A delivery as `/api/intyg/<id>` shows it.

    Attributes:
        id: Its own.
        contract: `RegisterCertificate:3`, …
        logical_address: Whom it is for.
        part: The recipient's code.
        state: `queued`, `sending`, `delivered`, `refused`, `unknown`, `held`, `blocked`, `failed`.
        attempts: How often it was tried.
        result_code, error_id, http_status: Of the last answer, where there was one.
        detail: Why it stands where it does, in words; nothing of the patient.
    """

    id: str
    contract: str
    logical_address: str
    part: str
    state: str
    attempts: int
    result_code: str | None
    error_id: str | None
    http_status: int | None
    detail: str | None

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """From JSON, whose names are written together."""
        return cls(**{each.name: told[_camel(each.name)] for each in fields(cls)})

    def __str__(self) -> str:
        why = ", ".join(filter(None, (self.result_code, self.error_id, self.detail)))
        return f"{self.contract} to {self.logical_address}: {self.state} ({why or 'not tried'})"


class Adapter:
    """
    An adapter that runs.

    Args:
        url: Its base address.
        stage: The mocks of the test.
        app: Itself, if it is in this process.
        tls: What its own interface is asked with, where it speaks TLS.
    """

    def __init__(
        self,
        url: str,
        stage: Stage,
        app: App | None = None,
        tls: AdapterTls = AdapterTls(),  # noqa: B008 -- frozen
    ) -> None:
        self.url = url
        self._stage = stage
        self._app = app
        self._tls = tls
        stage.connect(self.services_url, TOKEN)

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
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with http_session(self._tls.verify, self._tls.client, headers) as session:
            response = session.get(f"{self.url}{path}", timeout=_SECONDS)
        response.raise_for_status()
        return response.json()

    def deliveries(self, intyg: str | HasIntygsId) -> tuple[DeliveryView, ...]:
        """What there is to deliver of a certificate and about it, in the order it was queued."""
        told = self.get(f"/api/intyg/{id_of(intyg)}")
        return tuple(map(DeliveryView.read, told["deliveries"]))

    def await_delivery(
        self,
        intyg: str | HasIntygsId,
        state: str = "delivered",
        *,
        contract: str = "RegisterCertificate",
        timeout: float = WAIT_SECONDS,
    ) -> DeliveryView:
        """
        Wait until a delivery of a certificate stands somewhere.

        Args:
            state: `delivered`, `refused`, `blocked`, …
            contract: Its name.
            timeout: Seconds.

        Returns:
            The newest that does.

        Raises:
            SentenceError: There is no such state; names the nearest.
            ExpectationError: None did; says where they stand.
        """
        __tracebackhide__ = True
        if state not in tuple(DeliveryState):
            raise SentenceError(f"state: {unknown(state, DeliveryState)}")

        def there() -> list[DeliveryView]:
            every = self.deliveries(intyg)
            return [d for d in every if d.state == state and d.contract.split(":")[0] == contract]

        wait_for(there, timeout)
        found = there()
        if not found:
            known = "".join(f"\n  {each}" for each in self.deliveries(intyg)) or " none"
            raise ExpectationError(
                f"no {contract} of {id_of(intyg)} was {state} within {timeout:g} s; there is{known}"
            )
        return found[-1]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


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
    def running(
        self,
        stage: Stage,
        wanted: Wanted = Wanted(),  # noqa: B008 -- frozen
    ) -> Iterator[Adapter]:
        """
        An adapter with an empty database that knows all mocks, and in a demo goes by their time.

        Raises:
            SettingsError: What the test wants cannot be.
        """
        for key in PERSONAS:
            stage.mock(key)
        in_demo = wanted.environment is Environment.DEMO
        clock: Clock = VirtualClock() if in_demo else system_clock
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            folder = Path(name)
            shutil.copytree(self._empty(wanted.environment), folder, dirs_exist_ok=True)
            settings = self._settings(folder, wanted)
            schemas = self._servers.contracts, self._servers.types
            with _logged_as_usual(), build_app(settings, clock, schemas=schemas) as app:
                if in_demo:
                    stage.timeline.follow(AdapterClock(f"{app.url}/api/clock"))
                try:
                    yield Adapter(app.url, stage, app, self._keys.tls)
                finally:
                    stage.let_go()  # the adapter ends when its calls have, also one that hangs

    def _empty(self, environment: Environment) -> Path:
        """The data folder of an adapter that has never been used; its tables take time to make."""
        folder = self._folder / f"empty-{environment}"
        if not folder.exists():
            folder.mkdir()
            schemas = self._servers.contracts, self._servers.types
            settings = self._settings(folder, Wanted(environment))
            build_services(settings, schemas=schemas).store.close()
        return folder

    def _settings(self, folder: Path, wanted: Wanted) -> Settings:
        urls = {key: self._servers.url(key) for key in PERSONAS}
        settings = settings_for(folder, urls, self._keys, wanted)
        if "trust" in wanted.settings:
            return settings
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
