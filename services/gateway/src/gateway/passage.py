"""
One change's way from the file to the clients of this process. Pure.

The hops telescope: their sum is the time from the file's modification to the end of the fan-out, all by the broker's
clock, and the error of each estimate cancels but for the first and the last station's.

Source: docs/protocol.md, Latency.
"""

import dataclasses

from reportcast.contracts.trace import Skew, Trace, in_ms

# The hops in this process; those before are the watcher's, and the first of these has two clocks.
HOPS = ("relay", "prepare", "write")


@dataclasses.dataclass(slots=True)
class Passage:
    """
    When a change came by; all in µs.

    Attributes:
        trace: In the watcher, by its clock.
        skew: Of this host's clock; ``None`` if it is not known.
        received_us: When this process got word of it; since 1970, by this host's clock, as those that follow.
        prepared_us: When its frames were handed to the hubs; ``None`` before.
        written_us: When all who follow had been written to, but for those who are slow; ``None`` before.
        clients: How many those were.
    """

    trace: Trace
    skew: Skew | None
    received_us: int
    prepared_us: int | None = None
    written_us: int | None = None
    clients: int = 0

    @property
    def ahead_us(self) -> int | None:
        """What has to be added to a time of this host to get the watcher's; ``None`` if that is not known."""
        there = self.trace.skew
        return self.skew.offset_us - there.offset_us if self.skew and there else None

    @property
    def uncertainty_us(self) -> int | None:
        """By how much ``relay``, and the whole, may be wrong, either way."""
        there = self.trace.skew
        return self.skew.uncertainty_us + there.uncertainty_us if self.skew and there else None

    @property
    def hops_us(self) -> dict[str, int]:
        """Where the time went, in order, as far as it is known."""
        hops, ahead_us = self.trace.hops_us, self.ahead_us
        if ahead_us is not None:
            hops["relay"] = self.received_us + ahead_us - self.trace.published_us
        if self.prepared_us is not None:
            hops["prepare"] = self.prepared_us - self.received_us
        if self.prepared_us is not None and self.written_us is not None:
            hops["write"] = self.written_us - self.prepared_us
        return hops

    @property
    def age_us(self) -> int | None:
        """From the file's modification to the end of the fan-out; ``None`` if that is not known."""
        ahead_us = self.ahead_us
        if ahead_us is None or self.written_us is None:
            return None
        return self.written_us + ahead_us - self.trace.modified_us

    @property
    def hops_ms(self) -> dict[str, float]:
        """What clients are told: the hops until this process got word of it."""
        return {hop: in_ms(time_us) for hop, time_us in self.hops_us.items() if hop not in HOPS[1:]}
