"""Giving a broker that has lost its data what is kept on disk. May be interrupted and done again."""

import structlog
from reportcast.broker.base import Broker, HistoryLimits

from watcher.archive import Archive


async def restore(broker: Broker, channel: str, archive: Archive, present: bytes | None, fence: int) -> None:
    """
    Put back past reports; nobody is sent an old one.

    Args:
        broker: Where to.
        channel: Whose they are.
        archive: Where they are kept.
        present: The report that will be published; ``None`` if there is none: then the newest that is kept is.
        fence: Of the lease.

    Raises:
        BrokerError: If the broker does not take them all.
    """
    kept = await archive.recent(HistoryLimits())
    stand_in = kept.pop() if kept and present is None else None
    for publication in kept:
        if publication.body != present:
            await broker.restore(channel, publication, fence)
    if stand_in:
        await broker.publish(channel, stand_in, fence)
    if kept or stand_in:
        log = structlog.get_logger("restore").bind(channel=channel)
        log.info("history restored", reports=len(kept) + (stand_in is not None))


async def restore_rejections(broker: Broker, channel: str, archive: Archive) -> None:
    """
    Put back the refused contents that the broker does not have.

    Raises:
        BrokerError: If the broker does not take them all.
    """
    known = {rejection.digest for rejection in await broker.rejections(channel)}
    for rejection, content in await archive.rejections():
        if rejection.digest not in known:
            await broker.reject(channel, rejection, content)
