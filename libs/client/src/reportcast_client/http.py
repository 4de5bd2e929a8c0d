"""What the transports over plain HTTP have in common."""

import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator

import httpx

from reportcast_client.errors import Blocked, Lost, Refused, TooLarge, Unreachable
from reportcast_client.options import Options
from reportcast_client.transport import refused

# Of an answer that is none of ours no more is read.
MAX_REFUSAL_BYTES = 64 * 1024


@contextlib.asynccontextmanager
async def http_client(url: str, options: Options) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client for one gateway; it has no patience of its own, the engine's is enough."""
    async with httpx.AsyncClient(
        headers={**options.headers, "Accept-Encoding": "gzip" if options.compression else "identity"},
        verify=tls_of(url, options),
        proxy=options.proxy if isinstance(options.proxy, str) else None,
        trust_env=options.proxy is True,
        timeout=None,  # noqa: S113 - the engine's
    ) as client:
        yield client


def tls_of(url: str, options: Options) -> ssl.SSLContext:
    """Give what proves a gateway to be the right one."""
    if options.tls:
        return options.tls
    # To read the authorities of the system takes 20 ms; without TLS nobody asks for them.
    return ssl.create_default_context() if url.startswith("https") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@contextlib.contextmanager
def translated(url: str) -> Iterator[None]:
    """Say what the library raises in our words."""
    try:
        yield
    except httpx.ConnectError as exc:
        raise Unreachable(f"{url} cannot be reached: {exc}") from exc
    except (httpx.ProxyError, httpx.DecodingError) as exc:
        raise Blocked(f"the answer does not get through: {exc}") from exc
    except httpx.TransportError as exc:
        raise Lost(f"the connection ended: {str(exc) or type(exc).__name__}") from exc


async def refusal(response: httpx.Response) -> Refused:
    """Make the error of an answer other than the one that was asked for."""
    try:
        body = await body_of(response, MAX_REFUSAL_BYTES)
    except TooLarge:
        body = b""
    return refused(response.status_code, response.headers, body)


async def body_of(response: httpx.Response, max_bytes: int) -> bytes:
    """
    Read an answer.

    Raises:
        TooLarge: If it is longer than ``max_bytes``.
    """
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > max_bytes:
            raise TooLarge(max_bytes)
    return bytes(body)
