"""``/api/trace``: where the time of the last changes went. Source: docs/protocol.md, Latency."""

from typing import Any

import msgspec
from fastapi import APIRouter, HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gateway.auth import is_allowed_origin
from gateway.feed import Feeds
from gateway.painted import MAX_BODY_BYTES, MAX_REPORTS_PER_S, Allowance, PaintedError, parse_painted
from gateway.routes.channel import AllWorkers, ChosenFeed
from gateway.traces import merge

NO_STORE = {"Cache-Control": "no-store"}


def trace_router(feeds: Feeds) -> APIRouter:
    """Make the endpoints."""
    router = APIRouter(prefix="/api/trace")
    allowance = Allowance(MAX_REPORTS_PER_S)

    @router.get("")
    async def trace(feed: ChosenFeed, workers: AllWorkers) -> Response:
        """List the last changes of a channel, newest first."""
        answers = await workers.ask(f"trace {feed.channel}")
        telling: dict[str, Any] = {
            "channel": feed.channel,
            "timestamp": feed.timestamp,
            "workers": answers.workers,
            "paintSample": feed.settings.gateway_paint_sample,
            "clocks": feed.traces.tell()["clocks"],
            "changes": merge(answers.given.values()),
        }
        return Response(msgspec.json.encode(telling), media_type="application/json", headers=NO_STORE)

    @router.post("/painted", status_code=204)
    async def painted(request: Request) -> Response:
        """Take what a browser reports of a change."""
        _check_may_report(feeds, request)
        try:
            report = parse_painted(await _body_of(request))
        except PaintedError as exc:
            raise HTTPException(400, str(exc)) from exc
        except ClientDisconnect:
            return Response(status_code=400)  # to nobody
        # What is no report takes nobody's turn.
        if not allowance.take(feeds.roster.clock()):
            sentence = f"at most {MAX_REPORTS_PER_S} reports a second are taken"
            raise HTTPException(429, sentence, {"Retry-After": "1"})
        feed = feeds.get(report.channel)
        if feed is None or not feed.traces.paint(report.position, report.deliver_ms, report.paint_ms):
            raise HTTPException(404, "no such change is remembered; /api/trace lists those that are")
        return Response(status_code=204)

    return router


def _check_may_report(feeds: Feeds, request: Request) -> None:
    settings, headers = feeds.first.settings, request.headers
    if not settings.gateway_paint_sample:
        raise HTTPException(403, "reports of what was painted are not wanted; set GATEWAY_PAINT_SAMPLE to have them")
    if not is_allowed_origin(headers.get("origin"), headers.get("host"), settings.gateway_allowed_origins):
        raise HTTPException(403, "this origin may not report; set GATEWAY_ALLOWED_ORIGINS to allow it")


async def _body_of(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413, f"the report is too long; {MAX_BODY_BYTES} bytes are allowed")
    return bytes(body)
