"""
The metrics of all workers as one: what Prometheus would see if one process did all the work.

Counters and histograms are summed, and gauges too, but for those named here.
"""

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector

# Where a sum would say nothing.
_COMBINE: dict[str, Callable[[float, float], float]] = {
    "process_start_time_seconds": min,
    "reportcast_gateway_broker_connected": min,
    "reportcast_gateway_clock_offset_seconds": max,
    "reportcast_gateway_clock_uncertainty_seconds": max,
    "reportcast_gateway_overdue_seconds": max,
    "reportcast_gateway_probe_up": min,
    "reportcast_gateway_probe_failing": max,
}


def families_of(registry: CollectorRegistry) -> list[Any]:
    """Give all that one process exposes, as JSON can hold it: name, help, type, samples of name, labels, value."""
    return [
        [family.name, family.documentation, family.type, [each[:3] for each in family.samples]]
        for family in registry.collect()
    ]


def expose_together(tellings: Iterable[Sequence[Any]]) -> bytes:
    """Write as one what ``families_of`` gave in each worker."""
    families: dict[str, Metric] = {}
    values: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
    for name, documentation, kind, samples in (family for telling in tellings for family in telling):
        families.setdefault(name, Metric(name, documentation, kind))
        together, combine = values.setdefault(name, {}), _rule(name, kind)
        for sample, labels, value in samples:
            key = (sample, tuple(labels.items()))
            together[key] = combine(together[key], value) if key in together else value
    for name, family in families.items():
        for (sample, labels), value in values[name].items():
            family.add_sample(sample, dict(labels), value)
    return generate_latest(_Collected(families.values()))


def _rule(name: str, kind: str) -> Callable[[float, float], float]:
    return max if kind == "info" else _COMBINE.get(name, operator.add)


class _Collected(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families
