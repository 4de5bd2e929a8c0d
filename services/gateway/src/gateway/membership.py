"""How a client comes to follow a channel, what it may ask while it does, and how that ends; whatever carries it."""

import structlog
from reportcast.contracts.close_codes import CloseCode
from reportcast.contracts.frames import Request, RequestError, parse_request, pong, request_error

from gateway.feed import Feed
from gateway.hub import Connection, Flow

log = structlog.get_logger("websocket")


def join(feed: Feed, connection: Connection) -> None:
    """Let ``connection`` follow; it gets the newest report at once, or is told that there is none."""
    feed.metrics.opened.inc()
    feed.metrics.connections.inc()
    peer = connection.peer
    log.info("connection opened", id=peer.id, channel=peer.channel, address=peer.address)
    feed.hub.join(connection)
    if feed.hub.newest is None:
        connection.reply(feed.no_report())


def leave(feed: Feed, connection: Connection) -> None:
    """Forget ``connection``, whose client is gone."""
    feed.hub.leave(connection)
    feed.admission.leave(connection.peer.host)
    feed.metrics.connections.dec()
    feed.metrics.count_close(connection.close_code)
    log.info(
        "connection closed",
        id=connection.peer.id,
        code=connection.close_code,
        duration_s=round(feed.clock() - connection.peer.opened_s, 3),
        frames=feed.hub.given(connection),
        conflated=connection.conflated,
    )


def part(feed: Feed, connection: Connection, code: CloseCode, reason: str) -> None:
    """Ask the client of ``connection`` to leave, at most once; ``reason`` is at most 123 bytes."""
    if connection.flow is not Flow.CLOSING:
        feed.hub.close(connection)
        connection.close_code = int(code)
        connection.close(code, reason)


def answer(feed: Feed, connection: Connection, message: str | bytes) -> None:
    """Answer one message of a client. Source: docs/protocol.md, Frames."""
    try:
        request = parse_request(message)
    except RequestError as error:
        feed.metrics.bad_requests.inc()
        connection.reply(request_error(error))
        return
    match request:
        case Request.PING:
            connection.reply(pong(feed.timestamp))
        case Request.UPDATE if feed.hub.newest is None:
            connection.reply(feed.no_report())
        case Request.UPDATE:
            feed.hub.repeat(connection)
