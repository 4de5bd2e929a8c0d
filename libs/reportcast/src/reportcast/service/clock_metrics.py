"""How a process tells what it knows of its clock. Source: docs/operations.md, Metrics."""

from prometheus_client import CollectorRegistry, Gauge

from reportcast.contracts.trace import Skew


class ClockMetrics:
    """
    Two gauges, which have no sample before the clocks were compared.

    Args:
        service: ``watcher`` or ``gateway``.
        registry: Where they are exposed.
    """

    def __init__(self, service: str, registry: CollectorRegistry) -> None:
        # With a label, because a gauge without one would say 0 while nothing is known.
        self._offset = Gauge(
            f"reportcast_{service}_clock_offset_seconds",
            "What has to be added to this host's time to get another clock's",
            ["of"],
            registry=registry,
        )
        self._uncertainty = Gauge(
            f"reportcast_{service}_clock_uncertainty_seconds",
            "By how much the clock offset may be wrong, either way",
            ["of"],
            registry=registry,
        )

    def tell(self, skew: Skew) -> None:
        """Expose what is known of the broker's clock."""
        self._offset.labels("broker").set(skew.offset_us / 1e6)
        self._uncertainty.labels("broker").set(skew.uncertainty_us / 1e6)
