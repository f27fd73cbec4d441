"""Numbers for Prometheus, read when they are asked for.

What the database knows is counted there and not in the process: with several processes on one
database each gives the same answer.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from intyg.adapter.domain.delivery_filter import LaneCount
from intyg.adapter.domain.kept_thread import FAILURES
from intyg.adapter.domain.lossy_file import LossyFile
from intyg.adapter.domain.way import WayCause
from intyg.adapter.flows.services import Services
from intyg.adapter.routing.table import Routes


class _StoreCollector(Collector):
    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        with self._services.store.read() as rows:
            by_state, lanes, now = rows.search.standing(), rows.search.lanes(), rows.now
            added = rows.search.added()
            oldest = rows.overview.oldest_transaction_seconds()
        deliveries = GaugeMetricFamily(
            "intyg_deliveries",
            "Deliveries that have not arrived, by where they stand.",
            labels=["state"],
        )
        for state, count in by_state.items():
            deliveries.add_metric([state.value], count)
        yield deliveries
        yield CounterMetricFamily(
            "intyg_deliveries_added", "Deliveries that there have been.", value=added
        )
        # Also those that nothing waits for: a series that comes and goes rings no alarm.
        idle = set(self._services.routes.table.routing.destinations) - {
            lane.destination for lane in lanes
        }
        nothing = (LaneCount(name, 0, 0, None, None) for name in sorted(idle))
        yield from _lane_metrics((*lanes, *nothing), now)
        if oldest is not None:
            yield GaugeMetricFamily(
                "intyg_database_oldest_transaction_seconds",
                "How long the oldest transaction on the database is open.",
                value=oldest,
            )

    def describe(self) -> Iterator[Metric]:
        """Nothing: asking for names at start-up must not ask the database."""
        return iter(())


def _lane_metrics(lanes: Iterable[LaneCount], now: datetime) -> Iterator[Metric]:
    labels = ["destination"]
    waiting = GaugeMetricFamily(
        "intyg_destination_waiting", "Deliveries that wait for a destination.", labels=labels
    )
    flying = GaugeMetricFamily(
        "intyg_destination_in_flight", "Attempts under way there.", labels=labels
    )
    oldest = GaugeMetricFamily(
        "intyg_destination_oldest_due_seconds", "Since when the first is due.", labels=labels
    )
    stopped = GaugeMetricFamily(
        "intyg_destination_stopped",
        "1: all or part of it is stopped, for this cause.",
        labels=["destination", "cause"],
    )
    for lane in lanes:
        due = (now - lane.oldest_due).total_seconds() if lane.oldest_due else 0.0
        waiting.add_metric([lane.destination], lane.waiting)
        flying.add_metric([lane.destination], lane.in_flight)
        oldest.add_metric([lane.destination], due)
        for cause in WayCause:
            stopped.add_metric([lane.destination, cause.value], int(lane.cause is cause))
    yield from (waiting, flying, oldest, stopped)


class _RoutesCollector(Collector):
    """Of this process alone, as each reads its routes itself."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    def collect(self) -> Iterator[Metric]:
        reads = CounterMetricFamily(
            "intyg_routes_reads", "How often routes_file was read again.", labels=["outcome"]
        )
        reads.add_metric(["taken"], self._routes.read)
        reads.add_metric(["refused"], self._routes.refused)
        yield reads
        yield GaugeMetricFamily(
            "intyg_routes_current",
            "1: the rows that count are the newest; 0: newer ones were refused.",
            value=int(self._routes.is_current),
        )


class _LogCollector(Collector):
    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "intyg_log_lines_lost",
            "Lines of this process that could not be written.",
            value=LossyFile.lines_lost,
        )


def build_registry(services: Services) -> CollectorRegistry:
    """A registry of this application's own, so that several can live in one process."""
    registry = CollectorRegistry()
    registry.register(_StoreCollector(services))
    registry.register(_RoutesCollector(services.routes))
    registry.register(_LogCollector())
    registry.register(FAILURES)
    return registry
