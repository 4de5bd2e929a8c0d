"""What a feed is to follow, and how."""

import dataclasses
import ssl
import urllib.parse
from collections.abc import Iterable, Sequence

from reportcast.contracts.position import Position

from reportcast_client.events import Transport
from reportcast_client.secrets import without_secrets

_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


@dataclasses.dataclass(frozen=True, slots=True)
class Timing:
    """
    How patient a feed is; all in seconds.

    Attributes:
        base_s: It comes back after a random part of this, of twice this, and so on,
        cap_s: and at most of this;
        stable_s: and begins with ``base_s`` again after it was connected for so long.
        open_s: How long a connection may take until the gateway has said something.
        poll_s: How long a poll waits at the gateway for something new; at most 55.
        climb_s: About so long after it had to use a worse transport, it tries a better one.
    """

    base_s: float = 0.5
    cap_s: float = 30.0
    stable_s: float = 30.0
    open_s: float = 10.0
    poll_s: float = 30.0
    climb_s: float = 30.0


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """
    What a feed is to follow, and how; see ``connect``.

    Attributes:
        urls: Of the gateways, without a slash at the end; each with ``http`` or ``https``.
    """

    urls: Sequence[str]
    channel: str | None = None
    token: str | None = dataclasses.field(default=None, repr=False)
    statuses: Sequence[str] = ()
    names: Sequence[str] = ()
    transports: Sequence[Transport] = tuple(Transport)
    compression: bool = True
    proxy: str | bool = True
    tls: ssl.SSLContext | None = None
    max_bytes: int = 64 * 1024 * 1024
    timing: Timing = dataclasses.field(default_factory=Timing)

    @property
    def encoding(self) -> str:
        """How answers over HTTP may be encoded."""
        return "gzip" if self.compression else "identity"

    @property
    def headers(self) -> dict[str, str]:
        """What every request says."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def websocket_url(self, url: str, position: Position | None) -> str:
        """Give where to follow from ``position`` by WebSocket."""
        at = {"epoch": position.epoch, "offset": str(position.offset)} if position else {}
        return url.replace("http", "ws", 1) + "/ws" + self._query(at)

    def events_url(self, url: str) -> str:
        """Give where to follow by server-sent events; the position goes into a header."""
        return url + "/events" + self._query({})

    def poll_url(self, url: str, position: Position | None, told: str, wait_s: float) -> str:
        """Give where to ask for what is new since ``position``; ``told`` is the tag of the newest status."""
        since = str(position) if position else ""
        return url + "/audit" + self._query({"since": since, "wait": f"{wait_s:g}"} | ({"told": told} if told else {}))

    def _query(self, more: dict[str, str]) -> str:
        channel = {"channel": self.channel} if self.channel else {}
        words = {"status": ",".join(self.statuses), "name": ",".join(self.names)}
        given = channel | more | {name: value for name, value in words.items() if value}
        return "?" + urllib.parse.urlencode(given, safe=",:*") if given else ""


def transports_of(names: Iterable[str]) -> tuple[Transport, ...]:
    """
    Give the transports that may be used.

    Args:
        names: What is best comes first.

    Raises:
        ValueError: If there is none, or one that is unknown.
    """
    names = several("transports", names)
    if unknown := [name for name in names if name not in set(Transport)]:
        raise ValueError(f"{unknown[0]!r} is no transport; {', '.join(Transport)} are")
    if not names:
        raise ValueError("a feed needs a transport; none was given")
    return tuple(map(Transport, names))


def several(what: str, words: Iterable[str]) -> tuple[str, ...]:
    """
    Give words of which there may be several.

    Args:
        what: They are, for the error.
        words: Not a single string, whose letters would be taken for them.

    Raises:
        ValueError: If it is a string.
    """
    if isinstance(words, str):
        raise ValueError(f"{what} is a list of words; {words!r} is one word, [{words!r}] a list of it")
    return tuple(words)


def wishes(what: str, words: Iterable[str]) -> tuple[str, ...]:
    """
    Give the words of a filter.

    Args:
        what: They are, for the error.
        words: See ``several``.

    Raises:
        ValueError: If one is empty or has a comma, which an address cannot say.
    """
    given = several(what, words)
    if wrong := [word for word in given if not word or "," in word]:
        raise ValueError(f"{what} has {wrong[0]!r}; a word that is not empty and has no comma can be asked for")
    return given


def url_of(text: str) -> str:
    """
    Give a gateway's address in the one form that is used here.

    Args:
        text: ``http``, ``https``, ``ws`` or ``wss``; the path may end with a slash, or with the ``ws`` of the endpoint.

    Raises:
        ValueError: If it is none.
    """
    try:
        parts = urllib.parse.urlsplit(text)
        scheme = _SCHEMES.get(parts.scheme)
        # Labels that are empty or too long are found here, and not by each transport in its own words.
        is_address = bool(scheme and parts.hostname and parts.hostname.encode("idna") and parts.port != 0)
    except ValueError:
        is_address = False
    if not is_address:
        raise ValueError(f"{without_secrets(text)!r} is no address of a gateway; http://host:port is one")
    if parts.query or parts.fragment:
        told = without_secrets(text)
        raise ValueError(f"{told!r} has a query; what to follow is said by channel, statuses and names")
    path = parts.path.removesuffix("/").removesuffix("/ws")
    return urllib.parse.urlunsplit((_SCHEMES[parts.scheme], parts.netloc, path, "", ""))
