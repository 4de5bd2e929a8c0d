"""What a program follows a channel by."""

import asyncio
import random
import ssl
import weakref
from collections.abc import AsyncIterator, Sequence
from types import TracebackType

from reportcast_client.backlog import Backlog
from reportcast_client.engine import Engine
from reportcast_client.errors import ClientError, FeedError, Interruption
from reportcast_client.events import Changed, Connected, Disconnected, Event, Fares, Problem, Transport
from reportcast_client.frames import Delta, Frame, Refusal, Skipped, Status
from reportcast_client.options import Options, Timing, transports_of, url_of, wishes
from reportcast_client.reducer import Outcome, State, Step, held
from reportcast_client.report import Report
from reportcast_client.secrets import token_of


class Feed:
    """
    A channel that is followed; made by ``connect``.

    Iterating gives the newest report, then each newer one; who is slow gets the newest, and not those between. It
    raises ``FeedError`` when nothing more can come, and ends when the block of ``connect`` does. Any number of
    iterations may go on at the same time.

    Attributes:
        report: The newest; ``None`` before the first.
        status: How the channel fares, as it was last told; ``None`` before that.
        connected: By which transport to which gateway; ``None`` while there is no connection.
    """

    def __init__(self, report: Report | None = None) -> None:
        self.report = report
        self.status: Status | None = None
        self.connected: Connected | None = None
        self._version = 0
        self._end: ClientError | None = None
        self._is_over = False
        self._news = asyncio.Event()
        # Of those who iterate over events; gone when they are.
        self._backlogs: weakref.WeakSet[Backlog] = weakref.WeakSet()
        self._skipped = 0

    def __aiter__(self) -> AsyncIterator[Report]:
        return _Reports(self)

    def events(self) -> AsyncIterator[Event]:
        """
        Give all that happens from now on, after what is known now.

        Changes are given one by one, with what changed, as long as whoever iterates keeps up; see ``Backlog``.
        """
        backlog = Backlog()
        if self.connected:
            backlog.add(self.connected)
        if self.status:
            backlog.add(Fares(self.status))
        if self.report and self._version:
            backlog.add(Changed(self.report))
        self._backlogs.add(backlog)
        return _Events(self, backlog)

    @property
    def version(self) -> int:
        """How many reports came so far."""
        return self._version

    async def wait(self) -> None:
        """
        Wait until something happens.

        Raises:
            FeedError: If nothing more can.
            StopAsyncIteration: If nobody follows any more.
        """
        if self._end:
            raise self._end
        if self._is_over:
            raise StopAsyncIteration
        await self._news.wait()

    def opened(self, transport: Transport, url: str) -> None:
        """See ``Observer``."""
        self.connected = Connected(transport, url)
        self._tell(self.connected)

    def stepped(self, frame: Frame, text: bytes, before: State, step: Step) -> None:
        """See ``Observer``."""
        match frame:
            case Status() if frame.channel == step.state.channel:
                self.status = frame
                self._tell(Fares(frame, text))
            case Skipped() if frame.channel == step.state.channel:
                self._skipped = max(0, frame.merged - 1)
            case Refusal():
                self._tell(Problem(frame.code, frame.message))
        if step.outcome in (Outcome.ADOPTED, Outcome.APPLIED) and step.state.report:
            self.report = step.state.report
            self._version += 1
            changes = bytes(frame.changes) if isinstance(frame, Delta) else None
            self._tell(Changed(self.report, changes, self._skipped, text))
            self._skipped = 0

    def interrupted(self, transport: Transport, url: str, why: Interruption, retry_in_s: float) -> None:
        """See ``Observer``."""
        self.connected = None
        self._tell(Disconnected(transport, url, why, retry_in_s))

    def end(self, why: FeedError | None) -> None:
        """Have all iterations end: with an error, or because nobody follows any more."""
        self.connected = None
        self._end = self._end or why
        self._is_over = True
        self._wake()

    def _tell(self, event: Event) -> None:
        for backlog in self._backlogs:
            backlog.add(event)
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class _Reports:
    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._seen = 0

    def __aiter__(self) -> AsyncIterator[Report]:
        return self

    async def __anext__(self) -> Report:
        while self._seen == self._feed.version or self._feed.report is None:
            await self._feed.wait()
        self._seen = self._feed.version
        return self._feed.report


class _Events:
    def __init__(self, feed: Feed, backlog: Backlog) -> None:
        self._feed = feed
        self._backlog = backlog

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        while not self._backlog:
            await self._feed.wait()
        return self._backlog.take()


class connect:  # noqa: N801 - as the libraries of the field name it
    """
    Follow a channel: ``async with connect("http://127.0.0.1:8080") as feed: async for report in feed: ...``.

    The feed comes back by itself, wherever it can go on it does, and what it gives is proved. It begins in the
    background: that no gateway answers yet is no error. Proxies of the environment are used.

    Args:
        url: Of the gateway, or of several that serve the same; then after each connection it is the next one's turn.
        channel: What to follow; ``None``: that of ``report``, or without one the first that is served.
        token: What the gateway's GATEWAY_READ_TOKEN wants.
        statuses: Of an audit report, only the repositories with one of these states;
        names: and with one of these names, in which ``*`` stands for anything.
        report: What was kept of an earlier feed: it goes on from there, if it can.
        transports: What may be used, of ``Transport``; what is best comes first.
        compression: Whether to ask for it.
        proxy: Another proxy than the environment's; ``False`` for none.
        tls: What proves a gateway to be the right one; ``None``: the authorities of the system.
        max_bytes: What a frame, and so a report, may have.
        timing: How patient it is.

    Raises:
        ValueError: If the address is none, no transport is allowed, one word stands where several may, a word cannot
            be asked for, ``report`` is of another channel, or no header can carry the token.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        channel: str | None = None,
        *,
        token: str | None = None,
        statuses: Sequence[str] = (),
        names: Sequence[str] = (),
        report: Report | None = None,
        transports: Sequence[str] = tuple(Transport),
        compression: bool = True,
        proxy: str | bool = True,
        tls: ssl.SSLContext | None = None,
        max_bytes: int = 64 * 1024 * 1024,
        timing: Timing | None = None,
    ) -> None:
        urls = [url_of(each) for each in ([url] if isinstance(url, str) else url)]
        if not urls:
            raise ValueError("a feed needs a gateway; none was given")
        self._options = Options(
            urls=urls,
            channel=_channel_of(channel, report),
            token=token_of(token),
            statuses=wishes("statuses", statuses),
            names=wishes("names", names),
            transports=transports_of(transports),
            compression=compression,
            proxy=proxy,
            tls=tls,
            max_bytes=max_bytes,
            timing=timing or Timing(),
        )
        self._held = report

    async def __aenter__(self) -> Feed:
        self._feed = Feed(self._held)
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        self._following = self._tasks.create_task(self._follow())
        return self._feed

    async def _follow(self) -> None:
        state = held(self._held) if self._held else State(self._options.channel)
        engine = Engine(self._options, self._feed, state, random.Random())  # noqa: S311 - no secret
        self._feed.end(await engine.run())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._feed.end(None)
        self._following.cancel()
        # What the block raised is not the group's: it leaves as it is, not in a group of one.
        await self._tasks.__aexit__(None, None, None)


def _channel_of(channel: str | None, kept: Report | None) -> str | None:
    if channel and kept and channel != kept.channel:
        raise ValueError(f"the report that was kept is of {kept.channel!r}; to be followed is {channel!r}")
    return channel or (kept.channel if kept else None)
