"""Where everybody comes in who stays for a while, by whichever transport. Source: docs/adr/0011-admission.md."""

import sys

import structlog
from starlette.requests import HTTPConnection

from gateway.auth import is_allowed_origin
from gateway.feed import Feed, Feeds
from gateway.hub import Peer

log = structlog.get_logger("door")

# Who is refused for want of a place may come again after so long.
RETRY_AFTER_S = 5
# The reason of who comes when the gateway is about to end.
DRAINING = "draining"


class Refused(Exception):
    """
    A client that is not let in.

    Attributes:
        status: What HTTP says of it.
        sentence: What the client is told.
        reason: What the metric calls it.
        headers: Of the answer.
        facts: For the log.
    """

    def __init__(
        self, status: int, sentence: str, reason: str, headers: dict[str, str] | None = None, **facts: object
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.reason = reason
        self.headers = headers or {}
        self.facts = facts


class Door:
    """
    Lets clients in, or says why not.

    Args:
        feeds: Whose limits hold.
    """

    def __init__(self, feeds: Feeds) -> None:
        self._feeds = feeds

    def check(self, arrival: HTTPConnection) -> None:
        """
        Look at who comes, before anything that it asks for.

        Raises:
            Refused: If its address comes too often, or it is a foreign page.
        """
        headers, settings = arrival.headers, self._feeds.first.settings
        if not self._feeds.admission.admit_handshake(address_of(arrival)):
            sentence = self._feeds.admission.too_often
            raise Refused(429, sentence, "rate", {"Retry-After": "1"}, remedy="GATEWAY_HANDSHAKES_PER_S")
        if not is_allowed_origin(headers.get("origin"), headers.get("host"), settings.gateway_allowed_origins):
            sentence = "this origin may not connect; set GATEWAY_ALLOWED_ORIGINS to allow it"
            raise Refused(403, sentence, "origin", origin=headers["origin"][:200], remedy="GATEWAY_ALLOWED_ORIGINS")

    def feed(self, channel: str | None, status: int = 404) -> Feed:
        """
        Give the feed of ``channel``, the first one of ``None``.

        Raises:
            Refused: If it is not served.
        """
        feed = self._feeds.get(channel)
        if feed is None:
            asked, served = (channel or "")[:64], self._feeds.channels
            raise Refused(status, self._feeds.not_served, "channel", channel=asked, served=served)
        return feed

    def enter(self, arrival: HTTPConnection) -> None:
        """
        Take a place, which is given back by ``admission.leave``.

        Raises:
            Refused: If there is none.
        """
        again = {"Retry-After": str(RETRY_AFTER_S)}
        if self._feeds.is_draining:
            raise Refused(503, "this gateway is about to end; come again", DRAINING, again)
        if refusal := self._feeds.admission.enter(address_of(arrival)):
            raise Refused(503, self._feeds.admission.sentence(refusal), refusal.value, again)

    def peer(self, arrival: HTTPConnection, feed: Feed) -> Peer:
        """Say who it is that has come in."""
        roster, port = self._feeds.roster, arrival.client.port if arrival.client else 0
        # Most clients are of a few kinds: one text for each.
        user_agent = sys.intern(arrival.headers.get("user-agent", "")[:200])
        return Peer(next(roster.ids), feed.channel, address_of(arrival), port, user_agent, roster.clock())

    def count(self, refused: Refused, arrival: HTTPConnection) -> None:
        """Count who was not let in, and log why."""
        self._feeds.first.metrics.refused.labels(refused.reason).inc()
        log.info("connection refused", reason=refused.reason, address=address_of(arrival), **refused.facts)


def address_of(arrival: HTTPConnection) -> str:
    """Where a client is, as limits count it."""
    return arrival.client.host if arrival.client else "unknown"
