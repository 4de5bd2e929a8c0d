import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bench.services import totals


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_a_metric_is_summed_over_its_labels(registry: CollectorRegistry) -> None:
    """What several channels count is one number; what has no label stays as it is."""
    published = Counter("published_total", "-", ["channel"], registry=registry)
    Gauge("connections", "-", registry=registry).set(7)
    published.labels("audit").inc(2)
    published.labels("dns").inc(3)

    found = totals(generate_latest(registry).decode())

    assert (found["published_total"], found["connections"]) == (5, 7)


def test_a_histogram_gives_its_sum_and_count(registry: CollectorRegistry) -> None:
    """Its buckets each contain the one before, so their sum means nothing and is left out."""
    latency = Histogram("latency_seconds", "-", ["channel"], registry=registry)
    latency.labels("audit").observe(0.5)
    latency.labels("dns").observe(0.25)

    found = totals(generate_latest(registry).decode())

    assert (found["latency_seconds_sum"], found["latency_seconds_count"]) == (0.75, 2)
    assert "latency_seconds_bucket" not in found
