"""
Clients that ask for what is new, and wait for it: each is answered once, with what all at its position are answered.

Source: docs/protocol.md, Polling.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from reportcast.contracts.body import Encoding, PreparedBody
from reportcast.contracts.frames import PreparedFrame
from reportcast.contracts.position import Position
from starlette.responses import Response

from gateway.audience import ReportAudience
from gateway.burst import Burst
from gateway.encoding import acceptable
from gateway.feed import Feed
from gateway.hub import Flow, Peer
from gateway.subscription import Subscription

# A part of a report that nobody else follows is made first.
MAKING_S = 5.0


class Answerable(Protocol):
    """Where the answer of one poll goes."""

    def answer(self, status: int, headers: Iterable[tuple[str, str]], content: bytes = b"") -> None:
        """Answer, once; ``content`` is empty with 204."""
        ...


class Poll:
    """
    One client that waits for what is new of a report, or of how it fares.

    Args:
        feed: Of which channel.
        audience: Those who follow the same of it.
        peer: Who it is; it has a place, which is given back at the end.
        position: Where it stands; ``None``: nowhere.
        told: The tag of how it was told that the channel fares; ``None``: it does not want to know.
        accepts: Its ``Accept-Encoding``.

    Attributes:
        until_s: When it is told that nothing is new, by the roster's clock.
    """

    __slots__ = (
        "_accepts",
        "_audience",
        "_due_s",
        "_feed",
        "_place",
        "_position",
        "_report",
        "_status",
        "_told",
        "flow",
        "peer",
        "until_s",
    )

    def __init__(
        self,
        feed: Feed,
        audience: ReportAudience,
        peer: Peer,
        position: Position | None,
        told: str | None,
        accepts: str | None,
    ) -> None:
        self.peer = peer
        self.flow = Flow.OPEN
        self.until_s = 0.0
        self._feed = feed
        self._audience = audience
        self._position = position
        self._told = told
        self._accepts = accepts
        self._place: Answerable | None = None

    @property
    def news(self) -> PreparedBody | None:
        """What it is to be answered; ``None`` if nothing is new."""
        return self._audience.news_since(self._feed.audiences.status, self._position, self._told)

    @property
    def is_behind(self) -> bool:
        """Whether something of the report is new, and not alone how it fares."""
        return self._audience.lacks(self._position)

    @property
    def is_at_hand(self) -> bool:
        """Whether what it is to be answered was made for another."""
        return self._audience.has_at_hand(self._feed.audiences.status, self._position)

    @property
    def is_being_made(self) -> bool:
        """Whether there is a report, but not yet the part of it that the client asks for."""
        return self._audience.position is None and self._feed.replica.snapshot is not None

    def encoding_of(self, body: PreparedBody) -> Encoding:
        """How the client is sent ``body``; it takes one of them at least."""
        return acceptable(self._accepts, len(body.raw))[0]

    def headers_of(self, body: PreparedBody | None) -> list[tuple[str, str]]:
        """What stands before an answer; ``None`` is that there is nothing new."""
        headers = [
            ("cache-control", "no-store"),
            ("x-reportcast-stale", "false" if self._feed.relay.is_connected else "true"),
        ]
        if body is not None:
            headers += [("content-type", "application/json"), ("vary", "Accept-Encoding")]
            encoding = self.encoding_of(body)
            if encoding is not Encoding.IDENTITY:
                headers.append(("content-encoding", encoding.value))
        return headers

    def wait(self, place: Answerable, wait_s: float) -> None:
        """Wait for so long at most, and for a part that is being made in any case, and then answer at ``place``."""
        roster = self._feed.roster
        self._due_s = roster.clock() + wait_s
        self.until_s = max(self._due_s, roster.clock() + MAKING_S) if self.is_being_made else self._due_s
        self._place = place
        self._report = Subscription(self, self._audience.hub)
        self._status = Subscription(self, self._feed.audiences.status.hub)
        for subscription in (self._report, self._status):
            subscription.hub.join(subscription, Burst((), subscription.hub.sequence))
        roster.wait(self)

    def expire(self) -> None:
        """Answer with what there is: it has waited for long enough."""
        if not self._answer():
            self.give_up()

    def give_up(self, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Say that nothing is new."""
        if (place := self.leave()) is not None:
            place.answer(204, [*self.headers_of(None), *headers])

    def forget(self) -> None:
        """Wait no longer, for the client is gone."""
        self.leave()

    def leave(self) -> Answerable | None:
        """Wait no longer; give where the answer goes, ``None`` if that was asked before."""
        place, self._place = self._place, None
        if place is not None:
            for subscription in (self._report, self._status):
                subscription.hub.leave(subscription)
            self._feed.roster.end_wait(self)
        return place

    # What a hub sees.

    def write(self, burst: Burst) -> None:
        """See ``Subscriber``; it may have what is new from another gateway already."""
        if self._answer() or self.is_being_made:
            return
        self.until_s = self._due_s  # a part was made for it, in which nothing is new
        if self._feed.roster.clock() >= self._due_s:
            self.give_up()

    def queue(self, burst: Burst) -> None:
        """See ``Subscriber``: it is never behind."""

    def reply(self, frame: PreparedFrame) -> None:
        """See ``Subscriber``: nobody tells it anything alone."""

    def abort(self) -> None:
        """End it: what it waits for will not come."""
        self.give_up()

    def _answer(self) -> bool:
        """Answer if there is something new; say whether there is."""
        body = self.news
        if body is not None and (place := self.leave()) is not None:
            self._feed.compressor.then(body, self.encoding_of(body), self._answering(place, body))
        return body is not None

    def _answering(self, place: Answerable, body: PreparedBody) -> Callable[[bytes], None]:
        return lambda content: place.answer(200, self.headers_of(body), content)


class Promise:
    """Where a task waits for the answer, which goes through middleware then."""

    def __init__(self) -> None:
        self.response: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

    def answer(self, status: int, headers: Iterable[tuple[str, str]], content: bytes = b"") -> None:
        """See ``Answerable``."""
        if not self.response.done():  # its task may have been cancelled
            self.response.set_result(Response(content, status, dict(headers)))
