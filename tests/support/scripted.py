"""A gateway that says what it is told to, by each transport; for what a real one never says."""

import contextlib
import json
from collections.abc import AsyncIterator, Sequence

from reportcast.contracts.v1_frames import SUBPROTOCOL
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from tests.support.wire import digest_of

BODIES = [b'{"change":%d,"repos":[]}' % number for number in range(4)]
TIMES = {"published_at": "2026-11-23T12:00:00.010Z", "modified_at": "2026-11-23T12:00:00.005Z", "findings": []}
HELLO = '{"type":"hello","protocol":"reportcast.v1","channels":["audit"],"heartbeat_s":30}'
# Instead of a frame: wait for what the client sends; say no more.
ASK, STAY = "ask", "stay"


def snapshot(offset: int, channel: str = "audit") -> str:
    """Give a whole report."""
    body = BODIES[offset]
    head = {"type": "snapshot", "channel": channel, "epoch": "e", "offset": offset, "name": "n", **TIMES}
    return json.dumps({**head, "digest": digest_of(body)})[:-1] + ',"data":' + body.decode() + "}"


def delta(offset: int, base: int | None = None, change: int | None = None) -> str:
    """Give a change, which may have another base than it should, or make another report than it says."""
    before, after = BODIES[offset - 1 if base is None else base], BODIES[offset]
    patch = {"change": offset if change is None else change}
    return json.dumps(
        {
            "type": "delta",
            "channel": "audit",
            "epoch": "e",
            "offset": offset,
            "name": "n",
            **TIMES,
            "base": digest_of(before),
            "digest": digest_of(after),
            "changes": {"format": "merge-patch", "patch": patch},
        }
    )


def following(offset: int, recovered: bool = False) -> str:
    """Give the answer to a wish to follow."""
    return json.dumps({"type": "following", "channel": "audit", "epoch": "e", "offset": offset, "recovered": recovered})


class ScriptedGateway:
    """
    Follows one script for each WebSocket; those that come after the last are told nothing.

    Attributes:
        asked: The path of each connection, and what was sent on it.
        left: The code with which each client closed that was told no more.
    """

    def __init__(self, scripts: Sequence[Sequence[str]], close: tuple[int, str]) -> None:
        self.asked: list[str] = []
        self.left: list[int | None] = []
        self._scripts = iter(scripts)
        self._close = close

    async def serve(self, connection: ServerConnection) -> None:
        """Serve one connection."""
        assert connection.request is not None
        self.asked.append(connection.request.path)
        for frame in next(self._scripts, (STAY,)):
            if frame == ASK:
                self.asked.append(str(await connection.recv()))
            elif frame == STAY:
                await connection.wait_closed()
                self.left.append(connection.close_code)
            else:
                await connection.send(frame)
        await connection.close(*self._close)


@contextlib.asynccontextmanager
async def scripted_gateway(
    *scripts: Sequence[str], close: tuple[int, str] = (1000, "")
) -> AsyncIterator[tuple[ScriptedGateway, str]]:
    """Run one until the end of the block; gives its ``host:port``, too. ``close`` is how each connection ends."""
    gateway = ScriptedGateway(scripts, close)
    async with serve(gateway.serve, "127.0.0.1", 0, subprotocols=[Subprotocol(SUBPROTOCOL)]) as server:
        yield gateway, f"127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
