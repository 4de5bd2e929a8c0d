"""Following by WebSocket. Source: docs/protocol.md, Version 1."""

import contextlib
import json
from collections.abc import AsyncIterator

from reportcast.contracts.close_codes import ABNORMAL, comes_back
from reportcast.contracts.position import Position
from reportcast.contracts.v1_frames import SUBPROTOCOL
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, ProxyError
from websockets.frames import CloseCode
from websockets.typing import Subprotocol

from reportcast_client.errors import Blocked, ClientError, ClosedForGood, Lost, TooLarge, Unreachable
from reportcast_client.options import Options
from reportcast_client.transport import Link, WherePosition, refused

# A gateway answers a close at once; one that is gone never does.
CLOSE_S = 1.0


@contextlib.asynccontextmanager
async def open_websocket(url: str, options: Options, position: WherePosition) -> AsyncIterator[Link]:
    """See ``Open``."""
    opening = connect(
        options.websocket_url(url, position()),
        subprotocols=[Subprotocol(SUBPROTOCOL)],
        compression="deflate" if options.compression else None,
        additional_headers=options.headers,
        proxy=options.proxy or None,
        ssl=(options.tls or True) if url.startswith("https") else None,
        max_size=options.max_bytes,
        # The engine waits for what comes, and has one patience for all transports.
        open_timeout=None,
        ping_interval=None,
        close_timeout=CLOSE_S,
    )
    try:
        socket = await opening
    except InvalidStatus as exc:
        raise refused(exc.response.status_code, exc.response.headers, bytes(exc.response.body)) from exc
    except (InvalidHandshake, ProxyError) as exc:
        raise Blocked(f"the WebSocket does not get through: {exc}") from exc
    except OSError as exc:
        raise Unreachable(f"{url} cannot be reached: {exc}") from exc
    async with socket:
        if socket.subprotocol != SUBPROTOCOL:
            raise Blocked(f"what answers does not speak {SUBPROTOCOL}")
        yield _WebSocketLink(socket, options)


class _WebSocketLink:
    def __init__(self, socket: ClientConnection, options: Options) -> None:
        self._socket = socket
        self._options = options

    async def receive(self) -> bytes:
        """See ``Link``."""
        try:
            return await self._socket.recv(decode=False)
        except ConnectionClosed as exc:
            raise self._error(exc) from exc

    def patience_s(self, heartbeat_s: float | None) -> float:
        """See ``Link``."""
        return self._options.timing.open_s if heartbeat_s is None else 2 * heartbeat_s

    async def follow(self, position: Position | None) -> None:
        """See ``Link``."""
        try:
            await self._socket.send(json.dumps(self._wish(position), separators=(",", ":")))
        except ConnectionClosed as exc:
            raise self._error(exc) from exc

    def _wish(self, position: Position | None) -> dict[str, object]:
        options = self._options
        words = {"statuses": list(options.statuses), "names": list(options.names)}
        at = {"epoch": position.epoch, "offset": position.offset} if position else {}
        wish = {"channel": options.channel, **words, **at}
        return {"type": "follow", **{name: value for name, value in wish.items() if value is not None and value != []}}

    def _error(self, exc: ConnectionClosed) -> ClientError:
        if exc.sent and not exc.rcvd_then_sent and exc.sent.code == CloseCode.MESSAGE_TOO_BIG:
            return TooLarge(self._options.max_bytes)
        code, reason = (exc.rcvd.code, exc.rcvd.reason) if exc.rcvd else (ABNORMAL, "")
        if not comes_back(code):
            return ClosedForGood(code, reason)
        why = f" ({reason})" if reason else ""
        return Lost(f"the connection ended with {code}{why}", _retry_after_s(reason), has_answered=exc.rcvd is not None)


def _retry_after_s(reason: str) -> float | None:
    try:
        told = json.loads(reason)["retry_after_ms"]
    except (ValueError, TypeError, KeyError):
        return None
    return told / 1000 if isinstance(told, int | float) else None
