"""
The pattern of FastAPI's own documentation: a ``ConnectionManager`` that awaits a send to each client in turn.

uvicorn deflates for each connection, and Starlette's middleware compresses each answer. A report comes by POST.

    python connection_manager.py PORT
"""

import json
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response

app = FastAPI()
app.add_middleware(GZipMiddleware)


class ConnectionManager:
    """As documented."""

    def __init__(self) -> None:
        self.active_connections: list[WebSocket] = []
        self.report: Any = None

    async def broadcast(self, message: str) -> None:
        """Send to each in turn."""
        for connection in self.active_connections:
            await connection.send_text(message)

    @property
    def message(self) -> str:
        """What clients get."""
        return json.dumps({"type": "audit-update", "data": self.report})


manager = ConnectionManager()


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    """Answer."""
    return {"status": "ok"}


@app.get("/audit")
async def audit() -> Response:
    """Give the report."""
    return Response(json.dumps(manager.report), media_type="application/json")


@app.post("/publish")
async def publish(request: Request) -> None:
    """Take a report and send it to everyone."""
    manager.report = json.loads(await request.body())
    await manager.broadcast(manager.message)


@app.websocket("/ws")
async def follow(websocket: WebSocket) -> None:
    """Send the report, and then whatever comes."""
    await websocket.accept()
    manager.active_connections.append(websocket)
    await websocket.send_text(manager.message)
    try:
        while True:
            await websocket.receive_text()
    except WebSocketDisconnect:
        manager.active_connections.remove(websocket)


if __name__ == "__main__":
    # Without pings: while it stands still it would take its clients for dead.
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False, ws_ping_interval=None)
