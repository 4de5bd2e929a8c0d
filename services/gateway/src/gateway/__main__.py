"""The command ``reportcast-gateway``."""

import asyncio
import functools
import sys
import time

import structlog
from reportcast.broker.foreign import ForeignMessages
from reportcast.broker.redis import RedisBroker
from reportcast.contracts.clock import utc_now
from reportcast.service.descriptors import connection_limit
from reportcast.service.http import address_of, listen, listen_together
from reportcast.service.process import in_event_loop, run_command
from reportcast.telemetry.health import Health
from reportcast.telemetry.metrics import new_registry

from gateway.admission import Admission
from gateway.colleagues import ALONE
from gateway.feed import make_feeds
from gateway.ledger import Ledger
from gateway.metrics import GatewayMetrics
from gateway.probing import make_key
from gateway.server import serve_feeds
from gateway.settings import GatewaySettings
from gateway.workers import Seat, Supervisor, make_seats

# After its drain, a worker has this for clients that do not answer, requests, and its own end.
END_WITHIN_S = 14.0


async def serve(
    settings: GatewaySettings,
    max_connections: int,
    ledger: Ledger,
    probe_key: str,
    seat: Seat,
    stop: asyncio.Event,
) -> None:
    """Run the gateway, or one worker of it, until ``stop`` is set."""
    registry = new_registry()
    metrics = GatewayMetrics(registry)
    broker = RedisBroker(settings.redis_url, on_bad_message=ForeignMessages(metrics.bad_messages.inc, time.monotonic))
    admission = Admission(settings, max_connections, ledger, seat.place.number, time.monotonic)
    feeds = make_feeds(settings, broker, settings.gateway_channels, metrics, Health(), utc_now, admission)
    await serve_feeds(feeds, registry, seat.listener, stop, seat.place, probe_key=probe_key)
    await broker.close()


def run(settings: GatewaySettings) -> int:
    """Run the gateway in this process, or in as many as it has workers; give the exit code."""
    address, workers = (settings.gateway_host, settings.gateway_port), settings.gateway_workers
    listeners = [listen(*address)] if workers == 1 else listen_together(*address, workers)
    structlog.get_logger("gateway").info("listening", address=address_of(listeners[0]), workers=workers)
    max_connections = connection_limit(settings.gateway_max_connections, workers)
    # Made before the fork, so that all workers count together, and let in the probe of each.
    ledger, probe_key = Ledger(workers), make_key()
    serve_seat = functools.partial(serve, settings, max_connections, ledger, probe_key)
    if workers == 1:
        return in_event_loop(serve_seat)(Seat(ALONE, listeners[0]))
    patience_s = settings.gateway_drain_s + END_WITHIN_S
    return Supervisor(make_seats(listeners), serve_seat, ledger.clear, patience_s).run()


def main() -> None:
    """Run the command."""
    sys.exit(run_command("reportcast-gateway", "Broadcast the reports in Redis to clients.", GatewaySettings, run))


if __name__ == "__main__":
    main()
