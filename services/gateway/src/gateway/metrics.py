"""The gateway's metrics. Source: docs/operations.md, Metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from reportcast.contracts.close_codes import CloseCode
from reportcast.service.clock_metrics import ClockMetrics

from gateway.probe import Hop

REFUSALS = ("rate", "origin", "token", "channel", "limit", "address", "draining")
TRANSPORTS = ("websocket", "events", "poll")

HOP_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)

# Whatever clients end a connection with: they could name thousands of codes.
OTHER = "other"
_CODES = frozenset(CloseCode)


class GatewayMetrics:
    """Everything that the gateway counts, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.connections = Gauge(
            "reportcast_gateway_connections", "Clients connected now, by transport", ["transport"], registry=registry
        )
        # 1 in each: the sum over all is how many there are.
        self.workers = Gauge("reportcast_gateway_workers", "Workers that tell of themselves here", registry=registry)
        self.workers.set(1)
        self.opened = Counter(
            "reportcast_gateway_opened_total", "Clients let in, by transport", ["transport"], registry=registry
        )
        for transport in TRANSPORTS:
            self.connections.labels(transport)
            self.opened.labels(transport)
        self.closed = Counter(
            "reportcast_gateway_closed_total", "Connections that ended, by close code", ["code"], registry=registry
        )
        for code in (*map(str, CloseCode), OTHER):
            self.closed.labels(code)
        self.refused = Counter(
            "reportcast_gateway_refused_total", "Clients refused, by reason", ["reason"], registry=registry
        )
        for reason in REFUSALS:
            self.refused.labels(reason)
        self.updates = Counter("reportcast_gateway_updates_total", "Frames handed to the hub", registry=registry)
        self.sent = Counter("reportcast_gateway_frames_sent_total", "Updates given to clients", registry=registry)
        self.conflated = Counter(
            "reportcast_gateway_conflated_total",
            "Updates that slow clients were not given, because a newer one took their place",
            registry=registry,
        )
        self.bad_requests = Counter(
            "reportcast_gateway_bad_requests_total", "Client messages that could not be answered", registry=registry
        )
        self.missed = Counter(
            "reportcast_gateway_missed_total",
            "Changes that were published but never reached this gateway one by one",
            registry=registry,
        )
        self.diverged = Counter(
            "reportcast_gateway_diverged_total",
            "Changes that did not fit what this gateway had, so that it read the whole again",
            registry=registry,
        )
        self.resumed = Counter(
            "reportcast_gateway_resumed_total",
            "Clients that came back with a position, by whether they got what they had missed",
            ["outcome"],
            registry=registry,
        )
        for outcome in ("recovered", "refused"):
            self.resumed.labels(outcome)
        self.broker_connected = Gauge(
            "reportcast_gateway_broker_connected", "1 while following the broker", ["channel"], registry=registry
        )
        self.overdue = Gauge(
            "reportcast_gateway_overdue_seconds",
            "How late the report is; 0 when it is not overdue",
            ["channel"],
            registry=registry,
        )
        self.broker_retries = Counter(
            "reportcast_gateway_broker_retries_total", "Failed attempts to reach the broker", registry=registry
        )
        self.bad_messages = Counter(
            "reportcast_gateway_bad_messages_total", "Broker messages that are none of ours", registry=registry
        )
        self.probe_up = Gauge(
            "reportcast_gateway_probe_up", "0 while the self-probe finds that a hop does not work", registry=registry
        )
        self.probe_up.set(1)
        self.probe_failing = Gauge(
            "reportcast_gateway_probe_failing",
            "1 for the hop that the self-probe finds does not work",
            ["hop"],
            registry=registry,
        )
        for hop in Hop:
            self.probe_failing.labels(hop)
        self.probe_seconds = Histogram(
            "reportcast_gateway_probe_seconds",
            "From the watcher's writing of a canary to its coming back over a WebSocket (clocks of two machines)",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self.relay_latency = Histogram(
            "reportcast_gateway_relay_latency_seconds",
            "From the watcher's publish to the hand-over to the hub (clocks of two machines)",
            buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self.clock = ClockMetrics("gateway", registry)
        self.hop = Histogram(
            "reportcast_gateway_hop_seconds",
            "Where the time of changes went, from the watcher's publish to the end of the fan-out",
            ["channel", "hop"],
            buckets=HOP_S,
            registry=registry,
        )
        self.age = Histogram(
            "reportcast_gateway_age_seconds",
            "From the file's modification to the end of the fan-out",
            ["channel"],
            buckets=HOP_S,
            registry=registry,
        )
        self.painted = Histogram(
            "reportcast_gateway_painted_seconds",
            "What browsers report of changes: until it was delivered, and from there until it was painted",
            ["channel", "hop"],
            buckets=HOP_S,
            registry=registry,
        )

    def count_close(self, code: int) -> None:
        """Count the end of a connection."""
        self.closed.labels(str(code) if code in _CODES else OTHER).inc()
