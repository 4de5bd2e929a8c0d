"""
What a gateway sends with the subprotocol ``reportcast.v1``.

Source: docs/protocol.md, Version 1.
"""

import enum
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from reportcast.contracts.body import PreparedBody
from reportcast.contracts.clock import iso_utc
from reportcast.contracts.frames import SERVER, PreparedFrame
from reportcast.contracts.messages import Delta, Snapshot
from reportcast.contracts.position import Position

SUBPROTOCOL = "reportcast.v1"


class ErrorCode(enum.StrEnum):
    """What is wrong with what a client asked."""

    UNKNOWN_CHANNEL = "unknown_channel"
    BAD_POSITION = "bad_position"
    BAD_FILTER = "bad_filter"
    BAD_MESSAGE = "bad_message"
    UNKNOWN_TYPE = "unknown_type"
    TOO_MANY = "too_many"


def hello(
    channels: Sequence[str], heartbeat_s: float, limits: Mapping[str, int], timestamp: str, paint_sample: float
) -> PreparedFrame:
    """
    Prepare what a client is told first: who serves it, what there is, and how much it may ask.

    Args:
        channels: What is served.
        heartbeat_s: Between heartbeats.
        limits: On what a client sends.
        timestamp: ISO 8601 UTC.
        paint_sample: Of how many changes a browser should report when they were painted; 0 (none) to 1 (all).
    """
    return _prepared(
        type="hello",
        protocol=SUBPROTOCOL,
        server=SERVER,
        channels=channels,
        heartbeat_s=heartbeat_s,
        limits=limits,
        paint_sample=paint_sample,
        timestamp=timestamp,
    )


def following(channel: str, position: Position | None, recovered: bool, reason: str | None = None) -> PreparedFrame:
    """
    Prepare the answer to who begins to follow.

    Args:
        channel: What is followed.
        position: Where it stands; ``None`` before the first report.
        recovered: Whether every change since the client's position, and nothing else, comes next.
        reason: Why not, to a client that gave a position.
    """
    epoch, offset = (position.epoch, position.offset) if position else (None, None)
    more = {} if reason is None else {"reason": reason}
    return _prepared(type="following", channel=channel, epoch=epoch, offset=offset, recovered=recovered, **more)


def snapshot_frame(
    channel: str, snapshot: Snapshot, body: PreparedBody, digest: str, hops_ms: Mapping[str, float] | None = None
) -> PreparedFrame:
    """Prepare a whole report; ``body``, and its ``digest``, may be a part's. For ``hops_ms`` see ``delta_frame``."""
    return _with_body(snapshot, _stamps("snapshot", channel, snapshot, hops_ms, digest=digest), "data", body)


def delta_frame(
    channel: str,
    delta: Snapshot | Delta,
    changes: PreparedBody,
    base: str,
    digest: str,
    hops_ms: Mapping[str, float] | None = None,
) -> PreparedFrame:
    """
    Prepare one change, which makes of the report with the digest ``base`` the one with ``digest``.

    Args:
        channel: Which.
        delta: The change, or the state that it leads to.
        changes: The change, or that of a part.
        base: Digest of what it starts from.
        digest: Of what it leads to.
        hops_ms: Where its time went until it came here (docs/protocol.md, Latency); ``None`` if that is not known.
    """
    return _with_body(delta, _stamps("delta", channel, delta, hops_ms, base=base, digest=digest), "changes", changes)


def status_frame(channel: str, fares: Mapping[str, Any], timestamp: str) -> PreparedFrame:
    """Prepare what is to be known of how the channel fares; ``fares`` has a ``tag`` (``tag_of``)."""
    return _prepared(type="status", channel=channel, **fares, timestamp=timestamp)


def tag_of(fares: Mapping[str, Any]) -> str:
    """Give the name of what is told: the same on every gateway that tells the same."""
    return hashlib.sha256(msgspec.json.encode(fares)).hexdigest()[:8]


def skipped_frame(channel: str, first: int | None, last: int, merged: int) -> PreparedFrame:
    """
    Prepare what a slow client is told before the snapshot that stands for what it was too slow for.

    Args:
        channel: Which.
        first: The offset that it had; ``None`` if that was of another epoch.
        last: The offset of the snapshot.
        merged: How many changes it stands for.
    """
    return _prepared(**{"type": "skipped", "channel": channel, "from": first, "to": last, "merged": merged})


def drain_frame(retry_after_ms: int) -> PreparedFrame:
    """Prepare what a client is told that is about to be closed, and should come back after so long."""
    payload = msgspec.json.encode({"type": "drain", "retry_after_ms": retry_after_ms})
    return PreparedFrame(payload, fields=b"retry: %d\n" % retry_after_ms)


def error_frame(code: ErrorCode, message: str) -> PreparedFrame:
    """Prepare the answer to what cannot be done."""
    return _prepared(type="error", code=code.value, message=message)


def pong_frame(timestamp: str) -> PreparedFrame:
    """Prepare the answer to ``ping``."""
    return _prepared(type="pong", timestamp=timestamp)


HEARTBEAT = PreparedFrame(b'{"type":"heartbeat"}')


def _stamps(
    kind: str, channel: str, message: Snapshot | Delta, hops_ms: Mapping[str, float] | None, **digests: str
) -> dict[str, Any]:
    return {
        "type": kind,
        "channel": channel,
        "epoch": message.epoch,
        "offset": message.offset,
        "name": message.name,
        **digests,
        "published_at": iso_utc(message.published_at),
        "modified_at": iso_utc(message.modified_at),
        "findings": message.findings,
        **({} if hops_ms is None else {"hops_ms": hops_ms}),
    }


def _with_body(message: Snapshot | Delta, fields: dict[str, Any], name: str, body: PreparedBody) -> PreparedFrame:
    head = msgspec.json.encode(fields)[:-1] + b',"%s":' % name.encode()
    return PreparedFrame(head, body, b"}", fields=b"id: %b\n" % str(message.position).encode())


def _prepared(**fields: Any) -> PreparedFrame:
    return PreparedFrame(msgspec.json.encode(fields))
