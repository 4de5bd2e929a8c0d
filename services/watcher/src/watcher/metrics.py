"""The watcher's metrics. Source: docs/operations.md, Metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from reportcast.contracts.findings import FindingKind

REASONS = ("missing", "unreadable", "unsettled", "too_large", "encoding", "syntax", "shape", *FindingKind)


class WatcherMetrics:
    """Everything that the watcher counts, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.hints = Counter(
            "reportcast_watcher_hints_total", "File-system events that led to a look", registry=registry
        )
        self.reads = Counter("reportcast_watcher_reads_total", "Times the file was read", registry=registry)
        self.published = Counter("reportcast_watcher_published_total", "Reports published", registry=registry)
        self.unchanged = Counter(
            "reportcast_watcher_unchanged_total", "Good reports that were the published one already", registry=registry
        )
        self.rejected = Counter(
            "reportcast_watcher_rejected_total", "Contents that were refused, by reason", ["reason"], registry=registry
        )
        for reason in REASONS:
            self.rejected.labels(reason)
        self.invalid = Gauge(
            "reportcast_watcher_invalid", "1 while the file's present content is not served", registry=registry
        )
        self.watch_errors = Counter(
            "reportcast_watcher_watch_errors_total",
            "Times the file-system watch failed",
            registry=registry,
        )
        self.broker_retries = Counter(
            "reportcast_watcher_broker_retries_total", "Failed attempts to reach the broker", registry=registry
        )
        self.bad_messages = Counter(
            "reportcast_watcher_bad_messages_total", "Broker messages that are none of ours", registry=registry
        )
        self.publish_latency = Histogram(
            "reportcast_watcher_publish_latency_seconds",
            "From the file's modification time to the broker's answer",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
            registry=registry,
        )
