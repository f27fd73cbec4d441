"""Where a message goes: logical address → destination, recipient → logical address.

One table serves both directions. A message that goes out is posted to the destination that its
route names. A call that comes in is taken when the table has a route for its logical address: the
adapter stands there for whoever is behind it, as the national platform does.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeAlias, TypeVar

from intyg.adapter.domain.clock import Clock, swedish_day
from intyg.adapter.domain.destination import HOOK, Destination, DestinationRole, receiver_of
from intyg.adapter.domain.errors import UnknownRecipientError
from intyg.adapter.domain.hook import HOOK_MAJOR, HookType
from intyg.adapter.domain.hsa_id import hsa_key, same_hsa_id
from intyg.adapter.domain.platform_fault import VpCode
from intyg.adapter.routing.recipients import NEVER_SENT_TO, takes
from intyg.adapter.settings.routing import (
    ANY,
    HERE,
    DestinationSettings,
    PermissionSettings,
    RouteSettings,
    RoutingSettings,
)
from intyg.adapter.settings.settings import Settings
from intyg.schemas.intyg_model import IntygType

NATIONAL_PATH: Final = "/clinicalprocess/healthcond/certificate/{contract}/{major}/rivtabp21"
"""Added to a destination's base address."""

_Row = TypeVar("_Row")
_Index: TypeAlias = Mapping[tuple[str, ...], tuple[_Row, ...]]


@dataclass(frozen=True)
class Recipient:
    """An authority that a certificate can be sent to."""

    part: str  # as `mottagare` names it, `FKASSA`
    logical_address: str


@dataclass(frozen=True)
class RouteLookup:
    """
    What the table says of a contract and a logical address today.

    Attributes:
        route: The row that counts; None when there is none or they disagree.
        refusal: Why the row leads nowhere: VP004, VP006 or VP010; None when it leads somewhere.
        detail: The same in words; empty without a refusal.
    """

    route: RouteSettings | None
    refusal: VpCode | None = None
    detail: str = ""


class RouteTable:
    """
    Destinations, routes and permissions, made ready for lookup. Never changed, only replaced.

    Args:
        routing: The rows.
        own_address: The adapter's own logical address, which needs no route.
    """

    def __init__(self, routing: RoutingSettings, own_address: str) -> None:
        self.routing = routing
        own = RouteSettings(contract=ANY, logical_address=own_address, destination=HERE)
        routes = routing.routes
        if not any(row.key == own.key for row in routes):
            routes = (*routes, own)
        self._hooks = tuple(
            name for name, row in routing.destinations.items() if row.role is DestinationRole.HOOK
        )
        self._routes: _Index[RouteSettings] = _by_key(routes, lambda row: row.key)
        self._permissions: _Index[PermissionSettings] = _by_key(
            routing.permissions, lambda row: row.key
        )
        self._addresses = frozenset(hsa_key(row.logical_address) for row in routes) - {ANY}

    def hook(self, name: str) -> Destination | None:
        """The hook with a name."""
        row = self.routing.destinations.get(name)
        if row is None or row.role is not DestinationRole.HOOK or not row.url:
            return None
        return destination(name, row, HOOK, HOOK_MAJOR)

    def hooks(self, told_of: HookType) -> Iterator[Destination]:
        """The hooks that are told of something."""
        told = (name for name in self._hooks if self.routing.destinations[name].is_told_of(told_of))
        yield from filter(None, map(self.hook, told))

    def is_empty(self) -> bool:
        """Whether nothing is said, neither of routes nor of permissions."""
        return not self.routing.routes and not self.routing.permissions

    def find(self, contract: str, logical_address: str, day: date) -> RouteLookup:
        """
        Find the route of a contract and a logical address.

        The exact logical address wins over `*`, and within each the exact contract wins over `*`.
        The address is compared as an HSA-id, without regard to case; one with white space around
        it has no route, as on the national platform.
        """
        for key in _route_keys(contract, logical_address):
            rows = [row for row in self._routes.get(key, ()) if row.valid(day)]
            if rows:
                return self._only(rows)
        return RouteLookup(None, VpCode.VP004, self._no_route(contract, logical_address, day))

    def _only(self, rows: list[RouteSettings]) -> RouteLookup:
        names = sorted({row.destination for row in rows})
        if len(names) > 1:
            detail = f"The rows {rows[0].contract} at {rows[0].logical_address} name {names}."
            return RouteLookup(None, VpCode.VP006, detail)
        (name,) = names
        if name != HERE and not self.routing.destinations[name].url:
            return RouteLookup(rows[0], VpCode.VP010, f"The destination {name} has no url.")
        return RouteLookup(rows[0])

    def _no_route(self, contract: str, logical_address: str, day: date) -> str:
        """Says so, with a hint where something close has a route."""
        for key in _route_keys(contract, logical_address):
            rows = self._routes.get(key, ())
            if rows:
                return f"The row {rows[0]} does not hold on {day}."
        near = logical_address.strip()
        if len(near) < len(logical_address) and hsa_key(near) in self._addresses:
            return "There is white space around the logical address; without it there is a route."
        return f"No row says {contract} or * for this logical address."

    def permission(
        self, sender: str | None, contract: str, logical_address: str, day: date
    ) -> PermissionSettings | None:
        """
        A row that permits a call, the most exact one; None when nobody permits it.

        The caller's HSA-id is compared exactly, as the national platform does.
        """
        for who in (ANY,) if sender is None else (sender, ANY):
            for what, where in _route_keys(contract, logical_address):
                for row in self._permissions.get((who, what, where), ()):
                    if row.valid(day):
                        return row
        return None

    def is_permitted_in_other_case(self, sender: str, contract: str, logical_address: str) -> bool:
        """Whether a permission names the caller, but for upper and lower case."""
        keys = set(_route_keys(contract, logical_address))
        return any(
            same_hsa_id(who, sender) and (what, where) in keys
            for who, what, where in self._permissions
        )


