"""A server that answers event streams and polls as it is told to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from tests.support.wait import await_until

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    """Run a server until its clients have left after the end of the block; give its address."""
    present: set[asyncio.StreamWriter] = set()

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        present.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            await serve(reader, writer)
        writer.close()
        present.discard(writer)

    async with await asyncio.start_server(serve_one, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await await_until("all have left", lambda: not present)


class HttpScript:
    """
    Answers one request after the other, each on a connection of its own; those after the last one wait for ever.

    Attributes:
        asked: Their heads.
    """

    def __init__(self, answers: Sequence[str]) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        if len(self.asked) <= len(self._answers):
            writer.write(b"HTTP/1.1 " + self._answers[len(self.asked) - 1].encode())
        await reader.read()  # until the client leaves


def stream(*frames: str) -> str:
    """Give an event stream that goes on."""
    return "200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + "".join(f"data: {frame}\n\n" for frame in frames)


def answer(*frames: str) -> str:
    """Give the answer to a poll."""
    body = f"[{','.join(frames)}]"
    return f"200 OK\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}"


@contextlib.asynccontextmanager
async def answering(*answers: str) -> AsyncIterator[tuple[HttpScript, str]]:
    """Run a server that answers so."""
    script = HttpScript(answers)
    async with serving(script.serve) as url:
        yield script, url
