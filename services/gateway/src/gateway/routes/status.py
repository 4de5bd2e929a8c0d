"""``/api/ws/…``: how the gateway fares, who is connected, and asking for a fresh look at the file."""

from typing import Any

from fastapi import APIRouter, HTTPException
from reportcast.broker.base import Refresh
from starlette.requests import Request

from gateway.auth import is_allowed_origin, require_admin
from gateway.feed import Feed
from gateway.routes.channel import ONLY_ADMIN, AllFeeds, ChosenFeed
from gateway.status import condition, describe

status_router = APIRouter(prefix="/api/ws")


@status_router.get("/status")
async def status(feeds: AllFeeds, feed: ChosenFeed) -> dict[str, Any]:
    """Say how one channel fares, and in a word how all do."""
    return describe(feed) | {"channels": {each.channel: condition(each) for each in feeds}}


@status_router.post("/trigger-update")
async def trigger_update(feed: ChosenFeed, request: Request) -> dict[str, Any]:
    """Have the channel's file read again."""
    _check_may_trigger(feed, request)
    match await feed.broker.request_refresh(feed.channel):
        case Refresh.TOO_SOON:
            raise HTTPException(429, "at most one update a second can be triggered", {"Retry-After": "1"})
        case Refresh.NO_WATCHER:
            raise HTTPException(503, "no watcher is connected that could read the report", {"Retry-After": "5"})
        case Refresh.REQUESTED:
            return {"message": "Update triggered", "clients": len(feed.hub), "timestamp": feed.timestamp}


@status_router.get("/clients", dependencies=[ONLY_ADMIN])
async def clients(feeds: AllFeeds) -> dict[str, Any]:
    """List those who follow any channel here."""
    connections = feeds.connections
    return {
        "count": len(connections),
        "clients": [
            {
                "id": connection.peer.id,
                "channel": connection.peer.channel,
                "address": connection.peer.address,
                "userAgent": connection.peer.user_agent,
                "connectedAt": feed.opened_at(connection.peer),
                "framesSent": connection.frames_sent,
                "conflated": connection.conflated,
                "behind": feed.hub.behind(connection),
            }
            for feed, connection in connections
        ],
        "timestamp": feeds.first.timestamp,
    }


def _check_may_trigger(feed: Feed, request: Request) -> None:
    settings, headers = feed.settings, request.headers
    if settings.gateway_admin_token is not None:
        require_admin(settings.gateway_admin_token, headers.get("authorization"))
    elif not is_allowed_origin(headers.get("origin"), headers.get("host"), settings.gateway_allowed_origins):
        raise HTTPException(403, "this origin may not trigger an update; set GATEWAY_ALLOWED_ORIGINS to allow it")
