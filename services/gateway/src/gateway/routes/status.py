"""``/api/ws/…``: how the gateway fares, who is connected, and asking for a fresh look at the file."""

from operator import itemgetter
from typing import Any

import msgspec
from fastapi import APIRouter, HTTPException
from reportcast.broker.base import Refresh
from starlette.requests import Request
from starlette.responses import Response

from gateway.auth import is_allowed_origin, require_admin
from gateway.feed import Feed
from gateway.routes.channel import ONLY_ADMIN, AllFeeds, AllWorkers, ChosenFeed
from gateway.status import condition, crew_of, describe

status_router = APIRouter(prefix="/api/ws")


@status_router.get("/status")
async def status(feeds: AllFeeds, feed: ChosenFeed, workers: AllWorkers) -> dict[str, Any]:
    """Say how one channel fares, and in a word how all do."""
    answers = await workers.ask("status")
    return describe(feed, crew_of(feed, answers)) | {
        "channels": {each.channel: condition(each, crew_of(each, answers)) for each in feeds}
    }


@status_router.post("/trigger-update")
async def trigger_update(feed: ChosenFeed, workers: AllWorkers, request: Request) -> dict[str, Any]:
    """Have the channel's file read again."""
    _check_may_trigger(feed, request)
    match await feed.broker.request_refresh(feed.channel):
        case Refresh.TOO_SOON:
            raise HTTPException(429, "at most one update a second can be triggered", {"Retry-After": "1"})
        case Refresh.NO_WATCHER:
            raise HTTPException(503, "no watcher is connected that could read the report", {"Retry-After": "5"})
        case Refresh.REQUESTED:
            crew = crew_of(feed, await workers.ask("status"))
            return {"message": "Update triggered", "clients": crew.clients, "timestamp": feed.timestamp}


@status_router.get("/clients", dependencies=[ONLY_ADMIN])
async def clients(feeds: AllFeeds, workers: AllWorkers) -> Response:
    """List those who follow any channel here, oldest first."""
    answers = await workers.ask("clients")
    everyone = [{**client, "worker": number} for number, told in answers.given.items() for client in told]
    everyone.sort(key=itemgetter("connectedAt", "worker", "id"))
    listing = {
        "count": len(everyone),
        "clients": everyone,
        "workers": answers.workers,
        "timestamp": feeds.first.timestamp,
    }
    return Response(msgspec.json.encode(listing), media_type="application/json")


def _check_may_trigger(feed: Feed, request: Request) -> None:
    settings, headers = feed.settings, request.headers
    if settings.gateway_admin_token is not None:
        require_admin(settings.gateway_admin_token, headers.get("authorization"))
    elif not is_allowed_origin(headers.get("origin"), headers.get("host"), settings.gateway_allowed_origins):
        raise HTTPException(403, "this origin may not trigger an update; set GATEWAY_ALLOWED_ORIGINS to allow it")
