"""A registry with what every process tells of itself: CPU, memory, open files, garbage collection, version."""

from prometheus_client import CollectorRegistry, Info, disable_created_metrics
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from reportcast import __version__


def new_registry() -> CollectorRegistry:
    """Make the one registry of a process."""
    disable_created_metrics()  # type: ignore[no-untyped-call] # a gauge beside every counter that nobody asks for
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    Info("reportcast_build", "Version that runs", registry=registry).info({"version": __version__})
    return registry
