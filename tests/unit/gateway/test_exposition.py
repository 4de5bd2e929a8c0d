"""Metrics of several workers as one."""

import json

import pytest
from gateway.exposition import expose_together, families_of
from gateway.metrics import GatewayMetrics
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from reportcast.contracts.trace import Skew
from reportcast.telemetry.metrics import new_registry


def worker(connections: int, connected: bool, overdue_s: float, reasons: dict[str, int]) -> CollectorRegistry:
    """Give the registry of a worker in that state."""
    registry = new_registry()
    metrics = GatewayMetrics(registry)
    metrics.connections.labels("events").set(connections)
    metrics.broker_connected.labels("audit").set(connected)
    metrics.overdue.labels("audit").set_function(lambda: overdue_s)
    metrics.clock.tell(Skew(-250_000, 1000))
    for reason, count in reasons.items():
        metrics.refused.labels(reason).inc(count)
    metrics.relay_latency.observe(0.003)
    metrics.probe_up.set(connected)
    metrics.probe_failing.labels("broker").set(not connected)
    return registry


def sample(exposition: bytes, name: str, **labels: str) -> float | None:
    """Read one sample."""
    found = [
        each.value
        for family in text_string_to_metric_families(exposition.decode())
        for each in family.samples
        if each.name == name and each.labels == labels
    ]
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("name", "labels", "together"),
    [
        pytest.param("reportcast_gateway_connections", {"transport": "events"}, 7, id="gauges-add-up"),
        pytest.param("reportcast_gateway_workers", {}, 2, id="each-counts-itself"),
        pytest.param("reportcast_gateway_broker_connected", {"channel": "audit"}, 0, id="connected-if-all-are"),
        pytest.param("reportcast_gateway_overdue_seconds", {"channel": "audit"}, 2.5, id="overdue-once"),
        pytest.param("reportcast_gateway_clock_offset_seconds", {"of": "broker"}, -0.25, id="one-clock"),
        pytest.param("reportcast_gateway_probe_up", {}, 0, id="up-if-all-are"),
        pytest.param("reportcast_gateway_probe_failing", {"hop": "broker"}, 1, id="failing-once"),
        pytest.param("reportcast_gateway_refused_total", {"reason": "limit"}, 5, id="counters-add-up"),
        pytest.param("reportcast_gateway_refused_total", {"reason": "new"}, 1, id="known-to-one-alone"),
        pytest.param("reportcast_gateway_relay_latency_seconds_count", {}, 2, id="histograms-count"),
        pytest.param("reportcast_gateway_relay_latency_seconds_sum", {}, 0.006, id="histograms-sum"),
        pytest.param("reportcast_gateway_relay_latency_seconds_bucket", {"le": "0.002"}, 0, id="below"),
        pytest.param("reportcast_gateway_relay_latency_seconds_bucket", {"le": "0.005"}, 2, id="buckets-add-up"),
        pytest.param("reportcast_gateway_relay_latency_seconds_bucket", {"le": "+Inf"}, 2, id="all-buckets"),
        pytest.param("reportcast_build_info", {"version": "0.1.0"}, 1, id="infos-once"),
    ],
)
def test_the_workers_as_one(name: str, labels: dict[str, str], together: float) -> None:
    """Each metric means for all what it means for one."""
    first, second = worker(3, True, 2.0, {"limit": 4}), worker(4, False, 2.5, {"limit": 1, "new": 1})
    told = json.loads(json.dumps(families_of(second)))  # as it comes from another process

    assert sample(expose_together([families_of(first), told]), name, **labels) == together


def test_what_every_process_tells_of_itself() -> None:
    """Memory and descriptors add up; they run since the first one started."""
    registry = new_registry()
    one = registry.get_sample_value("process_start_time_seconds")
    fds = registry.get_sample_value("process_max_fds")
    exposition = expose_together([families_of(registry)] * 3)

    assert fds is not None
    assert sample(exposition, "process_start_time_seconds") == one
    assert sample(exposition, "process_max_fds") == 3 * fds


def test_one_worker_is_exposed_as_it_is() -> None:
    """Byte for byte, so that nothing is lost on the way."""
    registry = CollectorRegistry()
    GatewayMetrics(registry)

    assert expose_together([json.loads(json.dumps(families_of(registry)))]) == generate_latest(registry)
