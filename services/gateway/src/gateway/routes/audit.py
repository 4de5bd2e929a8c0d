"""``/audit``: the newest report and past ones, over plain HTTP."""

from typing import Annotated

from fastapi import APIRouter, Header, HTTPException
from reportcast.contracts.report import is_history_name
from starlette.responses import Response

from gateway.routes.channel import ChosenFeed

JSON = "application/json"

audit_router = APIRouter(prefix="/audit")


@audit_router.api_route("", methods=["GET", "HEAD"])
async def latest(feed: ChosenFeed, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """Give the newest report, or say that the client has it."""
    snapshot = feed.replica.snapshot
    if snapshot is None:
        raise HTTPException(503, "no report has been published yet", {"Retry-After": "5"})
    headers = {
        "ETag": f'"{snapshot.digest}"',
        "Cache-Control": "no-cache",
        "X-Reportcast-Stale": "false" if feed.relay.is_connected else "true",
    }
    if is_same(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(snapshot.body, media_type=JSON, headers=headers)


@audit_router.get("/history")
async def history(feed: ChosenFeed) -> list[str]:
    """List the names of the kept reports, newest first."""
    return await feed.broker.history(feed.channel)


@audit_router.get("/history/{name}")
async def past(feed: ChosenFeed, name: str) -> Response:
    """Give one kept report."""
    body = await feed.broker.past_report(feed.channel, name) if is_history_name(name) else None
    if body is None:
        raise HTTPException(404, "the history has no report of that name; /audit/history lists those it has")
    return Response(body, media_type=JSON)


def is_same(if_none_match: str | None, etag: str) -> bool:
    """Tell whether the client has the content that ``etag`` names. Source: RFC 9110, 13.1.2."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or tags == ["*"]
