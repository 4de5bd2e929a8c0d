"""What the transports over plain HTTP have in common."""

import contextlib
import ssl
from collections.abc import AsyncGenerator, AsyncIterator

import httpx

from reportcast_client.errors import Blocked, Refused, TooLarge
from reportcast_client.options import Options
from reportcast_client.transport import Alive, refused
from reportcast_client.unpacking import Unpacking

# Of an answer that is none of ours no more is read.
MAX_REFUSAL_BYTES = 64 * 1024


@contextlib.asynccontextmanager
async def http_client(url: str, options: Options) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client for one gateway; it has no patience of its own, the engine's is enough."""
    async with httpx.AsyncClient(
        headers={**options.headers, "Accept-Encoding": options.encoding},
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


async def refusal(response: httpx.Response, asked: str, alive: Alive) -> Refused:
    """Make the error of an answer other than the one that was asked for."""
    try:
        body = await body_of(response, MAX_REFUSAL_BYTES, asked, alive)
    except (TooLarge, Blocked):
        body = b""
    return refused(response.status_code, response.headers, body)


async def body_of(response: httpx.Response, max_bytes: int, asked: str, alive: Alive) -> bytes:
    """
    Read an answer.

    Raises:
        TooLarge: If it is longer than ``max_bytes``.
        Blocked: See ``Unpacking``.
    """
    body, unpacking = bytearray(), unpacking_of(response, asked)
    async with contextlib.aclosing(pieces_of(response, unpacking, alive)) as pieces:
        async for piece in pieces:
            body += piece
            if len(body) > max_bytes:
                raise TooLarge(max_bytes)
    if not unpacking.is_whole:
        raise Blocked("what answers is compressed, and cut short")
    return bytes(body)


def unpacking_of(response: httpx.Response, asked: str) -> Unpacking:
    """Give what unpacks an answer; see there."""
    return Unpacking(response.headers.get("Content-Encoding", ""), asked)


async def pieces_of(response: httpx.Response, unpacking: Unpacking, alive: Alive) -> AsyncGenerator[bytes, None]:
    """Give what an answer says as it comes, in pieces of bounded size; ``alive`` is called whenever something comes."""
    async for received in response.aiter_raw():
        alive()
        for piece in unpacking.pieces(received):
            yield piece
