"""Past reports that were asked for lately, each read and encoded once, however many ask for it."""

import asyncio
import contextlib
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator

from reportcast.broker.base import Broker
from reportcast.contracts.body import Encoding, PreparedBody

from gateway.compressor import Compressor

# They are up to REPORT_MAX_BYTES each.
KEPT = 4
# Each waits for those before it; who comes later is told to come again.
MAX_WAITING = 32


class ShelfBusy(Exception):
    """So many wait for past reports that one more may not."""


class Shelf:
    """
    The past reports of all channels, as clients get them.

    One is read and encoded at a time, so that whoever asks for many takes neither memory nor threads from the newest.

    Args:
        broker: Where they are read.
        compressor: Encodes them.
    """

    def __init__(self, broker: Broker, compressor: Compressor) -> None:
        self._broker = broker
        self._compressor = compressor
        self._kept: OrderedDict[tuple[str, str], PreparedBody] = OrderedDict()
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def get(self, channel: str, name: str) -> PreparedBody | None:
        """
        Give the report of that name; ``None`` if there is none.

        Raises:
            BrokerError: If it cannot be read.
            ShelfBusy: If too many wait.
        """
        async with self._in_turn():
            body = self._kept.get((channel, name))
            if body is None:
                snapshot = await self._broker.past_report(channel, name)
                body = PreparedBody(snapshot.body) if snapshot else None
            if body is not None:
                self._keep((channel, name), body)
            return body

    async def digest(self, body: PreparedBody) -> str:
        """
        Give the SHA-256 of ``body``, hexadecimal.

        Raises:
            ShelfBusy: If too many wait.
        """
        async with self._in_turn():
            return await self._compressor.run_aside(lambda: hashlib.sha256(body.raw).hexdigest())

    async def encoded(self, body: PreparedBody, encoding: Encoding) -> bytes:
        """
        Give ``body`` as ``encoding`` has it.

        Raises:
            ShelfBusy: If too many wait.
        """
        async with self._in_turn():
            return await self._compressor.encoded(body, encoding)

    @contextlib.asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        if self._waiting >= MAX_WAITING:
            raise ShelfBusy
        self._waiting += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting -= 1

    def _keep(self, place: tuple[str, str], body: PreparedBody) -> None:
        self._kept[place] = body
        self._kept.move_to_end(place)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
