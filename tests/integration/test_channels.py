"""Many reports through one gateway, each on a channel of its own, on a real server."""

import asyncio
import json

import httpx
import pytest
import websockets.exceptions
from gateway.settings import GatewaySettings
from reportcast.broker.base import Broker
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.close_codes import CloseCode
from reportcast.contracts.messages import Source, SourceState
from reportcast.service.settings import SettingsError, describe_settings, load_settings

from tests.support.faults import HoldsState
from tests.support.reports import audit, publication
from tests.support.running import ADMIN_TOKEN, SINCE, RunningGateway, live, running_gateway
from tests.support.wait import await_until

CHANNELS = ("audit", "dns")
REFUSAL = {"error": "this channel is not served here; served are: audit, dns"}


async def publish_both(broker: Broker) -> None:
    """Put a report on each channel, with a watcher's word that all is well."""
    for mark, channel in enumerate(CHANNELS):
        await broker.publish(channel, publication(mark, channel))
        await broker.set_source(channel, live())


async def has_both(gateway: RunningGateway) -> None:
    """Wait until the gateway serves both channels."""
    await await_until("it has both", lambda: all(feed.replica.snapshot for feed in gateway.feeds))


async def test_each_client_gets_its_own_channel(broker: Broker) -> None:
    """Clients that name none get the first, as they always did; a change goes to its followers alone."""
    await publish_both(broker)
    async with (
        running_gateway(broker, CHANNELS) as gateway,
        gateway.connect() as unnamed,
        gateway.connect("audit") as first,
        gateway.connect("dns") as second,
    ):
        await has_both(gateway)
        for mark in (2, 3):
            for client, channel in ((unnamed, "audit"), (first, "audit"), (second, "dns")):
                await broker.publish(channel, publication(f"{channel}-{mark}"))
                while (frame := json.loads(await client.recv())).get("data") != audit(f"{channel}-{mark}"):
                    other = "audit" if channel == "dns" else "dns"
                    assert f"repo-{other}-" not in json.dumps(frame)

        assert list(frame) == ["type", "data", "timestamp", "server"]
        assert frame["type"] == "audit-update"


async def test_each_endpoint_takes_a_channel(memory_broker: MemoryBroker) -> None:
    """And without one is of the first."""
    await publish_both(memory_broker)
    async with running_gateway(memory_broker, CHANNELS) as gateway:
        await has_both(gateway)
        dns = {"channel": "dns"}
        assert (await gateway.http.get("audit")).json() == audit(0)
        assert (await gateway.http.get("audit", params=dns)).json() == audit(1)
        assert (await gateway.http.get("audit/history")).json() == ["audit.json"]
        assert (await gateway.http.get("audit/history", params=dns)).json() == ["dns.json"]
        assert (await gateway.http.get("audit/history/dns.json", params=dns)).json() == audit(1)
        assert (await gateway.http.get("audit/history/dns.json")).status_code == 404
        assert [(await gateway.status(name))["channel"] for name in (None, "dns")] == ["audit", "dns"]
        async with memory_broker.refresh_requests(["dns"]) as requests:
            triggered = await gateway.http.post("api/ws/trigger-update", params=dns)
            await anext(requests)
            assert triggered.json()["message"] == "Update triggered"
            assert (await gateway.http.post("api/ws/trigger-update")).status_code == 503  # nobody watches the first


@pytest.mark.parametrize("channel", ["", "DNS", "dns ", "../audit", "<script>alert(1)</script>", "a" * 65, "\x00"])
async def test_a_channel_that_is_not_served(memory_broker: MemoryBroker, channel: str) -> None:
    """404 with the names of those that are, and nothing of what was asked; the WebSocket is refused with 403."""
    async with running_gateway(memory_broker, CHANNELS, gateway_admin_token=ADMIN_TOKEN) as gateway:
        admin = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        get, post = gateway.http.get, gateway.http.post
        query = {"channel": channel}
        answers: list[httpx.Response] = [
            await get("audit", params=query),
            await get("audit/history", params=query),
            await get("audit/history/x.json", params=query),
            await get("audit/rejected", params=query, headers=admin),
            await get("audit/rejected/1-0", params=query, headers=admin),
            await get("api/ws/status", params=query),
            await post("api/ws/trigger-update", params=query, headers=admin),
        ]
        assert [(answer.status_code, answer.json()) for answer in answers] == [(404, REFUSAL)] * len(answers)
        with pytest.raises(websockets.exceptions.InvalidStatus) as caught:
            await gateway.connect(channel)
        assert caught.value.response.status_code == 403
        assert await gateway.metric("reportcast_gateway_refused_total", reason="channel") == 1


