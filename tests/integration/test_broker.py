"""What docs and reportcast.broker.base promise, of every broker."""

import asyncio
import dataclasses
import datetime
import logging

import pytest
import redis
import redis.asyncio
from msgspec.structs import replace
from reportcast.broker.base import LEASE_S, Broker, HistoryLimits, Lease, Refresh, RejectionLimits
from reportcast.broker.errors import BrokerFenced, BrokerRefused, BrokerUnavailable
from reportcast.broker.keys import keys_of
from reportcast.broker.memory import MAX_BACKLOG, MemoryBroker
from reportcast.broker.redis import RedisBroker
from reportcast.contracts.clock import utc_now
from reportcast.contracts.messages import (
    Finding,
    Refreshed,
    Rejection,
    Snapshot,
    Source,
    SourceState,
    number,
)

from tests.support.ports import free_port
from tests.support.redis_server import RedisServer, real_redis
from tests.support.reports import MOMENT, publication
from tests.support.wait import await_until

SOURCE = Source(SourceState.REJECTED, "2026-11-23T12:00:00.000Z", "cut off")
REJECTION = Rejection(MOMENT, "r.json", "syntax", "report is empty", 1, 1, 3, "ab", "no diff")


KINDS = ["memory_broker", "redis_broker", "valkey_broker", "tls_broker", "sentinel_broker", "cluster_broker"]


@pytest.fixture(params=KINDS)
def broker(request: pytest.FixtureRequest) -> Broker:
    """Give each kind of broker in turn, on Redis in each of the forms in which people run it."""
    chosen: Broker = request.getfixturevalue(request.param)
    return chosen


async def test_offsets_are_consecutive(broker: Broker) -> None:
    """Within one epoch, from 1, without holes."""
    stored = [await broker.publish("audit", publication(mark)) for mark in range(5)]

    assert [each.position.offset for each in stored] == [1, 2, 3, 4, 5]
    assert len({each.position.epoch for each in stored}) == 1
    assert await broker.position("audit") == stored[-1].position


async def test_the_time_is_the_brokers_own(broker: Broker) -> None:
    """And the same by whatever connection it is asked; one that is in this process has none."""
    before = utc_now()
    told = await broker.time()

    assert (told is None) == isinstance(broker, MemoryBroker)
    # A server that takes the time once for all that it does in a tick is up to a ms behind.
    assert told is None or before - datetime.timedelta(milliseconds=5) <= told <= utc_now()


@pytest.mark.parametrize("ticks", range(12))
async def test_a_cancelled_call_ends(redis_broker: RedisBroker, ticks: int) -> None:
    """Whenever the cancellation comes, it is not swallowed: else a service would not end on SIGTERM."""
    await redis_broker.state("audit")  # connected

    async def ask_often() -> None:
        for _ in range(100):
            await redis_broker.state("audit")

    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(ask_often())
        for _ in range(ticks):
            await asyncio.sleep(0)
        asking.cancel()
    assert asking.cancelled()


async def test_identical_content_is_published_once(broker: Broker) -> None:
    """However many watchers publish it at the same time."""
    async with broker.subscribe("audit") as messages:
        stored = await asyncio.gather(*(broker.publish("audit", publication(7)) for _ in range(20)))
        await broker.announce_refreshed("audit")
        received = [await anext(messages), await anext(messages)]

    assert sum(each.changed for each in stored) == 1
    assert {each.position.offset for each in stored} == {1}
    assert [type(message) for message in received] == [Snapshot, Refreshed]


async def test_what_was_published_earlier_may_come_again(broker: Broker) -> None:
    """A, B, A are three changes."""
    stored = [await broker.publish("audit", publication(mark)) for mark in "aba"]

    assert [each.changed for each in stored] == [True, True, True]


async def test_the_stored_message_is_the_published_one(broker: Broker) -> None:
    """State, subscription and in-process numbering agree in every field."""
    async with broker.subscribe("audit") as messages:
        stored = await broker.publish("audit", publication(1))
        received = await anext(messages)

    assert received == number(publication(1), stored.position, f"{publication(1).stem}.json")
    assert (await broker.state("audit")).snapshot == received


