"""
A peer: the websockets library's own server and ``broadcast``.

    python websockets_broadcast.py PORT
"""

import asyncio
import sys

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

connections: set[ServerConnection] = set()


async def follow(connection: ServerConnection) -> None:
    assert connection.request is not None
    if connection.request.path == "/publish":
        async for event in connection:
            broadcast(connections, event)
        return
    connections.add(connection)
    try:
        await connection.wait_closed()
    finally:
        connections.remove(connection)


async def main(port: int) -> None:
    async with serve(follow, "127.0.0.1", port, backlog=2048):
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
