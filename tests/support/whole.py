"""What was published, whole, however it travelled."""

from collections.abc import AsyncIterator

from reportcast.broker.base import Broker
from reportcast.contracts.messages import Changed, Delta, Message, Refreshed, Snapshot, Source


async def wholes(broker: Broker, channel: str, messages: AsyncIterator[Message]) -> AsyncIterator[Message]:
    """Give every message of a subscription; in place of a change, or of word that there is one, the whole report."""
    async for message in messages:
        whole = await _whole(broker, channel, message)
        if whole is not None:
            yield whole


async def _whole(broker: Broker, channel: str, message: Message) -> Message | None:
    match message:
        case Delta():
            past = await broker.past_report(channel, message.name)
            return message.grown(past.body) if past else None
        case Changed():
            return (await broker.state(channel)).snapshot
        case Snapshot() | Source() | Refreshed():
            return message
