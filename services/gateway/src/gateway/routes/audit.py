"""``/audit``: the newest report and past ones, over plain HTTP; ``/api/history`` tells of all of those."""

from collections.abc import Mapping

from fastapi import APIRouter, HTTPException
from reportcast.broker.errors import BrokerError
from reportcast.contracts.body import Encoding, PreparedBody
from reportcast.contracts.report import is_history_name
from starlette.requests import Request
from starlette.responses import Response

from gateway.encoding import acceptable
from gateway.etag import etag_of, known_etag
from gateway.feed import Feed
from gateway.routes.channel import ChosenFeed, feed_of, feeds_of
from gateway.routes.poll import poll
from gateway.shelf import ShelfBusy

JSON = "application/json"
VARY = {"Vary": "Accept-Encoding"}

audit_router = APIRouter()


async def latest(request: Request) -> Response:
    """Give the newest report, or say that the client has it; with a position, what is new since."""
    feeds = await feeds_of(request)
    if "since" in request.query_params:
        return await poll(feeds, request)
    feed = await feed_of(feeds, request.query_params.get("channel"))
    snapshot, body = feed.replica.snapshot, feed.replica.body
    if snapshot is None or body is None:
        raise HTTPException(503, "no report has been published yet", {"Retry-After": "5"})
    stale = {"X-Reportcast-Stale": "false" if feed.relay.is_connected else "true"}
    return await _revalidated(feed, request, body, snapshot.digest, stale)


# Not a route of FastAPI, whose dependencies take 60 µs, as much as all the rest: this one is polled.
audit_router.add_route("/audit", latest, methods=["GET", "HEAD"])


@audit_router.get("/audit/history")
async def history(feed: ChosenFeed) -> list[str]:
    """List the names of the kept reports, newest first."""
    return await feed.broker.history(feed.channel)


@audit_router.get("/audit/history/{name}")
async def past(feed: ChosenFeed, name: str, request: Request) -> Response:
    """Give one kept report."""
    try:
        body = await feed.shelf.get(feed.channel, name) if is_history_name(name) else None
        if body is None:
            raise HTTPException(404, "the history has no report of that name; /audit/history lists those it has")
        encodings = _acceptable(request, body)
        # It is kept for a short time alone; gzip takes eight times as long as zstd.
        cheap = tuple(encoding for encoding in encodings if encoding is not Encoding.GZIP) or encodings
        digest = await feed.shelf.digest(body)
        known = known_etag(_field(request, "if-none-match"), digest, cheap)
        headers = {"ETag": known or etag_of(digest, cheap[0]), "Cache-Control": "no-cache"}
        if known:
            return Response(status_code=304, headers=headers | VARY)
        return _response(await feed.shelf.encoded(body, cheap[0]), cheap[0], headers)
    except ShelfBusy:
        raise HTTPException(503, "too many ask for past reports; try again", {"Retry-After": "2"}) from None


@audit_router.get("/api/history")
async def outlines(feed: ChosenFeed, request: Request) -> Response:
    """Tell of the kept reports, newest first, what can be told without sending them."""
    epoch = feed.replica.snapshot.epoch if feed.replica.snapshot else None
    # While the broker is away nothing comes, so nothing is missing.
    last = feed.outlines.last(feed.channel, epoch)
    try:
        listing = last if last and not feed.relay.is_connected else await feed.outlines.of(feed.channel, epoch)
    except BrokerError:
        if last is None:
            raise
        listing = last
    return await _revalidated(feed, request, listing.body, listing.digest, {})


async def _revalidated(
    feed: Feed, request: Request, body: PreparedBody, digest: str, more: Mapping[str, str]
) -> Response:
    """Give a body, or say that the client has it."""
    encodings = _acceptable(request, body)
    known = known_etag(_field(request, "if-none-match"), digest, encodings)
    headers = {"ETag": known or etag_of(digest, encodings[0]), "Cache-Control": "no-cache", **more}
    if known:
        return Response(status_code=304, headers=headers | VARY)
    return _response(await feed.compressor.encoded(body, encodings[0]), encodings[0], headers)


def _acceptable(request: Request, body: PreparedBody) -> tuple[Encoding, ...]:
    encodings = acceptable(_field(request, "accept-encoding"), len(body.raw))
    if not encodings:
        raise HTTPException(406, f"every encoding was refused; there are {', '.join(Encoding)}", VARY)
    return encodings


def _field(request: Request, name: str) -> str | None:
    """Give a header that may come in several lines. Source: RFC 9110, 5.3."""
    lines = request.headers.getlist(name)
    return ", ".join(lines) if lines else None


def _response(content: bytes, encoding: Encoding, headers: dict[str, str]) -> Response:
    coding = {} if encoding is Encoding.IDENTITY else {"Content-Encoding": encoding.value}
    return Response(content, media_type=JSON, headers=headers | coding | VARY)
