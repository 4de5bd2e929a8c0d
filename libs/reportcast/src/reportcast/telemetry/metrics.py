"""Metrics of a process: a registry with what every one tells of itself, and how it makes its own."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, disable_created_metrics
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from reportcast import __version__


def new_registry() -> CollectorRegistry:
    """Make the one registry of a process: with its CPU, memory, open files, garbage collection and version."""
    disable_created_metrics()  # type: ignore[no-untyped-call] # a gauge beside every counter that nobody asks for
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    Info("reportcast_build", "Version that runs", registry=registry).info({"version": __version__})
    return registry


class MetricFactory:
    """
    Makes the metrics of one service, by the last part of their names.

    Args:
        service: ``watcher`` or ``gateway``.
        registry: Where they are exposed.
        buckets: Of histograms, if not said otherwise; in seconds.
    """

    def __init__(self, service: str, registry: CollectorRegistry, buckets: Sequence[float]) -> None:
        self._prefix = f"reportcast_{service}_"
        self._registry = registry
        self._buckets = buckets

    def counter(self, name: str, meaning: str, *labels: str) -> Counter:
        """Make a counter; its name ends with ``_total``."""
        return Counter(self._prefix + name, meaning, labels, registry=self._registry)

    def gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        """Make a gauge."""
        return Gauge(self._prefix + name, meaning, labels, registry=self._registry)

    def histogram(self, name: str, meaning: str, *labels: str, buckets: Sequence[float] | None = None) -> Histogram:
        """Make a histogram; its name ends with ``_seconds``."""
        return Histogram(
            self._prefix + name, meaning, labels, buckets=buckets or self._buckets, registry=self._registry
        )
