"""What is spoken without a subprotocol. Source: docs/protocol.md, Frames."""

from reportcast.contracts.frames import Request, RequestError, no_report, parse_request, pong, request_error

from gateway.feed import Feed
from gateway.roster import Connection


class PlainSession:
    """
    The session of everybody who follows ``feed`` without a subprotocol.

    Such a connection follows one thing, and so is the hub's follower itself.
    """

    heartbeat = b""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._hub = feed.audiences.plain.hub

    def begin(self, connection: Connection) -> None:
        """Give the newest report at once, or tell that there is none."""
        self._hub.join(connection)
        if self._hub.newest is None:
            connection.reply(no_report(self._feed.roster.timestamp))

    def answer(self, connection: Connection, message: str | bytes) -> None:
        """See ``Session``."""
        timestamp = self._feed.roster.timestamp
        try:
            request = parse_request(message)
        except RequestError as error:
            self._feed.metrics.bad_requests.inc()
            connection.reply(request_error(error))
            return
        match request:
            case Request.PING:
                connection.reply(pong(timestamp))
            case Request.UPDATE if self._hub.newest is None:
                connection.reply(no_report(timestamp))
            case Request.UPDATE:
                self._hub.repeat(connection)

    def pause(self, connection: Connection) -> None:
        """See ``Session``."""
        self._hub.pause(connection)

    def resume(self, connection: Connection) -> None:
        """See ``Session``."""
        self._hub.resume(connection)

    def farewell(self, connection: Connection, retry_after_ms: int) -> None:
        """See ``Session``; the close frame's reason says it."""

    def end(self, connection: Connection) -> None:
        """See ``Session``."""
        self._hub.leave(connection)

    def given(self, connection: Connection) -> int:
        """See ``Session``."""
        return self._hub.given(connection)

    def conflated(self, connection: Connection) -> int:
        """See ``Session``."""
        return connection.conflated

    def behind(self, connection: Connection) -> int:
        """See ``Session``."""
        return self._hub.behind(connection)
