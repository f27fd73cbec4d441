"""What is wrong, or at least odd, in rows of routes and permissions.

Everything that `load_settings` would refuse is found, and beside it what it lets pass: rows that
disagree, rows that can never count, names that nothing has.
"""

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import pydantic

from intyg.adapter.domain.hsa_id import hsa_key
from intyg.adapter.routing.caller import is_hsa_id
from intyg.adapter.settings.field_faults import faults_of
from intyg.adapter.settings.files import TomlFile, TomlFileError, open_toml
from intyg.adapter.settings.routing import (
    ANY,
    HERE,
    PermissionSettings,
    RouteSettings,
    RoutingSettings,
    Row,
)
from intyg.adapter.settings.toml_lines import TomlLines

UNKNOWN_CONTRACT: Final = "unknown contract"

SERIOUS: Final = frozenset(
    {"toml", "wrong", "refused", "two kinds", "unknown destination", UNKNOWN_CONTRACT, "ambiguous"}
)
"""Kinds of findings with which the adapter does not start, or messages go nowhere; the others are
odd."""

_TABLES: Final = tuple(RoutingSettings.model_fields)
_NO_LINES: Final = TomlLines("")


@dataclass(frozen=True)
class RouteFinding:
    """
    One thing that is wrong.

    Attributes:
        code: What kind, `duplicate`.
        line: Where; None when that cannot be told.
    """

    code: str
    text: str
    line: int | None = None


@dataclass(frozen=True)
class Tables:
    """The three tables of a file; or what is wrong with them, so that there are none."""

    lines: TomlLines
    routing: RoutingSettings | None
    faults: tuple[RouteFinding, ...] = ()


def file_with_rows(path: Path) -> Path:
    """The file itself, or the `routes_file` that a settings file names."""
    try:
        named = open_toml(path).values.get("routes_file")
    except TomlFileError:
        return path
    return path.parent / named if isinstance(named, str) else path


