"""What ``Feed.events()`` tells. Pure."""

import dataclasses
import enum

from reportcast_client.errors import Interruption
from reportcast_client.frames import Status
from reportcast_client.report import Report


class Transport(enum.StrEnum):
    """How frames travel; what is best comes first."""

    WEBSOCKET = "websocket"
    EVENTS = "events"
    POLL = "poll"


@dataclasses.dataclass(frozen=True, slots=True)
class Connected:
    """
    The gateway answers.

    Attributes:
        transport: By which way.
        url: The gateway's.
    """

    transport: Transport
    url: str


@dataclasses.dataclass(frozen=True, slots=True)
class Disconnected:
    """
    It does not any more, or an attempt failed; the feed comes back by itself.

    Attributes:
        transport: By which way it was tried.
        url: The gateway's.
        reason: Why.
        retry_in_s: When it is tried again.
    """

    transport: Transport
    url: str
    reason: Interruption
    retry_in_s: float


@dataclasses.dataclass(frozen=True, slots=True)
class Changed:
    """
    The report is another.

    Attributes:
        report: As it is now.
        changes: What made it of the last one, as JSON (docs/protocol.md, Deltas); ``None`` if it came whole, or
            ``skipped`` is not 0.
        skipped: How many changes before this one are not told, because the gateway, or who iterates, was too slow.
        frame: What it came by, as it came.
    """

    report: Report
    changes: bytes | None = None
    skipped: int = 0
    frame: bytes = dataclasses.field(default=b"", repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Fares:
    """
    How the channel fares has changed.

    Attributes:
        status: As it is now.
        frame: What it came by, as it came.
    """

    status: Status
    frame: bytes = dataclasses.field(default=b"", repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """
    The gateway could not meet a wish, and met the rest of it.

    Attributes:
        code: As docs/protocol.md has it (``error.code``).
        message: What was wrong.
    """

    code: str
    message: str


Event = Connected | Disconnected | Changed | Fares | Problem
