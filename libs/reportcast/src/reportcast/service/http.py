"""The HTTP server of a service, and the endpoints that operators and orchestrators ask."""

import asyncio
import functools
import math
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from reportcast.service.arrivals import Arrivals, Cut
from reportcast.service.descriptors import FREE, REMEDY, raise_limit
from reportcast.service.process import StartupError
from reportcast.service.uvicorn_parts import HttpProtocol, Server
from reportcast.telemetry.health import Health

OPERATIONAL_PATHS = ("/healthz", "/readyz", "/metrics")

# Requests still running when the service stops get this long to end.
GRACEFUL_S = 5
REQUEST_TIMEOUT_S = 10.0
SILENCE_S = 60.0
UNREAD_S = 30.0
BACKLOG = 2048
UNSENT_BYTES = 128 * 1024
TCP_NOTSENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", 25)  # named from Python 3.12 on


async def _nothing() -> None:
    """Drain what needs no draining."""


def listen(host: str, port: int, shared: bool = False) -> socket.socket:
    """
    Open a listening socket; port 0 takes a free one, and ``shared`` lets others of this user join it.

    Raises:
        StartupError: If the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG, reuse_port=shared)
    except OSError as exc:
        raise StartupError(
            f"cannot listen on {host} port {port}: {os.strerror(exc.errno or 0)}; choose another"
        ) from exc
    # Accepted sockets inherit it: the kernel holds so much for a client that does not read, and then says so.
    listener.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    return listener


def listen_together(host: str, port: int, count: int) -> list[socket.socket]:
    """
    Open ``count`` sockets that listen on one port; the kernel spreads the connections over them.

    Raises:
        StartupError: If the address is taken or not ours.
    """
    with listen(host, port) as alone:  # a shared one would join the sockets of another server without a word
        port = alone.getsockname()[1]
    return [listen(host, port, shared=True) for _ in range(count)]


def address_of(listener: socket.socket) -> str:
    """Give the address that a person opens."""
    host, port = reach_of(listener)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def reach_of(listener: socket.socket) -> tuple[str, int]:
    """Give host and port by which this machine itself can connect."""
    host, port = listener.getsockname()[:2]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104 - compared, not listened on


class Cuts:
    """Counts the connections that are ended before their request is answered; says that descriptors are short."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float]) -> None:
        self._cuts = Counter(
            "reportcast_http_cut_total",
            "Connections ended before their request was answered, by reason",
            ["reason"],
            registry=registry,
        )
        for why in Cut:
            self._cuts.labels(why)
        self._clock = clock
        self._silent_until_s = -math.inf

    def count(self, why: Cut) -> None:
        """Count one; want of descriptors is logged, at most once in SILENCE_S."""
        self._cuts.labels(why).inc()
        if why is Cut.DESCRIPTORS and self._clock() >= self._silent_until_s:
            self._silent_until_s = self._clock() + SILENCE_S
            structlog.get_logger("http").warning("out of descriptors", remedy=REMEDY)


async def serve_http(
    app: ASGIApp,
    listener: socket.socket,
    stop: asyncio.Event,
    drain: Callable[[], Awaitable[None]] = _nothing,
    *,
    registry: CollectorRegistry,
    request_timeout_s: float = REQUEST_TIMEOUT_S,
    unread_s: float = UNREAD_S,
    trusted_proxies: Sequence[str] = (),
    **options: Any,
) -> None:
    """
    Serve ``app`` until ``stop`` is set.

    Args:
        app: The ASGI application.
        listener: From ``listen``; closed at the end.
        stop: Ends the server; after ``drain``, connections get GRACEFUL_S to finish.
        drain: Awaited once nothing is accepted any more.
        registry: Counts what is cut off.
        request_timeout_s: A request that has not come whole by then ends its connection.
        unread_s: A client that takes nothing of its answer for so long is cut off.
        trusted_proxies: Addresses and networks of those whose X-Forwarded-For is believed.
        options: Of ``uvicorn.Config``.
    """
    clock = asyncio.get_running_loop().time
    arrivals = Arrivals(request_timeout_s, unread_s, raise_limit() - FREE, Cuts(registry, clock).count, clock)
    config = uvicorn.Config(
        app,
        http=cast(type[asyncio.Protocol], functools.partial(HttpProtocol, arrivals)),
        log_config=None,
        access_log=False,
        server_header=False,
        # A client could name itself another address.
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        timeout_graceful_shutdown=GRACEFUL_S,
        **options,
    )
    server = Server(config, stop, drain, arrivals)
    with listener:
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(server.serve(sockets=[listener]))
            stopping = tasks.create_task(stop.wait())
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            server.should_exit = True


def exposition_of(registry: CollectorRegistry) -> Callable[[], Awaitable[bytes]]:
    """Give what ``operational_routes`` takes, of one registry."""

    async def exposition() -> bytes:
        return generate_latest(registry)

    return exposition


def operational_routes(
    health: Health, exposition: Callable[[], Awaitable[bytes]], details: Callable[[], dict[str, Any]] = dict
) -> list[Route]:
    """
    Give ``/healthz`` (the process answers), ``/readyz`` (it should get work) and ``/metrics``.

    Args:
        health: For ``/readyz``.
        exposition: Gives what ``/metrics`` shows, in the text format.
        details: Gives what ``/readyz`` tells besides.

    Source: docs/operations.md, Endpoints.
    """

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(request: Request) -> Response:
        if health.is_ready:
            return JSONResponse({"status": "ready", **details()})
        return JSONResponse({"status": "not ready", "failing": health.failing, **details()}, status_code=503)

    async def metrics(request: Request) -> Response:
        return Response(await exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    endpoints = (healthz, readyz, metrics)
    return [Route(path, endpoint) for path, endpoint in zip(OPERATIONAL_PATHS, endpoints, strict=True)]
