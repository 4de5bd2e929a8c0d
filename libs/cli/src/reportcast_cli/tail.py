"""``reportcast tail``: follows a feed until it is told to stop."""

import asyncio
import contextlib
import errno
import os
import select
import stat
import sys
from collections.abc import AsyncIterator, Callable, Sequence

from reportcast.contracts.clock import utc_now
from reportcast_client import (
    Changed,
    Connected,
    Disconnected,
    Event,
    Fares,
    FeedError,
    Transport,
    Unauthorized,
    connect,
)

from reportcast_cli.exits import Exit, Trouble
from reportcast_cli.fetch import ADMISSION_HINT, gateway_url
from reportcast_cli.streams import Unwritten
from reportcast_cli.telling import Telling
from reportcast_cli.terminal import console, note, say, say_bytes


def run(
    address: str,
    channel: str | None,
    token: str | None,
    statuses: Sequence[str],
    names: Sequence[str],
    transports: Sequence[str],
    count: int | None,
    as_json: bool,
) -> Exit:
    """Follow, and print what happens; ends after ``count`` reports, or when nothing more can come."""
    ways = tuple(map(Transport, transports)) or tuple(Transport)
    try:
        feed = connect(gateway_url(address), channel, token=token, statuses=statuses, names=names, transports=ways)
    except ValueError as exc:
        raise Trouble(str(exc)) from exc
    try:
        asyncio.run(_follow(feed, _print_frames() if as_json else _print_words(ways), count))
    except Unauthorized as exc:
        raise Trouble(f"{address} cannot be followed: {exc}; {ADMISSION_HINT}") from exc
    except FeedError as exc:
        raise Trouble(f"{address} cannot be followed: {exc}") from exc
    return Exit.FINE


async def _follow(feed: connect, show: Callable[[Event], None], count: int | None) -> None:
    seen = 0
    async with feed as followed, _until_unread():
        async for event in followed.events():
            show(event)
            seen += isinstance(event, Changed)
            if seen == count:
                return


def _print_words(transports: Sequence[Transport]) -> Callable[[Event], None]:
    out, telling = console(), Telling(transports)
    return lambda event: say(out, *telling.tell(event, utc_now().astimezone()))


def _print_frames() -> Callable[[Event], None]:
    """Give what prints one frame a line; trouble goes to standard error, once for each outage."""
    is_away = False

    def show(event: Event) -> None:
        nonlocal is_away
        if isinstance(event, Connected | Disconnected):
            if isinstance(event, Disconnected) and not is_away:
                note(f"not connected: {event.reason}")
            is_away = isinstance(event, Disconnected)
        elif isinstance(event, Changed | Fares) and event.frame:
            # Some reports keep their white space; in a string there is no line feed.
            say_bytes(event.frame.replace(b"\n", b" ").replace(b"\r", b" "))

    return show


@contextlib.asynccontextmanager
async def _until_unread() -> AsyncIterator[None]:
    """End the block with Unwritten once nobody reads our output, even if there is nothing to be written."""
    descriptor = sys.stdout.fileno()
    mode = os.fstat(descriptor).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)) or not hasattr(select, "epoll"):
        yield
        return
    loop, task, is_unread = asyncio.get_running_loop(), asyncio.current_task(), False

    def end() -> None:
        nonlocal is_unread
        is_unread = True
        loop.remove_reader(ends)
        assert task is not None  # we are called in one
        task.cancel()

    with select.epoll() as ends:
        # Of nothing but errors and hang-ups, which are always told: that there is something to read, be it an end, says
        # nothing. A socket may be closed in that direction alone, as that of systemd's journal is.
        ends.register(descriptor, 0)
        loop.add_reader(ends, end)
        try:
            yield
        except asyncio.CancelledError:
            if not is_unread:
                raise
            raise Unwritten(BrokenPipeError(errno.EPIPE, "nobody reads it")) from None
        finally:
            loop.remove_reader(ends)
