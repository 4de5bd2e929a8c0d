"""The Python client on a real gateway, by every transport."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import reportcast_client.poll
from msgspec.structs import replace
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.messages import SourceState
from reportcast_client import (
    Changed,
    ClientError,
    Connected,
    Disconnected,
    Event,
    Fares,
    NotServed,
    Report,
    Silent,
    Timing,
    TooLarge,
    Transport,
    Unauthorized,
    WishRefused,
    connect,
    connect_sync,
)

from tests.support.http_proxy import http_proxy
from tests.support.reports import audit, change, publication
from tests.support.running import CHANNEL, RunningGateway, live, running_gateway
from tests.support.wait import await_until

READ_TOKEN = "open-sesame"
QUICK = Timing(base_s=0.05, cap_s=0.1, open_s=0.5, poll_s=0.5, climb_s=0.1)

Connect = Callable[..., connect]


@pytest.fixture(params=list(Transport))
def following(request: pytest.FixtureRequest) -> Connect:
    """Give ``connect`` by each transport in turn."""

    def by_one(url: str | list[str], *args: Any, **options: Any) -> connect:
        return connect(url, *args, transports=[request.param], timing=QUICK, proxy=False, **options)

    return by_one


async def first(events: AsyncIterator[Event], kind: type[Event]) -> Any:
    """Give the next event of a kind."""
    async with asyncio.timeout(10):
        async for event in events:
            if isinstance(event, kind):
                return event
    raise AssertionError(f"the events ended before one was {kind.__name__}")


async def exhaust(source: AsyncIterator[object]) -> None:
    """Take all that comes."""
    async with asyncio.timeout(10):
        async for _ in source:
            pass


async def test_reports_come(gateway: RunningGateway, memory_broker: MemoryBroker, following: Connect) -> None:
    """The newest first, then each newer one, with what changed; and how the channel fares."""
    async with following(gateway.address) as feed:
        reports, events = aiter(feed), feed.events()
        assert (await anext(reports)).data == audit(1)
        await memory_broker.publish(CHANNEL, change(1, 2))
        report = await anext(reports)
        assert (await first(events, Changed)).changes is None
        assert b'"repos"' in (await first(events, Changed)).changes
        await memory_broker.set_source(CHANNEL, replace(live(), state=SourceState.OVERDUE))
        await await_until("it is told", lambda: feed.status and feed.status.source and feed.status.reasons)

    assert (report.data, report.position.offset, report.channel) == (audit(2), 2, CHANNEL)
    assert report.digest == publication(2).digest
    assert (report.name, report.findings) == (publication(2).stem + ".json", ())
    assert report.modified_at.tzinfo is not None
    assert await anext(reports, None) is None


async def test_who_kept_a_report_is_told_what_it_missed(
    gateway: RunningGateway, memory_broker: MemoryBroker, following: Connect
) -> None:
    """And nothing else: not the whole again."""
    async with following(gateway.address) as feed:
        kept = await anext(aiter(feed))
    await memory_broker.publish(CHANNEL, change(1, 2))

    async with following(gateway.address, report=kept) as feed:
        assert feed.report == kept
        changed = await first(feed.events(), Changed)

    assert changed.changes is not None
    assert changed.report.data == audit(2)


async def test_another_gateway_goes_on(
    gateway: RunningGateway, memory_broker: MemoryBroker, following: Connect
) -> None:
    """Where the one that ends left off, after the time that it told."""
    async with running_gateway(memory_broker) as other:
        await await_until("it has the report", lambda: other.feed.replica.snapshot)
        async with following([gateway.address, other.address]) as feed:
            events = feed.events()
            await first(events, Changed)
            roster = gateway.feeds.roster
            await await_until("it is there, or waits", lambda: list(roster.connections) or roster.waiting)
            gateway.stop()
            left = await first(events, Disconnected)
            await memory_broker.publish(CHANNEL, change(1, 2))
            assert (await first(events, Connected)).url == other.address.rstrip("/")
            changed = await first(events, Changed)

    assert left.retry_in_s >= 0.1
    assert changed.changes is not None


async def test_a_part_of_a_report(gateway: RunningGateway, following: Connect) -> None:
    """Is asked for by status and name, and has its own digest."""
    async with following(gateway.address, statuses=["clean"], names=["other-*"]) as feed:
        report = await anext(aiter(feed))

    assert report.data == audit(1, repos=[])
    assert report.digest != publication(1).digest


@pytest.mark.parametrize(
    ("wish", "error", "sentence"),
    [
        pytest.param({}, Unauthorized, "token", id="no token"),
        pytest.param({"token": READ_TOKEN, "channel": "dns"}, NotServed, "served are: audit", id="another channel"),
        pytest.param({"token": READ_TOKEN, "names": ["a*b*c*d*e*f"]}, WishRefused, "at most 4 stars", id="a filter"),
        pytest.param({"token": READ_TOKEN, "max_bytes": 99}, TooLarge, "max_bytes allows 99", id="too large"),
    ],
)
async def test_what_ends_a_feed(
    memory_broker: MemoryBroker, following: Connect, wish: dict[str, Any], error: type[ClientError], sentence: str
) -> None:
    """Is raised where reports are awaited, with the gateway's sentence, and stays."""
    await memory_broker.publish(CHANNEL, publication(1))
    async with running_gateway(memory_broker, gateway_read_token=READ_TOKEN) as gateway:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        async with following(gateway.address, **wish) as feed:
            for source in (aiter(feed), feed.events()):
                with pytest.raises(error, match=sentence):
                    await exhaust(source)


