"""One client over ASGI: a reader that answers, and a writer that sends the newest frame when the client can."""

import asyncio

from reportcast.contracts.frames import PreparedFrame
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from gateway.hub import Peer
from gateway.metrics import GatewayMetrics


class AsgiConnection:
    """
    A ``Connection`` on Starlette's WebSocket.

    Memory per client is bounded: at most one frame waits, and a newer one takes its place (conflation).
    """

    def __init__(self, websocket: WebSocket, peer: Peer, metrics: GatewayMetrics) -> None:
        self.peer = peer
        self.frames_sent = 0
        self.conflated = 0
        self.close_code = 1006  # abnormal, until the client has said otherwise
        self._websocket = websocket
        self._metrics = metrics
        self._waiting: PreparedFrame | None = None
        self._wake = asyncio.Event()

    def send(self, frame: PreparedFrame) -> None:
        """See ``Connection``."""
        if self._waiting is not None:
            self.conflated += 1
            self._metrics.conflated.inc()
        self._waiting = frame
        self._wake.set()

    async def write(self) -> None:
        """Send what ``send`` is given, until the client is gone."""
        while await self._wake.wait():
            frame, self._waiting = self._waiting, None
            self._wake.clear()
            if frame is not None and not await self.reply(frame):
                return

    async def reply(self, frame: PreparedFrame) -> bool:
        """Send ``frame`` and wait until the transport took it; false when the client is gone."""
        if self._websocket.application_state is not WebSocketState.CONNECTED:
            return False
        try:
            await self._websocket.send_text(frame.text)
        except (WebSocketDisconnect, RuntimeError):
            # RuntimeError: the other of reader and writer has seen the end first.
            return False
        self.frames_sent += 1
        self._metrics.sent.inc()
        return True

    async def receive(self) -> str | bytes | None:
        """Wait for the client's next message; ``None`` when it is gone."""
        event = await self._websocket.receive()
        if event["type"] == "websocket.disconnect":
            self.close_code = event.get("code") or 1005
            return None
        text: str | bytes | None = event.get("text")
        return event.get("bytes", b"") if text is None else text
