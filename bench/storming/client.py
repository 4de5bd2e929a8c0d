"""A client of ``reportcast.v1`` that knows where it stands and nothing else: it keeps no report. Sans I/O."""

import random
import re

from bench.clients import CLOSE, PING, TEXT, FrameReader

BASE_S, CAP_S = 0.5, 30.0
# In a frame's first bytes, before the report.
POSITION = re.compile(rb'"epoch":"(\w+)","offset":(\d+)')
WITHIN = 200
FOLLOWING, SNAPSHOT = b'{"type":"following"', b'{"type":"snapshot"'
OF_INTEREST = (FOLLOWING, SNAPSHOT, b'{"type":"delta"')
HANDSHAKE = (
    "GET /ws?channel=audit{position} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: reportcast.v1\r\nUser-Agent: bench\r\n\r\n"
)

Position = tuple[bytes, int]


class StormClient:
    """
    One client.

    Attributes:
        position: Where it stands; ``None`` before the first report.
        is_settled: Whether it follows and has what was the newest when it began to.
        failures: Attempts since it was settled.
        recovered: Resumes answered with what was missed alone.
        refused: Resumes answered with the whole report.
        owes_pong: Whether a ping came.
        gaps: Deltas that did not lead on from where it stood.
    """

    __slots__ = (
        "_frames",
        "_is_following",
        "_is_resuming",
        "_target",
        "failures",
        "gaps",
        "is_settled",
        "owes_pong",
        "position",
        "recovered",
        "refused",
    )

    def __init__(self) -> None:
        self.position: Position | None = None
        self.is_settled = False
        self.owes_pong = False
        self.failures = 0
        self.recovered = self.refused = self.gaps = 0
        self._frames: FrameReader | None = None
        self._target: Position | None = None
        self._is_following = self._is_resuming = False

    def wait_s(self, chance: random.Random) -> float:
        """Give how long to wait before the next attempt: full jitter."""
        self.is_settled = False
        wait_s = chance.uniform(0, min(CAP_S, BASE_S * 2 ** min(self.failures, 10)))
        self.failures += 1
        return wait_s

    def handshake(self, host: str, port: int) -> bytes:
        """Give what a new connection begins with."""
        self._frames = None
        self._target = None
        self._is_following = False
        self._is_resuming = self.position is not None
        at = f"&epoch={self.position[0].decode()}&offset={self.position[1]}" if self.position else ""
        return HANDSHAKE.format(position=at, host=host, port=port).encode()

    def take(self, received: bytes) -> bool:
        """
        Take in what came.

        Returns:
            Whether the server goes on; ``False`` if it refused, or closes the connection.
        """
        if self._frames is None:
            # The answer is small, and comes in one piece on this machine.
            head, _, received = received.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 101 "):
                return False
            self._frames = FrameReader()
        goes_on = True
        for opcode, payload in self._frames.feed(received):
            goes_on = goes_on and opcode != CLOSE
            self.owes_pong = self.owes_pong or opcode == PING
            if opcode == TEXT and payload.startswith(OF_INTEREST):
                self._advance(payload)
        return goes_on

    def _advance(self, payload: bytes) -> None:
        found = POSITION.search(payload, 0, WITHIN)
        position = (found[1], int(found[2])) if found else None  # there is no report yet
        if payload.startswith(FOLLOWING):
            self._is_following = True
            self._target = position
            whole = b'"recovered":true' in payload
            self.recovered += self._is_resuming and whole
            self.refused += self._is_resuming and not whole
        elif position and (payload.startswith(SNAPSHOT) or self._is_next(position)):
            self.position = position
        else:
            self.gaps += 1
        if self._is_following and self._has_target():
            self.is_settled = True
            self.failures = 0

    def _has_target(self) -> bool:
        if self.position is None or self._target is None:
            return self.position is not None
        return self.position[0] != self._target[0] or self.position >= self._target

    def _is_next(self, position: Position) -> bool:
        return self.position is not None and position == (self.position[0], self.position[1] + 1)
