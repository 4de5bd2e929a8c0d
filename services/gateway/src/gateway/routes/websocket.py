"""``WS /ws``: the report on connect and on every change. Source: docs/protocol.md, Frames."""

import itertools
import sys

import structlog
from fastapi import APIRouter
from reportcast.contracts.close_codes import CloseCode
from reportcast.contracts.frames import SUBPROTOCOL
from reportcast.service.uvicorn_parts import HAND_OFF
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket

from gateway.admission import Refusal
from gateway.asgi import AsgiConnection
from gateway.auth import is_allowed_origin
from gateway.feed import Feed, Feeds
from gateway.hub import Peer
from gateway.membership import join, leave
from gateway.push import PushConnection
from gateway.retry import retry_reason

log = structlog.get_logger("websocket")

SENTENCES = {
    Refusal.ALL: "connection limit reached; try again later",
    Refusal.ADDRESS: "connection limit of this address reached; close one, or try again later",
}
TOO_OFTEN = "this address connects too often; try again in a second"


def websocket_router(feeds: Feeds) -> APIRouter:
    """Make the endpoint."""
    router = APIRouter()
    ids = itertools.count(1)

    @router.websocket("/ws")
    async def follow(websocket: WebSocket) -> None:
        feed = await _admitted(feeds, websocket)
        if feed is None:
            return
        is_v1 = SUBPROTOCOL in websocket.scope["subprotocols"]
        await websocket.accept(SUBPROTOCOL if is_v1 else None)
        if feeds.is_draining:
            await websocket.close(CloseCode.SERVICE_RESTART, retry_reason())
        elif refusal := feeds.admission.enter(_address(websocket)):
            feed.metrics.refused.labels(refusal).inc()
            await websocket.close(CloseCode.TRY_AGAIN_LATER, SENTENCES[refusal])
        else:
            await _serve(feed, websocket, _peer(websocket, next(ids), feed), is_v1)

    return router


async def _serve(feed: Feed, websocket: WebSocket, peer: Peer, tells_skipped: bool) -> None:
    hand_off = websocket.scope["extensions"].get(HAND_OFF)
    if hand_off is None:
        follower = AsgiConnection(websocket, feed, peer, tells_skipped)
        join(feed, follower)
        await follower.serve()
        leave(feed, follower)
        return
    connection = PushConnection(feed, peer, tells_skipped)
    if connection.take_over(hand_off):
        join(feed, connection)
    else:
        feed.admission.leave(peer.host)
        await websocket.close(CloseCode.PROTOCOL_ERROR, "a message came before the handshake had ended")


async def _admitted(feeds: Feeds, websocket: WebSocket) -> Feed | None:
    headers, metrics = websocket.headers, feeds.first.metrics
    allowed = feeds.first.settings.gateway_allowed_origins
    channel = websocket.query_params.get("channel")
    feed = feeds.get(channel)
    if not feeds.admission.admit_handshake(_address(websocket)):
        metrics.refused.labels("rate").inc()
        log.info("connection refused", address=_address(websocket), remedy="GATEWAY_HANDSHAKES_PER_S")
        await websocket.send_denial_response(JSONResponse({"error": TOO_OFTEN}, 429, {"Retry-After": "1"}))
        return None
    if not is_allowed_origin(headers.get("origin"), headers.get("host"), allowed):
        metrics.refused.labels("origin").inc()
        log.info("connection refused", origin=headers["origin"][:200], remedy="GATEWAY_ALLOWED_ORIGINS")
    elif feed is None:
        metrics.refused.labels("channel").inc()
        log.info("connection refused", channel=(channel or "")[:64], served=feeds.channels)
    else:
        return feed
    await websocket.close()  # before the upgrade: a 403
    return None


def _address(websocket: WebSocket) -> str:
    return websocket.client.host if websocket.client else "unknown"


def _peer(websocket: WebSocket, number: int, feed: Feed) -> Peer:
    address = f"{websocket.client.host}:{websocket.client.port}" if websocket.client else "unknown:0"
    # Most clients are of a few kinds: one text for each.
    user_agent = sys.intern(websocket.headers.get("user-agent", "")[:200])
    return Peer(number, feed.channel, address, user_agent, feed.clock())