async def test_an_empty_channel(broker: Broker) -> None:
    """Nothing is there, and that is no error."""
    state = await broker.state("audit")

    assert (state.snapshot, state.source) == (None, None)
    assert await broker.position("audit") is None
    assert await broker.history("audit") == []
    assert await broker.offsets("audit") == {}
    assert await broker.past_report("audit", "none.json") is None


async def test_channels_are_independent(broker: Broker) -> None:
    """What one has, another has not."""
    await broker.publish("audit", publication(1))

    assert (await broker.state("dns")).snapshot is None


async def test_the_source_is_stored_and_published(broker: Broker) -> None:
    """Those who join later read it; those who follow receive it; a new report leaves it alone."""
    async with broker.subscribe("audit") as messages:
        await broker.set_source("audit", SOURCE)
        assert await anext(messages) == SOURCE
    await broker.publish("audit", publication(1))

    assert (await broker.state("audit")).source == SOURCE


async def test_history_is_newest_first(broker: Broker) -> None:
    """By publication, whatever the names are; a taken name gets its offset."""
    for mark, stem in (("a", "2026"), ("b", "2025"), ("c", "2026")):
        await broker.publish("audit", publication(mark, stem))

    names = await broker.history("audit")

    assert names == ["2026+3.json", "2025.json", "2026.json"]
    past = [await broker.past_report("audit", name) for name in names]
    assert [snapshot and snapshot.body for snapshot in past] == [publication(mark).body for mark in "cba"]
    assert list((await broker.offsets("audit")).items()) == [(one.name, one.offset) for one in past if one]


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(HistoryLimits(max_reports=2), id="by-count"),
        pytest.param(HistoryLimits(max_bytes=2 * len(publication(1).body) + 1), id="by-bytes"),
    ],
)
async def test_history_is_bounded(redis_server: RedisServer, limits: HistoryLimits) -> None:
    """The oldest go first, in both brokers alike."""
    brokers: list[Broker] = [RedisBroker(redis_server.url, limits), MemoryBroker(lambda: 0, limits)]
    for broker in brokers:
        for mark in range(5):
            await broker.publish("audit", publication(mark, str(mark)))

        assert await broker.history("audit") == ["4.json", "3.json"]
        assert await broker.past_report("audit", "2.json") is None
        await broker.close()


async def test_the_newest_report_is_kept_even_above_the_limit(redis_server: RedisServer) -> None:
    """A report larger than the whole history is still there to be had."""
    limits = HistoryLimits(max_bytes=1)
    brokers: list[Broker] = [RedisBroker(redis_server.url, limits), MemoryBroker(lambda: 0, limits)]
    for broker in brokers:
        for mark in range(3):
            await broker.publish("audit", publication(mark, str(mark)))

        assert await broker.history("audit") == ["2.json"]
        await broker.close()


async def test_refresh_requests(broker: Broker) -> None:
    """They reach the watchers, at most one a second; nobody there is said."""
    assert await broker.request_refresh("dns") is Refresh.NO_WATCHER
    async with broker.refresh_requests(["audit"]) as requests:
        asked = [await broker.request_refresh("audit"), await broker.request_refresh("audit")]
        await anext(requests)

    assert asked == [Refresh.REQUESTED, Refresh.TOO_SOON]


async def test_a_subscriber_that_does_not_read_is_cut_off(memory_broker: MemoryBroker) -> None:
    """The in-process queue is bounded; the reader learns that it has missed something."""
    async with memory_broker.subscribe("audit") as messages:
        for _ in range(MAX_BACKLOG + 1):
            await memory_broker.announce_refreshed("audit")

        with pytest.raises(BrokerUnavailable):
            _ = [message async for message in messages]


async def test_publishing_is_all_or_nothing(redis_server: RedisServer, redis_broker: RedisBroker) -> None:
    """A key of a wrong type refuses the whole publish: nothing stored, numbered or published."""
    keys = keys_of("audit")
    await redis_broker.publish("audit", publication(1))
    before = await redis_broker.state("audit")
    client = redis.asyncio.Redis.from_url(redis_server.url)
    for key in (keys.names, keys.history):
        kept = await client.dump(key)
        await client.delete(key)
        await client.hset(key, "not", "ours")

        with pytest.raises(BrokerRefused, match="is expected"):
            await redis_broker.publish("audit", publication(2))

        assert await redis_broker.state("audit") == before
        await client.delete(key)
        assert kept is not None
        await client.restore(key, 0, kept)
    await client.aclose()
    assert (await redis_broker.publish("audit", publication(2))).position.offset == 2


