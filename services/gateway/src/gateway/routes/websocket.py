"""``WS /ws``: the report on connect and on every change. Source: docs/protocol.md, Frames."""

import asyncio
import itertools

import structlog
from fastapi import APIRouter
from reportcast.contracts.close_codes import CloseCode
from reportcast.contracts.frames import Request, RequestError, parse_request, pong, request_error
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket

from gateway.admission import Refusal
from gateway.auth import is_allowed_origin
from gateway.connection import AsgiConnection
from gateway.feed import Feed, Feeds
from gateway.hub import Peer

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
        await websocket.accept()
        address = _address(websocket)
        if refusal := feeds.admission.enter(address):
            feed.metrics.refused.labels(refusal).inc()
            await websocket.close(CloseCode.TRY_AGAIN_LATER, SENTENCES[refusal])
            return
        try:
            await _serve(feed, AsgiConnection(websocket, _peer(websocket, next(ids), feed), feed.metrics))
        finally:
            feeds.admission.leave(address)

    return router


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
    address = f"{websocket.client.host}:{websocket.client.port}" if websocket.client else "unknown"
    user_agent = websocket.headers.get("user-agent", "")[:200]
    return Peer(number, feed.channel, address, user_agent, feed.timestamp)


async def _serve(feed: Feed, connection: AsgiConnection) -> None:
    clock = asyncio.get_running_loop().time
    opened_s = clock()
    feed.hub.join(connection)
    feed.metrics.opened.inc()
    feed.metrics.connections.inc()
    log.info("connection opened", id=connection.peer.id, channel=feed.channel, address=connection.peer.address)
    connection.send(feed.replica.frame(feed.timestamp))
    try:
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(connection.write())
            await _answer(feed, connection)
            writing.cancel()
    finally:
        feed.hub.leave(connection)
        feed.metrics.connections.dec()
        log.info(
            "connection closed",
            id=connection.peer.id,
            code=connection.close_code,
            duration_s=round(clock() - opened_s, 3),
            frames=connection.frames_sent,
            conflated=connection.conflated,
        )


async def _answer(feed: Feed, connection: AsgiConnection) -> None:
    while (text := await connection.receive()) is not None:
        try:
            request = parse_request(text)
        except RequestError as error:
            feed.metrics.bad_requests.inc()
            await connection.reply(request_error(error))
            continue
        match request:
            case Request.PING:
                await connection.reply(pong(feed.timestamp))
            case Request.UPDATE:
                connection.send(feed.replica.frame(feed.timestamp))
