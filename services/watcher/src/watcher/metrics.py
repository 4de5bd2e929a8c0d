"""The watcher's metrics. Source: docs/operations.md, Metrics."""

from prometheus_client import CollectorRegistry, Counter
from reportcast.contracts.findings import FindingKind
from reportcast.contracts.trace import Trace
from reportcast.service.clock_metrics import ClockMetrics
from reportcast.telemetry.metrics import MetricFactory

REASONS = ("missing", "unreadable", "unsettled", "too_large", "encoding", "syntax", "shape", *FindingKind)

# Those of a change in the watcher; the others are the gateway's.
HOPS = ("detect", "settle", "publish")

_LATENCY_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)


class WatcherMetrics:
    """Everything that the watcher counts, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        make = MetricFactory("watcher", registry, _LATENCY_S)
        self.hints = make.counter("hints_total", "Hints that a file may have changed", "channel")
        self.reads = make.counter("reads_total", "Times the file was read", "channel")
        self.detected = make.counter("detected_total", "Times the file was found touched", "channel")
        self.published = make.counter("published_total", "Reports published", "channel")
        self.unchanged = make.counter("unchanged_total", "Good reports that were the published one already", "channel")
        self.delta_bytes = make.counter("delta_bytes_total", "Bytes of what was told of changed reports", "channel")
        self.rejected = make.counter("rejected_total", "Contents that were refused, by reason", "channel", "reason")
        self.flagged = make.counter("flagged_total", "Findings of published reports, by kind", "channel", "finding")
        self.sweep_finds = make.counter("sweep_finds_total", "Changes that no event told of", "channel")
        self.settle = make.histogram(
            "settle_seconds", "From the first unfinished reading to what became of it", "channel"
        )
        self.publish_latency = make.histogram(
            "publish_latency_seconds", "From the file's modification time to the broker's answer", "channel"
        )
        self.hop = make.histogram("hop_seconds", "Where the time of changes seen while watching went", "channel", "hop")
        self.clock = ClockMetrics("watcher", registry)
        self.watch_mode = make.gauge(
            "watch_mode", "1 for how changes are noticed, and why so", "channel", "mode", "why"
        )
        self.invalid = make.gauge("invalid", "1 while the file's present content is not served", "channel")
        self.overdue = make.gauge("overdue_seconds", "How late the next report is; 0 if it is not overdue", "channel")
        self.leader = make.gauge("leader", "1 while this watcher publishes, 0 while it stands by", "channel")
        self.history_errors = make.counter("history_errors_total", "Times the history could not be written", "channel")
        self.loop_lag = make.histogram("loop_lag_seconds", "How late the event loop was, measured once a second")
        self.broker_retries = make.counter("broker_retries_total", "Failed attempts to reach the broker")
        self.bad_messages = make.counter("bad_messages_total", "Broker messages that are none of ours")


class ChannelMetrics:
    """One channel's part of ``WatcherMetrics``; every series is there from the start."""

    def __init__(self, metrics: WatcherMetrics, channel: str) -> None:
        self._metrics = metrics
        self._channel = channel
        self._watch_mode: tuple[str, str] | None = None
        self.hints = metrics.hints.labels(channel)
        self.reads = metrics.reads.labels(channel)
        self.detected = metrics.detected.labels(channel)
        self.published = metrics.published.labels(channel)
        self.unchanged = metrics.unchanged.labels(channel)
        self.delta_bytes = metrics.delta_bytes.labels(channel)
        self.sweep_finds = metrics.sweep_finds.labels(channel)
        self.settle = metrics.settle.labels(channel)
        self.publish_latency = metrics.publish_latency.labels(channel)
        self.invalid = metrics.invalid.labels(channel)
        self.overdue = metrics.overdue.labels(channel)
        self.leader = metrics.leader.labels(channel)
        self.history_errors = metrics.history_errors.labels(channel)
        self.broker_retries = metrics.broker_retries
        for hop in HOPS:
            metrics.hop.labels(channel, hop)
        for reason in REASONS:
            self.rejected(reason)
        for kind in FindingKind:
            self.flagged(kind)

    def count_hops(self, trace: Trace | None) -> None:
        """Count where a change's time went, if it is known; what is negative, because a clock was set, as nothing."""
        for hop, time_us in (trace.hops_us if trace else {}).items():
            self._metrics.hop.labels(self._channel, hop).observe(max(0, time_us) / 1e6)

    def rejected(self, reason: str) -> Counter:
        """Give the counter of a reason."""
        return self._metrics.rejected.labels(self._channel, reason)

    def flagged(self, kind: str) -> Counter:
        """Give the counter of a finding."""
        return self._metrics.flagged.labels(self._channel, kind)

    def set_watch_mode(self, mode: str, why: str) -> None:
        """Say how changes are noticed now, and why so."""
        if self._watch_mode:
            self._metrics.watch_mode.remove(self._channel, *self._watch_mode)
        self._watch_mode = mode, why
        self._metrics.watch_mode.labels(self._channel, mode, why).set(1)
