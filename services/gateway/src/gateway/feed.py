"""One channel as this gateway serves it: everything that the endpoints need, made once per process."""

import dataclasses
import datetime
from collections.abc import Callable

from reportcast.broker.base import Broker
from reportcast.contracts.clock import iso_utc
from reportcast.telemetry.health import Health

from gateway.hub import Hub
from gateway.metrics import GatewayMetrics
from gateway.relay import Relay
from gateway.replica import Replica
from gateway.settings import ServerSettings


@dataclasses.dataclass(frozen=True, slots=True)
class Feed:
    """
    What the endpoints share.

    Attributes:
        started_at: Aware UTC time.
        now: Gives the present one.
    """

    settings: ServerSettings
    broker: Broker
    channel: str
    replica: Replica
    hub: Hub
    relay: Relay
    metrics: GatewayMetrics
    health: Health
    started_at: datetime.datetime
    now: Callable[[], datetime.datetime]

    @property
    def timestamp(self) -> str:
        """The present time as the contract writes it."""
        return iso_utc(self.now())


def make_feed(
    settings: ServerSettings,
    broker: Broker,
    channel: str,
    metrics: GatewayMetrics,
    health: Health,
    now: Callable[[], datetime.datetime],
) -> Feed:
    """Put a feed together; nothing runs until its relay does."""
    replica, hub = Replica(), Hub(settings.gateway_max_connections)
    relay = Relay(broker, channel, replica, hub, metrics, health, now)
    return Feed(settings, broker, channel, replica, hub, relay, metrics, health, now(), now)