class Routes:
    """
    The table that counts now, and the recipients of the settings.

    Attributes:
        recipients: By what `mottagare` calls them.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._own_address = settings.logical_address
        self.recipients = settings.recipients
        self._clock = clock
        self._table = RouteTable(settings.routing, settings.logical_address)
        self.read = 0  # how often rows were replaced
        self.refused = 0  # how often new rows were no good
        self.is_current = True  # the rows that count are the newest that were written

    @property
    def table(self) -> RouteTable:
        """The table that counts now; take it once for one question."""
        return self._table

    def replace(self, routing: RoutingSettings) -> None:
        """Let other rows count from now on, all at once."""
        self._table = RouteTable(routing, self._own_address)
        self.read += 1
        self.is_current = True

    def note_refused(self) -> None:
        """New rows were written that are no good; the old ones stay."""
        self.refused += 1
        self.is_current = False

    def as_of(self, now: datetime) -> "Routes":
        """What counts at one moment, for whoever may not look at a clock."""
        fixed = copy(self)
        fixed._clock = lambda: now
        return fixed

    def today(self) -> date:
        """The day in Sweden."""
        return swedish_day(self._clock())

    def find(self, contract: str, major: int, logical_address: str) -> Destination | None:
        """
        Find where a message is posted; see `RouteTable.find`.

        Args:
            contract: The contract's name, `RegisterCertificate`.
            major: Its major version, for the path.
            logical_address: Of the receiver.

        Returns:
            The destination with the full address for this contract, or None. An
            EHR is no destination for what an authority is meant to get, nor the
            reverse: such a route leads nowhere.
        """
        table = self._table
        if contract == HOOK:
            return table.hook(logical_address)
        found = table.find(contract, logical_address, self.today())
        if found.refusal is not None or found.route is None or found.route.destination == HERE:
            return None
        name = found.route.destination
        row = table.routing.destinations[name]
        if row.role is not receiver_of(contract):
            return None
        return destination(name, row, contract, major)

    def why_not(self, contract: str, logical_address: str) -> str:
        """Why `find` finds nothing, as `intyg route explain` tells it; no address in it."""
        if contract == HOOK:
            return "no destination with role hook has this name"
        found = self._table.find(contract, logical_address, self.today())
        if found.refusal is not None or found.route is None:
            return f"{found.refusal}: {found.detail}"
        if found.route.destination == HERE:
            return "the adapter itself stands at this address"
        return f"{found.route.destination} is not for the role {receiver_of(contract)}"

    def recipient(self, part: str, intyg_type: IntygType) -> Recipient:
        """
        Find who `mottagare` is.

        A recipient takes a type that its `types` names, by either of the
        type's codes; `*` stands for the types that name it as theirs.

        Raises:
            UnknownRecipientError: No such recipient, not active, not one that
                certificates are sent to, or not for this type.
        """
        known = self.recipients.get(part)
        if known is None or part in NEVER_SENT_TO:
            names = ", ".join(sorted(set(self.recipients) - NEVER_SENT_TO)) or "none"
            raise UnknownRecipientError(
                f"The recipient (mottagare) is not known. Known recipients: {names}"
            )
        if not known.active:
            raise UnknownRecipientError(f"The recipient {part} takes no certificates at present")
        if not intyg_type.usage.send or not takes(known, part, intyg_type):
            raise UnknownRecipientError(
                f"The recipient {part} does not take certificates of type {intyg_type.code}"
            )
        return Recipient(part, known.logical_address)

    def knows_part(self, part: str) -> bool:
        """Whether a part is one of the recipients, active or not."""
        return part in self.recipients

    def recipient_address(self, part: str) -> str | None:
        """The logical address of a part, whatever the type; None if there is no such recipient."""
        known = self.recipients.get(part)
        return known.logical_address if known else None

    def part_of(self, logical_address: str) -> str | None:
        """Which recipient a logical address belongs to, if any."""
        for part, recipient in self.recipients.items():
            if same_hsa_id(recipient.logical_address, logical_address):
                return part
        return None


def destination(name: str, found: DestinationSettings, contract: str, major: int) -> Destination:
    """A destination of the settings, with the full address for one contract."""
    if found.role is DestinationRole.HOOK or "{contract}" in found.url or "{major}" in found.url:
        url = found.url
    else:
        url = found.url.rstrip("/") + NATIONAL_PATH
    return Destination(
        name=name,
        url=url.replace("{contract}", contract).replace("{major}", str(major)),
        kind=found.kind,
        role=found.role,
        timeout_seconds=found.timeout_seconds,
        tls=found.tls,
        max_in_flight=found.max_in_flight,
        max_per_second=found.max_per_second,
        secret_file=found.secret_file,
    )


def _route_keys(contract: str, logical_address: str) -> Iterator[tuple[str, str]]:
    """What is looked up, in order."""
    for address in (hsa_key(logical_address), ANY):
        for name in (contract, ANY):
            yield name, address


def _by_key(rows: tuple[_Row, ...], key: Callable[[_Row], tuple[str, ...]]) -> _Index[_Row]:
    index: dict[tuple[str, ...], tuple[_Row, ...]] = {}
    for row in rows:
        index[key(row)] = (*index.get(key(row), ()), row)
    return index