async def test_the_limit_is_of_all_channels_together(memory_broker: MemoryBroker) -> None:
    """Two of one channel leave no room for one of another."""
    async with running_gateway(memory_broker, CHANNELS, gateway_max_connections=2) as gateway:
        async with gateway.connect() as first, gateway.connect("dns") as second:
            await first.recv()
            await second.recv()
            assert await gateway.metric("reportcast_gateway_connections", transport="websocket") == 2
            async with gateway.connect("dns") as third:
                with pytest.raises(websockets.exceptions.ConnectionClosed):
                    await third.recv()
                assert third.close_code == CloseCode.TRY_AGAIN_LATER
        await await_until("both are gone", lambda: not len(gateway.feeds.roster))
        assert await gateway.metric("reportcast_gateway_connections", transport="websocket") == 0
        async with gateway.connect("dns") as fourth:
            await fourth.recv()


async def test_the_status_of_all(memory_broker: MemoryBroker) -> None:
    """In full of one channel, in a word of all; trouble of one is not the other's."""
    await publish_both(memory_broker)
    async with running_gateway(memory_broker, CHANNELS) as gateway, gateway.connect("dns") as client:
        await has_both(gateway)
        await client.recv()
        await memory_broker.set_source("dns", Source(SourceState.REJECTED, SINCE, "report is empty"))
        await await_until("it is told", lambda: gateway.feeds.get("dns").replica.source.reason)  # type: ignore[union-attr]

        first, second = await gateway.status(), await gateway.status("dns")

    assert (first["status"], first["reasons"], first["clients"]) == ("healthy", [], 0)
    assert (second["status"], second["clients"]) == ("degraded", 1)
    assert first["channels"] == second["channels"] == {"audit": "healthy", "dns": "degraded"}


async def test_the_clients_of_all_channels(memory_broker: MemoryBroker) -> None:
    """In one list, oldest first, each with its channel."""
    async with running_gateway(memory_broker, CHANNELS, gateway_admin_token=ADMIN_TOKEN) as gateway:
        admin = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        async with gateway.connect("dns") as first, gateway.connect() as second, gateway.connect("dns") as third:
            for client in (first, second, third):
                await client.recv()
            listed = (await gateway.http.get("api/ws/clients", headers=admin)).json()

    assert listed["count"] == 3
    assert [client["channel"] for client in listed["clients"]] == ["dns", "audit", "dns"]


async def test_ready_when_every_channel_was_read(memory_broker: MemoryBroker) -> None:
    """One whose stored state is not read yet keeps the gateway from getting work, and is named."""
    holding = HoldsState(memory_broker, "dns")
    async with running_gateway(holding, CHANNELS) as gateway:
        await await_until("the first was read", lambda: gateway.feed.relay.is_connected)
        answer = await gateway.http.get("readyz")
        assert answer.json()["failing"] == {"channel dns": "its state was not read yet"}
        assert await gateway.metric("reportcast_gateway_broker_connected", channel="audit") == 1
        assert await gateway.metric("reportcast_gateway_broker_connected", channel="dns") == 0

        holding.go.set()

        await await_until("it is ready", lambda: gateway.feed.health.is_ready)


async def test_many_channels_on_one_redis(redis_broker: Broker) -> None:
    """Fifty, each followed by its own subscription."""
    channels = [f"report-{number}" for number in range(50)]
    async with running_gateway(redis_broker, channels) as gateway:
        await await_until("it is ready", lambda: gateway.feed.health.is_ready)
        async with asyncio.TaskGroup() as tasks:
            for mark, channel in enumerate(channels):
                tasks.create_task(redis_broker.publish(channel, publication(mark)))
        await await_until("it has all", lambda: all(feed.replica.snapshot for feed in gateway.feeds))

        bodies = [(await gateway.http.get("audit", params={"channel": channel})).json() for channel in channels]

    assert bodies == [audit(mark) for mark in range(50)]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        pytest.param("audit,d n s", "channel 'd n s' is no name; 1 to 64 letters", id="bad-name"),
        pytest.param("audit," + "a" * 65, "is no name", id="too-long"),
        pytest.param("dns,audit,dns", "channel 'dns' is named twice; once is allowed", id="twice"),
        pytest.param(" , ", "no channel is named; expected at least one", id="none"),
    ],
)
def test_channels_that_cannot_be_served(value: str, words: str) -> None:
    """Are one clear error of the setting."""
    with pytest.raises(SettingsError) as caught:
        load_settings(GatewaySettings, {"GATEWAY_CHANNELS": value})

    assert str(caught.value).startswith(f"GATEWAY_CHANNELS is {value!r}: ")
    assert words in str(caught.value)


def test_the_channels_setting() -> None:
    """In the order given; one, the audit, without it; and the help says so."""
    assert load_settings(GatewaySettings, {"GATEWAY_CHANNELS": "dns, audit"}).gateway_channels == ("dns", "audit")
    assert load_settings(GatewaySettings, {}).gateway_channels == ("audit",)
    assert "those who name none [audit]" in describe_settings(GatewaySettings)
