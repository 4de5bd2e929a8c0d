"""A body is compressed once, whoever asks and whoever goes away, and a large one in a thread."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

import pytest
from gateway.compressor import Compressor
from reportcast.contracts.body import INLINE_BYTES, Encoding, PreparedBody
from reportcast.contracts.once import Once

from tests.support.wait import await_until

LARGE = b"[" + b" " * INLINE_BYTES + b"]"


class HeldBody(PreparedBody):
    """One that takes as long to compress as the test wants."""

    def __init__(self) -> None:
        super().__init__(LARGE)
        self.release = threading.Event()
        self.threads: list[threading.Thread] = []

    @Once
    def deflated(self) -> bytes:
        self.threads.append(threading.current_thread())
        assert self.release.wait(10)
        return PreparedBody(self.raw).deflated


@contextlib.contextmanager
def held_body() -> Iterator[HeldBody]:
    """Give a body whose compression ends with the block, at the latest."""
    body = HeldBody()
    yield body
    body.release.set()


@pytest.mark.parametrize("raw", [b"[]", LARGE], ids=["small", "large"])
@pytest.mark.parametrize("encoding", list(Encoding))
async def test_encoded(raw: bytes, encoding: Encoding) -> None:
    """Each encoding, of bodies of each size."""
    body = PreparedBody(raw)

    encoded = await Compressor().encoded(body, encoding)

    assert encoded == {Encoding.ZSTD: body.zstd, Encoding.GZIP: body.gzip, Encoding.IDENTITY: raw}[encoding]


async def test_a_large_body_is_compressed_once_in_a_thread() -> None:
    """Frames and gzip are cut from the same blocks, so who asks for either waits for the same thread."""
    compressor = Compressor()
    with held_body() as body:
        async with asyncio.TaskGroup() as tasks:
            asking = [tasks.create_task(compressor.encoded(body, Encoding.GZIP)) for _ in range(10)]
            cutting = tasks.create_task(compressor.deflated(body))
            await asyncio.sleep(0)
            body.release.set()

        assert {task.result() for task in asking} == {body.gzip}
        assert cutting.result() is body.deflated
        assert len(body.threads) == 1
        assert body.threads != [threading.main_thread()]


async def test_one_who_goes_away_does_not_take_it_from_the_others() -> None:
    """Though it was the first, and its request began it."""
    compressor = Compressor()
    with held_body() as body:
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(compressor.deflated(body))
            second = tasks.create_task(compressor.deflated(body))
            await asyncio.sleep(0)
            first.cancel()
            await asyncio.sleep(0)
            body.release.set()

        assert first.cancelled()
        assert second.result() is body.deflated
        assert len(body.threads) == 1


async def test_what_is_made_is_used_at_once() -> None:
    """Also of a large body: nobody waits for a task that has nothing to do."""
    compressor, body, used = Compressor(), PreparedBody(LARGE), list[bytes]()
    made = await compressor.encoded(body, Encoding.GZIP)

    compressor.then(body, Encoding.GZIP, used.append)

    assert used == [made]
    compressor.close()


async def test_what_is_not_made_is_used_as_soon_as_it_is() -> None:
    """In a thread meanwhile."""
    compressor, used = Compressor(), list[bytes]()
    with held_body() as body:
        compressor.then(body, Encoding.GZIP, used.append)
        await asyncio.sleep(0)
        assert used == []
        body.release.set()
        await await_until("it is used", lambda: used)

    assert used == [PreparedBody(LARGE).gzip]
    compressor.close()
