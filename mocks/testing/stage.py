"""What one test has: its mocks, their clock, and their adapter if there is one."""

from dataclasses import dataclass, field
from typing import Final

from intyg.mocks.clock.timeline import Timeline
from intyg.mocks.personas import PERSONAS
from intyg.mocks.rules.model import unknown
from intyg.mocks.server.persona_base import Persona
from intyg.mocks.server.service import MockService
from intyg.mocks.testing.clock import TestClock
from intyg.mocks.testing.ehr import Ehr, Issuer
from intyg.mocks.testing.handles import (
    Authority,
    Forsakringskassan,
    Journalsystem,
    Mock,
)
from intyg.mocks.testing.link import InProcess, Link, OverHttp
from intyg.mocks.testing.servers import Servers

EHR: Final = "journalsystem"
FK: Final = "forsakringskassan"


@dataclass(frozen=True)
class Elsewhere:
    """
    Mocks and an adapter that run already.

    Attributes:
        urls: By the fixture's name.
        token: What the mocks want at their control interface.
        run: Whether a test is a run of its own there: its own state, rules and journal at
            `<url>/run/<id>`. An adapter that knows other addresses cannot go there.
    """

    urls: dict[str, str] = field(default_factory=dict)
    token: str | None = field(default=None, repr=False)
    run: bool = True


class Stage:
    """
    Mocks, made when they are first asked for.

    Args:
        servers: Of the session.
        issuer: Makes the EHR's certificates.
        elsewhere: Mocks that run already; None: they are made here.
        run: The test's name in runs.
    """

    def __init__(
        self, servers: Servers, issuer: Issuer, elsewhere: Elsewhere | None, run: str
    ) -> None:
        self.servers = servers
        self.elsewhere = elsewhere
        self.timeline = Timeline()
        self._issuer = issuer
        self._run = run
        self._mocks: dict[str, Mock] = {}
        self._services: dict[str, MockService[Persona]] = {}
        self._services_url: str | None = None
        self._token: str | None = None

    def mock(self, key: str) -> Mock:
        """The mock of that name."""
        if key not in PERSONAS:
            raise KeyError(unknown(key, PERSONAS))
        if key not in self._mocks:
            self._mocks[key] = self._handle(key, self._link(key))
            self._connect(key)
        return self._mocks[key]

    def authority(self, key: str) -> Authority:
        """One of the authorities."""
        found = self.mock(key)
        assert isinstance(found, Authority), key
        return found

    @property
    def forsakringskassan(self) -> Forsakringskassan:
        found = self.mock(FK)
        assert isinstance(found, Forsakringskassan)
        return found

    @property
    def journalsystem(self) -> Journalsystem:
        found = self.mock(EHR)
        assert isinstance(found, Journalsystem)
        return found

    @property
    def clock(self) -> TestClock:
        """Moves the time of all."""
        some = next(iter(self._mocks.values()), None)
        return (some or self.journalsystem).clock

    def connect(self, services_url: str, token: str | None = None) -> None:
        """Let every mock, also those that come yet, speak to an adapter, and to its REST."""
        self._services_url = services_url
        self._token = token
        for key in self._mocks:
            self._connect(key)

    def missing(self) -> list[str]:
        """What the test expects and what did not come, in words; empty when all came."""
        return [text for mock in self._mocks.values() for text in mock.missing()]

    def came(self) -> str:
        """What came to each mock, for people."""
        return "\n".join(f"{name}\n{mock.came()}" for name, mock in self._mocks.items())

    def let_go(self) -> None:
        """Hold no call back any more: who waits for an answer is not to be waited for."""
        for service in self._services.values():
            service.rules.book.clear()
            service.rules.waits.stop()

    def end(self) -> None:
        """Take back what the test told the mocks, and wake whoever waits for them."""
        for key, mock in self._mocks.items():
            if isinstance(mock, Ehr):
                mock.disconnect()
            if key not in self._services:
                self._leave(mock)
        for key, service in self._services.items():
            self.servers.clear(key)
            service.wake()
            service.close()
        self.timeline.clear()

    def _connect(self, key: str) -> None:
        url, mock = self._services_url, self._mocks[key]
        if url is None:
            return
        if isinstance(mock, Journalsystem):
            tls = self.servers.adapter_tls
            mock.connect(url, verify=tls.verify, cert=tls.client, token=self._token)
        if key in self._services:
            self._services[key].send_to(url, self._token)

    def _leave(self, mock: Mock) -> None:
        """What runs elsewhere goes on."""
        assert isinstance(mock.link, OverHttp)
        mock.forget_rules()
        mock.link.close()

    def _link(self, key: str) -> Link:
        if self.elsewhere is not None:
            return self._link_elsewhere(key, self.elsewhere)
        service = self.servers.make(key, self.timeline)
        self._services[key] = service
        return InProcess(service, self.servers.url(key))

    def _link_elsewhere(self, key: str, elsewhere: Elsewhere) -> OverHttp:
        try:
            url = elsewhere.urls[key]
        except KeyError:
            known = ", ".join(elsewhere.urls) or "none"
            raise RuntimeError(f"--intyg-url {key}=… is missing; there is {known}") from None
        return OverHttp(f"{url}/run/{self._run}" if elsewhere.run else url, elsewhere.token)

    def _handle(self, key: str, link: Link) -> Mock:
        settings = PERSONAS[key].settings
        if key == EHR:
            return Journalsystem(key, settings, link, self._issuer)
        kind = Forsakringskassan if key == FK else Authority
        return kind(key, settings, link)
