"""The gateway's metrics. Source: docs/operations.md, Metrics."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge
from reportcast.contracts.close_codes import CloseCode
from reportcast.service.clock_metrics import ClockMetrics
from reportcast.telemetry.metrics import MetricFactory

from gateway.probe import Hop

REFUSALS = ("rate", "origin", "token", "channel", "limit", "address", "draining")
TRANSPORTS = ("websocket", "events", "poll")

# Whatever clients end a connection with: they could name thousands of codes.
OTHER = "other"
_CODES = frozenset(CloseCode)

_SHORT_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_HOP_S = (*_SHORT_S, 60)


class GatewayMetrics:
    """Everything that the gateway counts, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        make = MetricFactory("gateway", registry, _HOP_S)
        self.connections = make.gauge("connections", "Clients connected now, by transport", "transport")
        self.workers = make.gauge("workers", "Workers that tell of themselves here")
        self.opened = make.counter("opened_total", "Clients let in, by transport", "transport")
        self.closed = make.counter("closed_total", "Connections that ended, by close code", "code")
        self.refused = make.counter("refused_total", "Clients refused, by reason", "reason")
        self.updates = make.counter("updates_total", "Frames handed to the hub")
        self.sent = make.counter("frames_sent_total", "Updates given to clients")
        self.conflated = make.counter(
            "conflated_total", "Updates that slow clients were not given, because a newer one took their place"
        )
        self.bad_requests = make.counter("bad_requests_total", "Client messages that could not be answered")
        self.missed = make.counter(
            "missed_total", "Changes that were published but never reached this gateway one by one"
        )
        self.diverged = make.counter(
            "diverged_total", "Changes that did not fit what this gateway had, so that it read the whole again"
        )
        self.resumed = make.counter(
            "resumed_total",
            "Clients that came back with a position, by whether they got what they had missed",
            "outcome",
        )
        self.broker_connected = make.gauge("broker_connected", "1 while following the broker", "channel")
        self.overdue = make.gauge("overdue_seconds", "How late the report is; 0 when it is not overdue", "channel")
        self.broker_retries = make.counter("broker_retries_total", "Failed attempts to reach the broker")
        self.bad_messages = make.counter("bad_messages_total", "Broker messages that are none of ours")
        self.probe_up = make.gauge("probe_up", "0 while the self-probe finds that a hop does not work")
        self.probe_failing = make.gauge("probe_failing", "1 for the hop that the self-probe finds does not work", "hop")
        self.clock = ClockMetrics("gateway", registry)
        self._time(make)
        self._begin()

    def _time(self, make: MetricFactory) -> None:
        """Make what tells how long something takes."""
        self.probe_seconds = make.histogram(
            "probe_seconds",
            "From the watcher's writing of a canary to its coming back over a WebSocket (clocks of two machines)",
            buckets=_SHORT_S,
        )
        self.relay_latency = make.histogram(
            "relay_latency_seconds",
            "From the watcher's publish to the hand-over to the hub (clocks of two machines)",
            buckets=_SHORT_S,
        )
        self.hop = make.histogram(
            "hop_seconds",
            "Where the time of changes went, from the watcher's publish to the end of the fan-out",
            "channel",
            "hop",
        )
        self.age = make.histogram("age_seconds", "From the file's modification to the end of the fan-out", "channel")
        self.painted = make.histogram(
            "painted_seconds",
            "What browsers report of changes: until it was delivered, and from there until it was painted",
            "channel",
            "hop",
        )

    def _begin(self) -> None:
        """Have every series that is known from the start."""
        self.workers.set(1)  # in each: the sum over all is how many there are
        self.probe_up.set(1)
        known: dict[Counter | Gauge, Iterable[str]] = {
            self.connections: TRANSPORTS,
            self.opened: TRANSPORTS,
            self.closed: (*map(str, CloseCode), OTHER),
            self.refused: REFUSALS,
            self.resumed: ("recovered", "refused"),
            self.probe_failing: Hop,
        }
        for metric, labels in known.items():
            for label in labels:
                metric.labels(label)

    def count_close(self, code: int) -> None:
        """Count the end of a connection."""
        self.closed.labels(str(code) if code in _CODES else OTHER).inc()
