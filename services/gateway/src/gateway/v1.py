"""What is spoken with the subprotocol ``reportcast.v1``. Source: docs/protocol.md, Version 1."""

from collections.abc import Iterable, Sequence

from reportcast.contracts.channels import is_audit
from reportcast.contracts.v1_frames import (
    HEARTBEAT,
    ErrorCode,
    drain_frame,
    error_frame,
    following,
    hello,
    pong_frame,
)
from reportcast.contracts.v1_requests import MAX_WORDS, Again, Follow, Ping, Unfollow, V1Error, parse_v1

from gateway.audience import ReportAudience
from gateway.audiences import FilterRefused
from gateway.burst import Burst
from gateway.feed import Feed, Feeds
from gateway.hub import Flow, Hub
from gateway.inbox import MAX_MESSAGE_BYTES
from gateway.roster import Connection
from gateway.subscription import Subscription


class V1Session:
    """
    The session of one client.

    Args:
        feeds: What it may follow.
        follows: What it wants to from the beginning.
        heartbeat_s: How often the client is given a sign of life.
    """

    __slots__ = ("_conflated", "_feeds", "_follows", "_given", "_heartbeat_s", "_seats")

    heartbeat = HEARTBEAT.plain

    def __init__(self, feeds: Feeds, follows: Sequence[Follow], heartbeat_s: float) -> None:
        self._feeds = feeds
        self._heartbeat_s = heartbeat_s
        self._follows = follows
        # By channel: its report, and how it fares.
        self._seats: dict[str, tuple[Subscription, Subscription]] = {}
        # Of what is not followed any more.
        self._given = 0
        self._conflated = 0

    def begin(self, connection: Connection) -> None:
        """Say hello, and what is followed; nobody is left without anything."""
        feeds = self._feeds
        limits = {"message_bytes": MAX_MESSAGE_BYTES, "filter_words": MAX_WORDS}
        paint_sample = feeds.first.settings.gateway_paint_sample
        connection.reply(hello(feeds.channels, self._heartbeat_s, limits, feeds.roster.timestamp, paint_sample))
        for follow in self._follows:
            self._follow(connection, follow)
        self._follows = ()
        if not self._seats:
            self._follow(connection, Follow(None))

    def answer(self, connection: Connection, message: str | bytes) -> None:
        """See ``Session``."""
        try:
            match parse_v1(message):
                case Follow() as follow:
                    self._follow(connection, follow)
                case Unfollow(channel):
                    self._leave(self._seated(channel))
                case Again(channel):
                    report, _ = self._seats[self._seated(channel)]
                    report.hub.repeat(report)
                case Ping():
                    connection.reply(pong_frame(self._feeds.roster.timestamp))
        except V1Error as error:
            self._refuse(connection, error)

    def pause(self, connection: Connection) -> None:
        """See ``Session``."""
        connection.flow = Flow.PAUSED
        for subscription in self._subscriptions:
            subscription.hub.pause(subscription)

    def resume(self, connection: Connection) -> None:
        """See ``Session``."""
        connection.flow = Flow.OPEN
        for subscription in self._subscriptions:
            if connection.flow is Flow.OPEN:  # else this was too much again
                subscription.hub.resume(subscription)

    def farewell(self, connection: Connection, retry_after_ms: int) -> None:
        """See ``Session``."""
        connection.reply(drain_frame(retry_after_ms))

    def end(self, connection: Connection) -> None:
        """See ``Session``."""
        for subscription in self._subscriptions:
            subscription.hub.leave(subscription)

    def given(self, connection: Connection) -> int:
        """See ``Session``."""
        return self._given + sum(Hub.given(each) for each in self._subscriptions)

    def conflated(self, connection: Connection) -> int:
        """See ``Session``."""
        return self._conflated + sum(each.conflated for each in self._subscriptions)

    def behind(self, connection: Connection) -> int:
        """See ``Session``."""
        return sum(each.hub.behind(each) for each in self._subscriptions)

    @property
    def _subscriptions(self) -> Iterable[Subscription]:
        return [each for seat in self._seats.values() for each in seat]

    def _follow(self, connection: Connection, follow: Follow) -> None:
        feed = self._feeds.get(follow.channel)
        if feed is None:
            known = ", ".join(self._feeds.channels)
            sentence = f"channel {(follow.channel or '')[:64]!r} is not served here; served are: {known}"
            self._refuse(connection, V1Error(ErrorCode.UNKNOWN_CHANNEL, sentence))
            return
        if follow.error:
            self._refuse(connection, follow.error)
        if feed.channel in self._seats:
            self._leave(feed.channel)
        audience = self._audience(connection, feed, follow)
        report = Subscription(connection, audience.hub, audience.skipped)
        status = Subscription(connection, feed.audiences.status.hub)
        self._seats[feed.channel] = report, status
        burst, reason = (None, None) if follow.position is None else audience.missed_since(follow.position)
        if follow.position is not None:
            feed.metrics.resumed.labels("recovered" if burst else "refused").inc()
        position = audience.position or feed.audiences.whole.position
        connection.reply(following(feed.channel, position, burst is not None, reason))
        self._join(connection, report, burst)
        self._join(connection, status)

    @staticmethod
    def _join(connection: Connection, subscription: Subscription, burst: Burst | None = None) -> None:
        # Pausing may have come between: what is joined before a pause is paused by it, what after it begins paused.
        subscription.flow = connection.flow
        subscription.hub.join(subscription, burst)

    def _audience(self, connection: Connection, feed: Feed, follow: Follow) -> ReportAudience:
        if follow.which and not is_audit(feed.channel):
            self._refuse(connection, V1Error(ErrorCode.BAD_FILTER, "only audit reports can be filtered"))
            return feed.audiences.whole
        try:
            return feed.audiences.of(follow.which)
        except FilterRefused as exc:
            self._refuse(connection, V1Error(ErrorCode.TOO_MANY, str(exc)))
            return feed.audiences.whole

    def _leave(self, channel: str) -> None:
        for subscription in self._seats.pop(channel):
            subscription.hub.leave(subscription)
            self._given += Hub.given(subscription)
            self._conflated += subscription.conflated

    def _seated(self, channel: str | None) -> str:
        name = self._feeds.first.channel if channel is None else channel
        if name not in self._seats:
            raise V1Error(ErrorCode.UNKNOWN_CHANNEL, f"channel {name[:64]!r} is not followed on this connection")
        return name

    def _refuse(self, connection: Connection, error: V1Error) -> None:
        self._feeds.first.metrics.bad_requests.inc()
        connection.reply(error_frame(error.code, error.sentence))