async def test_foreign_messages_are_counted_and_ignored(redis_server: RedisServer) -> None:
    """What somebody else writes into our channels or keys reaches nobody."""
    bad: list[str] = []
    broker = RedisBroker(redis_server.url, on_bad_message=bad.append)
    keys = keys_of("audit")
    client = redis.asyncio.Redis.from_url(redis_server.url)
    async with broker.subscribe("audit") as messages, broker.refresh_requests(["audit"]) as requests:
        await client.publish(keys.messages, "hello")
        await broker.announce_refreshed("audit")
        assert await anext(messages) == Refreshed()
        await client.publish(keys.requests, "hello")
        await client.publish(keys.requests, "refresh")
        await anext(requests)
    await client.hset(keys.state, "message", "hello")
    assert (await broker.state("audit")).snapshot is None
    await client.aclose()
    await broker.close()

    assert len(bad) == 3


async def test_a_lost_link_ends_the_subscription(redis_server: RedisServer, redis_broker: RedisBroker) -> None:
    """The library must not subscribe again in silence: something may have been missed."""
    client = redis.asyncio.Redis.from_url(redis_server.url)
    async with redis_broker.subscribe("audit") as messages:
        await client.client_kill_filter(_type="pubsub")

        with pytest.raises(BrokerUnavailable):
            await anext(messages)
    await client.aclose()


async def test_a_broker_that_is_not_there() -> None:
    """Says where it was looked for, without the password."""
    port = free_port()
    broker = RedisBroker(f"redis://user:secret@127.0.0.1:{port}/0")

    with pytest.raises(BrokerUnavailable, match=f"broker redis://127.0.0.1:{port}/0 is unavailable: .") as caught:
        await broker.state("audit")

    assert "secret" not in str(caught.value)
    await broker.close()


async def test_an_empty_redis_begins_another_stream(redis_server: RedisServer, redis_broker: RedisBroker) -> None:
    """Offsets start over under another epoch, and the old history is gone."""
    first = await redis_broker.publish("audit", publication(1))
    client = redis.asyncio.Redis.from_url(redis_server.url)
    await client.delete(keys_of("audit").state)
    await client.aclose()

    second = await redis_broker.publish("audit", publication(2))

    assert second.position.offset == 1
    assert second.position.epoch != first.position.epoch
    assert len(await redis_broker.history("audit")) == 1


