"""Destinations, routes and permissions as they are written in TOML.

They stand in the settings file, or in a file of their own that `routes_file` names and that is read
again when it changes. The form is the same.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from intyg.adapter.domain.destination import ClientTls, DestinationKind, DestinationRole
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.hook import FEED, HookType
from intyg.adapter.domain.hsa_id import hsa_key
from intyg.adapter.settings.web_address import check_web_address, machine_of

ANY: Final = "*"
"""Any contract, logical address or sender."""

HERE: Final = "adapter"
"""Destination of a route to the adapter itself: it answers for this logical address."""


class SettingsPart(BaseModel):
    """Settings that belong together: frozen, and nothing in them that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DestinationSettings(SettingsPart):
    """One system that messages are posted to."""

    url: str = Field(
        description="base address; the national path of the contract is added, "
        "unless it holds {contract} or {major}; empty: not known yet"
    )
    kind: DestinationKind
    role: DestinationRole = DestinationRole.AUTHORITY
    allow: bool = Field(
        default=False,
        description="a real destination outside production must be allowed explicitly",
    )
    timeout_seconds: float = Field(
        default=35.0, gt=0, description="the national platform itself gives up after 30"
    )
    max_in_flight: int | None = Field(
        default=None, ge=1, description="attempts at a time; default: half the workers"
    )
    max_per_second: float | None = Field(
        default=None, gt=0, description="attempts a second, of each process; default: no limit"
    )
    ca: Path | None = Field(
        default=None, description="PEM: who vouches for the server; default: the public authorities"
    )
    client_cert: Path | None = Field(default=None, description="PEM, with the chain if it has one")
    client_key: Path | None = Field(default=None, description="PEM; not needed with the key in it")
    client_key_password: pydantic.SecretStr | None = None
    events: tuple[HookType, ...] = Field(
        default=(),
        description="what a hook is told of; empty: everything but what feeds statistics",
    )
    secret_file: Path | None = Field(
        default=None, description="of a hook: base64 of 24 to 64 octets, to sign with"
    )

    def fits(self, environment: Environment) -> bool:
        """True where an environment may know of it: real ones belong in production alone."""
        is_real = self.kind is DestinationKind.REAL
        return not is_real or self.allow or environment is Environment.PRODUCTION

    def is_told_of(self, type_: HookType) -> bool:
        """Whether a hook wants to be told of such events."""
        return type_ in self.events if self.events else type_ not in FEED

    @property
    def machine(self) -> str:
        """Host and port, the same for each way of writing them."""
        return machine_of(self.url)

    @property
    def place(self) -> str:
        """The address, likewise."""
        return self.machine + urlsplit(self.url).path.rstrip("/")

    @property
    def tls(self) -> ClientTls:
        """Files for speaking TLS with it."""
        secret = self.client_key_password
        password = None if secret is None else secret.get_secret_value()
        return ClientTls(self.ca, self.client_cert, self.client_key, password)

    @pydantic.field_validator("url")
    @classmethod
    def _http(cls, url: str) -> str:
        if url:
            check_web_address(url)
        return url

    @pydantic.model_validator(mode="after")
    def _key_has_cert(self) -> Self:
        if self.client_key is not None and self.client_cert is None:
            raise ValueError("client_key without client_cert")
        return self

    @pydantic.model_validator(mode="after")
    def _hook_signs(self) -> Self:
        is_hook = self.role is DestinationRole.HOOK
        if is_hook and self.secret_file is None:
            raise ValueError("a hook needs a secret_file")
        if not is_hook and (self.secret_file or self.events):
            raise ValueError("secret_file and events are for role hook")
        return self