async def test_a_token_opens(memory_broker: MemoryBroker, following: Connect) -> None:
    """By every transport."""
    await memory_broker.publish(CHANNEL, publication(1))
    async with (
        running_gateway(memory_broker, gateway_read_token=READ_TOKEN) as gateway,
        following(gateway.address, token=READ_TOKEN) as feed,
    ):
        assert (await anext(aiter(feed))).data == audit(1)


async def test_who_is_slow_gets_the_newest(
    gateway: RunningGateway, memory_broker: MemoryBroker, following: Connect
) -> None:
    """Those between are for who asks for events."""
    async with following(gateway.address) as feed:
        reports, events = aiter(feed), feed.events()
        assert (await anext(reports)).data == audit(1)
        for mark in range(2, 6):
            await memory_broker.publish(CHANNEL, change(mark - 1, mark))
        await await_until("all have come", lambda: feed.report and feed.report.position.offset == 5)

        assert (await anext(reports)).data == audit(5)
        assert [(await first(events, Changed)).report.position.offset for _ in range(5)] == [1, 2, 3, 4, 5]


async def test_silence_is_noticed(
    memory_broker: MemoryBroker, following: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection on which nothing comes for twice the heartbeat is given up, and another one made."""
    monkeypatch.setattr(reportcast_client.poll, "PAUSE_S", 0.1)
    await memory_broker.publish(CHANNEL, publication(1))
    async with (
        running_gateway(memory_broker, gateway_ping_interval_s=0.2) as gateway,
        http_proxy(gateway.address) as proxy,
        following(proxy.url) as feed,
    ):
        events = feed.events()
        await first(events, Changed)
        proxy.is_silent = True
        assert isinstance((await first(events, Disconnected)).reason, Silent)
        proxy.is_silent = False
        await memory_broker.publish(CHANNEL, change(1, 2))
        assert (await first(events, Changed)).report.data == audit(2)


@pytest.mark.parametrize("way", ["refused", "swallowed"])
async def test_what_does_not_get_through(gateway: RunningGateway, memory_broker: MemoryBroker, way: str) -> None:
    """Gives way to what does; when it would get through again, it is used again, and nothing is sent twice."""
    async with http_proxy(gateway.address) as proxy:
        proxy.refused, proxy.swallowed = ({"/ws": 403, "/events": 404}, set()) if way == "refused" else ({}, {"/ws"})
        expected = Transport.POLL if way == "refused" else Transport.EVENTS
        async with connect(proxy.url, proxy=False, timing=QUICK) as feed:
            events = feed.events()
            assert (await first(events, Connected)).transport is expected
            assert (await first(events, Changed)).report.data == audit(1)
            tried = len(proxy.asked)
            await await_until("a better one was tried", lambda: len(proxy.asked) > tried)
            assert feed.connected
            assert feed.connected.transport is expected

            proxy.refused, proxy.swallowed = {}, set()
            # The next best comes first, if it was the next to be tried.
            while (await first(events, Connected)).transport is not Transport.WEBSOCKET:
                pass
            await memory_broker.publish(CHANNEL, change(1, 2))
            changed = await first(events, Changed)

    assert changed.report.data == audit(2)
    assert changed.changes is not None


@pytest.mark.parametrize(("status", "error"), [(401, "Unauthorized"), (403, "Forbidden"), (404, "NotServed")])
async def test_where_no_gateway_is(gateway: RunningGateway, status: int, error: str) -> None:
    """Every transport is tried, once; then it ends."""
    async with http_proxy(gateway.address) as proxy:
        proxy.refused = dict.fromkeys(["/ws", "/events", "/audit"], status)
        async with connect(proxy.url, proxy=False, timing=QUICK) as feed:
            with pytest.raises(ClientError, match=f"no gateway, and says {status}") as raised:
                await anext(aiter(feed))

    assert type(raised.value).__name__ == error
    assert [path.partition("?")[0] for path in proxy.asked] == ["/ws", "/events", "/audit"]


async def test_no_gateway_yet(memory_broker: MemoryBroker, following: Connect) -> None:
    """Is waited for; that is no error."""
    await memory_broker.publish(CHANNEL, publication(1))
    async with running_gateway(memory_broker) as gateway:
        address = gateway.address
    async with following(address) as feed:
        assert "cannot be reached" in str((await first(feed.events(), Disconnected)).reason)
        assert feed.connected is None


async def test_what_the_block_raises(gateway: RunningGateway) -> None:
    """Leaves it as it is."""
    with pytest.raises(ZeroDivisionError):
        async with connect(gateway.address, proxy=False):
            raise ZeroDivisionError


async def test_without_an_event_loop(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """The same comes, and the same is raised."""

    def follow() -> tuple[Report, list[Event]]:
        with connect_sync(gateway.address, proxy=False, timing=QUICK) as feed:
            report = next(iter(feed))
            events = feed.events()
            found = [next(events), next(events)]
            assert feed.report == report
            assert feed.connected
        return report, found

    def fail() -> None:
        with connect_sync(gateway.address, "dns", proxy=False) as feed:
            for _ in feed:
                pass

    report, events = await asyncio.to_thread(follow)
    assert report.data == audit(1)
    assert isinstance(events[0], Connected)
    assert isinstance(events[1], Changed | Fares)
    with pytest.raises(NotServed):
        await asyncio.to_thread(fail)


_LEFT = """
import sys, reportcast_client
def reports():
    with reportcast_client.connect_sync(sys.argv[1], proxy=False) as feed:
        yield from feed
kept = reports()
print(next(kept).position.offset)
"""


async def test_a_program_that_leaves_its_loop(gateway: RunningGateway) -> None:
    """Ends, though the block of ``connect_sync`` did not: nobody waits for the feed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _LEFT, gateway.address, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(20):
            told = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()

    assert (process.returncode, told) == (0, (b"1\n", b""))


async def test_iterations_end_with_the_block(gateway: RunningGateway) -> None:
    """Of a program without an event loop, too, and so does one that begins later."""

    def follow() -> list[object]:
        with connect_sync(gateway.address, proxy=False, timing=QUICK) as feed:
            reports = iter(feed)
            next(reports)
        return [*reports, *feed, *feed.events()]

    assert await asyncio.to_thread(follow) == []
