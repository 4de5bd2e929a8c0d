"""Running the feeds: their relays, and the HTTP server with the WebSocket limits of the contract."""

import asyncio
import socket

from prometheus_client import CollectorRegistry
from reportcast.service.http import serve_http

from gateway.app import create_app
from gateway.feed import Feeds

# A client's message; a longer one closes its connection with 1009.
MAX_MESSAGE_BYTES = 1024


async def serve_feeds(feeds: Feeds, registry: CollectorRegistry, listener: socket.socket, stop: asyncio.Event) -> None:
    """Serve ``feeds`` until ``stop`` is set."""
    settings = feeds.first.settings
    interval_s = settings.gateway_ping_interval_s
    async with asyncio.TaskGroup() as tasks:
        relaying = [tasks.create_task(feed.relay.run()) for feed in feeds]
        await serve_http(
            create_app(feeds, registry),
            listener,
            stop,
            registry=registry,
            request_timeout_s=settings.gateway_handshake_timeout_s,
            trusted_proxies=settings.gateway_trusted_proxies,
            lifespan="off",
            ws="websockets-sansio",
            ws_max_size=MAX_MESSAGE_BYTES,
            # Each connection would deflate the same frame again, in 768 µs per 64 KiB, and hold 36 kB for it.
            ws_per_message_deflate=False,
            # A ping is sent after each interval and has one more to be answered: silent for two, dropped.
            ws_ping_interval=interval_s,
            ws_ping_timeout=interval_s,
        )
        for relay in relaying:
            relay.cancel()
