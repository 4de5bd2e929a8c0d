"""Every transport of the gateway as a client sees it on the wire: frames come out, whatever carried them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import websockets.exceptions
from reportcast.contracts.v1_frames import SUBPROTOCOL
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.support.running import RunningGateway

Frame = dict[str, Any]
WITHIN_S = 10.0


class TurnedAway(Exception):
    """A client that was not let in; ``status`` is HTTP's, or a close code."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(status, sentence)
        self.status = status
        self.sentence = sentence


class Ended(Exception):
    """The gateway has ended what it told."""


class Client:
    """One client; ``frames`` are its own from the first to the last."""

    def __init__(self, frames: AsyncIterator[Frame]) -> None:
        self._frames = frames

    async def next(self) -> Frame:
        """
        Give the next frame.

        Raises:
            Ended: If there is none.
        """
        async with asyncio.timeout(WITHIN_S):
            with contextlib.suppress(StopAsyncIteration):
                return await anext(self._frames)
        raise Ended

    def soon(self, *kinds: str) -> "asyncio.Task[list[Frame]]":
        """Do as ``until`` does, and let the test go on meanwhile: who polls asks only when it is read."""
        return asyncio.get_running_loop().create_task(self.until(*kinds))

    async def until(self, *kinds: str) -> list[Frame]:
        """Give frames of these types, each the next of its type; others between are passed over."""
        found = []
        for kind in kinds:
            while (frame := await self.next())["type"] != kind:
                pass
            found.append(frame)
        return found


Transport = Callable[..., contextlib.AbstractAsyncContextManager[Client]]


@contextlib.asynccontextmanager
async def by_websocket(
    gateway: RunningGateway, query: str = "", since: str = "", headers: dict[str, str] | None = None
) -> AsyncIterator[Client]:
    """Follow by WebSocket."""
    if since:
        epoch, _, offset = since.partition(":")
        query += f"&epoch={epoch}&offset={offset}"
    address = gateway.address.replace("http", "ws", 1) + f"ws?{query}"
    try:
        async with connect(address, subprotocols=[Subprotocol(SUBPROTOCOL)], additional_headers=headers) as socket:
            yield Client(_messages(socket))
    except websockets.exceptions.InvalidStatus as exc:
        raise TurnedAway(exc.response.status_code, json.loads(exc.response.body or b"{}")["error"]) from None


async def _messages(socket: websockets.asyncio.client.ClientConnection) -> AsyncIterator[Frame]:
    try:
        async for message in socket:
            yield json.loads(message)
    except websockets.exceptions.ConnectionClosedError as exc:
        if exc.rcvd and exc.rcvd.code == 1013:
            raise TurnedAway(1013, exc.rcvd.reason) from None


@contextlib.asynccontextmanager
async def by_events(
    gateway: RunningGateway,
    query: str = "",
    since: str = "",
    headers: dict[str, str] | None = None,
    encoding: str = "identity",
) -> AsyncIterator[Client]:
    """Follow by server-sent events."""
    sent = {"Accept-Encoding": encoding} | ({"Last-Event-ID": since} if since else {}) | (headers or {})
    async with httpx.AsyncClient() as http, http.stream("GET", f"{gateway.address}events?{query}", headers=sent) as got:
        await _let_in(got)
        assert got.headers["content-type"].startswith("text/event-stream")
        assert got.headers.get("content-encoding", "identity") == encoding
        yield Client(_events(got))


async def _events(response: httpx.Response) -> AsyncIterator[Frame]:
    """Read an event stream as HTML (9.2.6) has it; an event's ``id`` and the ``retry`` time come as members."""
    fields: dict[str, str] = {}
    with contextlib.suppress(httpx.RemoteProtocolError):
        async for line in response.aiter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = f"{fields[name]}\n{value}" if name in fields else value
                continue
            if "data" in fields:
                frame = json.loads(fields["data"])
                yield frame | {f"sse_{name}": value for name, value in fields.items() if name != "data"}
            fields = {}


@contextlib.asynccontextmanager
async def by_gzipped_events(
    gateway: RunningGateway, query: str = "", since: str = "", headers: dict[str, str] | None = None
) -> AsyncIterator[Client]:
    """Follow by server-sent events that are compressed."""
    async with by_events(gateway, query, since, headers, encoding="gzip") as client:
        yield client


@contextlib.asynccontextmanager
async def by_polls(
    gateway: RunningGateway, query: str = "", since: str = "", headers: dict[str, str] | None = None
) -> AsyncIterator[Client]:
    """Follow by polls that wait."""
    async with httpx.AsyncClient(base_url=gateway.address, headers=headers, timeout=WITHIN_S) as http:
        yield Client(_answers(http, query, since))


async def _answers(http: httpx.AsyncClient, query: str, since: str) -> AsyncIterator[Frame]:
    told = ""
    while True:
        try:
            got = await http.get(f"audit?since={since}&told={told}&wait=5&{query}")
        except httpx.TransportError:
            return
        await _let_in(got)
        if got.status_code == 204:
            if "retry-after" in got.headers:
                yield {"type": "drain", "retry_after_ms": 1000 * int(got.headers["retry-after"])}
                return
            continue
        for frame in got.json():
            if frame["type"] in ("snapshot", "delta"):
                since = f"{frame['epoch']}:{frame['offset']}"
            elif frame["type"] == "status":
                told = frame["tag"]
            yield frame


async def _let_in(response: httpx.Response) -> None:
    if response.status_code >= 400:
        raise TurnedAway(response.status_code, json.loads(await response.aread())["error"])
