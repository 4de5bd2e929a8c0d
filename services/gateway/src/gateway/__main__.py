"""The command ``reportcast-gateway``."""

import asyncio
import sys

import structlog
from reportcast.broker.redis import RedisBroker
from reportcast.contracts.clock import utc_now
from reportcast.service.http import address_of, listen
from reportcast.service.process import run_command
from reportcast.telemetry.health import Health
from reportcast.telemetry.metrics import new_registry

from gateway.feed import make_feeds
from gateway.metrics import GatewayMetrics
from gateway.server import serve_feeds
from gateway.settings import GatewaySettings


async def serve(settings: GatewaySettings, stop: asyncio.Event) -> None:
    """Run the gateway until ``stop`` is set."""
    listener = listen(settings.gateway_host, settings.gateway_port)
    registry = new_registry()
    metrics = GatewayMetrics(registry)
    broker = RedisBroker(settings.redis_url, on_bad_message=lambda reason: metrics.bad_messages.inc())
    feeds = make_feeds(settings, broker, settings.gateway_channels, metrics, Health(), utc_now)
    structlog.get_logger("gateway").info("listening", address=address_of(listener))
    await serve_feeds(feeds, registry, listener, stop)
    await broker.close()


def main() -> None:
    """Run the command."""
    sys.exit(run_command("reportcast-gateway", "Broadcast the reports in Redis to clients.", GatewaySettings, serve))


if __name__ == "__main__":
    main()
