"""How a feed fares, in the words of ``/api/ws/status``. Source: docs/protocol.md, Endpoints."""

from collections.abc import Iterator
from typing import Any, Literal

from reportcast.contracts.clock import iso_utc
from reportcast.contracts.frames import SERVER
from reportcast.contracts.messages import Snapshot, Source, SourceState

from gateway.feed import Feed
from gateway.lateness import overdue_reason

# A watcher speaks every 5 s; after so long without a word there is none, or it cannot reach the broker.
SILENCE_S = 20.0


def condition(feed: Feed) -> Literal["healthy", "degraded"]:
    """Say in one word how the feed fares."""
    return "degraded" if any(_reasons(feed)) else "healthy"


def describe(feed: Feed) -> dict[str, Any]:
    """Say how the feed fares; ``reasons`` is empty while it is healthy."""
    snapshot, source = feed.replica.snapshot, feed.replica.source
    return {
        "status": condition(feed),
        "channel": feed.channel,
        "clients": len(feed.hub),
        "maxConnections": feed.admission.max_connections,
        "uptime": round((feed.now() - feed.started_at).total_seconds(), 3),
        "timestamp": feed.timestamp,
        "server": SERVER,
        "reasons": list(_reasons(feed)),
        "stale": not feed.relay.is_connected,
        "broker": {"connected": feed.relay.is_connected},
        "source": source and _source(feed, source),
        "report": snapshot and _report(snapshot),
    }


def _source(feed: Feed, source: Source) -> dict[str, Any]:
    late_s = feed.late_by_s
    return {
        "state": source.state.value,
        "reason": source.reason,
        "since": source.since,
        "heardAt": feed.relay.heard_at and iso_utc(feed.relay.heard_at),
        "expectedEveryS": source.expected_every_s,
        "dueAt": source.due_at and iso_utc(source.due_at),
        "lateByS": None if late_s is None else round(late_s, 3),
    }


def _report(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "name": snapshot.name,
        "epoch": snapshot.epoch,
        "offset": snapshot.offset,
        "digest": snapshot.digest,
        "bytes": len(snapshot.body),
        "publishedAt": iso_utc(snapshot.published_at),
        "modifiedAt": iso_utc(snapshot.modified_at),
        "findings": [
            {"kind": each.kind, "message": each.message, "line": each.line, "column": each.column}
            for each in snapshot.findings
        ],
    }


def _reasons(feed: Feed) -> Iterator[str]:
    snapshot = feed.replica.snapshot
    if not feed.relay.is_connected:
        yield "the broker is not connected" + ("; what is served may be stale" if snapshot else "")
    if feed.relay.heard_at is None:
        yield "no watcher has told how the report file fares"
    elif (feed.now() - feed.relay.heard_at).total_seconds() > SILENCE_S:
        yield f"no watcher has been heard since {iso_utc(feed.relay.heard_at)}"
    source = feed.replica.source
    if source_reason := source and _source_reason(feed, source):
        yield source_reason
    elif snapshot is None:
        yield "no report has been published yet"


def _source_reason(feed: Feed, source: Source) -> str | None:
    match source.state:
        case SourceState.WAITING:
            return f"waiting for the report file: {source.reason}"
        case SourceState.REJECTED:
            return f"the report file's present content is not served: {source.reason}"
        case SourceState.OVERDUE:
            return overdue_reason(source, feed.late_by_s)
        case SourceState.LIVE:
            return None
