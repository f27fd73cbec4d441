"""Numbers for Prometheus, read from the database when they are asked for.

Counted there and not in the process: with several processes on one database each gives the same
answer.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from adapter.parts import Parts


class _StoreCollector(Collector):
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        with self._parts.store.read() as rows:
            by_state = rows.count_deliveries()
        deliveries = GaugeMetricFamily(
            "intyg_deliveries", "Deliveries by where they stand.", labels=["state"]
        )
        for state, count in by_state.items():
            deliveries.add_metric([state.value], count)
        yield deliveries

    def describe(self) -> Iterator[Metric]:
        """Nothing: asking for names at start-up must not ask the database."""
        return iter(())


def build_registry(parts: Parts) -> CollectorRegistry:
    """A registry of this application's own, so that several can live in one process."""
    registry = CollectorRegistry()
    registry.register(_StoreCollector(parts))
    return registry
