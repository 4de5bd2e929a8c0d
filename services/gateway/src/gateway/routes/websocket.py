"""``WS /ws``: the report on connect and on every change. Source: docs/protocol.md, Frames."""

from fastapi import APIRouter
from reportcast.contracts.close_codes import CloseCode
from reportcast.contracts.v1_frames import SUBPROTOCOL
from reportcast.contracts.v1_requests import follows_of
from reportcast.service.uvicorn_parts import HAND_OFF
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket

from gateway.asgi import AsgiConnection
from gateway.door import DRAINING, Door, Refused
from gateway.feed import Feed, Feeds
from gateway.hub import Peer
from gateway.plain import PlainSession
from gateway.retry import retry_after_ms, retry_reason
from gateway.roster import Session
from gateway.v1 import V1Session
from gateway.websocket import WebSocketConnection


def websocket_router(feeds: Feeds) -> APIRouter:
    """Make the endpoint."""
    router, door = APIRouter(), Door(feeds)
    plain = {feed.channel: PlainSession(feed) for feed in feeds}
    heartbeat_s = feeds.first.settings.gateway_ping_interval_s

    def session(websocket: WebSocket, feed: Feed, is_v1: bool) -> Session:
        if not is_v1:
            return plain[feed.channel]
        return V1Session(feeds, follows_of(websocket.query_params.multi_items()), heartbeat_s)

    @router.websocket("/ws")
    async def follow(websocket: WebSocket) -> None:
        is_v1 = SUBPROTOCOL in websocket.scope["subprotocols"]
        try:
            door.check(websocket)
            feed = _feed(feeds, door, websocket, is_v1)
        except Refused as refused:
            door.count(refused, websocket)
            await _refuse(websocket, refused)
            return
        await websocket.accept(SUBPROTOCOL if is_v1 else None)
        try:
            door.enter(websocket)
        except Refused as refused:  # a browser is not told of another answer to its handshake
            await _turn_away(feeds, door, websocket, refused)
        else:
            await _serve(feeds, websocket, door.peer(websocket, feed), session(websocket, feed, is_v1))

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
    connection = WebSocketConnection(feeds.roster, session, peer)
    if connection.take_over(hand_off):
        try:
            feeds.roster.join(connection)
        except Exception:
            connection.abort()
            raise
    else:
        feeds.admission.leave(peer.host)
        await _close(feeds, websocket, CloseCode.PROTOCOL_ERROR, "a message came before the handshake had ended")


async def _turn_away(feeds: Feeds, door: Door, websocket: WebSocket, refused: Refused) -> None:
    if refused.reason == DRAINING:
        await _close(feeds, websocket, CloseCode.SERVICE_RESTART, retry_reason(retry_after_ms()))
    else:
        door.count(refused, websocket)
        await _close(feeds, websocket, CloseCode.TRY_AGAIN_LATER, refused.sentence)


async def _close(feeds: Feeds, websocket: WebSocket, code: CloseCode, reason: str) -> None:
    feeds.first.metrics.count_close(code)
    await websocket.close(code, reason)


def _feed(feeds: Feeds, door: Door, websocket: WebSocket, is_v1: bool) -> Feed:
    if is_v1:  # it is told on the connection what is wrong
        return feeds.get(next(iter(websocket.query_params.getlist("channel")), None)) or feeds.first
    return door.feed(websocket.query_params.get("channel"), status=403)


async def _refuse(websocket: WebSocket, refused: Refused) -> None:
    """Answer instead of the upgrade; a server that cannot gives a 403."""
    if "websocket.http.response" in websocket.scope["extensions"]:
        answer = JSONResponse({"error": refused.sentence}, refused.status, refused.headers)
        await websocket.send_denial_response(answer)
    else:
        await websocket.close()
