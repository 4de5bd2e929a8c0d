"""``GET /events``: what ``reportcast.v1`` tells, as server-sent events. Source: docs/protocol.md, Events."""

from fastapi import HTTPException
from reportcast.contracts.body import Encoding
from reportcast.contracts.v1_requests import follow_of_events
from reportcast.service.uvicorn_parts import HAND_OFF, HttpHandOff
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.door import Door, Refused
from gateway.encoding import prefers_gzip
from gateway.event_stream import HEARTBEAT_S, EventStream
from gateway.feed import Feeds
from gateway.v1 import V1Session

EVENT_STREAM = "text/event-stream"
HEADERS = {
    # A proxy that changes or collects what passes would hold it up.
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}


def events_route(feeds: Feeds) -> Route:
    """Make the endpoint."""
    door = Door(feeds)
    heartbeat_s = min(HEARTBEAT_S, feeds.first.settings.gateway_ping_interval_s)

    async def events(request: Request) -> Response:
        try:
            door.check(request)
            channels = request.query_params.getlist("channel")
            if len(channels) > 1:
                raise HTTPException(400, "an event stream follows one channel; name one, or open one for each")
            feed = door.feed(channels[0] if channels else None)
            if request.method == "HEAD":
                return Response(media_type=EVENT_STREAM, headers=HEADERS)
            door.enter(request)
        except Refused as refused:
            door.count(refused, request)
            return JSONResponse({"error": refused.sentence}, refused.status, refused.headers)
        query, last_event_id = request.query_params.multi_items(), request.headers.get("last-event-id")
        session = V1Session(feeds, [follow_of_events(query, last_event_id)], heartbeat_s)
        stream = EventStream(feeds.roster, session, door.peer(request, feed), heartbeat_s)
        return _Stream(feeds, stream, is_compressed=prefers_gzip(request.headers.get("accept-encoding")))

    return Route("/events", events, methods=["GET"])


class _Stream(Response):
    """An answer that goes on for as long as the client stays."""

    def __init__(self, feeds: Feeds, stream: EventStream, is_compressed: bool) -> None:
        coding = {"Content-Encoding": Encoding.GZIP.value} if is_compressed else {}
        super().__init__(media_type=EVENT_STREAM, headers=HEADERS | coding)
        del self.headers["content-length"]
        self._feeds = feeds
        self._stream = stream
        self._is_compressed = is_compressed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head, then hand the rest to the stream."""
        feeds, stream = self._feeds, self._stream
        # Through all middleware, which may add to it.
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        hand_off: HttpHandOff | None = scope["extensions"].get(HAND_OFF)  # none of a client that has gone
        if hand_off is None or not stream.take_over(hand_off, self._is_compressed):
            feeds.admission.leave(stream.peer.host)
            await send({"type": "http.response.body", "body": b""})
            return
        try:
            feeds.roster.join(stream)
        except Exception:
            stream.abort()
            raise