async def test_the_client_library_writes_no_report_out(
    redis_broker: RedisBroker, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even when it may log all that it likes: that would stop the event loop for 4 ms for each MB."""
    with caplog.at_level(logging.DEBUG, "push_response"):
        async with redis_broker.subscribe("audit") as messages:
            await redis_broker.publish("audit", publication(1))
            await anext(messages)

    assert caplog.messages == []


async def test_a_subscription_that_is_left_is_gone(redis_server: RedisServer, redis_broker: RedisBroker) -> None:
    """Redis counts no subscriber afterwards."""
    client = redis.asyncio.Redis.from_url(redis_server.url)
    async with redis_broker.subscribe("audit"):
        assert (await client.pubsub_numsub(keys_of("audit").messages))[0][1] == 1

    async def nobody_follows() -> bool:
        return bool((await client.pubsub_numsub(keys_of("audit").messages))[0][1] == 0)

    await await_until("nobody follows", nobody_follows)
    await client.aclose()


async def test_a_wrong_password() -> None:
    """Is a refusal that says where to look, not an outage."""
    with real_redis() as server:
        client = redis.asyncio.Redis.from_url(server.url)
        await client.config_set("requirepass", "sesame")
        await client.aclose()
        for url in (server.url, server.url.replace("redis://", "redis://:guess@")):
            broker = RedisBroker(url)

            with pytest.raises(BrokerRefused, match="another user name or password than REDIS_URL gives") as caught:
                await broker.state("audit")

            assert "guess" not in str(caught.value)
            await broker.close()


async def test_garbage_in_the_stored_state(redis_server: RedisServer, redis_broker: RedisBroker) -> None:
    """Is a refusal, not the end of the process that meets it."""
    keys = keys_of("audit")
    client = redis.asyncio.Redis.from_url(redis_server.url)
    await client.hset(keys.state, mapping={"epoch": "e", "offset": "many"})
    await client.zadd(keys.names, {b"\xff": 1})
    await client.aclose()

    with pytest.raises(BrokerRefused, match="not ours"):
        await redis_broker.position("audit")
    with pytest.raises(BrokerRefused, match="not ours"):
        await redis_broker.history("audit")
    with pytest.raises(BrokerRefused):
        await redis_broker.publish("audit", publication(1))


async def test_a_full_redis(redis_broker: RedisBroker, redis_server: RedisServer) -> None:
    """Refuses, keeps what it has, and takes the report once there is room."""
    await redis_broker.publish("audit", publication(1))
    client = redis.asyncio.Redis.from_url(redis_server.url)
    await client.config_set("maxmemory", "1")

    with pytest.raises(BrokerRefused, match="maxmemory"):
        await redis_broker.publish("audit", publication(2))

    assert await redis_broker.history("audit") == [f"{publication(1).stem}.json"]
    await client.config_set("maxmemory", "0")
    await client.aclose()
    assert (await redis_broker.publish("audit", publication(2))).position.offset == 2


async def lease(broker: Broker, holder: str, channel: str = "audit") -> Lease:
    """Take or renew one lease."""
    (lease,) = await broker.lease([channel], holder)
    assert isinstance(lease, Lease)
    return lease


async def fence_of(broker: Broker, holder: str) -> int:
    """Take a lease that nobody else holds; give its fence."""
    fence = (await lease(broker, holder)).fence
    assert fence is not None
    return fence


async def test_one_watcher_leads(broker: Broker) -> None:
    """Each channel has one holder, who can renew; who gives up or lets it lapse makes room for another."""
    fence = await fence_of(broker, "a")
    others = await broker.lease(["audit", "new"], "b")

    assert [isinstance(other, Lease) and (other.holder, other.fence is None) for other in others] == [
        ("a", True),
        ("b", False),
    ]
    assert await fence_of(broker, "a") == fence
    await broker.release(["audit"], "b")
    assert (await lease(broker, "b")).fence is None
    await broker.release(["audit"], "a")
    assert await fence_of(broker, "b") > fence


async def test_a_lease_tells_where_the_channel_stands(broker: Broker) -> None:
    """So that nothing else has to be asked for it; other holders are told, too."""
    assert (await lease(broker, "a")).position is None
    await broker.restore("audit", publication(0), await fence_of(broker, "a"))
    assert not (await lease(broker, "a")).has_report
    stored = await broker.publish("audit", publication(1), await fence_of(broker, "a"))

    told = [await lease(broker, holder) for holder in "ab"]
    assert [(each.position, each.has_report) for each in told] == [(stored.position, True)] * 2


async def test_a_refused_channel_disturbs_no_other(redis_server: RedisServer, redis_broker: RedisBroker) -> None:
    """Its key is of a wrong type: the others' leases are had."""
    client = redis.asyncio.Redis.from_url(redis_server.url)
    await client.set(keys_of("bad").state, "x", ex=60)
    await client.aclose()

    leases = await redis_broker.lease(["audit", "bad", "dns"], "a")

    assert [type(each) for each in leases] == [Lease, BrokerRefused, Lease]


async def test_a_watcher_that_does_not_lead_any_more_is_refused(broker: Broker) -> None:
    """It was frozen while another took over: neither report nor source of the old tenure gets through."""
    old = await fence_of(broker, "frozen")
    await broker.release(["audit"], "frozen")  # stands for a lease that ran out
    fence = await fence_of(broker, "other")
    await broker.publish("audit", publication("new"), fence)
    await broker.set_source("audit", SOURCE, fence)
    before = await broker.state("audit")

    with pytest.raises(BrokerFenced, match="report was sent by a watcher that does not lead"):
        await broker.publish("audit", publication("old"), old)
    with pytest.raises(BrokerFenced, match="source was sent"):
        await broker.set_source("audit", replace(SOURCE, reason="old"), old)

    assert await broker.state("audit") == before


async def test_several_sources_at_once(broker: Broker) -> None:
    """One that comes from an old tenure is left out, and disturbs no other."""
    fence = await fence_of(broker, "a")
    new = (await lease(broker, "a", "new")).fence or 0

    await broker.set_sources({"audit": (SOURCE, fence - 1), "new": (SOURCE, new)})

    assert (await broker.state("audit")).source is None
    assert (await broker.state("new")).source == SOURCE


async def test_a_lease_runs_out(redis_server: RedisServer, redis_broker: RedisBroker) -> None:
    """A watcher that was killed makes room in less than the promised 5 s; one's own lapsed tenure is another one."""
    await lease(redis_broker, "killed")

    async def has_changed_hands() -> bool:
        return (await lease(redis_broker, "other")).fence is not None

    await await_until("the lease has run out", has_changed_hands, timeout_s=LEASE_S + 1)
    now_s = 0.0
    memory = MemoryBroker(lambda: now_s)
    await lease(memory, "a")
    now_s += LEASE_S
    assert await fence_of(memory, "a") == 2


async def test_no_fence_comes_again(redis_server: RedisServer, redis_broker: RedisBroker) -> None:
    """After a loss of its data, who led before is refused, even when another has taken the lease since."""
    old = await fence_of(redis_broker, "a")
    client = redis.asyncio.Redis.from_url(redis_server.url)
    await client.flushall()
    await client.aclose()
    with pytest.raises(BrokerFenced):
        await redis_broker.publish("audit", publication(1), old)
    new = await fence_of(redis_broker, "b")
    assert (await redis_broker.publish("audit", publication(2), new)).changed

    with pytest.raises(BrokerFenced):
        await redis_broker.publish("audit", publication(1), old)


async def test_past_reports_are_put_back(broker: Broker) -> None:
    """Into the history of a channel that has no newest report, and only there; nobody is sent an old report."""
    fence = await fence_of(broker, "a")
    async with broker.subscribe("audit") as messages:
        assert await broker.restore("audit", publication("old", "1"), fence)
        assert await broker.restore("audit", publication("older", "2"), fence)
        assert not await broker.restore("audit", publication("older", "2"), fence)
        assert (await broker.state("audit")).snapshot is None
        stored = await broker.publish("audit", publication("new", "3"), fence)
        assert not await broker.restore("audit", publication("late", "4"), fence)
        message = await anext(messages)

    assert isinstance(message, Snapshot)
    assert message.position == stored.position
    assert stored.position.offset == 3
    assert await broker.history("audit") == ["3.json", "2.json", "1.json"]
    past = await broker.past_report("audit", "1.json")
    assert past
    assert past.body == publication("old").body
    with pytest.raises(BrokerFenced):
        await broker.restore("audit", publication("late"), fence + 1)


async def test_the_name_in_the_history_is_told(broker: Broker) -> None:
    """On publishing, and again when nothing changed."""
    await broker.publish("audit", publication(1, "same"))
    stored = [await broker.publish("audit", publication(2, "same")) for _ in range(2)]

    assert [(each.changed, each.name) for each in stored] == [(True, "same+2.json"), (False, "same+2.json")]


async def test_findings_travel_with_the_report(broker: Broker) -> None:
    """To those who follow and to those who join later."""
    finding = Finding("summary_mismatch", "summary says 2; the repos are 3", 4, 9)
    async with broker.subscribe("audit") as messages:
        await broker.publish("audit", dataclasses.replace(publication(1), findings=(finding,)))
        message = await anext(messages)

    assert isinstance(message, Snapshot)
    assert message.findings == (finding,)
    assert (await broker.state("audit")).snapshot == message


async def test_refused_contents_are_kept(redis_server: RedisServer) -> None:
    """The newest few, newest first, each cut to a limit; in both brokers alike."""
    limits = RejectionLimits(max_rejections=2, max_bytes=3)
    for broker in (RedisBroker(redis_server.url, rejection_limits=limits), MemoryBroker(lambda: 0, None, limits)):
        for mark in ("a", "b", "c"):
            await broker.reject("audit", replace(REJECTION, message=mark), mark.encode() * 5)

        kept = await broker.rejections("audit")

        assert [each.message for each in kept] == ["c", "b"]
        assert [await broker.rejected_content("audit", each.id) for each in kept] == [b"ccc", b"bbb"]
        assert kept[0] == replace(REJECTION, message="c", id=kept[0].id)
        assert await broker.rejected_content("audit", "1") is None
        assert await broker.rejected_content("audit", "99999999999999-0") is None
        await broker.close()
