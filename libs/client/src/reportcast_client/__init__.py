"""
Follows live reports: ``async with connect("http://127.0.0.1:8080") as feed: async for report in feed: ...``.

Source: docs/protocol.md, Version 1.
"""

from reportcast.contracts.messages import Finding
from reportcast.contracts.position import Position

from reportcast_client.errors import (
    Blocked,
    ClientError,
    ClosedForGood,
    Corrupt,
    FeedError,
    Forbidden,
    Interruption,
    Lost,
    NotServed,
    Refused,
    Silent,
    TooLarge,
    Unauthorized,
    Unreachable,
    WishRefused,
)
from reportcast_client.events import Changed, Connected, Disconnected, Event, Fares, Problem, Transport
from reportcast_client.feed import Feed, connect
from reportcast_client.frames import Status
from reportcast_client.options import Timing
from reportcast_client.report import Report
from reportcast_client.sync import SyncFeed, connect_sync

__all__ = [
    "Blocked",
    "Changed",
    "ClientError",
    "ClosedForGood",
    "Connected",
    "Corrupt",
    "Disconnected",
    "Event",
    "Fares",
    "Feed",
    "FeedError",
    "Finding",
    "Forbidden",
    "Interruption",
    "Lost",
    "NotServed",
    "Position",
    "Problem",
    "Refused",
    "Report",
    "Silent",
    "Status",
    "SyncFeed",
    "Timing",
    "TooLarge",
    "Transport",
    "Unauthorized",
    "Unreachable",
    "WishRefused",
    "connect",
    "connect_sync",
]
