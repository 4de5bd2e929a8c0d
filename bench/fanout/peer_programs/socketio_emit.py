"""
A peer: python-socketio's ``emit`` to all, on the server and event loop that the gateway has.

    python socketio_emit.py PORT
"""

import sys
from typing import Any

import socketio
import uvicorn

# Handled one after the other, so that events keep their order.
server = socketio.AsyncServer(async_mode="asgi", transports=["websocket"], async_handlers=False)


async def publish(sid: str, event: Any) -> None:
    await server.emit("event", event, skip_sid=sid)


if __name__ == "__main__":
    server.on("publish", publish)
    app = socketio.ASGIApp(server)
    uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", ws="websockets-sansio", log_level="warning")