class Row(SettingsPart):
    """Row of routes or of permissions. Both days count, in Swedish time."""

    contract: str = Field(description="a contract's name, or *")
    logical_address: str = Field(description="exact, or *")
    valid_from: date | None = None
    valid_to: date | None = None

    @pydantic.model_validator(mode="after")
    def _days_in_order(self) -> Self:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("valid_to is before valid_from")
        return self

    def valid(self, day: date) -> bool:
        """True on days when the row holds."""
        first, last = self.period
        return first <= day <= last

    @property
    def period(self) -> tuple[date, date]:
        """First and last day."""
        return self.valid_from or date.min, self.valid_to or date.max


class RouteSettings(Row):
    """(contract, logical address) → destination. Looked up exactly first, then `*`."""

    destination: str

    @property
    def key(self) -> tuple[str, str]:
        """The words that it is looked up by."""
        return self.contract, hsa_key(self.logical_address)

    def __str__(self) -> str:
        return f"{self.contract} at {self.logical_address} to {self.destination}{_days(self)}"


class PermissionSettings(Row):
    """(sender, contract, logical address): who may call what where."""

    sender: str = Field(description="HSA-id of the calling system, or *")

    @property
    def key(self) -> tuple[str, str, str]:
        """The words that it is looked up by; the caller's HSA-id as it stands."""
        return self.sender, self.contract, hsa_key(self.logical_address)

    def __str__(self) -> str:
        return f"{self.sender} calls {self.contract} at {self.logical_address}{_days(self)}"


class RoutingSettings(SettingsPart):
    """The three tables together: all that `routes_file` may hold."""

    destinations: Mapping[str, DestinationSettings] = {}
    routes: tuple[RouteSettings, ...] = ()
    permissions: tuple[PermissionSettings, ...] = ()

    def faults(self, environment: Environment) -> Iterator[str]:
        """Faults of the tables in an environment; none when they may be used."""
        yield from self.dangling()
        for name, destination in self.destinations.items():
            if not destination.fits(environment):
                yield (
                    f"destination {name} is real, the environment is {environment}: "
                    "set allow = true if that is meant"
                )

    def dangling(self) -> Iterator[str]:
        """Rows that do not fit together, wherever they are used."""
        if HERE in self.destinations:
            yield f"destination {HERE}: the name stands for the adapter itself"
        for route in self.routes:
            if self._is_hook(route.destination):
                yield (
                    f"route {route.contract} {route.logical_address}: {route.destination} is a "
                    "hook, which is told without a route"
                )
            if route.destination not in self.destinations and route.destination != HERE:
                yield (
                    f"route {route.contract} {route.logical_address}: "
                    f"no destination is named {route.destination!r}"
                )
        yield from (text for _, text in self.of_two_kinds())

    def _is_hook(self, name: str) -> bool:
        found = self.destinations.get(name)
        return found is not None and found.role is DestinationRole.HOOK

    def of_two_kinds(self) -> Iterator[tuple[str, str]]:
        """
        The later destination of two that are one system and said to be of two kinds, and why not.

        One system is real, test or mock, under whatever names it is listed.

        Nor is one host and port both real and not: no path tells systems apart, since one address
        can be written as a base, with the contract in it, or whole.
        """
        at: dict[str, str] = {}
        for name, destination in self.destinations.items():
            if not destination.url:
                continue
            other = at.setdefault(destination.place, name)
            neighbour = at.setdefault(f"machine {destination.machine}", name)
            kind, its = destination.kind, self.destinations
            if kind is not its[other].kind:
                yield (
                    name,
                    f"destinations {other} and {name} are one address, and said to be "
                    f"{its[other].kind} and {kind}",
                )
            elif kind is not its[neighbour].kind and DestinationKind.REAL in (
                kind,
                its[neighbour].kind,
            ):
                yield (
                    name,
                    f"destinations {neighbour} and {name} are one host and port, and said to be "
                    f"{its[neighbour].kind} and {kind}",
                )


def _days(row: Row) -> str:
    first = f" from {row.valid_from}" if row.valid_from else ""
    return f"{first} to {row.valid_to}" if row.valid_to else first
