"""``/api/ws/…``: how the gateway fares, who is connected, and asking for a fresh look at the file."""

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, HTTPException
from reportcast.broker.base import Refresh
from reportcast.contracts.clock import iso_utc
from reportcast.contracts.frames import SERVER
from reportcast.contracts.messages import SourceState
from starlette.requests import Request

from gateway.auth import is_allowed_origin, require_admin
from gateway.feed import Feed

# A watcher speaks every 5 s; after so long without a word there is none, or it cannot reach the broker.
SILENCE_S = 20.0


def status_router(feed: Feed) -> APIRouter:
    """Make the endpoints."""
    router = APIRouter(prefix="/api/ws")

    @router.get("/status")
    async def status() -> dict[str, Any]:
        return describe(feed)

    @router.post("/trigger-update")
    async def trigger_update(request: Request) -> dict[str, Any]:
        _check_may_trigger(feed, request)
        return await _trigger(feed)

    @router.get("/clients")
    async def clients(request: Request) -> dict[str, Any]:
        require_admin(feed.settings.gateway_admin_token, request.headers.get("authorization"))
        return {
            "count": len(feed.hub),
            "clients": [
                {
                    "id": connection.peer.id,
                    "address": connection.peer.address,
                    "userAgent": connection.peer.user_agent,
                    "connectedAt": connection.peer.connected_at,
                    "framesSent": connection.frames_sent,
                    "conflated": connection.conflated,
                }
                for connection in feed.hub.connections
            ],
            "timestamp": feed.timestamp,
        }

    return router


def _check_may_trigger(feed: Feed, request: Request) -> None:
    settings, headers = feed.settings, request.headers
    if settings.gateway_admin_token is not None:
        require_admin(settings.gateway_admin_token, headers.get("authorization"))
    elif not is_allowed_origin(headers.get("origin"), headers.get("host"), settings.gateway_allowed_origins):
        raise HTTPException(403, "this origin may not trigger an update; set GATEWAY_ALLOWED_ORIGINS to allow it")


async def _trigger(feed: Feed) -> dict[str, Any]:
    match await feed.broker.request_refresh(feed.channel):
        case Refresh.TOO_SOON:
            raise HTTPException(429, "at most one update a second can be triggered", {"Retry-After": "1"})
        case Refresh.NO_WATCHER:
            raise HTTPException(503, "no watcher is connected that could read the report", {"Retry-After": "5"})
        case Refresh.REQUESTED:
            return {"message": "Update triggered", "clients": len(feed.hub), "timestamp": feed.timestamp}


def describe(feed: Feed) -> dict[str, Any]:
    """Say how the gateway fares; ``reasons`` is empty while it is healthy."""
    reasons = list(_reasons(feed))
    snapshot, source = feed.replica.snapshot, feed.replica.source
    return {
        "status": "degraded" if reasons else "healthy",
        "clients": len(feed.hub),
        "maxConnections": feed.settings.gateway_max_connections,
        "uptime": round((feed.now() - feed.started_at).total_seconds(), 3),
        "timestamp": feed.timestamp,
        "server": SERVER,
        "reasons": reasons,
        "stale": not feed.relay.is_connected,
        "broker": {"connected": feed.relay.is_connected},
        "source": source
        and {
            "state": source.state.value,
            "reason": source.reason,
            "since": source.since,
            "heardAt": feed.relay.heard_at and iso_utc(feed.relay.heard_at),
        },
        "report": snapshot
        and {
            "name": snapshot.name,
            "epoch": snapshot.epoch,
            "offset": snapshot.offset,
            "digest": snapshot.digest,
            "bytes": len(snapshot.body),
            "publishedAt": iso_utc(snapshot.published_at),
            "modifiedAt": iso_utc(snapshot.modified_at),
        },
    }


def _reasons(feed: Feed) -> Iterator[str]:
    source, snapshot = feed.replica.source, feed.replica.snapshot
    if not feed.relay.is_connected:
        yield "the broker is not connected" + ("; what is served may be stale" if snapshot else "")
    if feed.relay.heard_at is None:
        yield "no watcher has told how the report file fares"
    elif (feed.now() - feed.relay.heard_at).total_seconds() > SILENCE_S:
        yield f"no watcher has been heard since {iso_utc(feed.relay.heard_at)}"
    if source and source.state is SourceState.WAITING:
        yield f"waiting for the report file: {source.reason}"
    elif source and source.state is SourceState.REJECTED:
        yield f"the report file's present content is not served: {source.reason}"
    elif snapshot is None:
        yield "no report has been published yet"
