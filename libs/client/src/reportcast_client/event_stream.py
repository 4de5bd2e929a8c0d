"""Following by server-sent events. Source: docs/protocol.md, Events."""

import contextlib
from collections import deque
from collections.abc import AsyncIterator

import httpx
from reportcast.contracts.position import Position

from reportcast_client.errors import Blocked, Lost
from reportcast_client.event_lines import EventLines
from reportcast_client.http import http_client, pieces_of, refusal, unpacking_of
from reportcast_client.options import Options
from reportcast_client.transport import Alive, Link, WherePosition


@contextlib.asynccontextmanager
async def open_event_stream(url: str, options: Options, position: WherePosition, alive: Alive) -> AsyncIterator[Link]:
    """See ``Open``."""
    async with http_client(url, options) as client:
        stream = _EventStream(client, url, options, alive)
        try:
            await stream.follow(position())
            yield stream
        finally:
            await stream.close()


class _EventStream:
    def __init__(self, client: httpx.AsyncClient, url: str, options: Options, alive: Alive) -> None:
        self._client = client
        self._url = url
        self._options = options
        self._alive = alive
        self._frames: deque[bytes] = deque()
        self._ending = contextlib.AsyncExitStack()

    async def receive(self) -> bytes:
        """See ``Link``."""
        while not self._frames:
            piece = await anext(self._pieces, None)
            if piece is None:
                raise Lost("the gateway ended the event stream", has_answered=True)
            self._frames.extend(self._lines.feed(piece))
        return self._frames.popleft()

    def patience_s(self, heartbeat_s: float | None) -> float:
        """See ``Link``."""
        return self._options.timing.open_s if heartbeat_s is None else 2 * heartbeat_s

    async def follow(self, position: Position | None) -> None:
        """See ``Link``. A stream has no way back: it is asked for again."""
        await self.close()
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if position:
            headers["Last-Event-ID"] = str(position)
        request = self._client.build_request("GET", self._options.events_url(self._url), headers=headers)
        response = await self._client.send(request, stream=True)
        self._ending.push_async_callback(response.aclose)
        if response.status_code != httpx.codes.OK:
            raise await refusal(response, self._options.encoding, self._alive)
        kind = response.headers.get("Content-Type", "")
        if not kind.startswith("text/event-stream"):
            raise Blocked(f"what answers sends {kind or 'something'}, not events")
        self._frames.clear()
        self._lines = EventLines(self._options.max_bytes)
        self._pieces = pieces_of(response, unpacking_of(response, self._options.encoding), self._alive)
        self._ending.push_async_callback(self._pieces.aclose)

    async def close(self) -> None:
        """End the present stream."""
        await self._ending.aclose()
