"""
The self-probe: a client of this gateway's own that follows the watchers' canary, which nobody else is shown.

What it follows is a feed like any other, over a real WebSocket to the port that clients connect to, but its connection
is in none of the clients' counts, limits or lists.

Source: docs/protocol.md, Canary; docs/adr/0017-the-canary.md.
"""

import asyncio
import secrets
import socket
from typing import Any

import structlog
import websockets.asyncio.client as client
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from reportcast.contracts.channels import CANARY
from reportcast.contracts.clock import iso_utc
from reportcast.contracts.v1_frames import SUBPROTOCOL
from reportcast.service.http import reach_of
from reportcast.telemetry.health import Health
from reportcast.telemetry.logs import get_hushed_logger
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from gateway.admission import Admission
from gateway.echo import Echo, EchoError
from gateway.feed import Feeds, make_feeds
from gateway.ledger import Ledger
from gateway.metrics import GatewayMetrics
from gateway.probe import Hop, Probe, RoundTrip, State, Upstream, Verdict
from gateway.routes.websocket import websocket_router
from gateway.settings import ServerSettings
from gateway.upkeep import Upkeep

KEY_HEADER = "X-Reportcast-Probe"

JUDGE_S = 0.5
RETRY_S = 0.5
OPEN_TIMEOUT_S = 3.0
CLOSE_TIMEOUT_S = 0.5
# When nothing has come for so long, the other side is asked for a sign of life, and has as long again.
SILENCE_S = 2.5

log = structlog.get_logger("probe")


def make_key() -> str:
    """Make what the probe is known by; the workers of a gateway share one, as one answers the probe of another."""
    return secrets.token_hex(32)


