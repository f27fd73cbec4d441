"""Mocks on pytest-httpserver: one server for each persona and session, a new mock for each test."""

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Final

from pytest_httpserver import HTTPServer

from intyg.mocks.clock.clock import Clock
from intyg.mocks.control.gate import Control
from intyg.mocks.personas import PERSONAS
from intyg.mocks.server.persona_base import Persona
from intyg.mocks.server.service import MockService
from intyg.mocks.server.serving import mount
from intyg.mocks.wire.tls import AdapterTls
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes

_POLL_SECONDS: Final = 0.05


class Server(HTTPServer):
    """
    On a free port, and quick to stop.

    Takes calls at the same time: a mock may let one wait.
    """

    def __init__(self) -> None:
        super().__init__(host="127.0.0.1", port=0, threaded=True)

    def thread_target(self) -> None:
        assert self.server is not None
        self.server.serve_forever(poll_interval=_POLL_SECONDS)


class Servers:
    """
    What the tests of a session share: schemas, read once and when they are needed, and ports.

    Args:
        ca_files: CA certificates of signers; without any, no signature is verified.
        adapter_tls: What the mocks show to an adapter that speaks TLS.
    """

    def __init__(
        self,
        ca_files: tuple[Path, ...],
        adapter_tls: AdapterTls = AdapterTls(),  # noqa: B008 -- frozen
    ) -> None:
        self._ca_files = ca_files
        self.adapter_tls = adapter_tls
        self._servers: dict[str, Server] = {}
        self._controls: dict[str, Control] = {}

    @cached_property
    def contracts(self) -> Contracts:
        """The contracts' schemas, each compiled when its first call comes."""
        return Contracts()

    @cached_property
    def types(self) -> IntygTypes:
        """The certificate types, each read when its first certificate comes."""
        return IntygTypes()

    def make(self, key: str, clock: Clock) -> MockService[Persona]:
        """A new mock behind the port of its persona; the one before it is forgotten."""
        persona = PERSONAS[key]
        settings = replace(persona.settings, ca_files=self._ca_files, adapter_tls=self.adapter_tls)
        mock = persona.make(self.contracts, self.types, settings, clock)
        # What answers under /control is the same for all mocks of a persona, and dear to make.
        mock.control = self._controls.setdefault(key, mock.control)
        server = self._server(key)
        server.clear()
        mount(server, mock)
        return mock

    def url(self, key: str) -> str:
        """Where a persona is, in every test of the session."""
        return self._server(key).url_for("").rstrip("/")

    def clear(self, key: str) -> None:
        """Let nobody answer there until the next `make`."""
        self._server(key).clear()

    def stop(self) -> None:
        """Close the ports."""
        for server in self._servers.values():
            server.stop()
        self._servers.clear()

    def _server(self, key: str) -> Server:
        if key not in self._servers:
            server = Server()
            server.start()
            self._servers[key] = server
        return self._servers[key]
