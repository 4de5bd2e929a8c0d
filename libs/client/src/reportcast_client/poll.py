"""Following by long polls. Source: docs/protocol.md, Polling."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator

import httpx
from reportcast.contracts.position import Position

from reportcast_client.errors import Blocked, Lost
from reportcast_client.frames import Status, frame_of, frames_of
from reportcast_client.http import body_of, http_client, refusal
from reportcast_client.options import Options
from reportcast_client.transport import Alive, Link, WherePosition, seconds

HEARTBEAT = b'{"type":"heartbeat"}'
# What answers at once with nothing new, again and again, is no gateway; it is not asked more often than this.
PAUSE_S = 1.0
# A gateway lets nobody wait longer.
MAX_WAIT_S = 55.0


@contextlib.asynccontextmanager
async def open_poll(url: str, options: Options, position: WherePosition, alive: Alive) -> AsyncIterator[Link]:
    """See ``Open``."""
    async with http_client(url, options) as client:
        yield _Poll(client, url, options, position, alive)


class _Poll:
    def __init__(
        self, client: httpx.AsyncClient, url: str, options: Options, position: WherePosition, alive: Alive
    ) -> None:
        self._client = client
        self._url = url
        self._options = options
        self._position = position
        self._alive = alive
        self._frames: deque[bytes] = deque()
        self._told = ""
        # The first poll does not wait: its answer says that the gateway is there.
        self._wait_s = 0.0
        # When the last one without news was sent.
        self._idle_since_s: float | None = None
        self._asked: tuple[Position | None, str] | None = None

    async def receive(self) -> bytes:
        """See ``Link``."""
        if not self._frames:
            await self._ask()
        return self._frames.popleft()

    def patience_s(self, heartbeat_s: float | None) -> float:
        """See ``Link``."""
        return PAUSE_S + self._wait_s + self._options.timing.open_s

    async def follow(self, position: Position | None) -> None:
        """See ``Link``: the next poll says it anyway; what is there already is from before it."""
        self._frames.clear()

    async def _ask(self) -> None:
        asking = self._position(), self._told
        clock = asyncio.get_running_loop().time
        if self._idle_since_s is not None and asking == self._asked:
            await asyncio.sleep(max(0.0, self._idle_since_s + PAUSE_S - clock()))
        self._asked, self._idle_since_s = asking, clock() if self._wait_s else None
        address = self._options.poll_url(self._url, *asking, self._wait_s)
        async with self._client.stream("GET", address, headers={"Accept": "application/json"}) as response:
            await self._take(response)
        self._wait_s = min(MAX_WAIT_S, self._options.timing.poll_s)

    async def _take(self, response: httpx.Response) -> None:
        if response.status_code == httpx.codes.NO_CONTENT:
            retry_after_s = seconds(response.headers.get("Retry-After"))
            if retry_after_s is not None:
                raise Lost("the gateway is about to end", retry_after_s, has_answered=True, is_exact=False)
            self._frames.append(HEARTBEAT)
            return
        if response.status_code != httpx.codes.OK:
            raise await refusal(response, self._options.encoding, self._alive)
        body = await body_of(response, self._options.max_bytes, self._options.encoding, self._alive)
        try:
            frames = frames_of(body)
        except ValueError as exc:
            raise Blocked(str(exc)) from exc
        self._frames.extend(frames or [HEARTBEAT])
        for text in frames:
            if text.startswith(b'{"type":"status"') and isinstance(status := frame_of(text), Status):
                self._told = status.tag
