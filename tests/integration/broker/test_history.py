"""Past reports and refused contents: what is kept of them, by which names, and within which bounds."""

import pytest
from msgspec.structs import replace
from reportcast.broker.base import Broker, HistoryLimits, RejectionLimits
from reportcast.broker.errors import BrokerFenced
from reportcast.broker.memory import MemoryBroker
from reportcast.broker.redis import RedisBroker
from reportcast.contracts.messages import Rejection, Snapshot

from tests.support.leases import fence_of
from tests.support.redis_server import RedisServer
from tests.support.reports import MOMENT, publication

REJECTION = Rejection(MOMENT, "r.json", "syntax", "report is empty", 1, 1, 3, "ab", "no diff")


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
