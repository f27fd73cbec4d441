"""Reading `routes_file` again while the adapter runs: checked first, all at once or not at all."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import structlog

from intyg.adapter.clients.watch import FilesWatch
from intyg.adapter.doctor.checks import (
    Remark,
    destination_remarks,
    permission_remarks,
    recipient_remarks,
    tls_remarks,
)
from intyg.adapter.domain.environment import Environment
from intyg.adapter.routing.check_rows import unknown_contracts
from intyg.adapter.routing.table import Routes
from intyg.adapter.settings.files import TomlFileError, read_routing
from intyg.adapter.settings.routing import DestinationSettings, RoutingSettings
from intyg.adapter.settings.settings import RecipientSettings

_log = structlog.get_logger("intyg.adapter.routes")


class RoutesReloader(FilesWatch):
    """
    Watches a file of routes, in a thread of its own between `start` and `stop`.

    A new file counts when it is as good as it had to be at the start; otherwise the old rows stay,
    the log says why, and so does the metric `intyg_routes_current`.

    Args:
        contracts: Names of all contracts there are.
    """

    def __init__(
        self, path: Path, environment: Environment, routes: Routes, contracts: Collection[str]
    ) -> None:
        super().__init__("routes", [path])
        self._path = path
        self._environment = environment
        self._routes = routes
        self._contracts = contracts

    def read(self) -> bool:
        try:
            new = read_routing(self._path)
            recipients = self._routes.recipients
            reasons = list(unfit(new, self._environment, recipients, self._contracts))
        except TomlFileError as exc:
            reasons = str(exc).splitlines()
        if reasons:
            self._routes.note_refused()
            _log.error("routes.refused", **{"error.message": "; ".join(reasons)})
            return False
        old = self._routes.table.routing
        self._routes.replace(new)
        _tell(old, new)
        return True


def unfit(
    routing: RoutingSettings,
    environment: Environment,
    recipients: Mapping[str, RecipientSettings],
    contracts: Collection[str],
) -> Iterator[str]:
    """Why rows may not be used: what would have refused the start."""
    yield from routing.dangling()
    yield from (found.text for found in unknown_contracts(routing, contracts))
    remarks: list[Remark] = list(permission_remarks(routing.permissions, environment))
    for name, destination in routing.destinations.items():
        remarks += destination_remarks(name, destination, environment)
        remarks += tls_remarks(name, destination)
    remarks += recipient_remarks(recipients, routing)
    yield from (remark.text for remark in remarks if remark.refuses)


def _tell(old: RoutingSettings, new: RoutingSettings) -> None:
    """Log the difference, row by row."""
    before, after = list(_rows(old)), list(_rows(new))
    removed = [row for row in before if row not in after]
    added = [row for row in after if row not in before]
    for change, rows in (("removed", removed), ("added", added)):
        for row in rows:
            _log.info("routes.row", **{"intyg.change": change, "intyg.row": row})
    _log.info("routes.read", **{"intyg.added": len(added), "intyg.removed": len(removed)})


def _rows(routing: RoutingSettings) -> Iterator[str]:
    """Every row as a line; a password is told by its being there."""
    yield from (f"destination {name}: {_shown(one)}" for name, one in routing.destinations.items())
    yield from (f"route {row}" for row in routing.routes)
    yield from (f"permission {row}" for row in routing.permissions)


def _shown(destination: DestinationSettings) -> str:
    set_to = destination.model_dump(mode="json", exclude_defaults=True)
    return ", ".join(f"{name} {value}" for name, value in set_to.items())
