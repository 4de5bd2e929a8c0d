"""What is told of all past reports at once: each is read once in this process, however often somebody asks."""

import asyncio
import dataclasses
import functools
import hashlib
from collections import defaultdict
from collections.abc import Iterable

import msgspec
from reportcast.broker.base import Broker
from reportcast.contracts.body import PreparedBody
from reportcast.contracts.clock import iso_utc
from reportcast.contracts.messages import Snapshot
from reportcast.contracts.outline import outline

from gateway.compressor import Compressor

# The newest; a line of a chart has no more points. Each takes about 300 bytes.
MAX_OUTLINES = 1000

# A kept report's name, which may come again when it is not kept any more, and its offset, which does not in an epoch.
Place = tuple[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Listing:
    """
    A channel's outlines, as clients get them.

    Attributes:
        digest: Of the body.
    """

    body: PreparedBody
    digest: str

    @classmethod
    def of(cls, texts: Iterable[bytes]) -> "Listing":
        """Make one of its parts."""
        raw = b"[" + b",".join(texts) + b"]"
        return cls(PreparedBody(raw), hashlib.sha256(raw).hexdigest())


@dataclasses.dataclass(slots=True)
class _Channel:
    """What is known of a channel's kept reports, and the list that was made of it last."""

    filling: asyncio.Lock = dataclasses.field(default_factory=asyncio.Lock)
    epoch: str | None = None
    texts: dict[Place, bytes] = dataclasses.field(default_factory=dict)
    places: list[Place] = dataclasses.field(default_factory=list)
    listing: Listing = dataclasses.field(default_factory=lambda: Listing.of([]))


class Outlines:
    """
    The outlines of the past reports of all channels.

    Args:
        broker: Where reports are read.
        compressor: Has the thread in which they are looked through.
    """

    def __init__(self, broker: Broker, compressor: Compressor) -> None:
        self._broker = broker
        self._compressor = compressor
        self._channels: defaultdict[str, _Channel] = defaultdict(_Channel)

    def last(self, channel: str, epoch: str | None) -> Listing | None:
        """Give the list as it was made last, for who cannot be given a newer one; ``None`` if there is none of it."""
        known = self._channels[channel]
        return known.listing if known.places and known.epoch == epoch else None

    async def of(self, channel: str, epoch: str | None) -> Listing:
        """
        Give the list of a channel's outlines, newest first, as clients get it; the same object while nothing changed.

        Args:
            channel: One that is served.
            epoch: Its present one, for in another the same offsets may stand for other reports.

        Raises:
            BrokerError: If a report cannot be read.
        """
        known = self._channels[channel]
        places = list((await self._broker.offsets(channel)).items())[:MAX_OUTLINES]
        async with known.filling:  # who comes meanwhile finds them made
            if known.epoch != epoch:
                known.epoch, known.texts, known.places = epoch, {}, []
            for place in places:
                if place not in known.texts and (snapshot := await self._broker.past_report(channel, place[0])):
                    known.texts[place] = await self._compressor.run_aside(functools.partial(_text_of, snapshot))
        if known.places != places:
            known.texts = {place: known.texts[place] for place in places if place in known.texts}
            known.listing = Listing.of(known.texts.values())
            known.places = places
        return known.listing


def _text_of(snapshot: Snapshot) -> bytes:
    told = outline(snapshot.body)
    fields = {
        "name": snapshot.name,
        "epoch": snapshot.epoch,
        "offset": snapshot.offset,
        "publishedAt": iso_utc(snapshot.published_at),
        "modifiedAt": iso_utc(snapshot.modified_at),
        "timestamp": told.timestamp,
        "health": told.health,
        "summary": told.summary,
    }
    return msgspec.json.encode(fields)
