"""One client over plain ASGI, for servers that hand nothing off: the same frames, at the price of two tasks."""

import asyncio

from reportcast.contracts.close_codes import ABNORMAL, NO_CODE
from reportcast.contracts.frames import PreparedFrame
from reportcast.contracts.v1_frames import HEARTBEAT
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.burst import Burst
from gateway.hub import Flow, Peer
from gateway.roster import Roster, Session, Transport


class AsgiConnection:
    """
    A ``Connection`` on Starlette's WebSocket. It is paused while anything waits to be sent.

    The server pings and limits the size of messages.
    """

    transport = Transport.WEBSOCKET

    def __init__(self, websocket: WebSocket, roster: Roster, session: Session, peer: Peer) -> None:
        self.peer = peer
        self.session = session
        self.flow = Flow.OPEN
        self.sequence = 0
        self.began = 0
        self.conflated = 0
        self.is_owed = False
        self.silent_pings = 0
        self.close_code = ABNORMAL
        self._websocket = websocket
        self._roster = roster
        self._outbox: list[PreparedFrame] = []
        self._wake = asyncio.Event()
        self._sent = asyncio.Event()
        self._over = asyncio.Event()
        self._close: tuple[int, str] | None = None

    @property
    def unsent_bytes(self) -> int:
        """See ``Connection``."""
        return sum(len(frame.payload) for frame in self._outbox)

    def write(self, burst: Burst) -> None:
        """See ``Connection``."""
        self._put(*burst.frames)
        if self.flow is Flow.OPEN:
            self.session.pause(self)

    def queue(self, burst: Burst) -> None:
        """See ``Follower``."""
        self._put(*burst.frames)

    def reply(self, frame: PreparedFrame) -> None:
        """See ``Connection``."""
        self._put(frame)

    def tell_skipped(self, count: int) -> None:
        """See ``Follower``: without a subprotocol, nobody wants to know."""

    def ping(self) -> None:
        """See ``Connection``; the server does it, but for the heartbeat."""
        if self.session.heartbeat and self.flow is Flow.OPEN:
            self._put(HEARTBEAT)

    def beat(self) -> None:
        """See ``Connection``: it comes with the ping."""

    def close(self, code: int, reason: str) -> None:
        """See ``Connection``."""
        self._close = (code, reason)
        self._put()

    def abort(self) -> None:
        """See ``Connection``."""
        self._over.set()

    async def serve(self) -> None:
        """Send and answer until one side ends it."""
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self._write()), tasks.create_task(self._read())]
            await self._over.wait()
            for task in running:
                task.cancel()

    def _put(self, *frames: PreparedFrame) -> None:
        self._outbox += frames
        self._sent.clear()
        self._wake.set()

    async def _write(self) -> None:
        try:
            while await self._wake.wait():
                while self._outbox:
                    await self._websocket.send_text(self._outbox[0].text)
                    del self._outbox[0]
                self._wake.clear()
                self._sent.set()
                if self._close is not None:
                    await self._websocket.close(*self._close)
                    self._close = None
                if self.flow is Flow.PAUSED:
                    self.session.resume(self)
        except (WebSocketDisconnect, RuntimeError):
            # RuntimeError: the reader has seen the end first.
            self._over.set()

    async def _read(self) -> None:
        while (event := await self._websocket.receive())["type"] != "websocket.disconnect":
            if self.flow is not Flow.CLOSING:
                text = event.get("text")
                self.session.answer(self, event.get("bytes", b"") if text is None else text)
                if self._outbox:
                    await self._sent.wait()  # who asks faster than it reads is not read
        if self.flow is not Flow.CLOSING:
            self.close_code = event.get("code") or NO_CODE
        self._over.set()