class Probing:
    """
    The probe of one process.

    Attributes:
        feeds: What it alone may follow.

    Args:
        served: What everybody else follows.
        listener: Of the port that clients connect to.
        key: See ``make_key``.
    """

    def __init__(self, served: Feeds, listener: socket.socket, key: str) -> None:
        self.feeds = _hidden_feeds(served)
        self._served = served
        self._metrics = served.first.metrics
        self._settings = served.first.settings
        self._address = reach_of(listener)
        self._key = key
        self._clock = served.roster.clock
        self._probe = Probe(self._clock())
        self._verdict = Verdict(State.WAITING)
        self._since = served.roster.timestamp

    def admit(self, app: ASGIApp) -> ASGIApp:
        """Give the application that lets the probe in, and everybody else into ``app``."""
        # Its own, because a router by itself lacks what a request of the framework needs.
        hidden = FastAPI(openapi_url=None)
        hidden.include_router(websocket_router(self.feeds))

        async def admitting(scope: Scope, receive: Receive, send: Send) -> None:
            is_probe = scope["type"] == "websocket" and self._is_key(Headers(scope=scope).get(KEY_HEADER, ""))
            await (hidden if is_probe else app)(scope, receive, send)

        return admitting

    def tell(self) -> dict[str, Any]:
        """Say how it fares, as the endpoints do."""
        verdict, last = self._verdict, self._probe.last
        return {
            "state": verdict.state.value,
            "hop": verdict.hop and verdict.hop.value,
            "reason": verdict.reason,
            "since": self._since,
            "lastRoundTrip": last and {"at": iso_utc(last.at), "seconds": round(last.seconds, 6)},
        }

    async def run(self) -> None:
        """Probe, for ever."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.feeds.first.relay.run())
                tasks.create_task(Upkeep(self.feeds).run())
                tasks.create_task(self._follow_for_ever())
                tasks.create_task(self._judge_for_ever())
        finally:
            self.feeds.first.compressor.close()

    def _is_key(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self._key.encode())

    async def _follow_for_ever(self) -> None:
        while True:
            try:
                async with self._connect() as connection:
                    await self._follow(connection)
            except (OSError, TimeoutError, WebSocketException, EchoError) as exc:
                self._probe.closed(_sentence(exc), self._clock())
            await asyncio.sleep(RETRY_S)

    def _connect(self) -> client.connect:
        settings, (host, port) = self._settings, self._address
        token = settings.gateway_read_token
        headers = {KEY_HEADER: self._key} | ({"Authorization": f"Bearer {token}"} if token else {})
        return client.connect(
            f"ws://{_name(settings, host)}:{port}/ws?channel={CANARY}",
            host=host,
            port=port,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            additional_headers=headers,
            compression=None,
            proxy=None,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=None,
        )

    async def _follow(self, connection: client.ClientConnection) -> None:
        echo, is_asked = Echo(), False
        while True:
            try:
                async with asyncio.timeout(SILENCE_S):
                    text = await connection.recv()
            except TimeoutError:
                if is_asked:
                    raise
                is_asked = True
                await connection.send('{"type":"ping"}')
            else:
                is_asked = False
                self._take(echo, text)

    def _take(self, echo: Echo, text: str | bytes) -> None:
        returned = echo.take(text)
        if echo.is_following:  # not before: who is turned away has shaken hands, too
            self._probe.opened(self._clock())
        if returned is None:
            return
        trip = None
        if returned.is_live:
            at = self._served.first.now()
            trip = RoundTrip(at, max(0.0, (at - returned.canary.written_at).total_seconds()))
            self._metrics.probe_seconds.observe(trip.seconds)
        self._probe.returned(returned.position, trip, self._clock())

    async def _judge_for_ever(self) -> None:
        while True:
            await asyncio.sleep(JUDGE_S)
            if not self._served.is_draining:
                self._tell(self._probe.judge(self._upstream, self._clock()))

    @property
    def _upstream(self) -> Upstream:
        relay, replica = self.feeds.first.relay, self.feeds.first.replica
        position = replica.snapshot.position if replica.snapshot else None
        return Upstream(relay.is_connected, replica.source, position, relay.heard_at)

    def _tell(self, verdict: Verdict) -> None:
        before, self._verdict = self._verdict, verdict
        health = self._served.first.health
        # Alone what this gateway itself does not do: with the other hops gone, it serves the last state, marked stale.
        if verdict.hop is Hop.WEBSOCKET:
            health.fail("websocket", verdict.reason or "")
        else:
            health.fulfil("websocket")
        if (verdict.state, verdict.hop) == (before.state, before.hop):
            return
        self._since = self._served.roster.timestamp
        for hop in Hop:
            self._metrics.probe_failing.labels(hop).set(hop is verdict.hop)
        self._metrics.probe_up.set(verdict.hop is None)
        if verdict.hop:
            log.warning("self-probe fails", hop=verdict.hop.value, reason=verdict.reason)
        elif before.hop:
            log.info("self-probe good again", state=verdict.state.value)


def _hidden_feeds(served: Feeds) -> Feeds:
    """Make what the probe follows: with limits, counts and conditions of its own, which nobody is told of."""
    first = served.first
    unlimited = {
        "gateway_max_connections_per_address": 0,
        "gateway_handshakes_per_s": 0,
        "gateway_max_lifetime_s": 0.0,
    }
    settings = first.settings.model_copy(update=unlimited)
    admission = Admission(settings, settings.gateway_max_connections, Ledger(), 0, served.roster.clock)
    metrics = GatewayMetrics(CollectorRegistry())
    return make_feeds(settings, first.broker, (CANARY,), metrics, Health(), first.now, admission, get_hushed_logger)


def _name(settings: ServerSettings, host: str) -> str:
    """Give the name that the probe asks for: one that is served."""
    first = next(iter(settings.gateway_allowed_hosts), f"[{host}]" if ":" in host else host)
    return first.replace("*.", "probe.", 1)


def _sentence(exc: Exception) -> str:
    if isinstance(exc, InvalidStatus):
        return f"the handshake was answered with {exc.response.status_code}"
    if isinstance(exc, TimeoutError):
        return "it did not answer in time"
    return str(exc) or type(exc).__name__
