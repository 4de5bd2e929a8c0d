"""
Names in Redis. The braces keep all of a channel on one node of a cluster.

Source: docs/operations.md, Redis.
"""

import dataclasses
import functools
import re

_CHANNEL = re.compile(r"[0-9A-Za-z_-]{1,64}")


@dataclasses.dataclass(frozen=True, slots=True)
class Keys:
    """
    One channel's names.

    Attributes:
        state: Hash: ``epoch``, ``offset``, ``digest``, ``name``, ``message`` (the newest snapshot), ``source``,
            ``fence``, ``server`` (the run id of who numbered last).
        history: Stream of the kept snapshots; an entry's id is its offset.
        names: Sorted set: names of the kept snapshots by offset.
        deltas: Stream of the last changes, without a gap up to the newest; an entry's id is its offset.
        messages: Pub/sub channel of the messages.
        requests: Pub/sub channel of the requests to read the file again.
        probes: What the pub/sub channels begin with on which subscriptions try their link; ``:`` and a secret follow.
        throttle: Present for a second after a request.
        lease: Who may publish; present while somebody may.
        rejections: Stream of what is known of the refused contents.
        rejected: Stream of the contents themselves; an entry has the id of its rejection.
    """

    state: str
    history: str
    names: str
    deltas: str
    messages: str
    requests: str
    probes: str
    throttle: str
    lease: str
    rejections: str
    rejected: str


_NAMES = (
    "state",
    "history",
    "names",
    "deltas",
    "messages",
    "requests",
    "probes",
    "throttle",
    "lease",
    "rejections",
    "rejected",
)


@functools.lru_cache(maxsize=1024)  # asked for each second for each channel
def keys_of(channel: str) -> Keys:
    """
    Give a channel's names.

    Raises:
        ValueError: If the channel's name holds anything but letters, digits, ``-`` and ``_``.
    """
    if not _CHANNEL.fullmatch(channel):
        raise ValueError(f"channel {channel!r} is no name; 1 to 64 letters, digits, - and _ are allowed")
    prefix = f"reportcast:{{{channel}}}:"
    return Keys(*(prefix + name for name in _NAMES))