def read_tables(path: Path) -> Tables:
    """
    Read a routes file, or the tables of a settings file.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        file = open_toml(path)
    except TomlFileError as exc:
        if isinstance(exc.__cause__, OSError):
            raise exc.__cause__ from None
        return Tables(_NO_LINES, None, (RouteFinding("toml", exc.reason, exc.line),))
    values = file.values
    # A settings file holds more than the tables, and that is for others to check.
    whole = "environment" in values
    tables = {name: values[name] for name in _TABLES if name in values} if whole else values
    try:
        return Tables(file.lines, RoutingSettings(**tables))
    except pydantic.ValidationError as exc:
        return Tables(file.lines, None, tuple(_wrong(exc, file)))


def _wrong(exc: pydantic.ValidationError, file: TomlFile) -> Iterator[RouteFinding]:
    for place, text in faults_of(exc, RoutingSettings):
        yield RouteFinding("wrong", text, file.lines.line(place))


def check_routing(
    routing: RoutingSettings,
    contracts: Collection[str],
    today: date,
    lines: TomlLines = _NO_LINES,
    recipients: Collection[tuple[str, str]] = (),
) -> list[RouteFinding]:
    """
    Check the three tables.

    Args:
        contracts: Names of all contracts there are.
        lines: Of the file that they were read from.
        recipients: Who certificates are sent to, each with its logical address.

    Returns:
        The findings by line; none when all is well.
    """
    found = [*_Check(routing, sorted(contracts), today, lines).findings()]
    found += _recipients(recipients, routing)
    return sorted(found, key=lambda finding: finding.line or 0)


def unknown_contracts(
    routing: RoutingSettings, contracts: Collection[str], lines: TomlLines = _NO_LINES
) -> Iterator[RouteFinding]:
    """Rows of routes and permissions with a contract that there is not; names the nearest."""
    rows: dict[str, tuple[Row, ...]] = {
        "routes": routing.routes,
        "permissions": routing.permissions,
    }
    for table in rows:
        for place, row in enumerate(rows[table]):
            if row.contract != ANY and row.contract not in contracts:
                near = difflib.get_close_matches(row.contract, list(contracts), n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                text = f"there is no contract {row.contract}{hint}"
                yield RouteFinding(UNKNOWN_CONTRACT, text, lines.line((table, place)))


@dataclass(frozen=True)
class _Check:
    routing: RoutingSettings
    contracts: Collection[str]
    today: date
    lines: TomlLines

    def findings(self) -> Iterator[RouteFinding]:
        yield from self._destinations()
        yield from unknown_contracts(self.routing, self.contracts, self.lines)
        yield from self._rows("routes", self.routing.routes)
        yield from self._rows("permissions", self.routing.permissions)
        yield from self._routes()
        yield from self._permissions()

    def _line(self, table: str, place: int) -> int | None:
        return self.lines.line((table, place))

    def _destinations(self) -> Iterator[RouteFinding]:
        for name, text in self.routing.of_two_kinds():
            yield RouteFinding("two kinds", text, self.lines.line(("destinations", name)))
        used = {route.destination for route in self.routing.routes}
        for name, destination in self.routing.destinations.items():
            line = self.lines.line(("destinations", name))
            if name == HERE:
                yield RouteFinding("wrong", f"{HERE} stands for the adapter itself", line)
            elif name not in used:
                yield RouteFinding("unused", f"no route leads to destination {name}", line)
            if not destination.url:
                yield RouteFinding("no address", f"destination {name} has no url (VP010)", line)

    def _rows(self, table: str, rows: tuple[Row, ...]) -> Iterator[RouteFinding]:
        """What can be wrong with a row by itself."""
        for place, row in enumerate(rows):
            line = self._line(table, place)
            if row.period[1] < self.today:
                yield RouteFinding("expired", f"{row}: held until {row.valid_to}", line)
            if row.logical_address != row.logical_address.strip() or not row.logical_address:
                text = f"{row.logical_address!r} has white space around it or nothing in it"
                yield RouteFinding("white space", text, line)

    def _routes(self) -> Iterator[RouteFinding]:
        routes = self.routing.routes
        for place, route in enumerate(routes):
            line = self._line("routes", place)
            if route.destination not in self.routing.destinations and route.destination != HERE:
                text = f"no destination is named {route.destination!r}"
                yield RouteFinding("unknown destination", text, line)
            for earlier in range(place):
                if routes[earlier].key == route.key and _meet(routes[earlier], route):
                    yield self._twice(earlier, route, line)
            other = self._without(route)
            if other is not None:
                text = f"{route}: {self._at('routes', other)} says the same without it"
                yield RouteFinding("shadowed", text, line)
            elif self._never_reached(route):
                text = f"{route}: every contract has a row of its own for this address"
                yield RouteFinding("shadowed", text, line)

    def _at(self, table: str, place: int) -> str:
        line = self._line(table, place)
        return f"line {line}" if line else f"row {place + 1}"

    def _twice(self, earlier: int, route: RouteSettings, line: int | None) -> RouteFinding:
        where = self._at("routes", earlier)
        if self.routing.routes[earlier].destination == route.destination:
            return RouteFinding("duplicate", f"{route}: {where} says the same", line)
        return RouteFinding("ambiguous", f"{route}: {where} says otherwise (VP006)", line)

    def _without(self, route: RouteSettings) -> int | None:
        """The row that would be found if this one were not there, where it leads to the same."""
        for key in self._looked_up_after(route):
            rows = [
                (place, row)
                for place, row in enumerate(self.routing.routes)
                if row.key == key and _meet(row, route)
            ]
            if rows:
                same = all(row.destination == route.destination for _, row in rows)
                covering = [place for place, row in rows if _covers(row, route)]
                return covering[0] if same and covering else None
        return None

    def _looked_up_after(self, route: RouteSettings) -> list[tuple[str, str]]:
        """The keys under which a message would be looked for without this route."""
        contract, address = route.key
        if contract != ANY and address != ANY:
            return [(ANY, address), (contract, ANY), (ANY, ANY)]
        special = any(r.contract != ANY and r.logical_address == ANY for r in self.routing.routes)
        if (contract == ANY) == (address == ANY) or (contract == ANY and special):
            return []  # the last one, or one that takes the place of different others
        return [(ANY, ANY)]

    def _never_reached(self, route: RouteSettings) -> bool:
        if route.contract != ANY:
            return False
        taken = {
            row.contract
            for row in self.routing.routes
            if row.key[1] == route.key[1] and _covers(row, route)
        }
        return taken >= set(self.contracts)

    def _permissions(self) -> Iterator[RouteFinding]:
        rows = self.routing.permissions
        for place, row in enumerate(rows):
            line = self._line("permissions", place)
            if row.sender != ANY and not is_hsa_id(row.sender):
                text = f"{row.sender!r} cannot be an HSA-id, so nobody calls by it"
                yield RouteFinding("no sender", text, line)
            for other, wider in enumerate(rows):
                if other == place or not _permits_all(wider, row):
                    continue
                if wider.key == row.key and wider.period == row.period and other > place:
                    continue  # the later one of two that are alike is told
                code = "duplicate" if wider.key == row.key else "shadowed"
                text = f"{row}: {self._at('permissions', other)} permits it already"
                yield RouteFinding(code, text, line)
                break


def _meet(one: Row, other: Row) -> bool:
    """Whether there is a day on which both hold."""
    return one.period[0] <= other.period[1] and other.period[0] <= one.period[1]


def _covers(wide: Row, narrow: Row) -> bool:
    """Whether one holds on every day on which the other does."""
    return wide.period[0] <= narrow.period[0] and narrow.period[1] <= wide.period[1]


def _permits_all(wide: PermissionSettings, narrow: PermissionSettings) -> bool:
    alike = zip(wide.key, narrow.key, strict=True)
    return all(w in (ANY, n) for w, n in alike) and _covers(wide, narrow)


def _recipients(
    recipients: Collection[tuple[str, str]], routing: RoutingSettings
) -> Iterator[RouteFinding]:
    """Recipients that nothing can be sent to."""
    addresses = {hsa_key(route.logical_address) for route in routing.routes}
    for part, address in recipients:
        if not addresses & {hsa_key(address), ANY}:
            yield RouteFinding("no route", f"recipient {part}: no route leads to {address}")
