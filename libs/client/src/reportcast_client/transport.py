"""What the transports have in common."""

import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from reportcast.contracts.position import Position

from reportcast_client.errors import Refused
from reportcast_client.options import Options

# Asked for whenever a transport says where to follow from.
WherePosition = Callable[[], Position | None]
# Called whenever something of an answer comes, be it a part of a frame: who sends slowly is not silent.
Alive = Callable[[], None]


class Link(Protocol):
    """One connection, by whichever transport."""

    async def receive(self) -> bytes:
        """
        Wait for a frame and give it.

        Raises:
            ClientError: If there come no more.
            Exception: See ``translated``.
        """

    def patience_s(self, heartbeat_s: float | None) -> float:
        """Give how long nothing may come; ``heartbeat_s`` is what ``hello`` says, if it came."""

    async def follow(self, position: Position | None) -> None:
        """Have the gateway begin again, from a position or with the whole report."""


class Open(Protocol):
    """Begins one connection."""

    def __call__(
        self, url: str, options: Options, position: WherePosition, alive: Alive
    ) -> contextlib.AbstractAsyncContextManager[Link]:
        """
        Begin it; ``position`` is asked where to follow from. What a library raises is left to ``translated``.

        Raises:
            ClientError: If that does not succeed.
        """


def refused(status: int, headers: Mapping[str, str], body: bytes) -> Refused:
    """Make the error of an answer other than the one that was asked for."""
    return Refused(status, _sentence(body), seconds(headers.get("Retry-After")))


def _sentence(body: bytes) -> str | None:
    """Give the gateway's sentence; ``None`` if the answer is not the gateway's."""
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    sentence = answer.get("error") if isinstance(answer, dict) else None
    return sentence if isinstance(sentence, str) else None


def seconds(text: str | None) -> float | None:
    """Read ``Retry-After``; ``None`` if it says no seconds: of a date the backoff takes care."""
    return float(text) if text is not None and text.isascii() and text.isdigit() else None
