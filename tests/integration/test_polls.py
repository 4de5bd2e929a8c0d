"""What long polls alone have to mind: what is shared, what is made, and two gateways that do not say the same."""

import asyncio
import time
from typing import Any

import pytest
from gateway.news import MAX_WHOLE
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.position import Position
from reportcast.service.uvicorn_parts import COPIED_BYTES, HeldRequest

from tests.integration.test_transports import OTHER_EPOCH, followed, position, serving
from tests.support.reports import change, publication
from tests.support.running import CHANNEL
from tests.support.wait import await_until


async def test_a_large_answer_is_the_same_for_all(memory_broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a copy for each client that is slow to take it."""
    written: list[Any] = []

    class Kept(HeldRequest):
        def answer(self, status: int, headers: Any, content: bytes = b"") -> None:
            transport = self._protocol.transport
            monkeypatch.setattr(self._protocol, "transport", Spy(transport), raising=False)
            super().answer(status, headers, content)

    class Spy:
        def __init__(self, transport: asyncio.Transport) -> None:
            self._transport = transport

        def write(self, data: bytes) -> None:
            written.append(data)
            self._transport.write(data)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._transport, name)

    monkeypatch.setattr("reportcast.service.uvicorn_parts.HeldRequest", Kept)
    async with serving(memory_broker) as gateway:
        address = f"audit?since={position(gateway, 3)}&wait=5"
        async with asyncio.TaskGroup() as tasks:
            waiting = [
                tasks.create_task(gateway.http.get(address, headers={"Accept-Encoding": "identity"})) for _ in range(3)
            ]
            await followed(gateway, 3)
            await memory_broker.publish(CHANNEL, publication(4, filling=[f"{number:019d}" for number in range(1000)]))
        answers = {task.result().content for task in waiting}

    large = [each for each in written if len(each) > COPIED_BYTES]
    assert len(answers) == 1
    assert len(large) == 3
    assert len({id(each) for each in large}) == 1


async def test_a_part_in_which_nothing_is_new_is_answered_at_once(memory_broker: MemoryBroker) -> None:
    """Once it was made, whether the client wanted to wait or not; its wait is its own."""
    async with serving(memory_broker) as gateway:
        for wait, most_s in (("0", 2.0), ("1", 4.0)):
            began_s = time.monotonic()
            answer = await gateway.http.get(f"audit?since={position(gateway, 3)}&name=repo-{wait}*&wait={wait}")

            assert answer.status_code == 204
            assert time.monotonic() - began_s < most_s


async def test_who_comes_with_the_word_of_another_gateway(memory_broker: MemoryBroker) -> None:
    """Is told how it fares here, but not as fast as it can ask: the two may differ for long."""
    async with serving(memory_broker) as gateway:
        address = f"audit?since={position(gateway, 3)}"
        began_s = time.monotonic()
        waited = await gateway.http.get(f"{address}&wait=30&told=0badc0de")
        took_s = time.monotonic() - began_s
        at_once = await gateway.http.get(f"{address}&told=0badc0de")

        assert [frame["type"] for frame in waited.json()] == ["following", "status"]
        assert 0.9 < took_s < 5
        assert [frame["type"] for frame in at_once.json()] == ["following", "status"]


async def test_a_change_is_not_held_back_by_that(memory_broker: MemoryBroker) -> None:
    """It is answered when it comes."""
    async with serving(memory_broker) as gateway:
        address = f"audit?since={position(gateway, 3)}&wait=30&told=0badc0de"
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(gateway.http.get(address))
            await followed(gateway)
            await memory_broker.publish(CHANNEL, change(3, 4))

        assert [frame["type"] for frame in waiting.result().json()] == ["following", "delta", "status"]


async def test_what_has_to_be_made_is_counted_as_an_arrival(memory_broker: MemoryBroker) -> None:
    """A part that nobody follows, and an answer that nobody was given: who asks for many is refused."""
    async with serving(memory_broker, gateway_handshakes_per_s=4) as gateway:
        newest = position(gateway, 3)
        for ask in (gateway.http.get, gateway.http.head):
            await await_until("it may come again", lambda: not _is_too_often(gateway))
            codes = [(await ask(f"audit?since={newest}&name=x{number}")).status_code for number in range(30)]
            assert 429 in codes

        assert (await gateway.http.get("audit?since=")).status_code in (200, 429)
        known = [(await gateway.http.get(f"audit?since={newest}")).status_code for _ in range(30)]
        assert known == 30 * [204]


def _is_too_often(gateway: Any) -> bool:
    return not gateway.feeds.admission.admit_handshake("127.0.0.1")


async def test_few_answers_hold_the_whole(memory_broker: MemoryBroker) -> None:
    """However many reasons there are for it."""
    async with serving(memory_broker) as gateway:
        whole, status = gateway.feed.audiences.whole, gateway.feed.audiences.status
        assert whole.position is not None
        places = [None, Position(OTHER_EPOCH, 1), Position(whole.position.epoch, 9999)]
        bodies = [whole.news_since(status, place, None) for place in places]

        assert len(set(bodies)) == len(places) > MAX_WHOLE
        assert [whole.has_at_hand(status, place) for place in places] == [False, True, True]
