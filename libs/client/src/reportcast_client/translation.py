"""What the libraries raise, in our words: the one place that knows their exceptions."""

import json
import zlib
from collections.abc import Sequence

import httpx
from reportcast.contracts.close_codes import ABNORMAL, comes_back
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.frames import CloseCode

from reportcast_client.errors import Blocked, ClientError, ClosedForGood, Interruption, Lost, TooLarge, Unreachable
from reportcast_client.secrets import without_secrets
from reportcast_client.transport import refused

# The first that fits says what it means: those that are more of a kind come first.
_MEANINGS: Sequence[tuple[tuple[type[Exception], ...], type[Interruption], str]] = (
    ((httpx.ConnectError,), Unreachable, "{url} cannot be reached"),
    ((httpx.ProxyError, httpx.DecodingError, zlib.error), Blocked, "the answer does not get through"),
    ((httpx.TransportError,), Lost, "the connection ended"),
    ((WebSocketException,), Blocked, "the WebSocket does not get through"),
    ((OSError,), Unreachable, "{url} cannot be reached"),
    # A proxy's setting that is none, what a library lacks, what nobody foresaw: it is said, and tried again.
    ((Exception,), Blocked, "it does not get through"),
)


def translated(exc: Exception, url: str, max_bytes: int) -> ClientError:
    """
    Give what an exception of a library means.

    Args:
        exc: Any that an attempt to follow ended with.
        url: Of the gateway.
        max_bytes: What a frame may have.
    """
    if isinstance(exc, InvalidStatus):
        return refused(exc.response.status_code, exc.response.headers, bytes(exc.response.body))
    if isinstance(exc, ConnectionClosed):
        return _closed(exc, max_bytes)
    kind, sentence = next((kind, told) for types, kind, told in _MEANINGS if isinstance(exc, types))
    return kind(without_secrets(f"{sentence.format(url=url)}: {str(exc) or type(exc).__name__}"))


def _closed(exc: ConnectionClosed, max_bytes: int) -> ClientError:
    if exc.sent and not exc.rcvd_then_sent and exc.sent.code == CloseCode.MESSAGE_TOO_BIG:
        return TooLarge(max_bytes)
    code, reason = (exc.rcvd.code, exc.rcvd.reason) if exc.rcvd else (ABNORMAL, "")
    if not comes_back(code):
        return ClosedForGood(code, reason)
    why = f" ({reason})" if reason else ""
    return Lost(f"the connection ended with {code}{why}", _retry_after_s(reason), has_answered=exc.rcvd is not None)


def _retry_after_s(reason: str) -> float | None:
    try:
        told = json.loads(reason)["retry_after_ms"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return told / 1000 if isinstance(told, int | float) else None
