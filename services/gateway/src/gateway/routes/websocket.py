"""``WS /ws``: the report on connect and on every change. Source: docs/protocol.md, Frames."""

import itertools
import sys

import structlog
from fastapi import APIRouter
from reportcast.contracts.close_codes import CloseCode
from reportcast.contracts.v1_frames import SUBPROTOCOL
from reportcast.contracts.v1_requests import follows_of
from reportcast.service.uvicorn_parts import HAND_OFF
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket

from gateway.asgi import AsgiConnection
from gateway.auth import is_allowed_origin
from gateway.feed import Feed, Feeds
from gateway.hub import Peer
from gateway.plain import PlainSession
from gateway.push import PushConnection
from gateway.retry import retry_after_ms, retry_reason
from gateway.roster import Session
from gateway.routes.channel import not_served
from gateway.v1 import V1Session

log = structlog.get_logger("websocket")


def websocket_router(feeds: Feeds) -> APIRouter:
    """Make the endpoint."""
    router = APIRouter()
    ids = itertools.count(1)
    plain = {feed.channel: PlainSession(feed) for feed in feeds}

    def session(websocket: WebSocket, feed: Feed, is_v1: bool) -> Session:
        return V1Session(feeds, follows_of(websocket.query_params.multi_items())) if is_v1 else plain[feed.channel]

    @router.websocket("/ws")
    async def follow(websocket: WebSocket) -> None:
        is_v1 = SUBPROTOCOL in websocket.scope["subprotocols"]
        feed = await _admitted(feeds, websocket, is_v1)
        if feed is None:
            return
        await websocket.accept(SUBPROTOCOL if is_v1 else None)
        if feeds.is_draining:
            await _close(feeds, websocket, CloseCode.SERVICE_RESTART, retry_reason(retry_after_ms()))
        elif refusal := feeds.admission.enter(_address(websocket)):
            sentence = feeds.admission.sentence(refusal)
            _count_refusal(feeds, refusal, address=_address(websocket), sentence=sentence)
            await _close(feeds, websocket, CloseCode.TRY_AGAIN_LATER, sentence)
        else:
            await _serve(feeds, websocket, _peer(websocket, next(ids), feed), session(websocket, feed, is_v1))

    return router


async def _serve(feeds: Feeds, websocket: WebSocket, peer: Peer, session: Session) -> None:
    hand_off = websocket.scope["extensions"].get(HAND_OFF)
    if hand_off is None:
        follower = AsgiConnection(websocket, feeds.roster, session, peer)
        try:
            feeds.roster.join(follower)
            await follower.serve()
        finally:
            feeds.roster.leave(follower)
        return
    connection = PushConnection(feeds.roster, session, peer)
    if connection.take_over(hand_off):
        try:
            feeds.roster.join(connection)
        except Exception:
            connection.abort()
            raise
    else:
        feeds.admission.leave(peer.host)
        await _close(feeds, websocket, CloseCode.PROTOCOL_ERROR, "a message came before the handshake had ended")


async def _close(feeds: Feeds, websocket: WebSocket, code: CloseCode, reason: str) -> None:
    feeds.first.metrics.count_close(code)
    await websocket.close(code, reason)


async def _admitted(feeds: Feeds, websocket: WebSocket, is_v1: bool) -> Feed | None:
    headers, address = websocket.headers, _address(websocket)
    allowed = feeds.first.settings.gateway_allowed_origins
    channel = websocket.query_params.get("channel")
    feed = feeds.get(channel)
    if is_v1:  # it is told on the connection what is wrong
        feed = feeds.get(next(iter(websocket.query_params.getlist("channel")), None)) or feeds.first
    if not feeds.admission.admit_handshake(address):
        _count_refusal(feeds, "rate", address=address, remedy="GATEWAY_HANDSHAKES_PER_S")
        await _refuse(websocket, 429, feeds.admission.too_often, {"Retry-After": "1"})
    elif not is_allowed_origin(headers.get("origin"), headers.get("host"), allowed):
        origin = headers["origin"][:200]
        _count_refusal(feeds, "origin", address=address, origin=origin, remedy="GATEWAY_ALLOWED_ORIGINS")
        await _refuse(websocket, 403, "this origin may not connect; set GATEWAY_ALLOWED_ORIGINS to allow it")
    elif feed is None:
        _count_refusal(feeds, "channel", address=address, channel=(channel or "")[:64], served=feeds.channels)
        await _refuse(websocket, 403, not_served(feeds))
    else:
        return feed
    return None


def _count_refusal(feeds: Feeds, reason: str, **facts: object) -> None:
    feeds.first.metrics.refused.labels(reason).inc()
    log.info("connection refused", reason=str(reason), **facts)


async def _refuse(websocket: WebSocket, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
    """Answer instead of the upgrade; a server that cannot gives a 403."""
    if "websocket.http.response" in websocket.scope["extensions"]:
        await websocket.send_denial_response(JSONResponse({"error": sentence}, status, headers))
    else:
        await websocket.close()


def _address(websocket: WebSocket) -> str:
    return websocket.client.host if websocket.client else "unknown"


def _peer(websocket: WebSocket, number: int, feed: Feed) -> Peer:
    port = websocket.client.port if websocket.client else 0
    # Most clients are of a few kinds: one text for each.
    user_agent = sys.intern(websocket.headers.get("user-agent", "")[:200])
    return Peer(number, feed.channel, _address(websocket), port, user_agent, feed.roster.clock())
