"""Running the feeds: their relays, the upkeep of their connections, and the HTTP server with its drain."""

import asyncio
import contextlib
import functools
import socket

from prometheus_client import CollectorRegistry
from reportcast.service.http import exposition_of, serve_http
from reportcast.service.uvicorn_parts import WebSocketProtocol

from gateway.answers import answers_of, exposition_by
from gateway.app import create_app
from gateway.colleagues import ALONE, Colleagues, Place
from gateway.drain import drain
from gateway.feed import Feeds
from gateway.inbox import MAX_MESSAGE_BYTES
from gateway.probing import Probing, make_key
from gateway.upkeep import Upkeep


async def serve_feeds(
    feeds: Feeds,
    registry: CollectorRegistry,
    listener: socket.socket,
    stop: asyncio.Event,
    place: Place = ALONE,
    ws: "type[asyncio.Protocol] | str" = WebSocketProtocol,
    probe_key: str | None = None,
) -> None:
    """
    Serve ``feeds`` until ``stop`` is set and the connections are drained.

    Args:
        feeds: What is served; their relays run meanwhile.
        registry: Of the metrics.
        listener: From ``listen``.
        stop: Ends it.
        place: Among the workers, if there are several.
        ws: uvicorn's WebSocket protocol; with one that hands nothing off, clients are served over plain ASGI.
        probe_key: Of all workers' probes; one is made where there is one worker.
    """
    settings = feeds.first.settings
    interval_s = settings.gateway_ping_interval_s
    colleagues = Colleagues(place, answers_of(feeds, registry))
    exposition = exposition_of(registry) if place is ALONE else exposition_by(colleagues)
    async with asyncio.TaskGroup() as tasks, contextlib.AsyncExitStack() as ending:
        ending.callback(feeds.first.compressor.close)
        for feed in feeds:
            ending.callback(feed.audiences.close)
        if settings.gateway_self_probe:
            feeds.probe = Probing(feeds, listener, probe_key or make_key())
        beside = [tasks.create_task(feed.relay.run()) for feed in feeds]
        beside += [tasks.create_task(feeds.first.clock.run())]
        beside += [tasks.create_task(Upkeep(feeds).run()), tasks.create_task(colleagues.answer())]
        if feeds.probe:
            beside.append(tasks.create_task(feeds.probe.run()))
        await serve_http(
            create_app(feeds, colleagues, exposition),
            listener,
            stop,
            functools.partial(drain, feeds),
            registry=registry,
            unread_s=settings.gateway_stuck_s,
            request_timeout_s=settings.gateway_handshake_timeout_s,
            trusted_proxies=settings.gateway_trusted_proxies,
            lifespan="off",
            ws=ws,
            # Until the hand-off, and without one.
            ws_max_size=MAX_MESSAGE_BYTES,
            ws_per_message_deflate=False,
            ws_ping_interval=interval_s,
            ws_ping_timeout=interval_s,
        )
        for task in beside:
            task.cancel()
