"""Another server takes over: by Sentinels, in a cluster. What was published stays, and what comes next gets through."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from reportcast.broker.base import RENEW_S, Broker
from reportcast.broker.errors import BrokerUnavailable
from reportcast.broker.keys import keys_of
from reportcast.broker.redis import RedisBroker
from reportcast.broker.redis_link import ANSWER_S
from reportcast.contracts.messages import Delta, Publication, Snapshot

from tests.support.redis_groups import Group, client_of, redis_cluster, redis_sentinels
from tests.support.redis_server import RedisProcess
from tests.support.reports import audit, audit_bytes, publication
from tests.support.running import CHANNEL, running_gateway, running_watcher
from tests.support.wait import await_until

STATE = keys_of(CHANNEL).state

# What is promised, from the promotion on.
RECOVERED_S = 2.0

# The servers' own time to see that one is gone, and to vote.
PROMOTED_S = 20.0


@pytest.fixture(params=[redis_sentinels, redis_cluster], ids=["sentinel", "cluster"])
def group(request: pytest.FixtureRequest) -> Iterator[Group]:
    """Give servers of which the test may kill one."""
    with request.param() as group:
        yield group


async def replaced(group: Group, gone: RedisProcess) -> None:
    """Wait until another server is master of what ``gone`` had, by its own word."""

    def is_promoted() -> bool:
        with contextlib.suppress(LookupError):
            return group.master_of(STATE) is not gone
        return False

    await await_until("another master is there", is_promoted, PROMOTED_S)


async def publish(broker: Broker, report: Publication) -> None:
    """Publish as the watcher does: again, while the broker is away."""
    while True:
        with contextlib.suppress(BrokerUnavailable):
            await broker.publish(CHANNEL, report)
            return
        await asyncio.sleep(0.1)


async def test_what_is_published_survives_a_failover(group: Group) -> None:
    """Subscriptions notice, calls recover by themselves soon after the promotion, and nothing is lost."""
    broker = RedisBroker(group.url)
    await publish(broker, publication(1))
    group.replicated(STATE)
    master = group.master_of(STATE)

    async with broker.subscribe(CHANNEL) as messages:
        master.kill()
        with pytest.raises(BrokerUnavailable):
            await anext(messages)
    with pytest.raises(BrokerUnavailable):
        await broker.position(CHANNEL)
    await replaced(group, master)
    async with asyncio.timeout(RECOVERED_S):
        await publish(broker, publication(2))
    async with broker.subscribe(CHANNEL) as messages:
        await publish(broker, publication(3))
        message = await anext(messages)

    state = await broker.state(CHANNEL)
    assert state.snapshot
    assert state.snapshot.offset == 3
    assert isinstance(message, Snapshot | Delta)
    assert message.position == state.snapshot.position
    assert len(await broker.history(CHANNEL)) == 3
    await broker.close()


@pytest.mark.parametrize("group", [redis_sentinels], indirect=True, ids=["sentinel"])
async def test_a_master_that_hangs_is_left(group: Group) -> None:
    """Whoever waits for it, with a large report and much patience, is told as soon as anybody knows of another."""
    broker, large = RedisBroker(group.url), publication("x" * 1_000_000, "large")
    await publish(broker, publication(1))
    group.replicated(STATE)
    master = group.master_of(STATE)
    master.pause()

    async def position_is_told() -> bool:
        """Ask for it, as relay and tenure do all the time."""
        try:
            return await broker.position(CHANNEL) is not None
        except BrokerUnavailable:
            return False

    async with asyncio.TaskGroup() as tasks:
        publishing = tasks.create_task(publish(broker, large))
        await replaced(group, master)
        await await_until("calls are answered again", position_is_told, RECOVERED_S + ANSWER_S)
        await await_until("the report is published", publishing.done, RECOVERED_S)

    assert (await broker.state(CHANNEL)).snapshot
    await broker.close()


@pytest.mark.parametrize("group", [redis_sentinels], indirect=True, ids=["sentinel"])
async def test_a_failover_that_was_planned(group: Group) -> None:
    """The old master goes on answering, and loses what it is told, for ten seconds: it is left long before."""
    broker = RedisBroker(group.url)
    await publish(broker, publication(1))
    group.replicated(STATE)
    old = group.master_of(STATE)
    async with broker.subscribe(CHANNEL) as messages:
        group.fail_over()
        await await_until("another master is there", lambda: len(group.masters()) > 1, PROMOTED_S)
        async with asyncio.timeout(2 * RECOVERED_S):
            with pytest.raises(BrokerUnavailable):
                await anext(messages)

    await publish(broker, publication(2))
    assert old in group.masters()
    new = next(server for server in group.masters() if server is not old)
    with client_of(new) as client:
        assert client.hget(STATE, "offset") == b"2"
    await broker.close()


@pytest.mark.parametrize("group", [redis_cluster], indirect=True, ids=["cluster"])
async def test_clients_see_what_is_written_after_a_failover(group: Group, tmp_path: Path) -> None:
    """A real watcher and a real gateway: the client keeps its connection and gets the next report."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    brokers = [RedisBroker(group.url), RedisBroker(group.url)]
    async with (
        running_watcher(brokers[0], path, report_sweep_s=0.5),
        running_gateway(brokers[1]) as running,
        running.connect() as client,
    ):
        while json.loads(await client.recv()).get("data") != audit(1):
            pass
        group.replicated(STATE)
        master = group.master_of(STATE)
        master.kill()
        path.write_bytes(audit_bytes(2))
        await replaced(group, master)
        async with asyncio.timeout(RECOVERED_S + RENEW_S):
            while json.loads(await client.recv()).get("data") != audit(2):
                pass

        async def is_heard() -> bool:
            return (await running.http.post("api/ws/trigger-update")).is_success

        await await_until("requests reach the watcher", is_heard)
    for broker in brokers:
        await broker.close()
